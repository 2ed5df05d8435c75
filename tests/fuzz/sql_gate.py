"""Fuzzes the gate before a database: the first byte picks the dialect, the rest is the SQL."""

from tests.fuzz.harness import checked, run

MODULES = (
    "yuntu_push.adapters.sources.sql_gate",
    "yuntu_push.adapters.sources.sql_text",
    "sqlglot",
)
_DIALECTS = ("postgresql", "mysql", "sqlite", "duckdb", "clickhouse", "doris", "starrocks")


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.sources.sql_gate import check
    from yuntu_push.adapters.sources.sql_text import SqlText

    if not data:
        return
    sql, family = data[1:].decode("utf-8", "replace"), _DIALECTS[data[0] % len(_DIALECTS)]
    check(sql, family)
    text = SqlText(sql, family)
    # What is sent is read as what was judged: the same words, and the same parameters.
    again = SqlText(text.with_marks(lambda name: f":{name}"), family)
    assert again.names == text.names
    assert again.with_marks(str) == text.with_marks(str)


parse = checked(_parse)

if __name__ == "__main__":
    run("sql_gate", parse, MODULES)
