"""ClickHouse (and ByteHouse) over HTTP: one SELECT, read-only, counted before and after.

It has no snapshots. So a result counts only when as many rows arrived as there were both before and
after it; anything else is a source that changes, or a result that was cut off.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from yuntu_push.adapters.sources import parameters, push_down
from yuntu_push.adapters.sources.columns import columns_of, places_of
from yuntu_push.adapters.sources.databases import check_count, check_ready, checked
from yuntu_push.adapters.sources.sql_text import SqlText
from yuntu_push.adapters.sources.targets import (
    CLICKHOUSE,
    CONNECT_SECONDS,
    STATEMENT_SECONDS,
    Target,
)
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError, YuntuPushError
from yuntu_push.domain.segment_build import SourceKind, SourceSpec
from yuntu_push.domain.segment_rows import RowBatch, TextColumn
from yuntu_push.domain.text import msg

if TYPE_CHECKING:
    import httpx

FETCH = 50_000  # rows at a time
_LOGIN, _NO_DATABASE, _TIMEOUT = {"516", "192", "193", "194"}, {"81"}, {"159", "160"}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "N": ""}


class ClickHouseSource:
    """One SELECT on a ClickHouse server."""

    def __init__(
        self, name: str, target: Target, sql: str, spec: SourceSpec, now: datetime
    ) -> None:
        self._name = name
        self._target = target
        self._push_down = dict(spec.push_down)
        self._sql = checked(sql, CLICKHOUSE)
        self._require = checked(spec.require_sql, CLICKHOUSE) if spec.require_sql else None
        names = [*self._sql.names, *(self._require.names if self._require else ())]
        self._bound = parameters.bind(spec.params, names, now)

    @property
    def description(self) -> str:
        """The source's name and kind."""
        return f"clickhouse:{self._name}"

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters, with relative dates resolved."""
        return self._bound.shown

    def columns(self) -> list[str]:
        """The columns that the query gives."""
        with self._client() as client:
            return self._columns(client)

    def rows_expected(self) -> int | None:
        """Known once the rows are read."""
        return None

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of the query, as many as were counted, or an error."""
        with self._client() as client:
            self._check_ready(client)
            known = self._columns(client)
            places = places_of(columns, known, repr(self._name))
            before = self._count(client)
            self._prove(client)
            chosen = ", ".join(
                self._chosen(wanted, known[place])
                for wanted, place in zip(columns, places, strict=True)
            )
            seen, before_it = 0, f"select {chosen} from ("  # noqa: S608
            with self._asked(client, self._sql, before_it) as response:
                for rows in _batched(_lines(response), FETCH):
                    yield self._batch(rows, len(places), seen)
                    seen += len(rows)
            check_count(self._name, seen, [before, self._count(client)])

    def _check_ready(self, client: "httpx.Client") -> None:
        if self._require is None:
            return
        with self._asked(client, self._require) as response:
            check_ready(self._name, _cells(next(_lines(response), ""))[0])

    def _chosen(self, wanted: str, name: str) -> str:
        if wanted in self._push_down:
            return push_down.expression(CLICKHOUSE, self._push_down[wanted], _quoted(name))
        return f"ifNull(toString({_quoted(name)}), '')"

    def _prove(self, client: "httpx.Client") -> None:
        """See that this server hashes as we do, before it hashes anyone."""

        def ask(sql: str, values: dict[str, object]) -> list[str]:
            with self._sent(client, f"{sql} format TabSeparated", values) as response:
                return _cells(next(_lines(response), ""))

        if self._push_down:
            kinds = list(self._push_down.values())
            push_down.prove(CLICKHOUSE, kinds, lambda name: f"{{{name}:String}}", ask)

    def _batch(self, rows: list[str], width: int, seen: int) -> RowBatch:
        cells = [_cells(row) for row in rows]
        if any(len(row) != width for row in cells):
            # The server's last words, not a row.
            check_count(self._name, seen, [seen + len(rows)])
        columns = tuple(TextColumn.of(values) for values in columns_of(cells))
        return RowBatch(len(rows), columns, seen + 1)

    def _columns(self, client: "httpx.Client") -> list[str]:
        with self._asked(client, self._sql, "select * from (", limit=0) as response:
            return _cells(next(_lines(response), ""))

    def _count(self, client: "httpx.Client") -> int:
        with self._asked(client, self._sql, "select count() from (") as response:
            return int(next(_lines(response), "0"))

    @contextmanager
    def _client(self) -> Iterator["httpx.Client"]:
        import httpx

        target = self._target
        secure = target.options.get("secure", "0" if target.is_local else "1") not in {"0", "false"}
        port = target.port or (8443 if secure else 8123)
        headers = {"X-ClickHouse-User": target.user or "default"}
        if target.password:
            headers["X-ClickHouse-Key"] = target.password
        with httpx.Client(
            base_url=f"http{'s' if secure else ''}://{target.host or 'localhost'}:{port}",
            headers=headers,
            timeout=httpx.Timeout(STATEMENT_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        ) as client:
            try:
                yield client
            except httpx.HTTPError:
                raise TryLaterError(
                    "SOURCE_CONNECTION_LOST",
                    msg("the connection to {source} failed or was lost", source=repr(self._name)),
                    hint=msg("check host, port and network, then run it again; nothing was kept"),
                ) from None

    @contextmanager
    def _asked(
        self, client: "httpx.Client", sql: SqlText, before: str = "", *, limit: int | None = None
    ) -> Iterator["httpx.Response"]:
        """The answer to a query, or to one around it; with `limit` 0 the names of its columns."""
        used = {name: self._bound.values[name] for name in set(sql.names)}
        flat, _ = parameters.expanded(used, str)
        _, marks = parameters.expanded(used, lambda name: f"{{{name}:{_type(flat[name])}}}")
        text = f"{before}\n{sql.with_marks(marks.__getitem__)}\n{')' if before else ''}"
        text += " format TabSeparated" if limit is None else " limit 0 format TabSeparatedWithNames"
        with self._sent(client, text, flat) as response:
            yield response

    @contextmanager
    def _sent(
        self, client: "httpx.Client", text: str, values: Mapping[str, object]
    ) -> Iterator["httpx.Response"]:
        query = {f"param_{name}": _escaped(value) for name, value in values.items()}
        # 2: reading only, but these limits may be set along with the query.
        query |= {"readonly": "2", "max_execution_time": str(STATEMENT_SECONDS)}
        if self._target.database:
            query["database"] = self._target.database
        with client.stream("POST", "/", params=query, content=text.encode()) as response:
            if response.status_code != 200:
                raise self._error(response.headers.get("X-ClickHouse-Exception-Code", ""))
            yield response

    def _error(self, code: str) -> YuntuPushError:
        if code in _LOGIN:
            return ConfigError(
                "SOURCE_LOGIN_REFUSED",
                msg("{source} refuses the user or the password", source=repr(self._name)),
                hint=msg(
                    "store the right one: `yuntu-push source login {source}`", source=self._name
                ),
            )
        if code in _NO_DATABASE:
            return ConfigError(
                "SOURCE_DATABASE_MISSING",
                msg("{source} names a database that is not there", source=repr(self._name)),
                hint=msg("correct its url in the config"),
            )
        if code in _TIMEOUT:
            return SourceError(
                "SOURCE_TIMEOUT",
                msg(
                    "the query on {source} ran into the server's time limit",
                    source=repr(self._name),
                ),
                hint=msg("make the query cheaper, or prepare its result in a table"),
            )
        return SourceError(
            "SOURCE_SQL_FAILED",
            msg("{source} refuses the query ({code})", source=repr(self._name), code=code or "?"),
            hint=msg("try the query in a client of that database"),
        )


def probe(name: str, target: Target) -> None:
    """Ask for one row, or raise what a build would raise."""
    spec = SourceSpec(SourceKind.SQL)
    ClickHouseSource(
        name, target, "select 1 as one", spec, datetime.min.replace(tzinfo=UTC)
    ).columns()


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _cells(line: str) -> list[str]:
    cells = line.split("\t")
    return [_unescaped(cell) if "\\" in cell else cell for cell in cells]


def _unescaped(cell: str) -> str:
    out, escaped = [], False
    for char in cell:
        if escaped:
            out.append(_ESCAPES.get(char, char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    return "".join(out)


def _escaped(value: object) -> str:
    text = ("1" if value else "0") if isinstance(value, bool) else str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _type(value: object) -> str:
    match value:
        case bool():
            return "Bool"
        case int():
            return "Int64"
        case Decimal():
            return "Decimal(38, 10)"
        case datetime():
            return "DateTime"
        case date():
            return "Date"
        case _:
            return "String"


def _lines(response: "httpx.Response") -> Iterator[str]:
    """The lines of an answer; only a line feed ends one, other separators are escaped or data."""
    rest = b""
    for chunk in response.iter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _batched(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    rows: list[str] = []
    for line in lines:
        rows.append(line)
        if len(rows) == size:
            yield rows
            rows = []
    if rows:
        yield rows
