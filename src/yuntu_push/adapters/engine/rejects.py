"""The reject file: where each refused value stood, why, and a masked form of it."""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
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

    def renumber(self, file: str, ragged: Sequence[int]) -> None:
        """Move the row numbers of a file's rejects by the ragged rows that came before them.

        Ragged rows (their numbers, ascending) are known when a file has been read to its end.
        """
        if self._file is None:
            return
        self._file.flush()
        shifts = [row - place for place, row in enumerate(ragged)]
        moved = self.path.with_suffix(".moved")
        with self.path.open(encoding="utf-8-sig", newline="") as old:
            lines = csv.reader(old)
            headings = next(lines)
            with moved.open("x", encoding="utf-8-sig", newline="") as new:
                moved.chmod(0o600)
                writer = csv.writer(new)
                writer.writerow(headings)
                for line in lines:
                    if line[0] == spreadsheet_safe(file) and line[1]:
                        row = int(line[1])
                        line[1] = str(row + bisect_right(shifts, row))
                    writer.writerow(line)
        self._file.close()
        moved.replace(self.path)
        self._file = self.path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)

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
