"""Pushes as people handle them: create, find, look at, cancel, confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from yuntu_push.domain.errors import ConfigError, GuardError
from yuntu_push.domain.names import canonical, unknown
from yuntu_push.domain.push import (
    WORKING,
    BrandState,
    Facts,
    Push,
    PushBrand,
    PushState,
    StepName,
    may_move,
)
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.segment import SegmentRef, segment_of
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import ChannelStore, Clock
from yuntu_push.services.push.eta import expected_end
from yuntu_push.services.push.labels import state_label
from yuntu_push.services.push.planning import PushPlan, PushPlanner, PushRequest
from yuntu_push.services.push.ports import Directory, PushStore
from yuntu_push.services.push.remains import BrandCopy, copies_of, remains
from yuntu_push.services.push.runner import PushRunner

MIN_PREFIX = 3  # letters of an id that are enough, where they are unique
MOST_NAMED = 200  # of the latest pushes, among which a misspelled one is looked for

# From `parse` on the platform has the segment's files.
_READ_PARTS = {StepName.UPLOAD, StepName.CREATE_DATA_SOURCE, StepName.UPDATE_DATA_SOURCE}


@dataclass(frozen=True)
class Cancelled:
    """A cancelled push, and what of it stays on the platform, in sentences."""

    push: Push
    remains: tuple[Text, ...]


class PushTasks:
    """The pushes of this home."""

    def __init__(
        self,
        *,
        store: PushStore,
        planner: PushPlanner,
        runner: PushRunner,
        channels: ChannelStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._planner = planner
        self._runner = runner
        self._channels = channels
        self._clock = clock
        self._past: dict[str, Mapping[StepName, Sequence[float]]] = {}  # by channel

    @property
    def directory(self) -> Directory:
        """Where accounts and brands are looked up."""
        return self._planner.directory

    def plan(self, request: PushRequest) -> PushPlan:
        """The push that a request means; nothing is written."""
        return self._planner.plan(request)

    def create(self, plan: PushPlan, *, again: bool = False, asked: str = "") -> Push:
        """Store a plan's push.

        `GuardError` naming the earlier one when the same content was pushed to the same places,
        unless `again`. `asked` records who let a first push to a new brand pass.
        """
        push = replace(plan.push, asked=asked if plan.new_brands else "")
        earlier = self._store.add(push, twin=plan.twin, again=again)
        if earlier is not None:
            raise already_pushed(earlier)
        return push

    def find(self, text: str) -> Push:
        """The push that an id, the beginning of one, or a name means.

        A name of several pushes means the one that is still under way, where there is only one.
        """
        push = self._store.get(text)
        if push is not None:
            return push
        wanted = canonical(text)
        pushes = self._store.find(PushFilter(called=wanted))
        named = [p for p in pushes if wanted in (p.name, p.audience_name)]
        found = named or (pushes if len(wanted) >= MIN_PREFIX else [])
        working = [p for p in found if p.is_working]
        if len(found) == 1 or len(working) == 1:
            return (working or found)[0]
        if not found:
            latest = self._store.find(PushFilter(most=MOST_NAMED))
            known = [p.push_id for p in latest] + [p.name for p in latest]
            raise unknown("push", text, known, hint=msg("`yuntu-push push list`"))
        raise ConfigError(
            "PUSH_AMBIGUOUS",
            msg(
                "{count} pushes are called {name}: {candidates}",
                count=len(found),
                name=text,
                candidates=", ".join(p.push_id for p in found[:5]),
            ),
            hint=msg("use the id instead of the name"),
        )

    def list(self, wanted: PushFilter | None = None) -> "list[Push]":
        """The pushes that a filter lets through, newest first.

        `ConfigError` for a channel that is neither in the config nor any push's.
        """
        wanted = wanted or PushFilter()
        found = self._store.find(wanted)
        channel, known = wanted.channel, self._channels.channels()
        if found or channel is None or channel in known:
            return found
        if self._store.find(PushFilter(channel=channel, most=1)):
            return []
        raise unknown("channel", channel, known, hint=msg("`yuntu-push channel list`"))

    def needing(self, segment: SegmentRef) -> tuple[Push, ...]:
        """The pushes under way that have still to upload the segment."""
        return tuple(
            push
            for push in self.list(PushFilter(states=sorted(WORKING)))
            if push.step in _READ_PARTS
            and any(
                ref.name == segment.name and segment.version in (None, ref.version)
                for ref in _read_by(push)
            )
        )

    def expected_end(self, push: Push) -> datetime | None:
        """When a push should be done, by how long its steps took lately; None without history."""
        if not push.is_working:
            return None
        if push.channel not in self._past:
            self._past[push.channel] = self._store.past_seconds(push.channel)
        return expected_end(push, self._past[push.channel], self._clock.now())

    def cancel(self, push: Push) -> Cancelled:
        """Give a push up; what it made on the platform stays there.

        `GuardError` when it has ended already, `TryLaterError` while another process runs it.
        """
        with self._runner.hold(push.push_id):
            push = self._fresh(push)
            if not _may_cancel(push):
                raise GuardError(
                    "PUSH_ENDED",
                    msg("push {push} is {state}", push=push.push_id, state=state_label(push.state)),
                    hint=_too_late(push),
                )
            push = self._store.move(push.push_id, PushState.CANCELLED, self._clock.now())
        return Cancelled(push, remains(push, self._chain(push)))

    def copies(self, push: Push) -> Sequence[BrandCopy]:
        """The copies of a push's audience in Yuntu brands, all pushes into it taken together."""
        return copies_of(self._chain(push))

    def confirm(self, push: Push, brand: str) -> Push:
        """Note that a person saw the audience in Yuntu."""
        found = brand_of(push, brand)
        if found.state not in (BrandState.SUBMITTED, BrandState.CONFIRMED):
            raise GuardError(
                "BRAND_NOT_SUBMITTED",
                msg("push {push} has not been copied to {brand}", push=push.push_id,
                    brand=found.brand_name),
                hint=msg("look at it with `yuntu-push push status {push}`", push=push.push_id),
            )  # fmt: skip
        confirmed = replace(found, state=BrandState.CONFIRMED)
        return self._store.learn(push.push_id, Facts(brands=[confirmed]), self._clock.now())

    def _chain(self, push: Push) -> Sequence[Push]:
        """All pushes into the data source of a push, newest first."""
        known = push.data_source_id
        return self._store.on_data_source(known) if known is not None else [push]

    def _fresh(self, push: Push) -> Push:
        found = self._store.get(push.push_id)
        if found is None:
            raise unknown("push", push.push_id, (), hint=msg("`yuntu-push push list`"))
        return found


def _may_cancel(push: Push) -> bool:
    return may_move(push.state, PushState.CANCELLED) and push.state is not PushState.CANCELLED


def _too_late(push: Push) -> Text:
    """What can be done about a push that has ended."""
    if push.state is not PushState.SUCCEEDED or push.custom_audience_id is None:
        return msg("there is nothing left to cancel")
    return msg(
        "what is published and copied stays; bring earlier content back with `yuntu-push push "
        "update {push} --segment NAME@VERSION`, or delete the audience: `yuntu-push audience "
        "delete {audience}`",
        push=push.push_id,
        audience=push.custom_audience_id,
    )


def brand_of(push: Push, text: str) -> PushBrand:
    """The brand of a push that an id or a name means, or `ConfigError`."""
    wanted = canonical(text).strip()
    for brand in push.brands:
        if wanted in (str(brand.brand_id), str(brand.virtual_adv_id), brand.brand_name):
            return brand
    raise unknown(
        "brand",
        text,
        [brand.brand_name for brand in push.brands],
        hint=msg("`yuntu-push push show {push}` lists its brands", push=push.push_id),
    )


def already_pushed(earlier: Push) -> GuardError:
    """The error for a push whose content is in the same places already."""
    return GuardError(
        "PUSH_TWICE",
        msg(
            "the same segment was pushed to the same places by push {push} ({state}, {name})",
            push=earlier.push_id,
            state=state_label(earlier.state),
            name=earlier.audience_name,
        ),
        hint=msg(
            "`yuntu-push push status {push}` shows it; with --again a second audience is made",
            push=earlier.push_id,
        ),
    )


def _read_by(push: Push) -> set[SegmentRef]:
    """The versions that a push uploads from: a mirror's differences are segments of their own."""
    parts = (segment_of(part.path) for part in push.parts)
    return {SegmentRef(push.segment, push.segment_version), *filter(None, parts)}
