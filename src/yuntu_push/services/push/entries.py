"""`push run`: build and push an entry of the config, creating first and updating ever after."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from yuntu_push.domain.entry_run import RunOutcome
from yuntu_push.domain.entry_source import id_columns, source_spec
from yuntu_push.domain.errors import ConfigError, GuardError, TryLaterError, YuntuPushError
from yuntu_push.domain.guards import Sizes, check_guards
from yuntu_push.domain.names import unknown
from yuntu_push.domain.push import Mode, Push, PushBrand, PushState, PushTarget
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.segment import Segment
from yuntu_push.domain.segment_build import BuildRequest, RejectLimit
from yuntu_push.domain.settings import PushEntry, SegmentSettings
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import ChannelStore, Clock, Locks, Notice
from yuntu_push.services.push.lineage import due_brand, unusable
from yuntu_push.services.push.planning import PushRequest
from yuntu_push.services.push.ports import EntryRuns, PushStore, SegmentBuilder
from yuntu_push.services.push.tasks import PushTasks
from yuntu_push.services.push.updates import PushUpdates, UpdateRequest


@dataclass(frozen=True)
class EntryRun:
    """What a run of an entry came to: the push to take on, and whether it is a new one.

    `new` is False when the content is what was last pushed, or the first push is not done yet.
    """

    push: Push
    new: bool


class PushEntries:
    """Runs the `pushes:` entries of the config."""

    def __init__(
        self,
        *,
        entries: Mapping[str, PushEntry],
        store: PushStore,
        tasks: PushTasks,
        updates: PushUpdates,
        channels: ChannelStore,
        segments: Callable[[], SegmentBuilder],
        settings: SegmentSettings,
        locks: Locks,
        notice: Notice,
        warning: Notice,
        runs: EntryRuns,
        clock: Clock,
    ) -> None:
        self._entries = entries
        self._store = store
        self._tasks = tasks
        self._updates = updates
        self._channels = channels
        self._segments = segments
        self._settings = settings
        self._locks = locks
        self._notice = notice
        self._warning = warning
        self._runs = runs
        self._clock = clock

    def due(self) -> list[str]:
        """The entries whose last run could not be done then, or died, and may be tried again."""
        now, runs = self._clock.now(), self._runs.all()
        return [name for name in self._entries if name in runs and runs[name].is_due(now)]

    def prepare_due(self) -> list[Exception]:
        """Run what is due once more; the errors that a person has to see, bugs among them."""
        found: list[Exception] = []
        for name in self.due():
            try:
                self.prepare(name, again=True)
            except TryLaterError:
                continue  # it is tried again
            except Exception as error:  # noqa: BLE001 - one entry's bug must not keep the others
                found.append(error)
        return found

    def prepare(self, name: str, *, passing: Collection[str] = (), again: bool = False) -> EntryRun:
        """Build the entry's segment and store the push that brings it on its way.

        `GuardError` before any write when a guard refuses; `TryLaterError` when the source is not
        ready, or an earlier run of the entry is still under way. `again`: the last run, once more.
        """
        entry = self._entry(name)
        with self._hold(name), self._recorded(name, again=again):
            segment = self._segments().build(self._request(entry))
            earlier = self._store.find(PushFilter(entry=name))
            dead = unusable(earlier)
            first = next((p for p in earlier if p.data_source_id not in {None, *dead}), None)
            if first is None:
                return self._create(name, entry, segment, earlier, passing)
            return self._update(name, entry, segment, first, passing)

    @contextmanager
    def _recorded(self, name: str, *, again: bool) -> Iterator[None]:
        """Note that the entry runs and how that ends; a killed run stays `begun`."""
        self._runs.begin(name, self._clock.now(), again=again)
        try:
            yield
        except TryLaterError as error:
            self._runs.end(name, self._clock.now(), RunOutcome.LATER, error.code)
            raise
        except YuntuPushError as error:
            self._runs.end(name, self._clock.now(), RunOutcome.REFUSED, error.code)
            raise
        except KeyboardInterrupt:
            self._runs.end(name, self._clock.now(), RunOutcome.REFUSED, "INTERRUPTED")
            raise
        self._runs.end(name, self._clock.now(), RunOutcome.DONE)

    def _create(
        self,
        name: str,
        entry: PushEntry,
        segment: Segment,
        earlier: list[Push],
        passing: Collection[str],
    ) -> EntryRun:
        begun = [p for p in earlier if p.is_working or p.state is PushState.NEEDS_OPERATOR]
        if begun:
            return EntryRun(begun[0], new=False)
        plan = self._tasks.plan(
            PushRequest(
                name=entry.name,
                segment=segment.ref,
                channel=entry.channel,
                account=entry.account,
                brands=entry.brands,
                targets=entry.targets,
                id_types=entry.id_types,
                audience_name=entry.audience_name,
                description=entry.description,
                entry=name,
                publish_at=entry.publish_at,
            )
        )
        check_guards(entry.guards, Sizes(after=plan.push.ids_total), passing)
        now = plan.push.created_at
        brands = tuple(due_brand(brand, None, entry.copy, now) for brand in plan.push.brands)
        plan = replace(plan, push=replace(plan.push, brands=brands))
        return EntryRun(self._tasks.create(plan, again=True, asked="config"), new=True)

    def _update(
        self,
        name: str,
        entry: PushEntry,
        segment: Segment,
        first: Push,
        passing: Collection[str],
    ) -> EntryRun:
        brands, targets = self._places(name, entry, first)
        plan = self._updates.plan(
            first,
            UpdateRequest(
                segment=segment.ref,
                mode=Mode(entry.mode),
                copy=entry.copy,
                guards=entry.guards,
                passing=passing,
                publish_at=entry.publish_at,
                brands=brands,
                targets=targets,
                id_types=entry.id_types,
                entry=name,
                description=entry.description,
            ),
        )
        if plan.warning is not None:
            self._warning(plan.warning)
        if plan.same is not None:
            self._notice(msg("segment {segment} has not changed since push {push}",
                             segment=segment.name, push=plan.same.push_id))  # fmt: skip
            return EntryRun(plan.same, new=False)
        if plan.note is not None:
            self._notice(plan.note)
        push = self._updates.create(plan)
        for old in plan.replaces:
            self._notice(
                msg("push {old} is replaced by push {new}", old=old.push_id, new=push.push_id)
            )
        return EntryRun(push, new=True)

    def _places(
        self, name: str, entry: PushEntry, first: Push
    ) -> tuple[tuple[PushBrand, ...], tuple[PushTarget, ...]]:
        """The brands and targets that the entry names now: it may have been edited.

        `GuardError` when it names another account or channel: an audience stays where it was made.
        """
        account = self._tasks.directory.resolve_account(first.channel, str(first.advertiser_id))
        channel, named = entry.channel or first.channel, account
        if entry.account not in (None, first.account_name):
            named = self._tasks.directory.resolve_account(channel, entry.account)
        if (channel, named.advertiser_id) != (first.channel, account.advertiser_id):
            raise _moved(name, first, f"{channel}, {named.advertiser_id}")
        brands = self._tasks.directory.resolve_brands(account, entry.brands)
        targets = self._tasks.directory.resolve_targets(account, entry.targets)
        return (
            tuple(PushBrand(b.brand_id, b.brand_name, b.virtual_adv_id) for b in brands),
            (
                PushTarget(account.advertiser_id, owner=True),
                *(PushTarget(target.advertiser_id) for target in targets),
            ),
        )

    def _entry(self, name: str) -> PushEntry:
        if name not in self._entries:
            raise unknown(
                "pushes entry", name, self._entries, hint=msg("add it to the config's `pushes:`")
            )
        entry = self._entries[name]
        if not entry.brands and not entry.targets:  # told before anything is built
            raise ConfigError(
                "PLACE_NEEDED",
                msg("entry {entry} names nothing to push to", entry=name),
                hint=msg("add `brands:` or `targets:` to it in the config"),
            )
        return entry

    def _hold(self, name: str) -> AbstractContextManager[None]:
        return self._locks.hold(
            f"entry-{name}",
            wait_seconds=0,
            busy=lambda holder: TryLaterError(
                "RUN_HELD",
                msg("{entry} is being run by another process ({holder})", entry=name,
                    holder=holder),
                hint=msg("wait for it, or look with `yuntu-push push list`"),
            ),
        )  # fmt: skip

    def _request(self, entry: PushEntry) -> BuildRequest:
        segment = entry.segment
        return BuildRequest(
            name=segment.name,
            source=source_spec(segment),
            ids=id_columns(segment),
            max_rejects=RejectLimit.parse(segment.max_rejects),
            exclude=segment.exclude,
            part_size=self._settings.part_size,
            min_rows=segment.min_rows,
            on_empty=segment.on_empty,
            client=self._client(entry),
        )

    def _client(self, entry: PushEntry) -> str | None:
        known = self._channels.channels()
        if entry.channel is None:
            return next(iter(known.values())).client if len(known) == 1 else None
        channel = known.get(entry.channel)
        return channel.client if channel is not None else None


def _moved(entry: str, first: Push, wanted: str) -> GuardError:
    return GuardError(
        "ENTRY_MOVED",
        msg(
            "entry {entry} names {wanted}, but its audience was made by {owner}",
            entry=entry,
            wanted=wanted,
            owner=f"{first.channel}, {first.advertiser_id}",
        ),
        hint=msg(
            "name these again; for an audience of another account give the entry another name in "
            "the config and in its schedule, such as {entry}_2: its first run makes a new audience",
            entry=entry,
        ),
    )
