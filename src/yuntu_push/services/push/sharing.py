"""The step `share`: push the audience to its owner and its targets, before the one publish."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import CallState, Facts, PushTarget, TargetState
from yuntu_push.services.push.outcomes import Act, Done, Failed, Outcome
from yuntu_push.services.push.view import View

_KEY = "targets:"


def share(view: View) -> Outcome:
    """Share with everybody; who is refused fails alone.

    The answer does not say which target of a group was refused (all must belong to the owner's
    legal subject), so a refused group is halved until the refused ones stand alone.
    """
    return next_share(view) or _nobody_left(view) or Done()


def next_share(view: View) -> Act | None:
    """The write that shares with the next targets, as one of the current step; None without any."""
    waiting = [t for t in view.push.targets if t.state is TargetState.PENDING]
    if not waiting:
        return None
    size = waiting[0].group
    return _push_to(view, [t for t in waiting if t.group == size][:size])


def last_share(view: View) -> int:
    """The id of the newest share that was made within the current step; 0 without any."""
    calls = view.push.calls_of(view.push.step)
    made = [c.call_id for c in calls if c.key.startswith(_KEY) and c.state is CallState.DONE]
    return max(made, default=0)


def _push_to(view: View, group: Sequence[PushTarget]) -> Act:
    key = _KEY + ",".join(str(target.advertiser_id) for target in group)
    ids = [target.advertiser_id for target in group]
    audience = view.audience_id()

    def call() -> Facts:
        view.api.push(
            advertiser_id=view.push.advertiser_id, custom_audience_id=audience, targets=ids
        )
        return Facts(targets=[replace(t, state=TargetState.SHARED, failure=None) for t in group])

    return Act(
        key=key,
        request=(audience, ids),
        call=call,
        # Sharing with the same advertiser again changes nothing.
        verdict=CallState.REPEATABLE if view.push.in_doubt(view.push.step, key) else None,
        on_refused=_split(group, again=_owner_again(view, group, key)),
    )


def _owner_again(view: View, group: Sequence[PushTarget], key: str) -> bool:
    """Whether a refused push to the owner alone is worth another try: everything depends on it."""
    return group[0].owner and len(group) == 1 and not view.push.was_refused(view.push.step, key)


def _split(group: Sequence[PushTarget], *, again: bool) -> Callable[[YuntuPushError], Facts]:
    def learn(error: YuntuPushError) -> Facts:
        if again:
            return Facts()
        if len(group) == 1:
            failed = replace(group[0], state=TargetState.FAILED, failure=Failure.of(error))
            return Facts(targets=[failed])
        half = (len(group) + 1) // 2
        return Facts(targets=[replace(target, group=half) for target in group])

    return learn


def _nobody_left(view: View) -> Failed | None:
    """The failure of a push that was only meant for targets, when all of them were refused.

    A refused push to the owner itself is noted at the owner and nothing more: where only brands
    are meant, it may not be needed at all.
    """
    targets = [t for t in view.push.targets if not t.owner]
    refused = [t.failure for t in targets if t.state is TargetState.FAILED and t.failure]
    if view.push.brands or not targets or len(refused) < len(targets):
        return None
    return Failed(refused[0].error())


def owner_failure(view: View) -> YuntuPushError | None:
    """How the push to the owner itself was refused, if it was."""
    failures = (t.failure for t in view.push.targets if t.owner and t.state is TargetState.FAILED)
    found = next(failures, None)
    return found.error() if found is not None else None


def owner_refusal(view: View) -> bool:
    """Whether the push to the owner itself was refused and nobody else has the audience."""
    return owner_failure(view) is not None and not any(
        t.state is TargetState.SHARED for t in view.push.targets
    )
