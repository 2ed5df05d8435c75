"""SQL over files, by the embedded engine, locked into the folders it was given."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from yuntu_push.adapters.sources import duck, parameters
from yuntu_push.adapters.sources.columns import places_of
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.domain.text import msg

_QUERY_SHARE = 0.5  # of the machine's memory: joins and groups stay in it, nothing is spilled


class FileSqlSource:
    """The rows of one SELECT over CSV and Parquet files, named by path inside it."""

    def __init__(self, sql: str, spec: SourceSpec, folders: Sequence[Path], now: datetime) -> None:
        self._folders = [str(folder.absolute()) for folder in folders]
        self._bound = parameters.bind(spec.params, parameters.names_in(sql), now)
        self._values, marks = parameters.expanded(self._bound.values, lambda name: f"${name}")
        self._sql = parameters.with_marks(sql, marks.__getitem__).strip().rstrip(";")

    @property
    def description(self) -> str:
        """That it is SQL over files."""
        return "sql"

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters, with relative dates resolved."""
        return self._bound.shown

    def columns(self) -> list[str]:
        """The columns that the query gives."""
        with self._locked() as con, duck.translated("SQL", code="SOURCE_SQL_FAILED"):
            return self._columns(con)

    def rows_expected(self) -> int | None:
        """Unknown before the query has run."""
        return None

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of the query."""
        first = 1
        with self._locked() as con, duck.translated("SQL", code="SOURCE_SQL_FAILED"):
            known = self._columns(con)
            places = places_of(columns, known, "SQL")
            aliases = ", ".join(f"c{place}" for place in range(len(known)))
            chosen = ", ".join(
                f"cast(c{place} as varchar) as v{i}" for i, place in enumerate(places)
            )
            # A newline before the bracket, so that a comment at the query's end does not eat it.
            query = f"select {chosen} from (\n{self._sql}\n) as q({aliases})"  # noqa: S608
            with closing(duck.stream(con, query, self._values)) as stream:
                for rows, texts in stream:
                    yield RowBatch(rows, texts, first)
                    first += rows

    def _columns(self, con: Any) -> list[str]:
        _check_one_query(con, self._sql)
        described = f"select * from (\n{self._sql}\n) as q limit 0"  # noqa: S608
        values = self._values
        return list((con.sql(described, params=values) if values else con.sql(described)).columns)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        memory = int(_physical_memory() * _QUERY_SHARE)
        with duck.connection(memory=f"{memory >> 20}MB") as con:
            listed = ", ".join(duck.literal(f"{folder}{os.sep}") for folder in self._folders)
            con.execute(f"set allowed_directories=[{listed}]")
            con.execute("set enable_external_access=false")
            con.execute("set lock_configuration=true")
            yield con


def _check_one_query(con: Any, sql: str) -> None:
    statements = con.extract_statements(sql)
    if len(statements) == 1 and str(statements[0].type).rpartition(".")[2].upper() == "SELECT":
        return
    raise SourceError(
        "SOURCE_SQL_REFUSED",
        msg("the SQL must be one SELECT"),
        hint=msg("remove everything but the query that gives the rows"),
    )


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def read_sql(spec: SourceSpec) -> tuple[str, Path | None]:
    """The text of `--sql` or `--sql-file`, and the folder of that file."""
    if spec.sql is not None:
        return spec.sql, None
    from yuntu_push.adapters.sources.opening import check_file

    path = Path(spec.paths[0])
    check_file(path)
    raw = path.read_bytes()
    for name in (
        ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",)
    ):
        try:
            return raw.decode(name), path.absolute().parent
        except UnicodeDecodeError:
            continue
    raise SourceError(
        "SOURCE_ENCODING",
        msg("{path} is not text in {encodings}", path=repr(str(path)), encodings="utf-8"),
        hint=msg("save the SQL file as UTF-8"),
    )
