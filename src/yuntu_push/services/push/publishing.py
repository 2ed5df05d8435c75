"""The steps `publish` and `activate`: the audience takes effect."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta

from yuntu_push.domain.errors import RefusedError, YuntuPushError
from yuntu_push.domain.platform import DeliveryStatus, RemoteAudience
from yuntu_push.domain.push import Call, CallState, Facts, StepName
from yuntu_push.domain.push_record import Verdict
from yuntu_push.domain.quota import PUBLISH_WINDOW, QuotaClaim, QuotaKind, next_time_of_day
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.outcomes import (
    Act,
    Done,
    Failed,
    Learned,
    NotYet,
    Outcome,
    Waiting,
)
from yuntu_push.services.push.sharing import (
    last_share,
    next_share,
    owner_failure,
    owner_refusal,
)
from yuntu_push.services.push.view import View, audience_facts

PUBLISH_KEY = "publish"
# A publish later than this after its fixed time of day leaves the day out instead: else the window
# of 24 hours would keep all later ones from ever coming back to the hour.
LATE = timedelta(hours=6)
PUBLISHED = (DeliveryStatus.AVAILABLE, DeliveryStatus.NEED_PUSH)
TOO_SMALL = 4
# The platform's `status` codes that no waiting mends; 11, 22, 23, 26 mean that it is gone.
BROKEN = {3, TOO_SMALL, 7, 9, 11, 15, 22, 23, 26}


def publish(view: View) -> Outcome:
    """Publish once, or once more after a late share; the platform allows one in 24 hours."""
    latest = last_share(view)
    calls = [c for c in view.push.calls_of(view.push.step, PUBLISH_KEY) if c.call_id > latest]
    if any(call.state in (CallState.DONE, CallState.FOUND) for call in calls):
        return Done()
    due = _not_before(view)
    if due is not None and not calls:
        return Waiting(due, msg("publishing is due at a fixed time of day"), "PUBLISH_AT")
    audience = view.read_audience()
    if audience is None:
        return NotYet(msg("the platform does not show the audience yet"))
    lost = view.push.in_doubt(view.push.step, PUBLISH_KEY)
    if _shows_it(view, audience, calls):
        verdicts = (Verdict(PUBLISH_KEY, CallState.FOUND),) if lost else ()
        return Done(audience_facts(audience), verdicts)
    if lost is not None:
        return _after_silence(view, audience, lost)
    unshown = [call for call in calls if call.state is CallState.UNSHOWN]
    if not unshown:
        return _publish(view, audience)
    if calls[-1].state is CallState.REFUSED:
        return _after_refusal(view, audience, calls[-1], unshown[-1])
    return _repeat(view, audience)


def _shows_it(view: View, audience: RemoteAudience, calls: Sequence[Call]) -> bool:
    """Whether the audience's state proves that this push's content is published.

    With new content for an audience that was published before, or new targets, only a change of
    the state since our own write proves anything.
    """
    if audience.delivery_status not in PUBLISHED:
        return False
    if not view.push.updates and view.push.step is StepName.PUBLISH:
        return True
    return bool(calls) and calls[0].before not in PUBLISHED


def _after_silence(view: View, audience: RemoteAudience, lost: Call) -> Outcome:
    left = view.remaining(lost, view.settings.settle)
    if left > 0:
        return NotYet(_watching(), within=left)
    return _repeat(view, audience)


def _after_refusal(view: View, audience: RemoteAudience, refused: Call, unshown: Call) -> Outcome:
    if audience.delivery_status in PUBLISHED:
        return Done(audience_facts(audience))  # the refusal says that the lost publish was taken
    left = view.remaining(refused, view.settings.settle)
    if left > 0:
        return NotYet(_watching(), within=left)
    opens = unshown.intent_at + PUBLISH_WINDOW
    if view.now < opens:
        return Waiting(opens, window_reason(), "PUBLISH_WINDOW", audience_facts(audience))
    return _publish(view, audience)


def _repeat(view: View, audience: RemoteAudience) -> Act:
    """Publish once more after one that nothing shows.

    A refusal that names no other reason may well mean that the lost one took the day's place: go
    on watching.
    """

    def watch_on(error: YuntuPushError) -> Facts | None:
        taken = error.code in ("PUBLISH_WINDOW", "PLATFORM_REFUSED")
        return audience_facts(audience) if taken else None

    return _publish(view, audience, CallState.UNSHOWN, watch_on)


def _publish(
    view: View,
    audience: RemoteAudience,
    verdict: CallState | None = None,
    on_refused: Callable[[YuntuPushError], Facts | None] | None = None,
) -> Act:
    ident = view.audience_id()

    def call() -> Facts:
        view.api.publish(advertiser_id=view.push.advertiser_id, custom_audience_id=ident)
        return Facts()

    return Act(
        key=PUBLISH_KEY,
        request=(ident, view.push.data_source_id),
        call=call,
        before=str(audience.delivery_status or ""),
        # The window is the platform's: it is reckoned on the platform's clock.
        claim=QuotaClaim(QuotaKind.PUBLISH, str(ident), view.api.server_now()),
        verdict=verdict,
        on_refused=on_refused,
    )


def window_reason() -> Text:
    """Why a publish waits."""
    return msg("the audience was published in the last 24 hours; it is published when that is over")


def _watching() -> Text:
    return msg("looking whether the publish that got no answer took effect")


def _not_before(view: View) -> datetime | None:
    if view.push.publish_at is None:
        return None
    due = fixed_time(view.push.created_at, view.push.publish_at)
    return due if view.now < due else None


def fixed_time(moment: datetime, publish_at: str) -> datetime:
    """When something that is ready at `moment` is published under a fixed time of day.

    The next time that the clocks show it, or the last time, when that is no longer ago than
    `LATE`. A push is due by when it was made, not by when its content was parsed: otherwise parsing
    that goes past the hour would have it wait a day, until the next push takes its place, and
    nothing would ever be published.
    """
    due = next_time_of_day(moment, time.fromisoformat(publish_at))
    before = due - timedelta(days=1)
    return before if moment - before < LATE else due


def late_shares(view: View) -> Outcome | None:
    """The shares that an earlier run was refused, tried again; what one of them took is published
    once more, as the platform wants it after each share. None when all that is done."""
    share = next_share(view)
    if share is not None or not last_share(view):
        return share
    outcome = publish(view)
    if isinstance(outcome, Done):
        return Learned(outcome.facts, outcome.verdicts) if outcome.verdicts else None
    return outcome


def activate(view: View) -> Outcome:
    """Wait until the audience can be used (`AVAILABLE`)."""
    late = late_shares(view)
    if late is not None:
        return late
    audience = view.read_audience()
    if audience is None:
        return NotYet(msg("the platform does not show the audience yet"))
    facts = audience_facts(audience)
    if audience.delivery_status is DeliveryStatus.AVAILABLE:
        return Done(facts)
    owner = owner_failure(view)
    if audience.delivery_status is DeliveryStatus.NEED_PUSH and owner is not None:
        # Without the owner's share it stays so; where nobody else has it either, copies may do.
        return Done(facts) if owner_refusal(view) else Failed(owner, facts)
    if audience.status in BROKEN or audience.deleted:
        return Failed(_broken(view, audience), facts)
    return NotYet(
        msg("waiting for the audience to take effect ({status})", status=_shown(audience)),
        facts=facts,
    )


def _shown(audience: RemoteAudience) -> str:
    return str(audience.delivery_status or f"status {audience.status}")


def _broken(view: View, audience: RemoteAudience) -> RefusedError:
    if audience.status == TOO_SMALL:
        return RefusedError(
            "AUDIENCE_TOO_SMALL",
            msg("too few people are covered (覆盖人数) for the audience to be used"),
            hint=msg(
                "check the id types with `yuntu-push segment show {segment}`, or use a larger "
                "segment",
                segment=view.push.segment,
            ),
        )
    return RefusedError(
        "AUDIENCE_BROKEN",
        msg(
            "the audience {audience} cannot be used: the platform gives it status {status}",
            audience=str(audience.custom_audience_id),
            status=audience.status,
        ),
        hint=msg("look at it in the DMP pages, then create a new push"),
    )
