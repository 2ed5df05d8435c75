"""Hostile statements on real databases have no effect; ordinary queries run."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.test_sources_sql_gate import HOSTILE, ORDINARY
from tests.support.databases import OPENERS, SERVERS, Database, kinds, only, server, values

from yuntu_push.adapters.sources import sql_gate
from yuntu_push.domain.errors import SourceError, YuntuPushError

_TABLES = {
    "t": "a integer, mobile varchar(40)",
    "members": (
        "id integer, mobile varchar(40), phone varchar(40), city varchar(40), joined date,"
        " level integer, note varchar(40)"
    ),
    "guests": "id integer, mobile varchar(40)",
    "orders": "id integer, member integer, mobile varchar(40), paid integer, joined date",
    "devices": "idfa varchar(40), oaid varchar(40)",
}
# What a database does not know, or knows otherwise: its own refusal is right.
_UNKNOWN = {
    ("sqlite", "select concat('86', mobile) as mobile from members"),
    ("mysql", 'select "mobile" from "members"'),
    ("clickhouse", "select mobile from members union select mobile from guests"),
}


@pytest.fixture(params=kinds())
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of its own, with the tables that the statements name."""
    with OPENERS[request.param](tmp_path) as found:
        name = f"yuntu_push_test_{request.node.name.partition('[')[0][-12:]}_{tmp_path.parent.name}"
        name = "".join(char if char.isalnum() else "_" for char in name)
        if request.param in SERVERS:
            found.write(f"drop database if exists {name}")
            found.write(f"create database {name}")
            url = f"{found.url.rpartition('/')[0]}/{name}"
            with server(request.param, url) as own:
                _fill(own)
                yield own
            found.write(f"drop database {name}")
            return
        _fill(found)
        yield found


def _fill(database: Database) -> None:
    for table, columns in _TABLES.items():
        database.write(f"create table {table} ({columns})")
        width = columns.count(",") + 1
        cells = ", ".join(["null"] * width)
        database.write(f"insert into {table} values ({cells})")
    database.write("update members set id = 1, mobile = '13912345678', joined = '2026-01-02'")
    if database.kind == "postgresql":
        database.write("create sequence s")


def _state(database: Database) -> list[Any]:
    """All that a statement could change, as an administrator sees it."""
    tables = {
        "postgresql": "select schemaname, relname from pg_stat_user_tables order by 1, 2",
        "mysql": "show tables",
        "sqlite": "select name, sql from sqlite_master order by 1",
    }.get(database.kind, "select schema_name, table_name from duckdb_tables() order by 1, 2")
    found: list[Any] = [database.read(tables)]
    found += [database.read(f"select * from {table}") for table in _TABLES]
    if database.kind == "postgresql":
        found += [
            database.read("select last_value, is_called from s"),
            database.read("select count(*) from pg_largeobject_metadata"),
            database.read("select count(*) from pg_proc where pronamespace = 2200"),
            database.read("select count(*) from pg_indexes where schemaname = 'public'"),
            database.read("select relacl from pg_class where relname = 't'"),
        ]
    if database.kind == "mysql":
        found.append(database.read("show index from t"))
    return found


def _run(database: Database, sql: str) -> int:
    source = database.source(sql, *((("since:date", "2026-01-01"),) if ":since" in sql else ()))
    return len(values(source, source.columns()[0]))


def test_hostile_statements_change_nothing(database: Database) -> None:
    folder = Path(tempfile.mkdtemp(prefix="yuntu-push-test-"))
    folder.chmod(0o777)  # a server of another user could write here
    try:
        before = _state(database)
        for sql in HOSTILE:
            with pytest.raises(YuntuPushError):
                _run(database, sql.replace("/tmp/x", str(folder / "x")))
        assert _state(database) == before
        assert list(folder.iterdir()) == []
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t values (1)",
        "update t set a = 1",
        "delete from t",
        "drop table t",
        "create table x (a integer)",
        "with gone as (delete from t returning *) select * from gone",
        "select 1) q; drop table t; select 1 from (select 1",
        "select * from t) q; delete from t; --",
        "select nextval('s') as a",
        "select mobile as a into x from t",
        "select 'x' as a into outfile '/tmp/x'",
    ],
)
@only("postgresql", "mysql", "sqlite", "duckdb")
def test_what_would_pass_the_gate_still_changes_nothing(
    database: Database, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session and the cursor refuse it, too."""
    monkeypatch.setattr(sql_gate, "check", lambda *_: None)
    before = _state(database)
    with pytest.raises(SourceError):
        _run(database, sql)
    assert _state(database) == before


def test_ordinary_queries_run(database: Database) -> None:
    ran = 0
    for line in ORDINARY:
        sql = line.replace("-- the number from", "-- the number\nfrom")
        if (database.kind, sql) in _UNKNOWN:
            continue
        if "crm." in sql:
            schema = {"postgresql": "public", "sqlite": "main"}.get(database.kind, "main")
            name = database.url.rpartition("/")[2] if database.kind == "mysql" else schema
            sql = sql.replace("crm.", f"{name}.")
        _run(database, sql)
        ran += 1
    assert ran >= 40
