"""The pushes into one data source: what it holds, who is in the way, which copies were made."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from yuntu_push.domain.errors import GuardError, TryLaterError, YuntuPushError
from yuntu_push.domain.push import (
    BrandState,
    Mode,
    Push,
    PushBrand,
    PushTarget,
    StepName,
    StepState,
    TargetState,
)
from yuntu_push.domain.text import msg
from yuntu_push.services.push.labels import step_label
from yuntu_push.services.push.publishing import PUBLISH_KEY

CopyPolicy = Literal["first", "each", "weekly", "manual"]
WEEK = timedelta(days=7)
# After a push in one of these modes a data source holds exactly the segment version pushed.
WHOLE = frozenset({Mode.CREATE, Mode.RESET, Mode.MIRROR})


def carried(push: Push) -> bool:
    """Whether a push's content reached the data source."""
    writing = (StepName.CREATE_DATA_SOURCE, StepName.UPDATE_DATA_SOURCE)
    return any(s.name in writing and s.state is StepState.SUCCEEDED for s in push.steps)


def same_content(last: Push, update: Push) -> Push | None:
    whole = last.mode in WHOLE and update.mode in WHOLE
    same = last.fingerprint == update.fingerprint and last.id_types == update.id_types
    return last if whole and same else None


def to_replace(chain: Sequence[Push]) -> Push | None:
    """The earlier push that gives way, if there is one; `TryLaterError` when it cannot."""
    working = [push for push in chain if push.is_working]
    for push in working:
        untouched = push.position <= 1 and not push.calls_of(StepName.UPDATE_DATA_SOURCE)
        waiting = (
            push.step is StepName.PUBLISH and push.in_doubt(StepName.PUBLISH, PUBLISH_KEY) is None
        )
        if not (untouched and push.updates) and not waiting:
            raise busy(push)
    return working[0] if working else None


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
        due = now - last.submitted_at >= WEEK
    if due:
        return plain
    return replace(
        plain,
        state=BrandState.NOT_DUE,
        submitted_at=last.submitted_at if last else None,
        yuntu_audience_id=last.yuntu_audience_id if last else None,
    )
