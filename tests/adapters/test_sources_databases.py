"""Databases as sources: the same promises on every kind, on real servers where there are some.

Servers are those on the standard ports of this machine, or the ones named by
`YUNTU_PUSH_TEST_POSTGRES` and `YUNTU_PUSH_TEST_MYSQL` (URLs).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from yuntu_push.adapters.sources import push_down
from yuntu_push.adapters.sources.databases import DatabaseSource, probe
from yuntu_push.adapters.sources.dialects import Target, connected, target_of
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError
from yuntu_push.domain.identifiers import Accepted, Blank, IdType, identify
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

POSTGRES = os.environ.get("YUNTU_PUSH_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
MYSQL = os.environ.get("YUNTU_PUSH_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test")
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # already the 24th in Beijing
TABLE = "yuntu_push_test_people"


class Database:
    """A database with a table of people, and a way to write to it."""

    def __init__(self, kind: str, url: str, write: Any) -> None:
        self.kind = kind
        self.url = url
        self.write = write

    @property
    def target(self) -> Target:
        return target_of(self.url, None)

    def source(
        self, sql: str, *params: tuple[str, str], require: str | None = None
    ) -> DatabaseSource:
        spec = SourceSpec(SourceKind.SQL, sql=sql, params=params, require_sql=require)
        return DatabaseSource("crm", self.target, sql, spec, NOW)


def _values(source: DatabaseSource, column: str) -> list[str]:
    found = []
    with closing(source.batches([column])) as batches:
        for batch in batches:
            (texts,) = batch.columns
            for place in range(batch.rows):
                start, stop = texts.offsets[place], texts.offsets[place + 1]
                found.append(bytes(texts.data[start:stop]).decode())
    return found


@contextmanager
def _postgres(_folder: Path) -> Iterator[Database]:
    import psycopg

    target = target_of(POSTGRES, None)
    try:
        connection = psycopg.connect(
            host=target.host, port=target.port, user=target.user, password=target.password,
            dbname=target.database, autocommit=True, connect_timeout=2,
        )  # fmt: skip
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server answers; name one with YUNTU_PUSH_TEST_POSTGRES")
    with connection:
        yield Database("postgresql", POSTGRES, connection.execute)


@contextmanager
def _mysql(_folder: Path) -> Iterator[Database]:
    import pymysql

    target = target_of(MYSQL, None)
    try:
        connection = pymysql.connect(
            host=target.host, port=target.port or 3306, user=target.user,
            password=target.password or "", database=target.database, autocommit=True,
            connect_timeout=2, charset="utf8mb4",
        )  # fmt: skip
    except pymysql.MySQLError:
        pytest.skip("no MySQL server answers; name one with YUNTU_PUSH_TEST_MYSQL")

    def write(sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    with closing(connection):
        yield Database("mysql", MYSQL, write)


@contextmanager
def _sqlite(folder: Path) -> Iterator[Database]:
    import sqlite3

    path = folder / "people.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")
        yield Database("sqlite", f"sqlite:///{path}", connection.execute)


@contextmanager
def _duckdb(folder: Path) -> Iterator[Database]:
    import duckdb

    path = folder / "people.duckdb"

    def write(sql: str) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)

    yield Database("duckdb", f"duckdb:///{path}", write)


_KINDS = {"postgresql": _postgres, "mysql": _mysql, "sqlite": _sqlite, "duckdb": _duckdb}


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.server),
        pytest.param("mysql", marks=pytest.mark.server),
        "sqlite",
        "duckdb",
    ]
)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    table = f"{TABLE}_{worker}"
    with _KINDS[request.param](tmp_path) as found:
        found.write(f"drop table if exists {table}")
        found.write(
            f"create table {table} (id integer, mobile varchar(40), city varchar(40), joined date)"
        )
        found.table = table  # type: ignore[attr-defined]
        yield found
        found.write(f"drop table if exists {table}")


def _fill(database: Any, count: int) -> None:
    for start in range(0, count, 1000):
        rows = ", ".join(
            f"({i}, '13{i:09d}', '{'上海' if i % 2 else 'Beijing'}', '2026-11-{1 + i % 28:02d}')"
            for i in range(start, min(start + 1000, count))
        )
        database.write(f"insert into {database.table} values {rows}")


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_every_row_arrives_once(database: Any, count: int) -> None:
    _fill(database, count)
    source = database.source(f"select mobile, city from {database.table} where 1=1")
    assert source.columns() == ["mobile", "city"]
    assert sorted(_values(source, "mobile")) == [f"13{i:09d}" for i in range(count)]


def test_results_larger_than_one_fetch_arrive_whole(database: Any) -> None:
    _fill(database, 400)
    t = database.table
    source = database.source(f"select a.mobile as mobile from {t} a cross join {t} b")
    assert len(_values(source, "mobile")) == 160_000


def test_values_keep_their_digits_and_letters(database: Any) -> None:
    database.write(
        f"insert into {database.table} values (1, ' +86 138-0013-8000', '上海', null),"
        f" (2, null, '', '2026-01-02'), (3, '013800138000', '%s :x', null)"
    )
    t = database.table
    rows = {
        column: _values(database.source(f"select * from {t} order by id"), column)
        for column in ("mobile", "city", "id", "joined")
    }
    assert rows["mobile"] == [" +86 138-0013-8000", "", "013800138000"]
    assert rows["city"] == ["上海", "", "%s :x"]
    assert rows["id"] == ["1", "2", "3"]
    assert rows["joined"] == ["", "2026-01-02", ""]


def test_parameters_are_bound_not_pasted(database: Any) -> None:
    _fill(database, 100)
    t = database.table
    sql = f"select mobile from {t} where city = :city and id < :most and mobile like '13%'"
    source = database.source(sql, ("city", "上海"), ("most:int", "10"))
    assert len(_values(source, "mobile")) == 5
    hostile = database.source(sql, ("city", "x' or '1'='1"), ("most:int", "10"))
    assert _values(hostile, "mobile") == []
    assert source.params == {"city": "上海", "most": "10"}


def test_lists_and_relative_dates(database: Any) -> None:
    _fill(database, 100)
    t = database.table
    listed = database.source(f"select id from {t} where city in :cities", ("cities:list", "上海,x"))
    assert len(_values(listed, "id")) == 50
    dated = database.source(f"select id from {t} where joined = :day", ("day:date", "yesterday"))
    assert dated.params == {"day": "2026-11-23"}
    assert set(_values(dated, "id")) == {str(i) for i in range(100) if i % 28 == 22}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ((), "PARAM_MISSING"),
        ((("a", "1"), ("b", "2")), "PARAM_UNUSED"),
        ((("a:int", "x"),), "PARAM_INVALID"),
    ],
)
def test_wrong_parameters_are_named(database: Any, params: Any, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database.source(f"select id from {database.table} where id = :a", *params)
    assert caught.value.code == code


def test_a_missing_column_names_the_nearest(database: Any) -> None:
    with pytest.raises(SourceError) as caught:
        _values(database.source(f"select mobile, city from {database.table}"), "mobil")
    assert caught.value.code == "SOURCE_COLUMN_MISSING"
    assert "'mobile'" in str(caught.value.hint)


def test_a_failing_query_is_an_error_without_values(database: Any) -> None:
    _fill(database, 3)
    source = database.source(f"select nothing from {database.table} where mobile = '13000000001'")
    with pytest.raises(SourceError) as caught:
        _values(source, "nothing")
    assert caught.value.code == "SOURCE_SQL_FAILED"
    assert "13000000001" not in str(caught.value)


def test_the_session_refuses_to_write(database: Any) -> None:
    _fill(database, 1)
    with connected(database.target) as (dialect, connection):
        dialect.begin(connection)
        with pytest.raises(Exception, match=r"(?i)read.?only|attempt to write"):
            connection.cursor().execute(f"delete from {database.table}")
    assert len(_values(database.source(f"select id from {database.table}"), "id")) == 1


def test_rows_that_appear_while_reading_are_not_seen(database: Any) -> None:
    """The count and the rows come from one snapshot."""
    if database.kind == "duckdb":
        pytest.skip("a DuckDB file that is being read cannot be written by another process")
    _fill(database, 1000)
    source = database.source(f"select id from {database.table}")
    real = DatabaseSource._counted

    def counted(self: Any, dialect: Any, connection: Any) -> int:
        count = real(self, dialect, connection)
        database.write(f"insert into {database.table} values (5000, 'x', 'y', null)")
        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseSource, "_counted", counted)
        assert len(_values(source, "id")) == 1000


def test_a_short_result_is_an_error(database: Any) -> None:
    _fill(database, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseSource, "_counted", lambda *_: 11)
        with pytest.raises(TryLaterError) as caught:
            _values(database.source(f"select id from {database.table}"), "id")
    assert caught.value.code == "SOURCE_SHORT_RESULT"


def test_a_source_that_is_not_ready_is_for_later(database: Any) -> None:
    t = database.table
    sql = f"select id from {t}"
    require = f"select count(*) from {t} where city = 'done'"
    with pytest.raises(TryLaterError) as caught:
        _values(database.source(sql, require=require), "id")
    assert caught.value.code == "SOURCE_NOT_READY"
    database.write(f"insert into {t} values (1, 'x', 'done', null)")
    assert _values(database.source(sql, require=require), "id") == ["1"]


def test_a_source_answers_a_test(database: Any) -> None:
    probe("crm", database.target)


def _pushed(database: Any, kind: str, column: str = "mobile") -> DatabaseSource:
    spec = SourceSpec(SourceKind.SQL, push_down=((column, IdType(kind)),))
    sql = f"select id, mobile from {database.table} order by id"
    return DatabaseSource("crm", database.target, sql, spec, NOW)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("MOBILE_HASH_SHA256", ["13912345678", "+8613912345679", "139 1234 5670", "139", None]),
        ("IMEI_MD5", ["490154203237518", "0" * 15, "d41d8cd98f00b204e9800998ecf8427f", "x"]),
        ("IDFA_MD5", ["6d92078a-8246-4ba4-ae5b-76104861e7dc", "-", "x"]),
        ("OAID_MD5", ["1A2B3C4D5E6F7A8B", "6d92078a-8246-4ba4-ae5b-76104861e7dc", "x"]),
    ],
)
def test_a_database_that_hashes_gives_the_digests_of_the_rule(
    database: Any, kind: str, raw: list[str | None]
) -> None:
    if database.kind == "sqlite":
        with pytest.raises(ConfigError) as caught:
            _values(_pushed(database, kind), "mobile")
        assert caught.value.code == "PUSH_DOWN_IMPOSSIBLE"
        return
    for place, value in enumerate(raw):
        text = "null" if value is None else f"'{value}'"
        database.write(f"insert into {database.table} values ({place}, {text}, '', null)")
    expected = []
    for value in raw:
        outcome = identify(value, IdType(kind))
        is_blank = isinstance(outcome, Blank)
        expected.append(outcome.id if isinstance(outcome, Accepted) else "" if is_blank else "?")
    assert _values(_pushed(database, kind), "mobile") == expected


@pytest.mark.parametrize(
    "broken",
    [
        "''", "'0'", "{x}", "upper(md5({x}))", "md5({x})", "md5(concat('86', {x}))",
        "md5(upper({x}))",
        "md5(concat({x}, ' '))", "lower({x})", "left(md5({x}), 31)", "md5(md5({x}))",
    ],
)  # fmt: skip
def test_a_template_that_hashes_otherwise_is_caught(
    database: Any, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any row is read."""
    if database.kind == "sqlite":
        pytest.skip("SQLite has no hash functions")
    functions = push_down._FUNCTIONS[database.kind]
    wrong = replace(functions, sha256=lambda x: broken.format(x=x))
    monkeypatch.setitem(push_down._FUNCTIONS, database.kind, wrong)
    with pytest.raises(SourceError) as caught:
        _values(_pushed(database, "MOBILE_HASH_SHA256"), "mobile")
    assert caught.value.code == "SOURCE_HASH_WRONG"


@pytest.mark.server
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_killed_session_is_detected(kind: str, tmp_path: Path) -> None:
    with _KINDS[kind](tmp_path) as database:
        numbers = {
            "postgresql": "select i from generate_series(1, 3000000) as g(i)",
            "mysql": "select seq as i from seq_1_to_3000000",
        }[kind]
        batches = database.source(numbers).batches(["i"])
        next(batches)
        killer = threading.Thread(target=_kill, args=(database,))
        killer.start()
        killer.join()
        with pytest.raises(TryLaterError) as caught:
            for _ in batches:
                pass
        assert caught.value.code in {"SOURCE_CONNECTION_LOST", "SOURCE_SHORT_RESULT"}


def _kill(database: Database) -> None:
    if database.kind == "postgresql":
        database.write(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'yuntu-push' and pid <> pg_backend_pid()"
        )
        return
    import pymysql

    target = database.target
    with (
        closing(
            pymysql.connect(
                host=target.host, port=target.port or 3306, user=target.user, password=""
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "select id from information_schema.processlist where info like '%seq_1_to_3000000%'"
            " and id <> connection_id()"
        )
        for (number,) in cursor.fetchall():
            cursor.execute(f"kill {number}")


@pytest.mark.server
@pytest.mark.parametrize(
    ("url", "code", "kind"),
    [
        ("postgresql://root@127.0.0.1:1/test", "SOURCE_CONNECTION_LOST", TryLaterError),
        ("mysql://root@127.0.0.1:1/test", "SOURCE_CONNECTION_LOST", TryLaterError),
        ("postgresql://root@127.0.0.1:5432/nowhere", "SOURCE_DATABASE_MISSING", ConfigError),
        ("mysql://root@127.0.0.1:3306/nowhere", "SOURCE_DATABASE_MISSING", ConfigError),
        ("mysql://nobody:wrong@127.0.0.1:3306/test", "SOURCE_LOGIN_REFUSED", ConfigError),
    ],
)
def test_failed_connections_say_what_to_do(
    url: str, code: str, kind: type[Exception], tmp_path: Path
) -> None:
    with _KINDS[url.partition(":")[0]](tmp_path), pytest.raises(kind) as caught:
        probe("crm", target_of(url, None))
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mariadb+mariadbconnector://u@h/d", "SOURCE_DRIVER_REFUSED"),
        ("postgre://u@h/d", "SOURCE_DIALECT_UNKNOWN"),
        ("nonsense", "SOURCE_URL_INVALID"),
    ],
)
def test_unusable_urls_are_refused(url: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        target_of(url, None)
    assert caught.value.code == code
