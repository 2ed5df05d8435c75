"""New content for an audience that exists: the same data source, so the audience's id stays."""

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import RefusedError, YuntuPushError
from yuntu_push.domain.guards import check_guards
from yuntu_push.domain.names import unknown
from yuntu_push.domain.push import (
    Mode,
    Push,
    PushBrand,
    PushState,
    PushStep,
    PushTarget,
    steps_of,
)
from yuntu_push.domain.segment import parse_ref
from yuntu_push.domain.settings import GuardEntry
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import AudienceApi, ChannelStore, Clock
from yuntu_push.services.push.content import ContentPlanner, wanted_types
from yuntu_push.services.push.ending import gone_for
from yuntu_push.services.push.lineage import (
    CopyPolicy,
    busy,
    due_brand,
    holding,
    last_copy,
    no_data_source,
    same_content,
    serves,
    to_replace,
    unusable,
    with_known_shares,
)
from yuntu_push.services.push.planning import PushPlanner, check_client, chosen_parts
from yuntu_push.services.push.ports import PushStore, SegmentChanges
from yuntu_push.services.push.presence import look_after
from yuntu_push.services.push.runner import PushRunner


@dataclass(frozen=True)
class UpdateRequest:
    """New content for the audience of a push; a `dry_run` makes no difference to be sent.

    Brands, targets and id types are by default those of the push.
    """

    segment: str
    mode: Mode = Mode.RESET
    copy: CopyPolicy = "first"
    guards: GuardEntry = field(default_factory=GuardEntry)
    passing: Collection[str] = ()
    publish_at: str | None = None
    brands: Sequence[PushBrand] | None = None
    targets: Sequence[PushTarget] | None = None
    id_types: Sequence[str] | None = None
    entry: str | None = None
    description: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class UpdatePlan:
    """An update that would be made. `same` is the push that brought this very content already;
    `replaces` have not ended and give way; `note` tells what was decided and why, `warning` what a
    person should know of the audience."""

    push: Push
    same: Push | None
    replaces: tuple[Push, ...]
    note: Text | None
    warning: Text | None = None


class PushUpdates:
    """Plans and makes updates."""

    def __init__(
        self,
        *,
        store: PushStore,
        planner: PushPlanner,
        runner: PushRunner,
        channels: ChannelStore,
        api_for: Callable[[Channel], AudienceApi],
        segments: Callable[[], SegmentChanges],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._planner = planner
        self._runner = runner
        self._channels = channels
        self._api_for = api_for
        self._content = ContentPlanner(segments)
        self._clock = clock
        self._new_id = new_id

    def plan(self, push: Push, request: UpdateRequest) -> UpdatePlan:
        """The update that a request means for the data source of `push`; no push is stored.

        `GuardError` when a guard refuses, `TryLaterError` while an earlier push is under way,
        `RefusedError` when there is nothing new and the audience is gone from the platform.
        Whatever comes of a mirror, the earlier contents are sealed afterwards.
        """
        if request.mode is not Mode.MIRROR:
            return self._plan(push, request)
        segment = parse_ref(request.segment).name
        try:
            plan = self._plan(push, request)
        except YuntuPushError:
            with suppress(YuntuPushError):
                self._content.put_away(segment)
            raise
        self._content.put_away(segment)
        return plan

    def _plan(self, push: Push, request: UpdateRequest) -> UpdatePlan:
        if push.data_source_id is None:
            raise no_data_source(push)
        chain = self._store.on_data_source(push.data_source_id)
        if unusable(chain):
            raise no_data_source(push)
        replaces = to_replace(chain)
        segment = self._planner.segment(request.segment)
        channel = self._channels.channels().get(push.channel)
        if channel is None:
            raise unknown(
                "channel",
                push.channel,
                self._channels.channels(),
                hint=msg("`yuntu-push channel add` brings it back"),
            )
        check_client(channel, segment)
        held = holding(chain, push)
        whole = chosen_parts(segment, wanted_types(push, segment, request.id_types))
        content = self._content.content(held, segment, whole, request.mode)
        check_guards(request.guards, content.sizes, request.passing)
        parts = () if request.dry_run else content.parts()
        now = self._clock.now()
        update = replace(
            push,
            push_id=self._new_id(),
            segment=segment.name,
            segment_version=segment.version,
            fingerprint=segment.fingerprint,
            ids_total=sum(part.ids for part in whole),
            description=request.description or push.description,
            id_types=tuple(dict.fromkeys(part.id_type for part in whole)),
            custom_audience_id=next(
                (p.custom_audience_id for p in chain if p.custom_audience_id), None
            ),
            mode=request.mode,
            state=PushState.PENDING,
            position=0,
            created_at=now,
            updated_at=now,
            progress_at=now,
            parts=parts,
            brands=self._brands(chain, request, now),
            targets=with_known_shares(
                chain, request.targets if request.targets is not None else chain[0].targets
            ),
            steps=tuple(PushStep(step) for step in steps_of(request.mode)),
            calls=(),
            entry=request.entry,
            follows=held.push.push_id,
            publish_at=request.publish_at,
            asked="",
            failures=0,
            looks=0,
            next_at=None,
            reason=None,
            failure=None,
            upload_num=None,
            cover_num=None,
        )
        same = same_content(held, update)
        if same is not None and not serves(same, update):
            same = None
        warning = self._look_after(channel, same, request.entry) if same is not None else None
        return UpdatePlan(update, same, replaces, content.note, warning)

    def _look_after(self, channel: Channel, push: Push, entry: str | None) -> Text | None:
        if push.is_working:
            return None  # going on with it asks the platform anyway
        try:
            return look_after(self._api_for(channel), push, self._clock.now())
        except RefusedError as error:
            if entry is not None:
                error.hint = gone_for(entry)
            raise

    def create(self, plan: UpdatePlan) -> Push:
        """Store an update; the pushes that it replaces are superseded in the same moment."""
        with ExitStack() as held:
            for earlier in plan.replaces:
                held.enter_context(self._runner.hold(earlier.push_id))
                fresh = self._store.get(earlier.push_id)
                if fresh is None or not to_replace([fresh]):
                    raise busy(fresh or earlier)
            in_the_way = self._store.add(
                plan.push,
                twin=plan.push.push_id,
                again=True,
                supersedes=[earlier.push_id for earlier in plan.replaces],
            )
        if in_the_way is not None:
            raise busy(in_the_way)
        return plan.push

    def _brands(
        self, chain: Sequence[Push], request: UpdateRequest, now: datetime
    ) -> tuple[PushBrand, ...]:
        wanted = request.brands if request.brands is not None else chain[0].brands
        return tuple(
            due_brand(brand, last_copy(chain, brand), request.copy, now) for brand in wanted
        )
