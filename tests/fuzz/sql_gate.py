"""Fuzzes the gate before a database: the first byte picks the dialect, the rest is the SQL."""

from tests.fuzz.harness import checked, run

MODULES = ("yuntu_push.adapters.sources.sql_gate", "sqlglot")
_DIALECTS = ("postgresql", "mysql", "sqlite", "duckdb", "clickhouse")


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.sources.sql_gate import check

    if data:
        check(data[1:].decode("utf-8", "replace"), _DIALECTS[data[0] % len(_DIALECTS)])


parse = checked(_parse)

if __name__ == "__main__":
    run("sql_gate", parse, MODULES)
