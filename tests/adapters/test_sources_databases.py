"""Databases as sources: the same promises on every kind, on real servers where there are some."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import certifi
import pytest
from tests.support.databases import (
    NOW,
    OPENERS,
    SERVERS,
    WITH_SNAPSHOTS,
    Database,
    kinds,
    only,
)
from tests.support.databases import values as _values
from tests.support.mysql_fake import warehouse

from yuntu_push.adapters.sources import databases, push_down
from yuntu_push.adapters.sources.catalog import SourceCatalog
from yuntu_push.adapters.sources.databases import DatabaseSource, probe
from yuntu_push.adapters.sources.dialects import connected
from yuntu_push.adapters.sources.targets import target_of
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError
from yuntu_push.domain.identifiers import Accepted, Blank, IdType, identify

_HASHING = ("postgresql", "mysql", "duckdb", "clickhouse", "doris", "starrocks")
TABLE = "yuntu_push_test_people"


@pytest.fixture(params=kinds())
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with OPENERS[request.param](tmp_path) as found:
        found.table = f"{TABLE}_{worker}_{os.getpid()}"
        found.write(f"drop table if exists {found.table}")
        found.write(
            f"create table {found.table}"
            " (id integer, mobile varchar(40), city varchar(40), joined date)"
        )
        yield found
        found.write(f"drop table if exists {found.table}")


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


@pytest.mark.parametrize(
    "around", [[], ["13912345678"], ["上海"], [None]], ids=["alone", "text", "chinese", "null"]
)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("139", "139"),
        (None, ""),
        (13912345678, "13912345678"),
        (13912345678.0, "13912345678"),
        (0.5, "0.5"),
        (Decimal("0.00"), "0.00"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (True, "True"),
        (b"plain", "plain"),
        (bytearray("京".encode()), "京"),
        (memoryview(b"\xff\x00"), "ff00"),
    ],
)
def test_values_of_any_kind_become_text(value: object, text: str, around: list[Any]) -> None:
    """Whatever stands beside them in their column."""
    beside = ["" if other is None else other for other in around]
    column = databases.text_column([*around, value, *around])
    found = [column.value(place).decode() for place in range(2 * len(around) + 1)]
    assert found == [*beside, text, *beside]
    assert len(column.offsets) == len(found) + 1


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


@only(*WITH_SNAPSHOTS)
def test_the_session_refuses_to_write(database: Any) -> None:
    _fill(database, 1)
    with connected(database.target) as (dialect, connection):
        dialect.begin(connection)
        with pytest.raises(Exception, match=r"(?i)read.?only|attempt to write"):
            connection.cursor().execute(f"delete from {database.table}")
    assert len(_values(database.source(f"select id from {database.table}"), "id")) == 1


@only("postgresql", "mysql", "sqlite")  # a DuckDB file that is read cannot be written
def test_rows_that_appear_while_reading_are_not_seen(database: Any) -> None:
    """The count and the rows come from one snapshot."""
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


@only(*WITH_SNAPSHOTS)
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
        _values(database.source(sql, require_sql=require), "id")
    assert caught.value.code == "SOURCE_NOT_READY"
    database.write(f"insert into {t} values (1, 'x', 'done', null)")
    assert _values(database.source(sql, require_sql=require), "id") == ["1"]


def test_a_source_answers_a_test(database: Any) -> None:
    catalog = SourceCatalog(now=lambda: NOW, urls={"crm": database.url})
    assert catalog.test("crm") == database.kind


@only("clickhouse", "doris", "starrocks")
def test_without_snapshots_a_source_that_changes_is_an_error(database: Any) -> None:
    """Rows are counted before and after."""
    _fill(database, 10)
    batches = database.source(f"select id from {database.table}").batches(["id"])
    next(batches)
    database.write(f"insert into {database.table} values (5000, 'x', 'y', null)")
    with pytest.raises(TryLaterError) as caught:
        list(batches)
    assert caught.value.code == "SOURCE_SHORT_RESULT"


@pytest.mark.parametrize("written", ["in :some", "in (:some)", "in ( :some )"])
def test_a_list_may_have_brackets_in_the_query(database: Any, written: str) -> None:
    _fill(database, 4)
    sql = f"select id from {database.table} where mobile {written}"
    source = database.source(sql, ("some:list", "13000000001, 13000000003"))
    assert sorted(_values(source, "id")) == ["1", "3"]


@pytest.mark.parametrize("end", [";", " -- the end", ";\n-- the end :x\n", "; /* the end; */ ;\n"])
def test_a_query_may_end_as_in_a_file(database: Any, end: str) -> None:
    _fill(database, 2)
    sql = f"-- people\nselect id /* all: :x */ from {database.table}{end}"
    assert sorted(_values(database.source(sql), "id")) == ["0", "1"]


@pytest.mark.parametrize("text", ["'it''s :x'", "'%d :x -- no comment'", "'/* :x */'"])
def test_text_in_a_query_has_no_parameters(database: Any, text: str) -> None:
    _fill(database, 1)
    sql = f"select {text} as said from {database.table} where id = :id"
    expected = text[1:-1].replace("''", "'")
    assert _values(database.source(sql, ("id:int", "0")), "said") == [expected]


@only("mysql", "clickhouse")
def test_text_with_backslashes_ends_where_the_server_ends_it(database: Any) -> None:
    _fill(database, 1)
    if database.kind == "clickhouse":  # whose stand-in reads text in another way
        source = database.source(f"select id, 'it\\'s :x' as said from {database.table}")
        assert source._sql.names == []
        return
    sql = f"select 'it\\'s :x' as said from {database.table} where id = :id # not :this"
    assert _values(database.source(sql, ("id:int", "0")), "said") == ["it's :x"]


def _pushed(database: Any, kind: str, column: str = "mobile") -> Any:
    sql = f"select id, mobile from {database.table} order by id"
    return database.source(sql, push_down=((column, IdType(kind)),))


@only("sqlite")
def test_a_database_without_hashes_says_so(database: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        _values(_pushed(database, "IMEI_MD5"), "mobile")
    assert caught.value.code == "PUSH_DOWN_IMPOSSIBLE"


@only(*_HASHING)
def test_an_id_that_travels_in_clear_is_not_hashed_there(database: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        _values(_pushed(database, "IDFA"), "mobile")
    assert caught.value.code == "PUSH_DOWN_IMPOSSIBLE"


@only(*_HASHING)
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
    for place, value in enumerate(raw):
        text = "null" if value is None else f"'{value}'"
        database.write(f"insert into {database.table} values ({place}, {text}, '', null)")
    expected = []
    for value in raw:
        outcome = identify(value, IdType(kind))
        is_blank = isinstance(outcome, Blank)
        expected.append(outcome.id if isinstance(outcome, Accepted) else "" if is_blank else "?")
    assert _values(_pushed(database, kind), "mobile") == expected


@only(*_HASHING)
@pytest.mark.parametrize(
    "broken",
    [
        "''", "'0'", "'?'", "{x}", "upper(md5({x}))", "md5({x})", "md5(concat('86', {x}))",
        "md5(upper({x}))",
        "md5(concat({x}, ' '))", "lower({x})", "left(md5({x}), 31)", "md5(md5({x}))",
    ],
)  # fmt: skip
def test_a_template_that_hashes_otherwise_is_caught(
    database: Any, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any row is read."""
    functions = push_down._FUNCTIONS[database.kind]
    wrong = replace(functions, sha256=lambda x: broken.format(x=x))
    monkeypatch.setitem(push_down._FUNCTIONS, database.kind, wrong)
    with pytest.raises(SourceError) as caught:
        _values(_pushed(database, "MOBILE_HASH_SHA256"), "mobile")
    assert caught.value.code == "SOURCE_HASH_WRONG"


@only(*SERVERS)
@pytest.mark.parametrize("after", [1, 4])
def test_a_killed_session_is_detected(
    database: Database, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = []

    @contextmanager
    def seen(target: Any) -> Iterator[Any]:
        with connected(target) as (dialect, connection):
            sessions.append(connection)
            yield dialect, connection

    monkeypatch.setattr(databases, "connected", seen)
    numbers = {
        "postgresql": "select i from generate_series(1, 2000000) as g(i)",
        "mysql": "select seq as i from seq_1_to_2000000",
    }[database.kind]
    batches = database.source(numbers).batches(["i"])
    for _ in range(after):
        next(batches)
    _kill(database, sessions[-1])
    with pytest.raises(TryLaterError) as caught:
        for _ in batches:
            pass
    assert caught.value.code in {"SOURCE_CONNECTION_LOST", "SOURCE_SHORT_RESULT"}


def _kill(database: Database, session: Any) -> None:
    if database.kind == "postgresql":
        database.write(f"select pg_terminate_backend({session.info.backend_pid})")
    else:
        database.write(f"kill {session.thread_id()}")


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
    with OPENERS[url.partition(":")[0]](tmp_path), pytest.raises(kind) as caught:
        probe("crm", target_of(url, None))
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert "wrong" not in str(caught.value)


def test_a_connection_that_cannot_be_encrypted_is_not_made() -> None:
    """The stand-in knows no TLS; a login must not follow its greeting in clear."""
    with warehouse("doris") as made, pytest.raises(ConfigError) as caught:
        probe("crm", target_of(f"{made.url}?ssl_ca={certifi.where()}", "secret"))
    assert caught.value.code == "SOURCE_TLS_REFUSED"
    assert made.asked == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mariadb+mariadbconnector://u@h/d", "SOURCE_DRIVER_REFUSED"),
        ("postgre://u@h/d", "SOURCE_DIALECT_UNKNOWN"),
        ("nonsense", "SOURCE_URL_INVALID"),
        ("mysql://u@h/d?password=x", "SOURCE_OPTION_UNKNOWN"),
        ("postgresql://u@h/d?ssl_ca=x", "SOURCE_OPTION_UNKNOWN"),
    ],
)
def test_unusable_urls_are_refused(url: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        target_of(url, None)
    assert caught.value.code == code
