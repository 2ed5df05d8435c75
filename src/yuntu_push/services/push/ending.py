"""How a run ends for the person who started it: the error of a push, and what to do next."""

from yuntu_push.domain.errors import (
    GuardError,
    StillRunningError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.push import BrandState, Push, PushState
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.labels import state_label, step_label
from yuntu_push.services.push.parsing import PARSE_FAILED


def refuse_ended(push: Push) -> None:
    """Raise `GuardError` for a push that was given up."""
    if push.state in (PushState.CANCELLED, PushState.SUPERSEDED):
        raise GuardError(
            "PUSH_ENDED",
            msg("push {push} is {state}", push=push.push_id, state=state_label(push.state)),
            hint=msg("create a new one: `yuntu-push push create …`"),
        )


def ending(push: Push, *, waited: bool = False) -> YuntuPushError | None:
    """The error that a push's state means for the caller; None when it is done or goes on.

    `waited`: the caller wanted to see the end.
    """
    match push.state:
        case PushState.SUCCEEDED | PushState.CANCELLED | PushState.SUPERSEDED:
            return None
        case PushState.STALLED:
            return _stalled(push)
        case PushState.PENDING | PushState.RUNNING:
            return _still_running(push) if waited else None
        case _:
            return _failure(push)


def _failure(push: Push) -> YuntuPushError | None:
    """What stopped the push, with a step that fits it.

    "The same command again" is what a single call advises: said of `push create` it would be
    another push.
    """
    if push.failure is None:
        return None
    error = push.failure.error()
    if isinstance(error, TryLaterError) and error.code.startswith("PLATFORM_"):
        error.hint = msg(
            "`yuntu-push push resume {push}` goes on in a few minutes, and `--all` from cron by "
            "itself; nothing is done twice",
            push=push.push_id,
        )
    if error.code == "DATA_SOURCE_GONE" and push.entry is not None:
        error.hint = gone_for(push.entry)
    if error.code == PARSE_FAILED and push.entry is not None:
        error.hint = msg(
            "check the id types with `yuntu-push segment show {segment}` and mend the source; the "
            "next run of {entry} pushes anew",
            segment=push.segment,
            entry=push.entry,
        )
    return error


def gone_for(entry: str) -> Text:
    """The way out for an entry whose audience is gone."""
    return msg(
        "every run of {entry} will end like this, as the audience's id is gone for good; "
        "give the entry another name in the config and in its schedule, such as {entry}_2: its "
        "first run makes a new audience",
        entry=entry,
    )


def _stalled(push: Push) -> TryLaterError:
    return TryLaterError(
        "PUSH_STALLED",
        msg(
            "push {push} has not moved for hours at step {step}: {reason}",
            push=push.push_id,
            step=step_label(push.step),
            reason=push.reason or "-",
        ),
        hint=msg("nothing is lost; `yuntu-push push resume {push}` looks again", push=push.push_id),
        next_at=push.next_at,
    )


def _still_running(push: Push) -> StillRunningError:
    return StillRunningError(
        "PUSH_STILL_RUNNING",
        msg("push {push} is still under way: {reason}", push=push.push_id,
            reason=push.reason or step_label(push.step)),
        hint=msg("it has not failed; attach again with `yuntu-push push resume {push} --wait`",
                 push=push.push_id),
        next_at=push.next_at,
    )  # fmt: skip


def _unseen(push: Push) -> bool:
    """Whether it made a copy that no person has seen in Yuntu yet."""
    return any(brand.state is BrandState.SUBMITTED for brand in push.brands)


def next_action(push: Push) -> Text | None:
    """What a person does next; None when nothing is left."""
    match push.state:
        case PushState.SUCCEEDED if _unseen(push):
            return msg("已提交云图,请在云图「自定义分析」核对")
        case PushState.SUCCEEDED | PushState.CANCELLED | PushState.SUPERSEDED:
            return None
        case PushState.PENDING | PushState.RUNNING:
            return msg("`yuntu-push push resume {push} --wait`", push=push.push_id)
        case _:
            error = _failure(push)
            if error is not None and error.hint is not None:
                return error.hint
            return msg("`yuntu-push push resume {push}`", push=push.push_id)
