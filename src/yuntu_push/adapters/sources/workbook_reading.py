"""A workbook that another process reads: its sheets, their columns, their rows."""

import contextlib
import json
import subprocess
import sys
import weakref
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from yuntu_push.domain.errors import SourceError, YuntuPushError
from yuntu_push.domain.names import nearest
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RowBatch, TextColumn
from yuntu_push.domain.text import msg

_PROGRAM = "yuntu_push.adapters.sources.workbook_process"
# Killed or aborted for want of memory: by signal, in a shell's way, and as Windows says it.
_ABORTED = frozenset({-6, -9, 134, 137, 0xC0000409, 0xC0000017})
_AS_CSV = msg("save the sheet as CSV (UTF-8) and pass it with --csv")


@dataclass(frozen=True)
class SheetHead:
    """A sheet before its rows are read; `header` is the row of its names, None without one.

    `top` are the rows at its top with their numbers, to find a header that stands elsewhere.
    """

    sheet: str
    columns: list[str]
    header: int | None
    top: list[tuple[int, list[str]]]
    expected: int


class WorkbookReading:
    """The sheets of one workbook, one after the other; `close` ends it at any time."""

    def __init__(self, path: str, spec: SourceSpec) -> None:
        self.path = path
        self._process = subprocess.Popen(
            # -P: a module in the current folder must not stand in for one of ours.
            [sys.executable, "-P", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the library's own words may quote cells
        )
        self.close = weakref.finalize(self, _end, self._process)
        if self._line().get("ready") is not True:
            raise RuntimeError("the process that reads workbooks did not start")
        self._ask(
            {
                "path": path,
                "password": spec.password.reveal() if spec.password else None,
                "sheet": spec.sheet,
                "has_header": spec.has_header,
                "header_row": spec.header_row,
            }
        )

    def next_sheet(self) -> SheetHead | None:
        """The next sheet; None when there is no other. `SourceError` when it cannot be read."""
        message = self._line()
        if "done" in message:
            return None
        return SheetHead(
            message["sheet"],
            message["columns"],
            message["header"],
            [(number, names) for number, names in message["top"]],
            message["expected"],
        )

    def rows(self, sheet: SheetHead, places: Sequence[int]) -> Generator[RowBatch, None, None]:
        """The columns at some places of the sheet that was next."""
        self._ask({"places": list(places)})
        file = f"{self.path} [{sheet.sheet}]"
        empty = True
        while "end" not in (message := self._line()):
            empty = False
            rows = message["rows"]
            lines = memoryview(self._bytes(rows * 8)).cast("q")
            columns = tuple(
                TextColumn(
                    offsets=memoryview(self._bytes((rows + 1) * 8)).cast("q"),
                    data=memoryview(self._bytes(size)),
                )
                for size in message["sizes"]
            )
            yield RowBatch(rows, columns, message["first"], file, lines=lines)
        if empty:
            yield RowBatch(0, tuple(TextColumn.of([]) for _ in places), 1, file)

    def _ask(self, message: dict[str, Any]) -> None:
        # A process that is gone says why where its answer is read.
        with contextlib.suppress(OSError):
            pipe = _pipe(self._process.stdin)
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _line(self) -> dict[str, Any]:
        line = _pipe(self._process.stdout).readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        message: dict[str, Any] = json.loads(line)
        if "failure" in message:
            raise _refusal(self.path, message)
        return message

    def _bytes(self, size: int) -> bytes:
        data = _pipe(self._process.stdout).read(size)
        if len(data) < size:
            raise self._ended()
        return data

    def _ended(self) -> YuntuPushError:
        code = self._process.wait()
        return _refusal(self.path, {"failure": "memory" if code in _ABORTED else "damaged"})


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            _pipe(pipe).close()
    process.wait()


def _refusal(path: str, failure: dict[str, Any]) -> YuntuPushError:
    shown = repr(path)
    match failure["failure"]:
        case "no_sheet" | "many_sheets":
            return _sheet_refusal(shown, failure)
        case "empty":
            return SourceError(
                "SOURCE_EMPTY",
                msg("{path} is empty", path=f"{shown} [{failure['sheet']}]")
                if failure["sheet"]
                else msg("{path} is empty", path=shown),
                hint=msg("check the file; a hidden sheet is read when --sheet names it"),
            )
        case "header_row":
            return SourceError(
                "SOURCE_EMPTY",
                msg(
                    "sheet {sheet} of {path} ends at row {rows}, before its header",
                    sheet=repr(failure["sheet"]),
                    path=shown,
                    rows=failure["rows"],
                ),
                hint=msg("pass the row of the header with --header-row"),
            )
        case "password" | "password_wrong" | "sealed":
            return _password_refusal(shown, failure["failure"])
        case "memory":
            return SourceError(
                "SOURCE_TOO_LARGE",
                msg("{path} needs more memory than a workbook may take", path=shown),
                hint=_AS_CSV,
            )
        case "format":
            return SourceError(
                "SOURCE_NOT_WORKBOOK",
                msg("{path} is not a workbook that can be read", path=shown),
                hint=msg("open it in Excel or WPS and save it as .xlsx"),
            )
        case _:
            return SourceError(
                "SOURCE_UNREADABLE",
                msg(
                    "{path} cannot be read: {reason}",
                    path=shown,
                    reason=msg("the workbook is damaged"),
                ),
                hint=msg("open it in Excel or WPS, which may mend it, and save it as .xlsx"),
            )


def _sheet_refusal(shown: str, failure: dict[str, Any]) -> SourceError:
    names: list[str] = failure["names"]
    listed = ", ".join(repr(name) for name in names)
    if failure["failure"] == "many_sheets":
        return SourceError(
            "SOURCE_SHEET_NEEDED",
            msg("{path} has several sheets: {sheets}", path=shown, sheets=listed),
            hint=msg("choose one with --sheet NAME, or all with --sheet '*'"),
        )
    close = ", ".join(repr(name) for name in nearest(failure["wanted"], names))
    return SourceError(
        "SOURCE_SHEET_MISSING",
        msg("there is no sheet {sheet} in {path}", sheet=repr(failure["wanted"]), path=shown),
        hint=msg("did you mean {names}?", names=close)
        if close
        else msg("its sheets: {sheets}", sheets=listed),
    )


def _password_refusal(shown: str, kind: str) -> SourceError:
    if kind == "password_wrong":
        return SourceError(
            "SOURCE_PASSWORD_WRONG",
            msg("the password does not open {path}", path=shown),
            hint=msg("try it in Excel first; capitals count"),
        )
    return SourceError(
        "SOURCE_PASSWORD_NEEDED",
        msg("{path} is protected with a password", path=shown),
        hint=msg("pipe the password in with --password-stdin")
        if kind == "password"
        else msg("save it without a password; this format cannot be opened with one"),
    )
