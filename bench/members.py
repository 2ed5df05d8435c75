"""Synthetic members: four columns, some numbers dirty, some of them repeated.

python -m bench.members ROWS OUT.csv
"""

import sys
from pathlib import Path

import numpy as np

_STARTS = np.array([130, 131, 135, 138, 139, 150, 151, 158, 159, 176, 177, 180, 186, 187, 188, 199])
_BLOCK = 200_000
INVALID, WRITTEN = 0.02, 0.05


def write(rows: int, path: Path, *, seed: int = 1) -> None:
    """Write `rows` members: 2 % invalid numbers, 5 % with +86, spaces or hyphens, ~10 % repeats."""
    draw = np.random.default_rng(seed)
    # So many different numbers that about one in ten was there before.
    pool = max(int(rows * 4.6 / len(_STARTS)), 1000)
    with path.open("w", encoding="utf-8") as file:
        file.write("member_id,mobile,city,amount\n")
        for first in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - first)
            # A prime step spreads a small pool over all eight free digits.
            tails = draw.integers(0, pool, count) * 61_000_009 % 100_000_000
            numbers = draw.choice(_STARTS, count) * 100_000_000 + tails
            kinds = draw.random(count)
            cents = draw.integers(0, 10_000_000, count)
            file.writelines(
                f"{first + i},{_written(str(number), kind, i)},上海,{cent / 100:.2f}\n"
                for i, (number, kind, cent) in enumerate(
                    zip(numbers.tolist(), kinds.tolist(), cents.tolist(), strict=True)
                )
            )


def _written(number: str, kind: float, place: int) -> str:
    if kind < INVALID:
        return number[:9]
    if kind > INVALID + WRITTEN:
        return number
    return (
        f"+86{number}",
        f"{number[:3]} {number[3:7]} {number[7:]}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
    )[place % 3]


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
