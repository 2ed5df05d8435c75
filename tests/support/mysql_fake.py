"""A warehouse that speaks MySQL's protocol, such as Doris, and answers from a DuckDB in memory.

It has no transactions and refuses to talk of them, as those do.
"""

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
_OK = b"\0\0\0\2\0\0\0"
_EOF = b"\xfe\0\0\2\0"
_QUIT, _QUERY = 1, 3


class FakeWarehouse:
    """Tables of a warehouse; `write` fills them, `url` is where they are read."""

    def __init__(self, kind: str, port: int) -> None:
        import duckdb

        self.url = f"{kind}://analyst@127.0.0.1:{port}/crm"
        self.asked: list[str] = []
        self._kind = kind
        self._lock = threading.Lock()
        self._con = duckdb.connect()

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement as an administrator would; its rows."""
        with self._lock:
            rows: list[tuple[Any, ...]] = self._con.execute(sql).fetchall()
            return rows

    def answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]] | str | None:
        """Names and rows of a query, nothing for a setting, or why it is refused."""
        import duckdb
        import sqlglot

        self.asked.append(sql)
        start = sql.lower().split()
        if start[:2] == ["set", "names"] or "query_timeout" in sql:
            return None
        if start[0] in {"set", "start"}:
            return "mismatched input"
        if "@@version_comment" in sql:
            return ["@@version_comment"], [(f"{self._kind.title()} version 3.1.2",)]
        if "@@" in sql:
            return ["@@sql_mode"], [("ONLY_FULL_GROUP_BY",)]
        (theirs,) = sqlglot.transpile(sql, read=self._kind, write="duckdb")
        with self._lock:
            try:
                result = self._con.execute(theirs)
            except duckdb.Error as exc:
                return str(exc)
            return [str(column[0]) for column in result.description], result.fetchall()


class _Handler(socketserver.StreamRequestHandler):
    warehouse: FakeWarehouse

    def handle(self) -> None:
        self._number = 0
        self._send(
            b"\x0a5.7.99\0" + (1).to_bytes(4, "little") + b"a" * 8 + b"\0"
            + (_CAPABILITIES & 0xFFFF).to_bytes(2, "little") + b"\x2d\2\0"
            + (_CAPABILITIES >> 16).to_bytes(2, "little") + b"\x15" + b"\0" * 10
            + b"b" * 12 + b"\0mysql_native_password\0"
        )  # fmt: skip
        self._receive()
        self._send(_OK)
        while (packet := self._receive()) and packet[0] != _QUIT:
            if packet[0] == _QUERY:
                self._answer(self.warehouse.answer(packet[1:].decode()))
            else:
                self._send(_OK)

    def _answer(self, answer: tuple[list[str], list[tuple[Any, ...]]] | str | None) -> None:
        if answer is None:
            self._send(_OK)
        elif isinstance(answer, str):
            self._send(b"\xff" + (1064).to_bytes(2, "little") + b"#42000" + answer.encode())
        else:
            names, rows = answer
            self._send(bytes([len(names)]))
            for name in names:
                words = _cells(["def", "", "", "", name, name])
                self._send(words + b"\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0")
            self._send(_EOF)
            for row in rows:
                self._send(_cells([None if cell is None else str(cell) for cell in row]))
            self._send(_EOF)

    def _send(self, payload: bytes) -> None:
        self.wfile.write(len(payload).to_bytes(3, "little") + bytes([self._number & 255]) + payload)
        self._number += 1

    def _receive(self) -> bytes:
        head = self.rfile.read(4)
        if len(head) < 4:
            return b""
        self._number = head[3] + 1
        return self.rfile.read(int.from_bytes(head[:3], "little"))


def _cells(texts: Sequence[str | None]) -> bytes:
    out = b""
    for text in texts:
        if text is None:
            out += b"\xfb"
            continue
        raw = text.encode()
        size = len(raw)
        out += (bytes([size]) if size < 251 else b"\xfc" + size.to_bytes(2, "little")) + raw
    return out


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def warehouse(kind: str) -> Iterator[FakeWarehouse]:
    """A server on a free port of this machine."""

    class Handler(_Handler):
        pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        found = Handler.warehouse = FakeWarehouse(kind, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()
