"""The reject file: where each refused value stood, why, and a masked form of it."""

import csv
import functools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

MAX_LINES = 1_000_000  # more are counted, not listed
HEADINGS = ("file", "row", "line", "column", "reason", "value")
_SPECIAL = frozenset(',"\r\n')
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_safe(cell: str) -> str:
    """The cell, so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


@functools.lru_cache(4096)
def _cell(text: str) -> str:
    """The cell as it stands in the file; masked values are often the same."""
    safe = spreadsheet_safe(text)
    return safe if _SPECIAL.isdisjoint(safe) else '"' + safe.replace('"', '""') + '"'


class RejectFile:
    """A CSV that is made when the first reject arrives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._file: IO[str] | None = None

    def write(
        self, file: str, column: str, rows: Iterable[tuple[int, int | None, str, str]]
    ) -> None:
        """Add rows of row, line, reason and masked value."""
        start, middle = f"{_cell(file)},", f",{_cell(column)},"
        # Joined here, as there may be many: the csv module takes three times as long.
        lines = [
            f"{start}{row},{'' if line is None else line}{middle}"
            + ",".join((reason, _cell(value)))
            + "\r\n"
            for row, line, reason, value in islice(rows, MAX_LINES - self.lines)
        ]
        if not lines:
            return
        if self._file is None:
            self._file = self._opened()
        self._file.write("".join(lines))
        self.lines += len(lines)

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

    def close(self) -> Path | None:
        """Finish the file; None when there was no reject."""
        if self._file is None:
            return None
        self._file.close()
        self._file = None
        return self.path

    def _opened(self) -> IO[str]:
        # A byte order mark, so that spreadsheets read the Chinese column names.
        file = self.path.open("x", encoding="utf-8-sig", newline="")
        self.path.chmod(0o600)
        file.write(",".join(HEADINGS) + "\r\n")
        return file
