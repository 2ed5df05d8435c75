"""Files as streams of bytes: globs, stdin, gzip and zstd, and every way that opening can fail."""

import contextlib
import errno
import glob
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.names import nearest
from yuntu_push.domain.text import msg

STDIN = "-"
CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def expand(patterns: Sequence[str]) -> list[str]:
    """The files that the patterns name, each once, in their order; `-` is standard input."""
    found: list[str] = []
    for pattern in patterns:
        with looking_at(pattern):
            literal = pattern == STDIN or Path(pattern).exists() or not glob.has_magic(pattern)
        if literal:
            found.append(pattern)
            continue
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - takes absolute patterns
        if not matches:
            raise SourceError(
                "SOURCE_FILE_MISSING",
                msg("no file matches {pattern}", pattern=repr(pattern)),
                hint=msg("check the folder and the pattern"),
            )
        found += matches
    unique = list(dict.fromkeys(found))
    for path in unique:
        if path != STDIN:
            check_file(Path(path))
    return unique


@contextmanager
def looking_at(path: str | Path) -> Iterator[None]:
    """Turns what the system says of `path` into a `SourceError`."""
    try:
        yield
    except OSError as exc:
        raise unreadable(Path(path), exc) from None


def check_file(path: Path) -> None:
    """Raise `SourceError` unless `path` is a file that can be read (a pipe will do)."""
    with looking_at(path):
        is_folder = path.is_dir()
    if is_folder:
        raise SourceError(
            "SOURCE_IS_FOLDER",
            msg("{path} is a folder, not a file", path=repr(str(path))),
            hint=msg("name its files, such as {example}", example=repr(str(path / "*.csv"))),
        )
    with looking_at(path), path.open("rb"):
        pass


def unreadable(path: Path, exc: OSError) -> SourceError:
    """The error for a file that cannot be opened."""
    if exc.errno == errno.ENOENT:
        there: list[str] = []
        with contextlib.suppress(OSError):  # a folder may be entered and yet not listed
            there = [entry.name for entry in path.parent.iterdir()]
        close = nearest(path.name, there)
        hint = msg("there is {names}", names=", ".join(close)) if close else msg("check the path")
        return SourceError(
            "SOURCE_FILE_MISSING",
            msg("there is no file {path}", path=repr(str(path))),
            hint=hint,
        )
    if exc.errno in (errno.EACCES, errno.EPERM):
        return SourceError(
            "SOURCE_NO_PERMISSION",
            msg("{path} may not be read by this user", path=repr(str(path))),
            hint=msg("change its permissions, or copy it to where you can read it"),
        )
    return SourceError(
        "SOURCE_UNREADABLE",
        msg("{path} cannot be read: {reason}", path=repr(str(path)), reason=exc.strerror or exc),
        hint=msg("check the file"),
    )


@dataclass(frozen=True)
class Opened:
    """A stream of a file's unpacked bytes; `is_plain` when the file itself has those bytes."""

    chunks: Iterator[bytes]
    is_plain: bool


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """The bytes of a file, unpacked when it is gzip or zstd by its first bytes."""
    file = _stdin() if path == STDIN else Path(path).open("rb", buffering=0)  # noqa: SIM115
    try:
        head = b""
        while len(head) < len(_ZSTD) and (more := file.read(len(_ZSTD) - len(head))):
            head += more
        pieces = _pieces(head, file)
        if head.startswith(_GZIP):
            yield Opened(_gunzipped(pieces, path), False)
        elif head.startswith(_ZSTD):
            yield Opened(_unzstd(pieces, path), False)
        else:
            yield Opened(pieces, path != STDIN and Path(path).is_file())
    finally:
        if path != STDIN:
            file.close()


def _stdin() -> BinaryIO | FileIO:
    """Standard input, unbuffered: a buffer's lock would hold up the end of an interrupted run."""
    try:
        return FileIO(sys.stdin.fileno(), closefd=False)
    except (OSError, ValueError, AttributeError):
        return sys.stdin.buffer


def _pieces(head: bytes, file: BinaryIO | FileIO) -> Iterator[bytes]:
    """What there is, as it comes: waiting for a full chunk of a pipe would hold rows back."""
    if head:
        yield head
    while piece := file.read(CHUNK):
        yield piece


def _truncated(path: str) -> SourceError:
    return SourceError(
        "SOURCE_TRUNCATED",
        msg("the compressed file {path} is cut off or damaged", path=repr(path)),
        hint=msg("copy or download it again"),
    )


def _gunzipped(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    from isal import isal_zlib
    from isal.igzip_lib import IsalError

    unpack = isal_zlib.decompressobj(16 + isal_zlib.MAX_WBITS)
    fresh = True
    try:
        for packed in pieces:
            piece = packed
            while piece:
                if unpack.eof:
                    piece = piece.lstrip(b"\0")  # padding between members, as tape drives leave it
                    if not piece:
                        break
                    unpack = isal_zlib.decompressobj(16 + isal_zlib.MAX_WBITS)
                fresh = False
                yield from _nonempty(unpack.decompress(piece))
                piece = unpack.unused_data if unpack.eof else b""
    except (IsalError, zlib.error, EOFError):  # type: ignore[misc]
        raise _truncated(path) from None
    if fresh or not unpack.eof:
        raise _truncated(path)


def _unzstd(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    unpack = unpacker.decompressobj()
    try:
        for packed in pieces:
            piece = packed
            while piece:
                if unpack.eof:
                    unpack = unpacker.decompressobj()
                yield from _nonempty(unpack.decompress(piece))
                piece = unpack.unused_data if unpack.eof else b""
    except zstandard.ZstdError:
        raise _truncated(path) from None
    if not unpack.eof:
        raise _truncated(path)


def _nonempty(piece: bytes) -> Iterator[bytes]:
    if piece:
        yield piece


def file_size(path: str) -> int | None:
    """Bytes of a regular file."""
    try:
        return os.stat(path).st_size if path != STDIN and Path(path).is_file() else None  # noqa: PTH116
    except OSError:
        return None
