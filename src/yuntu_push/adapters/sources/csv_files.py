"""CSV and TSV files, one or many, plain or compressed, in any text encoding."""

import codecs
import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yuntu_push.adapters.sources import duck
from yuntu_push.adapters.sources.columns import places_of
from yuntu_push.adapters.sources.csv_layout import HEAD, CsvLayout, bad_byte, layout_of
from yuntu_push.adapters.sources.csv_plain import PlainText
from yuntu_push.adapters.sources.csv_rejects import MAX_RAGGED, is_uneven, left_out, placed, uneven
from yuntu_push.adapters.sources.opening import Opened, expand, file_size, opened, unreadable
from yuntu_push.adapters.sources.pulling import pulled
from yuntu_push.domain.errors import SourceError, YuntuPushError
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RaggedRow, RowBatch, TextColumn
from yuntu_push.domain.text import msg

_GIVE_UP = 1.0  # seconds


class CsvSource:
    """The rows of CSV files, one file after the other."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._paths = expand(spec.paths)
        self._stack = contextlib.ExitStack()
        self._first: _Reader | None = None

    @property
    def description(self) -> str:
        """The files."""
        return ", ".join(self._paths)

    @property
    def params(self) -> Mapping[str, str]:
        """Files have none."""
        return {}

    def columns(self) -> list[str]:
        """The columns of the first file."""
        return list(self._reader(self._paths[0]).layout.columns)

    def rows_expected(self) -> int | None:
        """From the size of the files, when all are plain."""
        total = 0.0
        for path in self._paths:
            size = file_size(path)
            reader = self._reader(path)
            if size is None or not reader.is_plain:
                return None
            total += size / reader.layout.bytes_per_row
            if len(self._paths) > 1:
                # Files of one export are alike: the first tells how long their rows are.
                sizes = [file_size(other) or 0 for other in self._paths]
                return int(sum(sizes) / reader.layout.bytes_per_row)
        return int(total)

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of all files."""
        try:
            for path in self._paths:
                yield from self._reader(path).batches(columns)
        finally:
            self._stack.close()

    def _reader(self, path: str) -> "_Reader":
        if self._first is not None and self._first.path == path:
            return self._first
        self._stack.close()
        stack = contextlib.ExitStack()
        self._stack = stack
        self._first = _Reader(path, stack.enter_context(opened(path)), self._spec)
        return self._first


@dataclass
class _Feed:
    """What a thread that feeds a pipe does: its failure, and how to make it end."""

    error: YuntuPushError | None = None
    end: Callable[[], None] = lambda: None


class _Reader:
    """One file: looked at, then read once."""

    def __init__(self, path: str, source: Opened, spec: SourceSpec) -> None:
        self.path = path
        self.is_plain = source.is_plain
        self._chunks = source.chunks
        self._head, complete = _head_of(source.chunks)
        self._lines = 0
        self.layout: CsvLayout = layout_of(
            self._head,
            path=path,
            complete=complete,
            encoding=spec.encoding,
            delimiter=spec.delimiter,
            has_header=spec.has_header,
            header_row=spec.header_row,
        )

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of this file."""
        places = places_of(columns, self.layout.columns, repr(self.path))
        if file_size(self.path) is None:  # a pipe, whose rows are not waited for
            with _fed(self._counted(self._utf8()), self.path) as (name, feed):
                yield from self._read(name, places, feed)
            return
        layout = self.layout
        width, header = len(layout.columns), layout.skip + layout.has_header
        plain = PlainText(self.path, self._utf8(), layout.delimiter, width, places, header)
        yield from self._split(plain)
        if plain.rest is None:
            if not plain.rows:
                yield self._no_rows(places)
        elif self._is_direct and not plain.rows:
            yield from self._read(str(Path(self.path).absolute()), places, _Feed())
        else:
            with _fed(self._counted(plain.rest), self.path) as (name, feed):
                yield from self._read(name, places, feed, before=plain.rows)

    def _split(self, plain: PlainText) -> Iterator[RowBatch]:
        """The rows before the first that needs a parser."""
        first = 1
        blocks = pulled(plain.blocks(), abort=lambda: None)
        with contextlib.closing(blocks):
            try:
                for block in blocks:
                    line = plain.header + first
                    lines = range(line, line + block.rows)
                    yield RowBatch(block.rows, block.columns, first, self.path, lines=lines)
                    first += block.rows
            except OSError as exc:
                raise unreadable(Path(self.path), exc) from None

    def _no_rows(self, places: Sequence[int]) -> RowBatch:
        return RowBatch(0, tuple(TextColumn.of([]) for _ in places), 1, self.path)

    @property
    def _is_direct(self) -> bool:
        """Whether the engine can read the file itself; it does not take lines that end unlike."""
        return self.is_plain and self.layout.encoding == "utf-8" and self.layout.is_even

    def _read(
        self, name: str, places: Sequence[int], feed: _Feed, before: int = 0
    ) -> Iterator[RowBatch]:
        """The rows as the parser sees them, after so many others."""
        with duck.connection() as con:
            first = 1 + before
            last: RowBatch | None = None
            try:
                stream = duck.stream(con, self._query(name, places), abort=feed.end)
                with contextlib.closing(stream):
                    for rows, texts in stream:
                        if last is not None:
                            yield last
                        last = RowBatch(rows, texts, first, self.path)
                        first += rows
                numbers = left_out(con, self.path, self.layout, before)
                ragged = self._ragged(numbers, first - 1, before)
            except GeneratorExit:
                raise
            except Exception as exc:
                if feed.error is not None:
                    raise feed.error from None
                if is_uneven(exc):
                    raise uneven(self.path) from None
                with duck.translated(repr(self.path)):
                    raise
            if feed.error is not None:
                raise feed.error
            if last is None:
                last = self._no_rows(places)
            yield RowBatch(last.rows, last.columns, last.first_row, last.file, ragged)

    def _query(self, name: str, places: Sequence[int]) -> str:
        layout = self.layout
        chosen = ", ".join(f"c{place}" for place in places)
        types = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(layout.columns)))
        escaped = layout.delimiter.replace("'", "''")
        return (
            f"select {chosen} from read_csv({duck.literal(name)}, auto_detect=false,"  # noqa: S608
            f" columns={{{types}}}, header={str(layout.has_header).lower()}, skip={layout.skip},"
            f" delim='{escaped}', quote='\"', escape='\"', nullstr='', strict_mode=true,"
            f" ignore_errors=true, store_rejects=true, rejects_limit={MAX_RAGGED},"
            " compression='none')"
        )

    def _ragged(self, numbers: list[int], rows: int, before: int) -> tuple[RaggedRow, ...]:
        if not numbers:
            return ()
        again = self._again if file_size(self.path) is not None else None
        if self._is_direct and not before:
            for _ in self._counted(self._again()):
                pass
        lines = self._lines + before
        return placed(numbers, rows, self.path, self.layout, lines=lines, again=again)

    def _again(self) -> Iterator[bytes]:
        """The whole file once more, as UTF-8."""
        with opened(self.path) as source:
            yield from source.chunks if self._is_direct else self._text(source.chunks)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, while their lines are counted; the last may lack its end."""
        is_open = False
        for piece in pieces:
            self._lines += piece.count(b"\n")
            is_open = not piece.endswith(b"\n") if piece else is_open
            yield piece
        self._lines += is_open

    def _utf8(self) -> Iterator[bytes]:
        """The file as UTF-8, without a mark at its beginning."""
        pieces = itertools.chain([self._head], self._chunks)
        if not self._is_direct:
            return self._text(pieces)
        return itertools.chain([self._head.removeprefix(codecs.BOM_UTF8)], self._chunks)

    def _text(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """What was read, as UTF-8, strictly decoded; lines end in LF."""
        name = self.layout.encoding
        decoder = codecs.getincrementaldecoder(name)()
        lines, start, held = 1, True, ""
        for piece in itertools.chain(pieces, [b""]):
            try:
                text = held + decoder.decode(piece, not piece)
            except UnicodeDecodeError as exc:
                good = exc.object[: exc.start].decode(name, "ignore")
                raise bad_byte(self.path, name, lines + good.count("\n")) from None
            if start and text:
                text, start = text.removeprefix("\ufeff"), False
            held = "\r" if piece and text.endswith("\r") else ""  # its LF may come next
            if "\r" in text:
                whole = text.removesuffix(held)
                text = whole.replace("\r\n", "\n").replace("\r", "\n")
            lines += text.count("\n")
            yield text.encode()


def _head_of(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first bytes of a stream, and whether they are all of it."""
    head = bytearray()
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            return bytes(head), False
    return bytes(head), True


@contextlib.contextmanager
def _fed(pieces: Iterator[bytes], path: str) -> Iterator[tuple[str, _Feed]]:
    """A name under which the pieces can be read as a file, while a thread writes them.

    What goes wrong in the thread is kept in the failure: the reader only sees a short file.
    """
    if not Path("/dev/fd").exists():
        raise SourceError(
            "SOURCE_NEEDS_PIPE",
            msg("{path} cannot be converted while it is read on this system", path=repr(path)),
            hint=msg("unpack it and save it as UTF-8"),
        )
    reader, writer = os.pipe()
    pipe = os.fdopen(writer, "wb", buffering=0)
    state = _Feed(end=pipe.close)

    def feed() -> None:
        try:
            with pipe:
                for piece in pieces:
                    view = memoryview(piece)
                    while view:
                        view = view[pipe.write(view) :]
        except (BrokenPipeError, ValueError):
            pass  # the reader has stopped, and closed the pipe
        except YuntuPushError as exc:
            state.error = exc
        except OSError as exc:
            state.error = SourceError(
                "SOURCE_UNREADABLE",
                msg("{path} cannot be read: {reason}", path=repr(path), reason=exc.strerror),
                hint=msg("check the file"),
            )

    thread = threading.Thread(target=feed, name="feed", daemon=True)
    thread.start()
    try:
        yield f"/dev/fd/{reader}", state
    finally:
        os.close(reader)
        # A thread that waits for rows which never come is left behind: it ends with the process.
        thread.join(_GIVE_UP)
