"""What a `pushes:` entry builds its segment of: the same options as `segment build` has."""

from dataclasses import replace

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.segment_build import IdColumn, SourceKind, SourceSpec, parse_id_column
from yuntu_push.domain.settings import SegmentEntry
from yuntu_push.domain.text import msg


def id_columns(segment: SegmentEntry) -> tuple[IdColumn, ...]:
    """The `ids:` of an entry, as `--id TYPE=COLUMN` would give them."""
    return tuple(parse_id_column(f"{name}={column}") for name, column in segment.ids.items())


def source_spec(segment: SegmentEntry) -> SourceSpec:
    """The one source that an entry names, or `ConfigError`."""
    plain = SourceSpec(
        SourceKind.SQL,
        source=segment.source,
        params=tuple(segment.params.items()),
        require_sql=segment.require_sql,
    )
    named: list[SourceSpec] = []
    if segment.csv:
        named.append(SourceSpec(SourceKind.CSV, segment.csv, header_row=segment.header_row))
    if segment.parquet:
        named.append(SourceSpec(SourceKind.PARQUET, segment.parquet))
    if segment.excel:
        named.append(
            SourceSpec(
                SourceKind.EXCEL,
                (segment.excel,),
                sheet=segment.sheet,
                header_row=segment.header_row,
            )
        )
    if segment.sql:
        named.append(replace(plain, sql=segment.sql))
    if segment.sql_file:
        named.append(replace(plain, paths=(segment.sql_file,)))
    if len(named) == 1:
        return named[0]
    raise ConfigError(
        "SOURCE_NOT_ONE",
        msg("segment {segment} names {count} sources", segment=segment.name, count=len(named)),
        hint=msg("give one of csv, parquet, excel, sql, sql_file"),
    )
