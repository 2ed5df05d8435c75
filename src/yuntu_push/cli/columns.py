"""Which columns of a table a terminal shows, and which of them keep their words whole."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

_GAP = 3  # cells between two columns
_SHORT = 24  # a column this narrow is an id, a state, a time: cut in pieces it cannot be read
_ROOM = 16  # cells that are enough for any column to be folded into


def fitting(lines: Sequence[Sequence[str]], width: int, spare: Sequence[int]) -> Mapping[int, bool]:
    """The places of the columns to show in `width` cells, and whether each stays unfolded.

    Columns of `spare` go, first to go first, until the rest fits with its long ones folded.
    """
    widths = {place: max(_longest(line[place]) for line in lines) for place in range(len(lines[0]))}
    for place in spare:
        if _total({at: min(cells, _SHORT) for at, cells in widths.items()}) <= width:
            break
        del widths[place]
    if _total(widths) <= width:
        return dict.fromkeys(widths, True)
    left = width - _GAP * len(widths)
    needed = sum(min(cells, _ROOM) for cells in widths.values())
    whole: dict[int, bool] = dict.fromkeys(widths, False)
    for place, cells in sorted(widths.items(), key=lambda item: item[1]):
        needed -= min(cells, _ROOM)
        if cells <= _SHORT and left - cells >= needed:
            whole[place] = True
            left -= cells
    return whole


def _longest(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + _GAP * len(widths)
