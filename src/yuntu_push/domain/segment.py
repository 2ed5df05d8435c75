"""Segments (分群): the local, built set of ids, its parts and how they are named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.names import local_name
from yuntu_push.domain.text import msg

MAX_PART_SIZE = 50_000_000  # the platform refuses larger zips
MAX_IDS_PER_LINE = 10_000  # the platform refuses longer lines
MAX_PARTS = 1_000  # files that one data source may hold
PARTS_KEY = "segments/parts/key"  # the secret under which old versions are sealed
_VERSION = re.compile(r"v?([1-9][0-9]{0,8})")
_FOLDER = re.compile(r"v([1-9][0-9]*)")


@dataclass(frozen=True)
class Part:
    """One zip of a segment, holding ids of one type; `size` in bytes, `md5` of the file in hex."""

    path: Path
    id_type: IdType
    size: int
    ids: int
    md5: str


@dataclass(frozen=True)
class TypeCounts:
    """What became of the values of one id type.

    `values` are the non-blank ones: hashed_by_us + already_hashed + kept in clear + rejected.
    `duplicates` were accepted but are in the segment already; `ids` are left.
    """

    values: int = 0
    blank: int = 0
    hashed_by_us: int = 0
    already_hashed: int = 0
    rejected: int = 0
    duplicates: int = 0
    ids: int = 0


@dataclass(frozen=True)
class ColumnCounts:
    """What became of one column's values.

    `ids` is None where columns share a type, whose ids are counted together.
    """

    column: str
    id_type: IdType
    values: int
    blank: int
    ids: int | None
    rejects: Mapping[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Values that are ids."""
        return self.values - sum(self.rejects.values())


@dataclass(frozen=True)
class Segment:
    """One version of a segment, as it lies on disk.

    `fingerprint` is the SHA-256 over the sorted set of (type, id): the same people give the same
    fingerprint, whatever the name, the row order or the part size. `client` says for whom it was
    built, where that was said; `renewed_at` when the same content was built once more.
    """

    name: str
    version: int
    fingerprint: str
    ids_total: int
    by_type: Mapping[IdType, TypeCounts]
    parts: tuple[Part, ...]
    built_at: datetime
    folder: Path
    rows_read: int = 0
    rows_with_id: int = 0
    excluded_rows: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    rejects_path: Path | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    client: str | None = None
    source: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    columns: tuple[ColumnCounts, ...] = ()
    renewed_at: datetime | None = None

    @property
    def last_built(self) -> datetime:
        """When this content was built, the last time."""
        return self.renewed_at or self.built_at

    @property
    def id_types(self) -> tuple[IdType, ...]:
        """The id types that have ids, in the platform's order."""
        return tuple(t for t in IdType if t in self.by_type and self.by_type[t].ids)

    @property
    def ref(self) -> str:
        """`NAME@VERSION`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class SegmentRef:
    """A segment as people name it; without a version, the latest."""

    name: str
    version: int | None = None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


def version_folder(name: str) -> int | None:
    """The version that a folder's name stands for (`v3`), or None."""
    match = _FOLDER.fullmatch(name)
    return int(match[1]) if match else None


def segment_of(part: Path) -> SegmentRef | None:
    """The version that a part lies in (`<segments>/<name>/v<N>/<part>`); None for one elsewhere."""
    version = version_folder(part.parent.name)
    return SegmentRef(part.parent.parent.name, version) if version is not None else None


def parse_ref(text: str) -> SegmentRef:
    """The segment that `NAME` or `NAME@VERSION` means, or `ConfigError`."""
    name, at, version = text.partition("@")
    name = local_name(name, what="segment")
    if not at:
        return SegmentRef(name)
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ConfigError(
            "SEGMENT_VERSION_INVALID",
            msg("{version} is not a version of a segment", version=repr(version)),
            hint=msg("write NAME@3, or NAME alone for the latest"),
        )
    return SegmentRef(name, int(match[1]))
