"""ClickHouse as a source, against an HTTP server that answers as it does."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.clickhouse_fake import clickhouse

from yuntu_push.adapters.sources.clickhouse import ClickHouseSource, probe
from yuntu_push.adapters.sources.targets import target_of
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Server:
    """Answers counts, column names and rows; remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rows = ["13912345678\t上海", "a\\tb\\\\c\\nd\t"]
        self.counts = [2, 2]
        self.fails = ""
        self.cut = False
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []

    def answer(self, sql: str) -> bytes:
        if "count()" in sql:
            return f"{self.counts.pop(0)}\n".encode()
        if "TabSeparatedWithNames" in sql:
            return b"mobile\tcity\n"
        return "".join(f"{row}\n" for row in self.rows).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.asked.append((sql, parse_qs(urlsplit(self.path).query), dict(self.headers)))
            body = found.answer(sql)
            self.send_response(500 if found.fails else 200)
            if found.fails:
                self.send_header("X-ClickHouse-Exception-Code", found.fails)
            cut = found.cut and "toString" in sql
            self.send_header("Content-Length", str(len(body) + (100 if cut else 0)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        found = Server(f"clickhouse://analyst:secret@127.0.0.1:{http.server_port}/crm")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield found
        http.shutdown()
        thread.join()


def _source(server: Server, sql: str, *params: tuple[str, str]) -> ClickHouseSource:
    spec = SourceSpec(SourceKind.SQL, params=params)
    return ClickHouseSource("lake", target_of(server.url, None), sql, spec, NOW)


def _values(source: ClickHouseSource, *columns: str) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in columns]
    with closing(source.batches(columns)) as batches:
        for batch in batches:
            for values, texts in zip(found, batch.columns, strict=True):
                values += [
                    bytes(texts.data[texts.offsets[i] : texts.offsets[i + 1]]).decode()
                    for i in range(batch.rows)
                ]
    return found


def test_rows_arrive_unescaped(server: Server) -> None:
    source = _source(server, "select mobile, city from members")
    assert source.columns() == ["mobile", "city"]
    assert _values(source, "mobile", "city") == [["13912345678", "a\tb\\c\nd"], ["上海", ""]]


def test_the_session_only_reads_and_the_password_is_a_header(server: Server) -> None:
    _values(_source(server, "select mobile, city from members"), "mobile", "city")
    for sql, query, headers in server.asked:
        assert query["readonly"] == ["2"]
        assert query["database"] == ["crm"]
        assert headers["X-ClickHouse-Key"] == "secret"
        assert "secret" not in sql
        assert "secret" not in str(query)


def test_parameters_are_bound_by_the_server(server: Server) -> None:
    sql = "select mobile, city from members where city = :city and id in :ids and d = :day"
    source = _source(server, sql, ("city", "x' or 1"), ("ids:list", "a,b"), ("day:date", "today"))
    assert source.columns() == ["mobile", "city"]
    asked, query, _ = server.asked[0]
    assert "city = {city:String} and id in ({ids_0:String}, {ids_1:String})" in asked
    assert "d = {day:Date}" in asked
    assert query["param_city"] == ["x' or 1"]
    assert query["param_ids_1"] == ["b"]
    assert query["param_day"] == ["2026-11-23"]


@pytest.mark.parametrize("counts", [[3, 3], [2, 3], [1, 2]])
def test_a_short_or_moving_result_is_an_error(server: Server, counts: list[int]) -> None:
    server.counts = counts
    with pytest.raises(TryLaterError) as caught:
        _values(_source(server, "select mobile, city from members"), "mobile", "city")
    assert caught.value.code == "SOURCE_SHORT_RESULT"


def test_an_exception_in_the_middle_of_the_rows_is_no_row(server: Server) -> None:
    server.rows.append("Code: 241. DB::Exception: Memory limit exceeded")
    with pytest.raises(TryLaterError):
        _values(_source(server, "select mobile, city from members"), "mobile", "city")


def test_a_connection_that_breaks_is_an_error(server: Server) -> None:
    server.cut = True
    with pytest.raises(TryLaterError) as caught:
        _values(_source(server, "select mobile, city from members"), "mobile", "city")
    assert caught.value.code == "SOURCE_CONNECTION_LOST"


@pytest.mark.parametrize(
    ("code", "ours", "kind"),
    [
        ("516", "SOURCE_LOGIN_REFUSED", ConfigError),
        ("81", "SOURCE_DATABASE_MISSING", ConfigError),
        ("159", "SOURCE_TIMEOUT", SourceError),
        ("62", "SOURCE_SQL_FAILED", SourceError),
        ("", "SOURCE_SQL_FAILED", SourceError),
    ],
)
def test_refusals_say_what_to_do(
    server: Server, code: str, ours: str, kind: type[Exception]
) -> None:
    server.fails = code or " "
    with pytest.raises(kind) as caught:
        probe("lake", target_of(server.url, None))
    assert caught.value.code == ours  # type: ignore[attr-defined]


def test_raw_ids_do_not_cross_the_wire_when_the_server_hashes() -> None:
    with clickhouse() as made:
        made.write("create table members (mobile varchar)")
        made.write("insert into members select '139' || (10000000 + range) from range(1000)")
        sql = "select mobile from members"
        spec = SourceSpec(SourceKind.SQL, push_down=(("mobile", IdType("MOBILE_HASH_SHA256")),))
        source = ClickHouseSource("lake", target_of(made.url, None), sql, spec, NOW)
        (digests,) = _values(source, "mobile")
        sent = b"".join(made.answered).decode()
    assert len(set(digests)) == 1000
    assert hashlib.sha256(b"13910000000").hexdigest() in digests
    assert not re.search(r"139[0-9]{8}(?![0-9a-f])", re.sub(r"[0-9a-f]{64}", "", sent))
