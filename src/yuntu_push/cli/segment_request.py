"""The options of `segment build` as one request."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.identifiers import Form
from yuntu_push.domain.segment_build import IdColumn, SourceKind
from yuntu_push.domain.settings import size_bytes
from yuntu_push.domain.text import msg

_KINDS = {
    ".csv": SourceKind.CSV,
    ".tsv": SourceKind.CSV,
    ".tab": SourceKind.CSV,
    ".txt": SourceKind.CSV,
    ".parquet": SourceKind.PARQUET,
    ".pq": SourceKind.PARQUET,
    ".xlsx": SourceKind.EXCEL,
    ".xlsm": SourceKind.EXCEL,
    ".xlsb": SourceKind.EXCEL,
    ".xls": SourceKind.EXCEL,
    ".ods": SourceKind.EXCEL,
    ".sql": SourceKind.SQL,
}


def chosen_source(
    path: str | None,
    *,
    csv: Sequence[str],
    parquet: Sequence[str],
    excel: Sequence[str],
    sql: str | None,
    sql_file: str | None,
) -> tuple[SourceKind, tuple[str, ...], str | None]:
    """The one source that the options name: its kind, its paths, its SQL text."""
    named: list[tuple[SourceKind, tuple[str, ...], str | None]] = []
    if path is not None:
        named.append((kind_of(path), (path,), None))
    for kind, paths in (
        (SourceKind.CSV, csv),
        (SourceKind.PARQUET, parquet),
        (SourceKind.EXCEL, excel),
    ):
        if paths:
            named.append((kind, tuple(paths), None))
    if sql is not None:
        named.append((SourceKind.SQL, (), sql))
    if sql_file is not None:
        named.append((SourceKind.SQL, (sql_file,), None))
    if len(named) == 1:
        return named[0]
    raise ConfigError(
        "SOURCE_NOT_ONE",
        msg("no source is named") if not named else msg("more than one source is named"),
        hint=msg("pass a file, or one of --csv, --parquet, --excel, --sql, --sql-file"),
    )


def kind_of(path: str) -> SourceKind:
    """What a file holds, by its extension; standard input is CSV."""
    if path == "-":
        return SourceKind.CSV
    name = path.lower()
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    kind = _KINDS.get(Path(name).suffix)
    if kind is None:
        raise ConfigError(
            "SOURCE_KIND_UNKNOWN",
            msg("what {path} holds cannot be told from its name", path=repr(path)),
            hint=msg("pass it with --csv, --parquet, --excel or --sql-file"),
        )
    return kind


def parse_params(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The `KEY=VALUE` pairs, or `ConfigError`."""
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(
                "PARAM_INVALID",
                msg("{param} is not a parameter", param=repr(text)),
                hint=msg("pass --param KEY=VALUE"),
            )
        pairs.append((key, value))
    return tuple(pairs)


def parse_size(text: str, option: str) -> int:
    """Bytes of `10MB` and the like, or `ConfigError`."""
    try:
        return size_bytes(text)
    except ValueError:
        raise ConfigError(
            "SIZE_INVALID",
            msg("{option} takes a size, not {text}", option=option, text=repr(text)),
            hint=msg("write 10MB or 500KB"),
        ) from None


def needs_sql(source: str | None, params: Sequence[str], kind: SourceKind) -> None:
    """Refuse options that only SQL takes."""
    for option, given in (("--source", source), ("--param", params)):
        if given and kind is not SourceKind.SQL:
            raise ConfigError(
                "OPTION_NEEDS_SQL",
                msg("{option} belongs to SQL", option=option),
                hint=msg("pass --sql or --sql-file with it"),
            )


def needs_workbook(sheet: str | None, password_stdin: bool, kind: SourceKind) -> None:
    """Refuse options that only workbooks take."""
    for option, given in (("--sheet", sheet), ("--password-stdin", password_stdin)):
        if given and kind is not SourceKind.EXCEL:
            raise ConfigError(
                "OPTION_NEEDS_WORKBOOK",
                msg("{option} belongs to a workbook", option=option),
                hint=msg("pass a workbook, or --excel with it"),
            )


def hashed_there(columns: Sequence[IdColumn], source: str | None) -> tuple[IdColumn, ...]:
    """The columns as digests, which is what a database that hashes gives, or `ConfigError`."""
    if source is None:
        raise ConfigError(
            "OPTION_NEEDS_SOURCE",
            msg("{option} belongs to a database", option="--push-down"),
            hint=msg("pass --source NAME with it"),
        )
    return tuple(replace(column, form=Form.HASHED) for column in columns)
