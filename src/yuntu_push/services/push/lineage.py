"""The pushes into one data source: what it holds, who is in the way, which copies were made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from yuntu_push.domain.errors import GuardError, TryLaterError, YuntuPushError
from yuntu_push.domain.push import (
    WITHOUT_EFFECT,
    BrandState,
    CallState,
    Mode,
    Push,
    PushBrand,
    PushState,
    PushTarget,
    StepName,
    StepState,
    TargetState,
)
from yuntu_push.domain.quota import BEIJING
from yuntu_push.domain.text import msg
from yuntu_push.services.push.labels import step_label
from yuntu_push.services.push.parsing import PARSE_FAILED
from yuntu_push.services.push.publishing import PUBLISH_KEY

CopyPolicy = Literal["first", "each", "weekly", "manual"]
WEEK = 7  # days
# After a push in one of these modes a data source holds exactly the segment version pushed.
WHOLE = frozenset({Mode.CREATE, Mode.RESET, Mode.MIRROR})

_GIVEN_UP = frozenset({PushState.CANCELLED, PushState.SUPERSEDED})


@dataclass(frozen=True)
class Holding:
    """What a data source holds: the content that `push` brought, as the last one that was parsed.

    Not `certain` when a later push wrote and the platform never said that it took effect.
    `ids` is how many there are, at least; None when that is not known.
    """

    push: Push
    certain: bool
    ids: int | None


def holding(chain: Sequence[Push], first: Push) -> Holding:
    """What the data source of `chain` (newest first) holds; `first` began it."""
    later: list[Push] = []
    for push in chain:
        if _parsed(push):
            break
        later.append(push)
    else:
        return Holding(first, certain=False, ids=None)
    return Holding(push, certain=not any(map(_wrote, later)), ids=_known_ids(chain))


def _parsed(push: Push) -> bool:
    return any(s.name is StepName.PARSE and s.state is StepState.SUCCEEDED for s in push.steps)


def _wrote(push: Push) -> bool:
    writing = (StepName.CREATE_DATA_SOURCE, StepName.UPDATE_DATA_SOURCE)
    return any(c.step in writing and c.state not in WITHOUT_EFFECT for c in push.calls)


def _known_ids(chain: Sequence[Push]) -> int | None:
    ids: int | None = None
    for push in reversed(chain):
        if not _parsed(push):
            continue
        if push.mode in WHOLE:
            ids = push.ids_total
        elif push.mode is Mode.APPEND:
            ids = max(ids or 0, push.ids_total)
        elif ids is not None:
            ids = max(0, ids - push.ids_total)
    return ids


def same_content(held: Holding, update: Push) -> Push | None:
    """The push that brought what an update would bring, when nothing has to be done for it."""
    last = held.push
    if not held.certain or last.state in _GIVEN_UP:
        return None
    if (last.fingerprint, last.id_types) != (update.fingerprint, update.id_types):
        return None
    match update.mode:
        case Mode.APPEND:
            same = last.mode is not Mode.REMOVE
        case Mode.REMOVE:
            same = last.mode is Mode.REMOVE
        case _:
            same = last.mode in WHOLE
    return last if same else None


def serves(last: Push, update: Push) -> bool:
    """Whether a push was to go everywhere that an update with its content would go.

    What it tried and could not is left to its own resume.
    """
    brands = {
        brand.brand_id
        for brand in last.brands
        if brand.state is not BrandState.NOT_DUE or brand.submitted_at is not None
    }
    targets = {target.advertiser_id for target in last.targets}
    return all(
        brand.state is BrandState.NOT_DUE or brand.brand_id in brands for brand in update.brands
    ) and all(
        target.state is TargetState.SHARED or target.advertiser_id in targets
        for target in update.targets
    )


def to_replace(chain: Sequence[Push]) -> tuple[Push, ...]:
    """The earlier pushes that give way; `TryLaterError` when one of them cannot.

    One that was refused in part gives way, too: what failed is tried again by the newer one.
    """
    working = [push for push in chain if push.is_working]
    for push in working:
        untouched = push.position <= 1 and not push.calls_of(StepName.UPDATE_DATA_SOURCE)
        publishes = push.step is StepName.PUBLISH or _publishes_late(push)
        waiting = publishes and push.in_doubt(push.step, PUBLISH_KEY) is None
        if not (untouched and push.updates) and not waiting:
            raise busy(push)
    return (*working, *(push for push in chain if push.state is PushState.PARTIAL))


def _publishes_late(push: Push) -> bool:
    """Whether the publish after a share that was tried again is still to be made."""
    calls = push.calls_of(push.step) if push.step in (StepName.ACTIVATE, StepName.VERIFY) else ()
    made = (CallState.DONE, CallState.FOUND)
    return bool(calls) and not (calls[-1].key == PUBLISH_KEY and calls[-1].state in made)


def overtaking(push: Push, chain: Sequence[Push]) -> Push | None:
    """The newer push of `chain` (newest first) for which an ended one is not to be resumed.

    It would lay old content over the newer, or publish and copy what that one does by itself.
    """
    newer = chain[: [each.push_id for each in chain].index(push.push_id)]
    if push.updates and all(s.name is not StepName.PARSE for s in push.steps[: push.position + 1]):
        return newer[0] if newer else None
    if push.state is PushState.NEEDS_OPERATOR:
        return None  # a person decides about the one write that is in doubt
    return next((each for each in newer if each.is_working or _parsed(each)), None)


def busy(push: Push) -> YuntuPushError:
    """The error for new content while the platform still works on the last."""
    return TryLaterError(
        "PUSH_UNDER_WAY",
        msg(
            "push {push} of the same audience is still at step {step}",
            push=push.push_id,
            step=step_label(push.step),
        ),
        hint=msg("`yuntu-push push resume {push} --wait` takes it to its end", push=push.push_id),
        next_at=push.next_at,
    )


def unusable(pushes: Iterable[Push]) -> set[str]:
    """The data sources among those of `pushes` whose first content could not be parsed: the
    platform updates none of these, ever."""
    return {
        push.data_source_id
        for push in pushes
        if push.mode is Mode.CREATE
        and push.data_source_id is not None
        and any(s.failure is not None and s.failure.code == PARSE_FAILED for s in push.steps)
    }


def no_data_source(push: Push) -> YuntuPushError:
    if push.is_working:
        return busy(push)
    return GuardError(
        "NO_DATA_SOURCE",
        msg("push {push} has made no data source that could be updated", push=push.push_id),
        hint=msg("create a new push: `yuntu-push push create …`"),
    )


def with_known_shares(
    chain: Sequence[Push], wanted: Sequence[PushTarget]
) -> tuple[PushTarget, ...]:
    """The targets, those marked that have the audience already: its id stays, so they keep it."""
    shared = {
        target.advertiser_id
        for push in chain
        for target in push.targets
        if target.state is TargetState.SHARED
    }
    return tuple(
        PushTarget(
            target.advertiser_id,
            owner=target.owner,
            state=TargetState.SHARED if target.advertiser_id in shared else TargetState.PENDING,
        )
        for target in wanted
    )


def last_copy(chain: Sequence[Push], brand: PushBrand) -> PushBrand | None:
    copies = [
        each
        for push in chain
        for each in push.brands
        if each.brand_id == brand.brand_id and each.submitted_at is not None
    ]
    return max(copies, key=lambda each: str(each.submitted_at), default=None)


def due_brand(
    brand: PushBrand, last: PushBrand | None, policy: CopyPolicy, now: datetime
) -> PushBrand:
    """The brand of an update: a copy is a snapshot, the policy says when a new one is made."""
    plain = PushBrand(brand.brand_id, brand.brand_name, brand.virtual_adv_id)
    due = policy == "each" or (policy in ("first", "weekly") and last is None)
    if policy == "weekly" and last is not None and last.submitted_at is not None:
        # Days, not hours: a daily run that begins before the hour of the last copy is no day early.
        due = (_day(now) - _day(last.submitted_at)).days >= WEEK
    if due:
        return plain
    return replace(
        plain,
        state=BrandState.NOT_DUE,
        submitted_at=last.submitted_at if last else None,
        yuntu_audience_id=last.yuntu_audience_id if last else None,
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(BEIJING).date()
