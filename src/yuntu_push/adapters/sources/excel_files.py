"""Workbooks, one or many: .xlsx, .xlsm, .xlsb, .xls and .ods."""

from collections.abc import Generator, Mapping, Sequence

from yuntu_push.adapters.sources.columns import places_of
from yuntu_push.adapters.sources.opening import STDIN, expand, looking_at
from yuntu_push.adapters.sources.workbook_kind import check_not_open, check_workbook
from yuntu_push.adapters.sources.workbook_reading import SheetHead, WorkbookReading
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.domain.text import msg


class ExcelSource:
    """The rows of workbooks, one file and one sheet after the other; every value as text."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        # Lock files come first: Windows does not even let a workbook be opened that Excel holds.
        for path in spec.paths:
            with looking_at(path):
                check_not_open(path)
        self._paths = expand(spec.paths)
        for path in self._paths:
            if path == STDIN:
                raise SourceError(
                    "SOURCE_NOT_WORKBOOK",
                    msg("a workbook cannot be read from standard input"),
                    hint=msg("save it to a file and name the file"),
                )
            check_not_open(path)
            check_workbook(path)
        self._opened: tuple[WorkbookReading, SheetHead] | None = None

    @property
    def description(self) -> str:
        """The files, and the sheet when one was named."""
        listed = ", ".join(self._paths)
        return f"{listed} [{self._spec.sheet}]" if self._spec.sheet else listed

    @property
    def params(self) -> Mapping[str, str]:
        """Files have none."""
        return {}

    def columns(self) -> list[str]:
        """The columns of the first sheet."""
        return list(self._open(self._paths[0])[1].columns)

    def rows_expected(self) -> int | None:
        """What the sheet says, when only one is read."""
        if len(self._paths) > 1 or self._spec.sheet == "*":
            return None
        return self._open(self._paths[0])[1].expected

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of all sheets that were asked for."""
        for path in self._paths:
            reading, sheet = self._open(path)
            self._opened = None
            following: SheetHead | None = sheet
            try:
                while following is not None:
                    yield from reading.rows(following, _places(columns, following, path))
                    following = reading.next_sheet()
            finally:
                reading.close()

    def _open(self, path: str) -> tuple[WorkbookReading, SheetHead]:
        """The reading of a workbook, with its first sheet: begun once, kept until it is read."""
        if self._opened is None or self._opened[0].path != path:
            reading = WorkbookReading(path, self._spec)
            sheet = reading.next_sheet()
            assert sheet is not None  # a workbook without sheets is refused
            self._opened = reading, sheet
        return self._opened


def _places(columns: Sequence[str], sheet: SheetHead, path: str) -> list[int]:
    """The places of the columns, or `SourceError`, which knows a header further down."""
    where = f"{path!r} [{sheet.sheet}]"
    try:
        return places_of(columns, sheet.columns, where)
    except SourceError as error:
        wanted = {name.casefold() for name in columns}
        for number, names in sheet.top:
            if number != sheet.header and wanted <= {name.casefold() for name in names}:
                error.hint = msg("row {row} has it: pass --header-row {row}", row=number)
                break
        raise
