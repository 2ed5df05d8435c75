"""The reject file: where each refused value stood, why, and a masked form of it."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

MAX_LINES = 1_000_000  # more are counted, not listed
HEADINGS = ("file", "row", "line", "column", "reason", "value")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_safe(cell: str) -> str:
    """The cell, so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


class RejectFile:
    """A CSV that is made when the first reject arrives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._file: IO[str] | None = None
        self._writer: Any = None

    def write(self, rows: Iterable[tuple[str, int | None, int | None, str, str, str]]) -> None:
        """Add rows of file, row, line, column, reason and masked value."""
        for file, row, line, column, reason, value in rows:
            if self.lines >= MAX_LINES:
                return
            if self._writer is None:
                self._open()
            self.lines += 1
            cells = (spreadsheet_safe(file), row, line, spreadsheet_safe(column), reason)
            self._writer.writerow((*cells, spreadsheet_safe(value)))

    def close(self) -> Path | None:
        """Finish the file; None when there was no reject."""
        if self._file is None:
            return None
        self._file.close()
        self._file = None
        return self.path

    def _open(self) -> None:
        # A byte order mark, so that spreadsheets read the Chinese column names.
        self._file = self.path.open("x", encoding="utf-8-sig", newline="")
        self.path.chmod(0o600)
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADINGS)
