"""What the platform lets us do per day, and when the next door opens.

Data source creates are counted per advertiser and calendar day, updates per data source and
calendar day, both in Beijing time; an audience is published once in 24 hours by the platform's
clock. (Official quotas of `data_source/create`, `data_source/update`, `custom_audience/publish`.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from enum import StrEnum

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # no daylight saving since 1991
CREATES_PER_DAY = 100
UPDATES_PER_DAY = 50
PUBLISH_WINDOW = timedelta(hours=24)
# The platform notes a publish a moment after we do, and announces its time in whole seconds.
PUBLISH_MARGIN = timedelta(seconds=3)


class QuotaKind(StrEnum):
    """What is counted."""

    CREATE = "create"  # subject: the advertiser's id
    UPDATE = "update"  # subject: the data source's id
    PUBLISH = "publish"  # subject: the audience's id


LIMITS = {
    QuotaKind.CREATE: CREATES_PER_DAY,
    QuotaKind.UPDATE: UPDATES_PER_DAY,
    QuotaKind.PUBLISH: 1,
}


@dataclass(frozen=True)
class QuotaClaim:
    """One use that is about to be made of a quota, `at` an aware moment."""

    kind: QuotaKind
    subject: str
    at: datetime


@dataclass(frozen=True)
class QuotaUse:
    """How much of a quota is used: `used` of `limit`, and when the next use is possible."""

    kind: QuotaKind
    subject: str
    used: int
    limit: int
    opens_at: datetime | None

    @property
    def left(self) -> int:
        """Uses that are left now."""
        return max(0, self.limit - self.used)


def window_start(kind: QuotaKind, at: datetime) -> datetime:
    """The moment (UTC) from which uses count at `at`: Beijing midnight, or 24 hours ago."""
    match kind:
        case QuotaKind.CREATE | QuotaKind.UPDATE:
            return midnight(at)
        case QuotaKind.PUBLISH:
            return at.astimezone(UTC) - PUBLISH_WINDOW - PUBLISH_MARGIN


def midnight(at: datetime) -> datetime:
    """The last Beijing midnight at or before `at`, in UTC."""
    return datetime.combine(at.astimezone(BEIJING).date(), time(), BEIJING).astimezone(UTC)


def next_midnight(at: datetime) -> datetime:
    """The next Beijing midnight after `at`, in UTC."""
    return midnight(at) + timedelta(days=1)


def next_time_of_day(at: datetime, clock_time: time) -> datetime:
    """The next moment at or after `at` when Beijing's clocks show `clock_time`, in UTC."""
    today = datetime.combine(at.astimezone(BEIJING).date(), clock_time, BEIJING)
    due = today if today >= at else today + timedelta(days=1)
    return due.astimezone(UTC)


def usage(kind: QuotaKind, subject: str, at: datetime, uses: Sequence[datetime]) -> QuotaUse:
    """How a quota stands at `at`, given the moments it was used; older ones are ignored."""
    start = window_start(kind, at)
    counted = sorted(use for use in uses if use > start or (use == start and _by_day(kind)))
    limit = LIMITS[kind]
    opens: datetime | None = None
    if len(counted) >= limit:
        window = PUBLISH_WINDOW + PUBLISH_MARGIN
        opens = next_midnight(at) if _by_day(kind) else counted[-limit] + window
    return QuotaUse(kind, subject, len(counted), limit, opens)


def _by_day(kind: QuotaKind) -> bool:
    return kind is not QuotaKind.PUBLISH
