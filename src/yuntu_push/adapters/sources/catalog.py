"""Which source a build names."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuntu_push.domain.names import unknown
from yuntu_push.domain.segment_build import SourceKind, SourceSpec
from yuntu_push.domain.text import msg

if TYPE_CHECKING:
    from yuntu_push.adapters.sources.targets import Target


class SourceCatalog:
    """Opens files, SQL over files, and the databases of `sources:`.

    `allow_paths` are folders that SQL over files may read besides; `urls` the databases by name;
    `password` looks a database's password up, and is asked only when one is opened.
    """

    def __init__(
        self,
        *,
        allow_paths: Sequence[str] = (),
        now: Callable[[], datetime],
        urls: Mapping[str, str] | None = None,
        password: Callable[[str], str | None] = lambda _name: None,
    ) -> None:
        self._allow_paths = allow_paths
        self._now = now
        self._urls = urls or {}
        self._password = password

    def open(self, spec: SourceSpec) -> Any:
        """The source of a build; `ConfigError` or `SourceError` when there is none such."""
        match spec.kind:
            case SourceKind.CSV:
                from yuntu_push.adapters.sources.csv_files import CsvSource

                return CsvSource(spec)
            case SourceKind.PARQUET:
                from yuntu_push.adapters.sources.parquet_files import ParquetSource

                return ParquetSource(spec)
            case SourceKind.EXCEL:
                from yuntu_push.adapters.sources.excel_files import ExcelSource

                return ExcelSource(spec)
            case SourceKind.SQL:
                return self._sql(spec)

    def test(self, name: str) -> str:
        """Connect to a database and read one row; its kind. Raises what a build would raise."""
        from yuntu_push.adapters.sources import clickhouse, databases

        target = self._target(name)
        (clickhouse if target.family == "clickhouse" else databases).probe(name, target)
        return target.family

    def check_url(self, url: str) -> str:
        """The kind of database of a URL, or `ConfigError`."""
        from yuntu_push.adapters.sources.targets import target_of

        return target_of(url, None).family

    def _sql(self, spec: SourceSpec) -> Any:
        from yuntu_push.adapters.sources.sql_files import FileSqlSource, read_sql

        sql, folder = read_sql(spec)
        if spec.source is not None:
            from yuntu_push.adapters.sources.clickhouse import ClickHouseSource
            from yuntu_push.adapters.sources.databases import DatabaseSource

            target = self._target(spec.source)
            if target.family == "clickhouse":
                return ClickHouseSource(spec.source, target, sql, spec, self._now())
            return DatabaseSource(spec.source, target, sql, spec, self._now())
        folders = [folder] if folder else []
        folders += [Path.cwd(), *(Path(path).expanduser() for path in self._allow_paths)]
        return FileSqlSource(sql, spec, folders, self._now())

    def _target(self, name: str) -> "Target":
        from yuntu_push.adapters.sources.targets import target_of

        if name not in self._urls:
            raise unknown(
                "source",
                name,
                self._urls,
                hint=msg("add it: `yuntu-push source add NAME --url URL`"),
            )
        return target_of(self._urls[name], self._password(name))
