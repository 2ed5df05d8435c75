"""A push bench: the real store and runner, a clock that only sleeps forward, a platform in memory.

The platform keeps the rules that matter to a push (what is created, parsed, published, copied, and
how often) and can be told to lose a reply, refuse, lag or die at any call.
"""

import contextlib
import hashlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.entry_runs import EntryRunFile
from yuntu_push.adapters.store.pushes import PushFile
from yuntu_push.adapters.store.quota import QuotaFile
from yuntu_push.domain.channel import Account, Brand, Channel, ChannelKind
from yuntu_push.domain.errors import (
    ConfigError,
    OutcomeUnknownError,
    RefusedError,
    TryLaterError,
    UnreachableError,
)
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.platform import (
    ChangeLog,
    DeliveryStatus,
    Operation,
    RemoteAudience,
    RemoteDataSource,
)
from yuntu_push.domain.push import Push
from yuntu_push.domain.segment import Part, Segment, SegmentRef, TypeCounts
from yuntu_push.domain.segment_build import BuildRequest, Combination, Difference
from yuntu_push.domain.settings import ApiSettings, PushEntry, PushSettings, SegmentSettings
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.adoption import PushAdoption
from yuntu_push.services.push.copies import PushCopies
from yuntu_push.services.push.counts import PresentCounts
from yuntu_push.services.push.entries import PushEntries
from yuntu_push.services.push.planning import PushPlanner, PushRequest
from yuntu_push.services.push.runner import PushRunner
from yuntu_push.services.push.tasks import PushTasks
from yuntu_push.services.push.turns import Patience
from yuntu_push.services.push.updates import PushUpdates, UpdateRequest

OWNER = 1_700_000_000_000_001
TARGETS = (1_700_000_000_000_011, 1_700_000_000_000_012)
BRANDS = (
    Brand(11, "某品牌", 1_900_000_000_000_011),
    Brand(12, "别品牌", 1_900_000_000_000_012),
)
CLIENT: str | None = None
KIND = ChannelKind.YUNTU
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: a commit there does not wait for a disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Killed(BaseException):
    """The process died here."""


class FakeClock:
    """Time that passes when somebody sleeps."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds


class MemoryLocks:
    """Locks of one process, with the same contract as kernel locks."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    @contextlib.contextmanager
    def hold(
        self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]
    ) -> Iterator[None]:
        if name in self.held:
            raise busy("pid 1, 2026-11-23T10:00:00+08:00")
        self.held.add(name)
        try:
            yield
        finally:
            self.held.discard(name)


@dataclass
class Source:
    """A data source on the platform in memory."""

    ident: str
    owner: int
    name: str
    created: datetime
    audience: int
    logs: list[ChangeLog] = field(default_factory=list)
    ready_at: list[datetime] = field(default_factory=list)
    fails: set[int] = field(default_factory=set)  # the changes that cannot be parsed, by place


@dataclass
class Audience:
    """An audience on the platform in memory."""

    ident: int
    source: str
    name: str
    pushed_to: set[int] = field(default_factory=set)
    published: list[datetime] = field(default_factory=list)


Effect = Callable[[str], None]


class MemoryPlatform:
    """The DMP calls, carried out in memory on the bench's clock.

    `plan[(call, n)]` is what happens at the n-th call of a name (from 1): `"drop_before"` never
    arrives, `"drop_after"` is carried out and its reply lost, `"kill_before"` and `"kill_after"`
    end the process, an exception is raised instead. `calls` counts what arrived.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.parse_seconds = 1800.0
        self.list_lag = 0.0
        self.publish_seconds = 120.0
        self.copies_readable = True
        self.copy_seconds = 0.0
        self.status = 2
        self.expiry_date = ""
        self.skew = timedelta()
        self.other_subjects: set[int] = set()
        self.unbound: set[int] = set()
        self.plan: dict[tuple[str, int], str | BaseException] = {}
        self.calls: dict[str, int] = {}
        self.files: dict[str, str] = {}
        self.sources: dict[str, Source] = {}
        self.made_audiences: dict[int, Audience] = {}
        self.copies: list[tuple[int, int]] = []
        self.copied_at: list[datetime] = []
        self.pushes: list[tuple[int, tuple[int, ...]]] = []
        self._ids = itertools.count(7_000_000_000_000_001)

    def server_now(self) -> datetime:
        return self.clock.now() + self.skew

    @contextlib.contextmanager
    def _write(self, name: str) -> Iterator[None]:
        self.calls[name] = self.calls.get(name, 0) + 1
        effect = self.plan.get((name, self.calls[name])) or self.plan.get((name, 0))
        match effect:
            case "drop_before":
                raise OutcomeUnknownError("PLATFORM_DROPPED", msg("dropped"))
            case "unreachable":
                raise UnreachableError("PLATFORM_UNREACHABLE", msg("unreachable"))
            case "kill_before":
                raise Killed(name)
            case BaseException():
                raise effect
        yield
        if effect == "drop_after":
            raise OutcomeUnknownError("PLATFORM_DROPPED", msg("dropped"))
        if effect == "kill_after":
            raise Killed(name)

    def _read(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        effect = self.plan.get((name, self.calls[name])) or self.plan.get((name, 0))
        if isinstance(effect, BaseException):
            raise effect
        if effect == "kill_before":
            raise Killed(name)

    def upload(self, *, advertiser_id: int, path: Path, md5: str) -> str:
        with self._write("upload"):
            actual = hashlib.md5(path.read_bytes()).hexdigest()
            assert actual == md5, "the bytes sent are not those of the intent"
            file_path = f"remote/{next(self._ids)}"
            self.files[file_path] = md5
        return file_path

    def create_data_source(
        self,
        *,
        advertiser_id: int,
        name: str,
        description: str,
        file_paths: Sequence[str],
        source_type: str,
    ) -> str:
        with self._write("create"):
            assert all(path in self.files for path in file_paths)
            ident, audience = f"ds{next(self._ids)}", next(self._ids)
            now = self.clock.now()
            source = Source(ident, advertiser_id, name, now, audience)
            self._change(source, 0, file_paths)
            self.sources[ident] = source
            self.made_audiences[audience] = Audience(audience, ident, name)
        return ident

    def update_data_source(
        self,
        *,
        advertiser_id: int,
        data_source_id: str,
        operation: Operation,
        file_paths: Sequence[str],
    ) -> None:
        with self._write("update"):
            assert all(path in self.files for path in file_paths)
            self._change(self.sources[data_source_id], int(operation), file_paths)

    def _change(self, source: Source, action: int, file_paths: Sequence[str]) -> None:
        log = ChangeLog(next(self._ids), action, 0, "", tuple(file_paths))
        source.logs.append(log)
        source.ready_at.append(self.clock.now() + timedelta(seconds=self.parse_seconds))

    def data_sources(self, *, advertiser_id: int, ids: Sequence[str]) -> list[RemoteDataSource]:
        self._read("data_sources")
        return [self._shown(self.sources[i]) for i in ids if i in self.sources]

    def _shown(self, source: Source) -> RemoteDataSource:
        now = self.clock.now()
        logs = [
            replace(log, status=1 if ready > now else 3 if place in source.fails else 2)
            for place, (log, ready) in enumerate(zip(source.logs, source.ready_at, strict=True))
        ]
        parsed = source.ready_at[0] <= now
        return RemoteDataSource(
            data_source_id=source.ident,
            name=source.name,
            status=2 if parsed else 1,
            upload_num=100,
            cover_num=120 if parsed else None,
            audience=self._audience(source.audience) if parsed else None,
            change_logs=tuple(logs),
            published_change_log_id=None,
        )

    def _audience(self, ident: int) -> RemoteAudience:
        made, now = self.made_audiences[ident], self.clock.now()
        done = timedelta(seconds=self.publish_seconds)
        published = any(at + done <= now for at in made.published)
        pushed = OWNER in made.pushed_to  # as its owner sees it
        if published:
            status = DeliveryStatus.AVAILABLE if pushed else DeliveryStatus.NEED_PUSH
        else:
            status = DeliveryStatus.NEED_PUBLISH if pushed else DeliveryStatus.UNAVAILABLE
        return RemoteAudience(
            custom_audience_id=ident,
            name=made.name,
            data_source_id=made.source,
            status=self.status,
            delivery_status=status,
            upload_num=100,
            cover_num=120,
            expiry_date=self.expiry_date,
        )

    def audiences(self, *, advertiser_id: int) -> Iterator[RemoteAudience]:
        self._read("audiences")
        now, lag = self.clock.now(), timedelta(seconds=self.list_lag)
        for source in self.sources.values():
            if source.owner == advertiser_id and source.ready_at[0] + lag <= now:
                yield self._audience(source.audience)
        if self.copies_readable:
            for place, (audience, virtual) in enumerate(self.copies):
                made = self.copied_at[place] + timedelta(seconds=self.copy_seconds)
                if virtual == advertiser_id and made <= now:
                    shown = self._audience(audience)
                    yield replace(shown, custom_audience_id=9_000_000 + place)

    def read_audiences(self, *, advertiser_id: int, ids: Sequence[int]) -> list[RemoteAudience]:
        self._read("read_audiences")
        return [self._audience(i) for i in ids if i in self.made_audiences]

    def publish(self, *, advertiser_id: int, custom_audience_id: int) -> None:
        with self._write("publish"):
            made, now = self.made_audiences[custom_audience_id], self.clock.now()
            if any(now - at < timedelta(hours=24) for at in made.published):
                raise TryLaterError("PUBLISH_WINDOW", msg("published within 24 hours"))
            made.published.append(now)

    def push(self, *, advertiser_id: int, custom_audience_id: int, targets: Sequence[int]) -> None:
        with self._write("push"):
            if self.other_subjects & set(targets):
                raise RefusedError("OTHER_SUBJECT", msg("another legal subject"))
            self.made_audiences[custom_audience_id].pushed_to |= set(targets)
            self.pushes.append((custom_audience_id, tuple(targets)))

    def copy(
        self, *, advertiser_id: int, custom_audience_id: int, virtual_adv_id: int
    ) -> int | None:
        with self._write("copy"):
            if virtual_adv_id in self.unbound:
                raise RefusedError("PLATFORM_REFUSED", msg("not bound"))
            self.copies.append((custom_audience_id, virtual_adv_id))
            self.copied_at.append(self.clock.now())
        return None

    def delete_audience(self, *, advertiser_id: int, custom_audience_id: int) -> None:
        with self._write("delete"):
            del self.made_audiences[custom_audience_id]

    @property
    def publishes(self) -> list[datetime]:
        return [at for made in self.made_audiences.values() for at in made.published]


class DyingStore:
    """The real store, with a death before or after the n-th call of a method."""

    def __init__(self, store: PushFile, method: str, nth: int, *, after: bool) -> None:
        self._store = store
        self._method = method
        self._nth = nth
        self._after = after
        self.seen = 0
        self.died = False

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if name != self._method:
            return found

        def dying(*args: object, **kwargs: object) -> object:
            self.seen += 1
            fatal = self.seen == self._nth
            if fatal and not self._after:
                self.died = True
                raise Killed(name)
            result = found(*args, **kwargs)
            if fatal:
                self.died = True
                raise Killed(name)
            return result

        return dying


class FixedDirectory:
    """Accounts with their brands; targets are ids. The account that is no id is `OWNER`."""

    def resolve_account(self, channel: str, text: str | None) -> Account:
        ident = int(text) if text is not None and text.isdecimal() else OWNER
        return Account(channel, ident, "旗舰店", "ADVERTISER", company="某公司", brands=BRANDS)

    def resolve_brands(self, account: Account, texts: Sequence[str]) -> list[Brand]:
        return [b for t in texts for b in account.brands if t in (b.brand_name, str(b.brand_id))]

    def resolve_targets(self, owner: Account, texts: Sequence[str]) -> list[Account]:
        return [Account(owner.channel, int(text), "", "ADVERTISER") for text in texts]


class FixedSegments:
    """Segments that a test put here; `changes` is how any two of them differ, by default no more
    than their sizes do."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Segment]] = {}
        self.changes: Difference | None = None
        self.erased: set[int] = set()
        self.sealed: list[str] = []
        self.combined: list[tuple[str, tuple[str, ...]]] = []
        self.build_next: Callable[[], Segment] | None = None
        self.make: Callable[..., Segment] | None = None

    def diff(
        self, name: str, old: int | None = None, new: int | None = None
    ) -> tuple[Segment, Segment, dict[IdType, Difference]]:
        first, second = self.open(name, old), self.open(name, new)
        was, became = first.ids_total, second.ids_total
        sizes = Difference(max(0, became - was), max(0, was - became), min(was, became))
        return first, second, {IdType.MOBILE_HASH_SHA256: self.changes or sizes}

    def newest(self, name: str) -> Segment | None:
        return self.kept[name][-1] if name in self.kept else None

    def combine(
        self, name: str, how: Combination, refs: Sequence[SegmentRef], part_size: int | None = None
    ) -> Segment:
        assert how is Combination.MINUS
        self.combined.append((name, tuple(map(str, refs))))
        assert self.make is not None
        return self.make(name, parts=1, source=f" {how} ".join(map(str, refs)))

    def build(self, request: BuildRequest) -> Segment:
        return self.open(request.name) if self.build_next is None else self.build_next()

    def seal_replaced(self, name: str) -> None:
        self.sealed.append(name)

    def open(self, name: str, version: int | None = None) -> Segment:
        versions = self.kept[name]
        if version is not None and version in self.erased:
            raise ConfigError("SEGMENT_UNKNOWN", msg("erased"))
        return versions[-1] if version is None else versions[version - 1]


class FixedChannels:
    """One channel, `acme`."""

    def channels(self) -> dict[str, Channel]:
        return {"acme": Channel("acme", KIND, 1, client=CLIENT)}

    def add_channel(self, channel: Channel) -> None:
        raise NotImplementedError

    def remove_channel(self, name: str) -> None:
        raise NotImplementedError


class Bench:
    """Everything a push needs, in one folder."""

    def __init__(self, folder: Path, settings: PushSettings | None = None) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.platform = MemoryPlatform(self.clock)
        self.database = Database(folder / "state.db")
        self.store = PushFile(self.database)
        self.quota = QuotaFile(self.database)
        self.locks = MemoryLocks()
        self.segments = FixedSegments()
        self.segments.make = self.segment
        self.settings = settings or PushSettings()
        self.api_settings = ApiSettings()
        self.notices: list[Text] = []
        self._idents = (f"p{n:05d}" for n in itertools.count(1))
        self.segment("vip")

    def segment(self, name: str, *, parts: int = 2, seed: str = "", **more: object) -> Segment:
        """Keep a new version of a segment whose parts lie on disk."""
        made = []
        versions = self.segments.kept.setdefault(name, [])
        version = len(versions) + 1
        for place in range(parts):
            path = self.folder / f"{name}-{version}-{place}.zip"
            path.write_bytes(f"{name} {version} {seed} part {place}".encode())
            md5 = hashlib.md5(path.read_bytes()).hexdigest()
            made.append(Part(path, IdType.MOBILE_HASH_SHA256, path.stat().st_size, 50, md5))
        segment = Segment(
            name=name,
            version=version,
            fingerprint=hashlib.sha256(f"{name}{version}{seed}".encode()).hexdigest(),
            ids_total=50 * parts,
            by_type={IdType.MOBILE_HASH_SHA256: TypeCounts(values=100, ids=50 * parts)},
            parts=tuple(made),
            built_at=START,
            folder=self.folder,
            **more,  # type: ignore[arg-type]
        )
        versions.append(segment)
        return segment

    @property
    def planner(self) -> PushPlanner:
        return PushPlanner(
            store=self.store,
            channels=FixedChannels(),
            directory=FixedDirectory(),
            segments=self.segments,
            clock=self.clock,
            api=self.api_settings,
            new_id=lambda: next(self._idents),
        )

    def runner(self, store: object | None = None) -> PushRunner:
        """A runner, as a new process would have it."""
        return PushRunner(
            store=store or self.store,  # type: ignore[arg-type]
            channels=FixedChannels(),
            api_for=lambda _: self.platform,
            segments=self.segments,
            locks=self.locks,
            clock=self.clock,
            settings=self.settings,
            notice=self.notices.append,
            progress=lambda *_: None,
            chance=lambda: 0.5,
        )

    @property
    def tasks(self) -> PushTasks:
        return PushTasks(
            store=self.store,
            planner=self.planner,
            runner=self.runner(),
            channels=FixedChannels(),
            clock=self.clock,
        )

    @property
    def counts(self) -> PresentCounts:
        return PresentCounts(
            store=self.store,
            channels=FixedChannels(),
            api_for=lambda _: self.platform,
            clock=self.clock,
        )

    @property
    def copies(self) -> PushCopies:
        return PushCopies(
            store=self.store,
            runner=self.runner(),
            channels=FixedChannels(),
            directory=FixedDirectory(),
            api_for=lambda _: self.platform,
            clock=self.clock,
            settings=self.settings,
            progress=lambda *_: None,
        )

    @property
    def updates(self) -> PushUpdates:
        return PushUpdates(
            store=self.store,
            planner=self.planner,
            runner=self.runner(),
            channels=FixedChannels(),
            api_for=lambda _: self.platform,
            segments=lambda: self.segments,
            clock=self.clock,
            new_id=lambda: next(self._idents),
        )

    def update(self, push: Push, **changes: object) -> Push:
        """Store an update of a push with the newest `vip`."""
        plan = self.updates.plan(push, UpdateRequest(segment="vip", **changes))  # type: ignore[arg-type]
        return self.updates.create(plan)

    @property
    def adoption(self) -> PushAdoption:
        return PushAdoption(
            store=self.store,
            planner=self.planner,
            api_for=lambda _: self.platform,
            clock=self.clock,
            new_id=lambda: next(self._idents),
        )

    def entries(self, **entries: PushEntry) -> PushEntries:
        return PushEntries(
            entries=entries,
            store=self.store,
            tasks=self.tasks,
            updates=self.updates,
            channels=FixedChannels(),
            segments=lambda: self.segments,
            settings=SegmentSettings(),
            locks=self.locks,
            notice=self.notices.append,
            warning=self.notices.append,
            runs=EntryRunFile(self.database),
            clock=self.clock,
        )

    def request(self, **changes: object) -> PushRequest:
        """A request to push `vip` to the first brand."""
        plain = PushRequest(name="高价值会员", segment="vip", brands=("某品牌",))
        return replace(plain, **changes)  # type: ignore[arg-type]

    def create(self, **changes: object) -> Push:
        """Store a push."""
        return self.tasks.create(self.tasks.plan(self.request(**changes)), again=True)

    def run(self, push: Push, *, wait: bool = True, store: object | None = None) -> Push:
        """Run a push as one process would."""
        patience = Patience(wait=wait, timeout=72 * 3600)
        return self.runner(store).run(push.push_id, patience)

    def survive(self, push: Push, store: object | None = None) -> Push:
        """Run a push, and when the process dies, again in a new one."""
        for _ in range(20):
            try:
                return self.run(push, store=store)
            except Killed:
                store = None
        raise AssertionError("it dies for ever")
