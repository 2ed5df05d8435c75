"""Synthetic members: four columns, some numbers dirty, some of them repeated.

python -m bench.members ROWS OUT.csv
"""

import sys
from pathlib import Path

_STARTS = [130, 131, 135, 138, 139, 150, 151, 158, 159, 176, 177, 180, 186, 187, 188, 199]
_STEP = 1_000_003  # a prime: it walks through any number of rows, each once
INVALID, WRITTEN = 2, 5  # in a hundred


def write(rows: int, path: Path, *, shuffled: bool = False) -> None:
    """Write `rows` members: 2 % invalid numbers, 5 % with +86, spaces or hyphens, ~10 % repeats.

    `shuffled`: the same rows in another order.
    """
    import duckdb

    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"copy ({query(rows, shuffled=shuffled)}) to '{path}' (header, quote '')")


def query(rows: int, *, shuffled: bool = False) -> str:
    """SQL of the embedded engine for the members."""
    # So many different numbers that about one in ten was there before.
    pool = max(int(rows * 4.6 / len(_STARTS)), 1000)
    place = f"(i * {_STEP}) % {rows}" if shuffled else "i"
    # A prime step spreads a small pool over all eight free digits.
    return f"""
        with places as (select {place} as i from range({rows}) r(i)),
        draws as (
            select i, hash(i) as h, hash(i + 1000000007) % 100 as kind,
                {_STARTS}[1 + (h % {len(_STARTS)})::int]::bigint * 100000000
                + (h // 64 % {pool})::bigint * 61000009 % 100000000 as n
            from places
        )
        select i as member_id,
            case
                when kind < {INVALID} then left(n::varchar, 9)
                when kind >= {INVALID + WRITTEN} then n::varchar
                when i % 3 = 0 then '+86' || n
                else concat_ws(if(i % 3 = 1, ' ', '-'), left(n::varchar, 3),
                    substr(n::varchar, 4, 4), right(n::varchar, 4))
            end as mobile,
            '上海' as city, (h // 1024 % 10000000 / 100)::decimal(12, 2) as amount
        from draws"""


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
