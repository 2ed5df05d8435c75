"""How fast rows of a database become parts, on the servers that the tests use.

python -m bench.databases [ROWS] [--repeat N] [--append RESULTS.md]
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from bench import members
from bench.measuring import heading, measured, report, tool
from yuntu_push.adapters.sources.targets import target_of

POSTGRES = os.environ.get("YUNTU_PUSH_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
MYSQL = os.environ.get("YUNTU_PUSH_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test")
TABLE = "yuntu_push_bench_members"
_COLUMNS = "(member_id bigint, mobile varchar(32), city varchar(32), amount decimal(12, 2))"


def fill_postgres(source: Path | None) -> None:
    """Put the members into a table, or drop it."""
    import psycopg

    target = target_of(POSTGRES, None)
    with psycopg.connect(
        host=target.host, port=target.port, user=target.user, password=target.password,
        dbname=target.database, autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute(f"drop table if exists {TABLE}")
        if source is None:
            return
        connection.execute(f"create table {TABLE} {_COLUMNS}")
        with (
            connection.cursor().copy(f"copy {TABLE} from stdin (format csv, header)") as copy,
            source.open("rb") as file,
        ):
            shutil.copyfileobj(file, copy, 1 << 20)  # type: ignore[arg-type]
        connection.execute(f"analyze {TABLE}")


def fill_mysql(source: Path | None) -> None:
    """Put the members into a table, or drop it."""
    import pymysql

    target = target_of(MYSQL, None)
    with pymysql.connect(
        host=target.host, port=target.port or 3306, user=target.user,
        password=target.password or "", database=target.database, autocommit=True,
        charset="utf8mb4", local_infile=True,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(f"drop table if exists {TABLE}")
        if source is None:
            return
        cursor.execute(f"create table {TABLE} {_COLUMNS}")
        cursor.execute(
            f"load data local infile '{source}' into table {TABLE} character set utf8mb4"
            " fields terminated by ',' ignore 1 lines"
        )
        cursor.execute(f"analyze table {TABLE}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--append", type=Path)
    given = parser.parse_args()
    lines = [
        heading("bench.databases", [str(given.rows), "--repeat", str(given.repeat)]),
        "",
        "| server | rows | ids | wall s, median (range) | CPU s | rows/s | peak RSS MB | others |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        source = folder / "members.csv"
        members.write(given.rows, source)
        for server, url, fill in (
            ("PostgreSQL", POSTGRES, fill_postgres),
            ("MariaDB", MYSQL, fill_mysql),
        ):
            fill(source)
            try:
                lines.append(_row(server, url, folder, given.repeat))
            finally:
                fill(None)
    report(lines, given.append)


def _row(server: str, url: str, folder: Path, repeat: int) -> str:
    runs = []
    for number in range(repeat):
        home = folder / f"{server}{number}"
        home.mkdir()
        (home / "config.yaml").write_text(f"sources:\n  bench: {{url: '{url}'}}\n", "utf-8")
        sql = f"select mobile from {TABLE}"
        words = ("segment", "build", "bench", "--sql", sql, "--source", "bench")
        runs.append(measured(tool(home, *words, "--id", "phone=mobile")))
        shutil.rmtree(home)
    data = json.loads(runs[-1].output)["data"]
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    spread = f"{min(r.wall for r in runs):.2f}–{max(r.wall for r in runs):.2f}"
    return (
        f"| {server} | {data['rows_read']:,} | {data['ids_total']:,} | {wall:.2f} ({spread}) "
        f"| {cpu:.2f} | **{data['rows_read'] / wall / 1e6:.2f} M** "
        f"| {max(r.rss_mb for r in runs):.0f} | {max(r.others for r in runs):.2f} |"
    )


if __name__ == "__main__":
    main()
