"""Segments in tests: a service on a real engine, a shelf in a temporary folder, a decoder."""

import base64
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.secrets import MemoryStore
from yuntu_push.adapters.engine.shelf import SegmentShelf
from yuntu_push.adapters.engine.vector_engine import VectorEngine
from yuntu_push.adapters.secrets.part_seal import PartSeal
from yuntu_push.adapters.sources.catalog import SourceCatalog
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.segment import Segment
from yuntu_push.domain.segment_build import (
    BuildRequest,
    RejectLimit,
    SourceKind,
    SourceSpec,
    parse_id_column,
)
from yuntu_push.domain.settings import IdSettings, SegmentSettings
from yuntu_push.domain.text import Text
from yuntu_push.proto import dmp_pb2
from yuntu_push.services.segments import SegmentService

NUMBERS = {
    0: "IMEI",
    1: "IDFA",
    2: "UID",
    4: "IMEI_MD5",
    5: "IDFA_MD5",
    6: "MOBILE_HASH_SHA256",
    7: "OAID",
    8: "OAID_MD5",
}


class MovableClock:
    """A clock that a test sets."""

    def __init__(self, start: datetime | None = None) -> None:
        self.current = start or datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.current

    def monotonic(self) -> float:
        return self.current.timestamp()

    def sleep(self, seconds: float) -> None:
        self.current += timedelta(seconds=seconds)


def no_progress(label: Text, done: int, total: int | None) -> None:
    """Shows nothing."""
    del label, done, total


def shelf(root: Path, secrets: MemoryStore | None = None) -> SegmentShelf:
    """A shelf under a temporary folder."""
    locks, kept = FileLocks(root / "locks", SystemClock()), secrets or MemoryStore()
    seal = PartSeal(lambda: kept, locks)
    return SegmentShelf(root / "segments", locks, lambda: seal)


def service(
    root: Path,
    *,
    engine: VectorEngine | None = None,
    ids: IdSettings | None = None,
    settings: SegmentSettings | None = None,
    clock: MovableClock | None = None,
    needed: Collection[str] = (),
    secrets: MemoryStore | None = None,
) -> SegmentService:
    """A service on the real engine, with everything under a temporary folder."""
    clock = clock or MovableClock()
    return SegmentService(
        engine=lambda: engine or VectorEngine(),
        store=shelf(root, secrets),
        sources=SourceCatalog(now=clock.now),
        clock=clock,
        progress=no_progress,
        notice=lambda _: None,
        needed=lambda ref: ref.name in needed,
        ids=ids,
        settings=settings,
    )


def request(
    *paths: Path | str,
    ids: tuple[str, ...] = ("phone=mobile",),
    name: str = "vip",
    kind: SourceKind = SourceKind.CSV,
    max_rejects: str = "5%",
    spec: Mapping[str, object] | None = None,
    **options: object,
) -> BuildRequest:
    """A request to build from files."""
    return BuildRequest(
        name=name,
        source=SourceSpec(kind, tuple(str(path) for path in paths), **(spec or {})),  # type: ignore[arg-type]
        ids=tuple(parse_id_column(text) for text in ids),
        max_rejects=RejectLimit.parse(max_rejects),
        **options,  # type: ignore[arg-type]
    )


def decoded(path: Path) -> list[list[tuple[str, str]]]:
    """The (type, id) pairs of a part, line by line, decoded with the official library."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        (member,) = archive.namelist()
        text = archive.read(member)
    lines = []
    for line in io.BytesIO(text):
        assert line.endswith(b"\n")
        message = dmp_pb2.DmpData()
        message.ParseFromString(base64.b64decode(line[:-1], validate=True))
        lines.append([(NUMBERS[item.dataType], item.id) for item in message.idList])
    return lines


def ids_of(segment: Segment) -> list[tuple[str, str]]:
    """All (type, id) pairs of a segment, in the order in which they are sent."""
    return [pair for part in segment.parts for line in decoded(part.path) for pair in line]


@contextmanager
def disk_that_fills(monkeypatch: object, after: int) -> Iterator[None]:
    """Writes of parts fail with ENOSPC after so many."""
    import errno

    real = Path.open
    opened = [0]

    def failing(self: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if self.suffix == ".tmp":
            opened[0] += 1
            if opened[0] > after:
                raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return real(self, mode, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", failing)  # type: ignore[attr-defined]
    yield
