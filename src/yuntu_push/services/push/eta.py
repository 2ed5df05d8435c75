"""When a push should be done, learned from this home's own history."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from yuntu_push.domain.push import Push, StepName

ENOUGH = 3  # times that a step was seen before its duration says anything
LATELY = 20  # of its latest durations


def expected_end(
    push: Push, past: Mapping[StepName, Sequence[float]], now: datetime
) -> datetime | None:
    """The end by the median durations of the steps that are left; None when one is not known.

    A known wait (`next_at` of a wall) comes first, where it is later than what the step usually
    takes.
    """
    left = push.steps[push.position :]
    if not left or any(len(past.get(step.name, ())) < ENOUGH for step in left):
        return None
    from statistics import median  # decimals and fractions, for one number

    usual = [median(past[step.name][:LATELY]) for step in left]
    begun = left[0].started_at
    elapsed = (now - begun).total_seconds() if begun is not None else 0.0
    current = now + timedelta(seconds=max(0.0, usual[0] - elapsed))
    if push.failure is not None and push.next_at is not None:
        current = max(current, push.next_at)
    return current + timedelta(seconds=sum(usual[1:]))
