"""A ClickHouse server over HTTP that answers from a DuckDB in memory."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PARAM = re.compile(r"\{(\w+):([^}]+)\}")
_FORMAT = re.compile(r"\s+format (TabSeparated(?:WithNames)?)\s*$", re.IGNORECASE)
# What the dialects write differently; `hex` of a digest is what DuckDB's functions give at once.
_WORDS = (
    (re.compile(r"lower\(hex\((SHA256|MD5)\("), r"same(same(\1("),
    (re.compile(r"\btoString\("), "text_of("),
    (re.compile(r"\bifNull\("), "coalesce("),
    (re.compile(r"\bmatch\("), "regexp_matches("),
    (re.compile(r"\bcount\(\)"), "count(*)"),
)
_TYPES = {"Int64": "bigint", "Date": "date", "DateTime": "timestamp", "Bool": "boolean"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


class FakeClickHouse:
    """Tables of a ClickHouse; `write` fills them, `url` is where they are read."""

    def __init__(self, port: int) -> None:
        import duckdb

        self.url = f"clickhouse://analyst:secret@127.0.0.1:{port}/crm"
        self.answered: list[bytes] = []
        self._lock = threading.Lock()
        self._con = duckdb.connect()
        self._con.execute("create macro same(x) as x")
        self._con.execute("create macro text_of(x) as cast(x as varchar)")

    def write(self, sql: str) -> None:
        """Run a statement as an administrator would."""
        with self._lock:
            self._con.execute(sql)

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, as an administrator would ask for them."""
        with self._lock:
            rows: list[tuple[Any, ...]] = self._con.execute(sql).fetchall()
            return rows

    def answer(self, text: str, query: dict[str, list[str]]) -> bytes:
        """The rows of a query as TabSeparated text."""
        found = _FORMAT.search(text)
        assert found, "every query names its format"
        values = {
            key.removeprefix("param_"): _plain(value[0])
            for key, value in query.items()
            if key.startswith("param_")
        }
        sql = _PARAM.sub(_mark, text[: found.start()].replace(" q where", " where"))
        for pattern, word in _WORDS:
            sql = pattern.sub(word, sql)
        with self._lock:
            result: Any = self._con.execute(sql, values) if values else self._con.execute(sql)
            names = [column[0] for column in result.description]
            rows = result.fetchall()
        lines = [names] if found[1] == "TabSeparatedWithNames" else []
        lines += [["\\N" if v is None else str(v).translate(_ESCAPES) for v in r] for r in rows]
        self.answered.append("".join("\t".join(line) + "\n" for line in lines).encode())
        return self.answered[-1]


def _mark(match: "re.Match[str]") -> str:
    kind = _TYPES.get(match[2])
    return f"cast(${match[1]} as {kind})" if kind else f"${match[1]}"


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n"}.get(m[1], m[1]), text)


@contextmanager
def clickhouse() -> Iterator[FakeClickHouse]:
    """A server on a free port of this machine."""
    import duckdb

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            try:
                status, body = (
                    200,
                    found.answer(text, parse_qs(urlsplit(self.path).query, keep_blank_values=True)),
                )
            except duckdb.Error as exc:
                status, body = 400, f"Code: 62. DB::Exception: {exc}".encode()
            self.send_response(status)
            if status != 200:
                self.send_header("X-ClickHouse-Exception-Code", "62")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        found = FakeClickHouse(http.server_port)
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield found
        http.shutdown()
        thread.join()
