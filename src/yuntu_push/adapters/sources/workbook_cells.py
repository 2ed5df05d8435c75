"""Cells of a workbook as text, digits whole or not at all."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

# Excel keeps 15 significant digits, a cell's number 53 bits.
_TYPED = 10**15
_EXACT = 2**53


def cell_text(cell: Any) -> str:
    """The text of one cell; an empty cell is an empty text.

    Whole numbers have no `.0`. A number that may have lost its last digits gives them up: it
    comes as `1.234567E+17`, which the rules of identifiers reject, and never as a guess. That is
    every whole number above 2^53, and from 10^15 those that end in 0, as Excel leaves them.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return _float_text(cell)
    if isinstance(cell, int):
        return str(cell) if _is_whole(cell) else f"{cell:.14E}"
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return "" if cell is None else str(cell)


def _float_text(number: float) -> str:
    if not number.is_integer():
        return repr(number)
    whole = int(number)
    return str(whole) if _is_whole(whole) else f"{number:.14E}"


def _is_whole(number: int) -> bool:
    return -_TYPED < number < _TYPED or (abs(number) < _EXACT and number % 10 != 0)


def header_texts(cells: Sequence[Any]) -> list[str]:
    """The names in a header row, trimmed; line breaks inside a name become blanks."""
    return [" ".join(cell_text(cell).split()) for cell in cells]
