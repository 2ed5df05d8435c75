"""What a person asks for when a segment is built."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.identifiers import Form, IdType, id_type_named
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.segment import MAX_PART_SIZE, ColumnCounts, Part, Segment, TypeCounts
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.domain.settings import DeflateLevel, IdSettings
from yuntu_push.domain.text import Text, msg

MIN_PART_SIZE = 10_000
OnEmpty = Literal["later", "fail"]
Progress = Callable[[Text, int, int | None], None]
"""Shows how far work is: a label, how much is done, and of how much (None when unknown)."""
_LIMIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(%?)")


@dataclass(frozen=True)
class IdColumn:
    """A column of the source and the id type that it holds."""

    id_type: IdType
    column: str
    form: Form = Form.AUTO


def parse_id_column(text: str) -> IdColumn:
    """The column that `TYPE=COLUMN`, `TYPE=COLUMN:raw` or `:hashed` names, or `ConfigError`."""
    name, equals, column = text.partition("=")
    if not equals or not column.strip():
        raise ConfigError(
            "ID_COLUMN_INVALID",
            msg("{text} does not name an id type and a column", text=repr(text)),
            hint=msg("pass --id TYPE=COLUMN, such as --id phone=mobile"),
        )
    form = Form.AUTO
    head, colon, tail = column.rpartition(":")
    if colon and tail.lower() in set(Form):
        column, form = head, Form(tail.lower())
    return IdColumn(id_type_named(name), column.strip(), form)


@dataclass(frozen=True)
class RejectLimit:
    """How many rejects a column may have: a number, or a share of its non-blank values."""

    number: float = 5.0
    is_percent: bool = True

    @classmethod
    def parse(cls, text: str) -> "RejectLimit":
        """The limit that `1000` or `5%` means, or `ConfigError`."""
        match = _LIMIT.fullmatch(text.strip())
        if match is None or (match[2] and float(match[1]) > 100):
            raise ConfigError(
                "MAX_REJECTS_INVALID",
                msg("{text} is no limit of rejects", text=repr(text)),
                hint=msg("pass a number such as 1000, or a share such as 5%"),
            )
        return cls(float(match[1]), bool(match[2]))

    def allows(self, rejected: int, values: int) -> bool:
        """Whether so many rejects among so many non-blank values are within the limit."""
        return rejected <= (values * self.number / 100 if self.is_percent else self.number)

    def __str__(self) -> str:
        return f"{self.number:g}{'%' if self.is_percent else ''}"


class SourceKind(StrEnum):
    """Where rows come from."""

    CSV = "csv"
    PARQUET = "parquet"
    EXCEL = "excel"
    SQL = "sql"


@dataclass(frozen=True)
class SourceSpec:
    """The rows that a build reads.

    `paths` are files, globs or `-` for files, or the one file of `--sql-file`; `sql` is the
    statement itself; `source` names an entry of `sources:` (without it, SQL runs over files);
    `push_down` are columns that the database hashes itself; `password` opens a workbook.
    """

    kind: SourceKind
    paths: tuple[str, ...] = ()
    sql: str | None = None
    source: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    header_row: int = 1
    sheet: str | None = None
    password: SecretText | None = None
    require_sql: str | None = None
    push_down: tuple[tuple[str, IdType], ...] = ()


@dataclass(frozen=True)
class BuildRequest:
    """One run of `segment build`."""

    name: str
    source: SourceSpec
    ids: tuple[IdColumn, ...]
    max_rejects: RejectLimit = field(default_factory=RejectLimit)
    exclude: tuple[str, ...] = ()
    exclude_csv: tuple[str, ...] = ()
    min_ids: int | None = None
    max_ids: int | None = None
    part_size: int = 10_000_000
    min_rows: int = 1
    on_empty: OnEmpty = "fail"
    client: str | None = None
    dry_run: bool = False


class Combination(StrEnum):
    """How segments are put together."""

    UNION = "union"
    INTERSECT = "intersect"
    MINUS = "minus"


@dataclass(frozen=True)
class BuildPlan:
    """What the engine needs to know to turn rows into parts; `part_size` in bytes."""

    ids: tuple[IdColumn, ...]
    rules: IdSettings = field(default_factory=IdSettings)
    max_rejects: RejectLimit = field(default_factory=RejectLimit)
    part_size: int = 10_000_000
    deflate_level: DeflateLevel = "auto"
    min_ids: int | None = None
    max_ids: int | None = None
    min_rows: int = 1
    on_empty: OnEmpty = "fail"
    rows_expected: int | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class ColumnProfile:
    """One column as a build found it; `samples` are masked, `likenesses` say what rejects are."""

    counts: ColumnCounts
    likenesses: Mapping[str, int]
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """How the ids of one type differ between two versions."""

    added: int
    removed: int
    kept: int


@dataclass(frozen=True)
class BuiltSegment:
    """What the engine made of the rows, in a folder of its own."""

    fingerprint: str
    by_type: Mapping[IdType, TypeCounts]
    parts: tuple[Part, ...]
    rows_read: int
    rows_with_id: int
    excluded_rows: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    rejects_path: Path | None = None
    columns: tuple[ColumnProfile, ...] = ()
    refusal: YuntuPushError | None = None  # why a dry run says that the build would be refused

    @property
    def ids_total(self) -> int:
        """All ids of all types."""
        return sum(counts.ids for counts in self.by_type.values())


@dataclass(frozen=True)
class LeaveOut:
    """People to leave out: whole segments, and lists of ids with the columns that hold them."""

    segments: tuple[Segment, ...] = ()
    lists: tuple[tuple[tuple[IdColumn, ...], Iterator[RowBatch]], ...] = ()


def checked_part_size(size: int) -> int:
    """The part size in bytes, or `ConfigError` when the platform would refuse such parts."""
    if not MIN_PART_SIZE <= size <= MAX_PART_SIZE:
        raise ConfigError(
            "PART_SIZE_INVALID",
            msg("a part of {size} bytes is not possible", size=size),
            hint=msg("pass --part-size between 10KB and 50MB"),
        )
    return size
