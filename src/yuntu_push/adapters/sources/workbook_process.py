"""The process that reads one workbook for another: `python -m` this, asked on stdin.

A workbook may make the library that reads it take all memory and abort, so it is read in a
process that may only have so much. Messages are lines of JSON on stdout; the cells of a batch
follow their line as bytes. The parent answers each sheet's line with the columns it wants.
"""

import contextlib
import io
import itertools
import json
import os
import signal
import sys
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from yuntu_push.adapters.sources.workbook_cells import cell_text, header_texts
from yuntu_push.domain.segment_rows import TextColumn

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

BATCH = 16_384  # rows
LOOK = 20  # rows at the top of a sheet in which a header may stand
UNPACKED = 4 << 30  # bytes that the parts of a workbook may unpack to
_LEAST, _MOST = 1 << 30, 4 << 30  # bytes of memory
_OPENS_WITHOUT_ASKING = "VelvetSweatshop"  # how Excel seals what is protected without a password


class Failure(Exception):  # noqa: N818 - it is a message, the error is raised where it arrives
    """What the parent is told: a kind of failure and its facts."""

    def __init__(self, kind: str, **facts: object) -> None:
        super().__init__(kind)
        self.message = {"failure": kind, **facts}


def main() -> None:
    """Read the workbook that stdin names and write it to stdout."""
    _limit_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    asked, out = sys.stdin.buffer, sys.stdout.buffer
    _say(out, {"ready": True})
    request = json.loads(asked.readline())
    try:
        _serve(request, asked, out)
    except Failure as failure:
        _say(out, failure.message)
    except MemoryError:
        _say(out, {"failure": "memory"})
    except BrokenPipeError:
        os._exit(0)  # nobody reads any more


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return  # not on Windows
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = max(_LEAST, min(_MOST, pages // 2))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # cells must not land on disk


def _say(out: BinaryIO, message: dict[str, Any]) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def _serve(request: dict[str, Any], asked: BinaryIO, out: BinaryIO) -> None:
    book = _workbook(request["path"], request["password"])
    for name, sheet in _chosen(book, request["sheet"]):
        reading = _Sheet(name, sheet, request["header_row"], has_header=request["has_header"])
        _say(out, reading.head)
        line = asked.readline()
        if not line:
            return
        for first, lines, columns in reading.batches(json.loads(line)["places"]):
            sizes = [column.data.nbytes for column in columns]
            _say(out, {"rows": len(lines), "first": first, "sizes": sizes})
            out.write(lines)
            for column in columns:
                out.write(column.offsets)
                out.write(column.data)
            out.flush()
        _say(out, {"end": name})
    _say(out, {"done": True})


def _workbook(path: str, password: str | None) -> "CalamineWorkbook":
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    file: BinaryIO = Path(path).open("rb")  # noqa: SIM115 - it lives as long as this process
    if file.read(2) == b"PK":
        _check_size(file)
    else:
        file = _decrypted(file, password)
    file.seek(0)
    try:
        return CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise Failure("sealed") from None
    except CalamineError as exc:
        kind = "format" if "Cannot detect file format" in str(exc) else "damaged"
        raise Failure(kind) from None


def _check_size(file: BinaryIO) -> None:
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNPACKED:
                raise Failure("memory")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Failure("damaged") from None


def _decrypted(file: BinaryIO, password: str | None) -> BinaryIO:
    """The workbook itself, opened in memory when it is encrypted."""
    import msoffcrypto  # type: ignore[import-untyped]
    from msoffcrypto.exceptions import InvalidKeyError  # type: ignore[import-untyped]

    try:
        sealed = msoffcrypto.OfficeFile(file)
        if not sealed.is_encrypted():
            return file
    except Exception:  # noqa: BLE001 - its parser stumbles in many ways; the reader judges
        return file
    for known in (_OPENS_WITHOUT_ASKING, password):
        if known is None:
            raise Failure("password")
        plain = io.BytesIO()
        try:
            _unseal(sealed, known, plain)
        except InvalidKeyError:
            continue
        except Exception:  # noqa: BLE001 - see above
            raise Failure("damaged") from None
        return plain
    raise Failure("password_wrong")


def _unseal(sealed: Any, password: str, plain: BinaryIO) -> None:
    try:
        sealed.load_key(password=password, verify_password=True)
    except TypeError:  # the old format has no such option: it always verifies
        sealed.load_key(password=password)
    sealed.decrypt(plain)


def _chosen(book: "CalamineWorkbook", wanted: str | None) -> Iterator[tuple[str, "CalamineSheet"]]:
    """The sheets to read: the named one; all visible ones for `*`; else the only one with cells."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [item for item in book.sheets_metadata if item.typ == SheetTypeEnum.WorkSheet]
    visible = [item.name for item in sheets if item.visible == SheetVisibleEnum.Visible]
    if wanted is not None and wanted != "*":
        name = _named(wanted, [item.name for item in sheets])
        sheet = _loaded(book, name)
        if _is_empty(sheet):
            raise Failure("empty", sheet=name)
        yield name, sheet
        return
    filled = ((name, sheet) for name in visible if not _is_empty(sheet := _loaded(book, name)))
    first = next(filled, None)
    if first is None:
        raise Failure("empty", sheet=None)
    if wanted == "*":
        yield first
        yield from filled
        return
    if next(filled, None) is not None:
        raise Failure("many_sheets", names=visible)
    yield first


def _named(wanted: str, names: Sequence[str]) -> str:
    """The sheet of this name; case, width and outer blanks do not matter, as in Excel."""
    if wanted in names:
        return wanted
    found = [name for name in names if _plain(name) == _plain(wanted)]
    if len(found) != 1:
        raise Failure("no_sheet", wanted=wanted, names=list(names))
    return found[0]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _loaded(book: "CalamineWorkbook", name: str) -> "CalamineSheet":
    from python_calamine import CalamineError

    try:
        return book.get_sheet_by_name(name)
    except CalamineError:
        raise Failure("damaged") from None


def _is_empty(sheet: "CalamineSheet") -> bool:
    return sheet.start is None or not any(map(_has_cells, sheet.iter_rows()))


def _has_cells(cells: Sequence[Any]) -> bool:
    return any(not isinstance(cell, str) or cell.strip() for cell in cells)


class _Sheet:
    """One sheet: its header found, its rows still to come. Rows count from 1 as in Excel."""

    def __init__(
        self, name: str, sheet: "CalamineSheet", header_row: int, *, has_header: bool
    ) -> None:
        start, end = sheet.start or (0, 0), sheet.end or (0, 0)
        self._left = start[1]  # columns before the first used one, which the library leaves out
        rows = enumerate(sheet.iter_rows(), 1)
        top = []
        for number, cells in rows:
            if not _has_cells(cells):
                continue
            if number <= LOOK:
                top.append((number, self._left_padded(header_texts(cells))))
            if number >= header_row:
                break
        else:
            raise Failure("header_row", sheet=name, rows=end[0] + 1)
        names = self._left_padded(header_texts(cells))
        if has_header:
            ahead = list(itertools.islice(rows, max(0, LOOK - number)))
            top += [(n, self._left_padded(header_texts(c))) for n, c in ahead if _has_cells(c)]
            self._rows = itertools.chain(ahead, rows)
        else:
            names = [f"c{place}" for place in range(1, len(names) + 1)]
            self._rows = itertools.chain([(number, cells)], rows)
        self.head = {
            "sheet": name,
            "columns": names,
            "header": number if has_header else None,
            "top": top,
            "expected": end[0] + 1 - number + (not has_header),
        }

    def _left_padded(self, names: list[str]) -> list[str]:
        return [""] * self._left + names

    def batches(
        self, places: Sequence[int]
    ) -> Iterator[tuple[int, "array[int]", list[TextColumn]]]:
        """The first record's number, the records' rows in the sheet, the columns of each batch.

        Rows without any cell are no records.
        """
        inside = [place - self._left for place in places]
        record, lines = 1, array("q")
        kept: list[list[str]] = []
        for number, cells in self._rows:
            values = [cell_text(cells[place]) if place >= 0 else "" for place in inside]
            if not any(values) and not _has_cells(cells):
                continue
            kept.append(values)
            lines.append(number)
            if len(kept) == BATCH:
                yield record, lines, _columns(kept)
                record += len(kept)
                kept, lines = [], array("q")
        if kept:
            yield record, lines, _columns(kept)


def _columns(rows: list[list[str]]) -> list[TextColumn]:
    return [TextColumn.of(values) for values in zip(*rows, strict=True)]


if __name__ == "__main__":
    main()
