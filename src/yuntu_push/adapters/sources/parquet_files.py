"""Parquet files, one or many."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from yuntu_push.adapters.sources import duck
from yuntu_push.adapters.sources.columns import places_of
from yuntu_push.adapters.sources.opening import expand
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.domain.text import msg

_NESTED = frozenset({"list", "array", "struct", "map", "union"})


class ParquetSource:
    """The rows of Parquet files, one file after the other; every value as text."""

    def __init__(self, spec: SourceSpec) -> None:
        self._paths = expand(spec.paths)

    @property
    def description(self) -> str:
        """The files."""
        return ", ".join(self._paths)

    @property
    def params(self) -> Mapping[str, str]:
        """Files have none."""
        return {}

    def columns(self) -> list[str]:
        """The columns of the first file."""
        return [name for name, _ in self._columns(self._paths[0])]

    def rows_expected(self) -> int | None:
        """What the files' own metadata says."""
        with duck.connection() as con:
            total = 0
            for path in self._paths:
                with duck.translated(repr(path)):
                    query = f"select sum(num_rows) from parquet_file_metadata({_name(path)})"  # noqa: S608
                    total += int(con.execute(query).fetchone()[0] or 0)
        return total

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of all files."""
        for path in self._paths:
            known = self._columns(path)
            places = places_of(columns, [name for name, _ in known], repr(path))
            names = [_flat(*known[place], path) for place in places]
            chosen = ", ".join(f"cast({duck.quoted(name)} as varchar)" for name in names)
            first = 1
            with duck.connection() as con, duck.translated(repr(path)):
                query = f"select {chosen} from read_parquet({_name(path)})"  # noqa: S608
                with closing(duck.stream(con, query)) as stream:
                    for rows, texts in stream:
                        yield RowBatch(rows, texts, first, path)
                        first += rows

    @staticmethod
    def _columns(path: str) -> list[tuple[str, str]]:
        with duck.connection(threads=1) as con, duck.translated(repr(path)):
            rows = con.sql(f"select * from read_parquet({_name(path)}) limit 0")  # noqa: S608
            return [(name, kind.id) for name, kind in zip(rows.columns, rows.types, strict=True)]


def _flat(name: str, kind: str, path: str) -> str:
    """The column's name, or `SourceError` when its cells hold more than one value."""
    if kind not in _NESTED:
        return name
    raise SourceError(
        "SOURCE_COLUMN_NESTED",
        msg("column {column} of {path} holds values in values", column=repr(name), path=repr(path)),
        hint=msg("take it apart with --sql, such as: select unnest({column}) as id from …",
                 column=duck.quoted(name)),
    )  # fmt: skip


def _name(path: str) -> str:
    return duck.literal(str(Path(path).absolute()))
