"""Which source a build names."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.segment_build import SourceKind, SourceSpec
from yuntu_push.domain.text import msg


class SourceCatalog:
    """Opens files and SQL; `allow_paths` are folders that SQL over files may read besides."""

    def __init__(self, *, allow_paths: Sequence[str] = (), now: Callable[[], datetime]) -> None:
        self._allow_paths = allow_paths
        self._now = now

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
                raise ConfigError(
                    "EXCEL_UNAVAILABLE",
                    msg("reading Excel workbooks is not installed"),
                    hint=msg("save the sheet as CSV (UTF-8) and pass --csv"),
                )
            case SourceKind.SQL:
                return self._sql(spec)

    def _sql(self, spec: SourceSpec) -> Any:
        from yuntu_push.adapters.sources.sql_files import FileSqlSource, read_sql

        sql, folder = read_sql(spec)
        folders = [folder] if folder else []
        folders += [Path.cwd(), *(Path(path).expanduser() for path in self._allow_paths)]
        return FileSqlSource(sql, spec, folders, self._now())
