"""Custom audiences (人群包) as people judge them: usable or not, and how long still.

Status numbers: the platform's appendix of audience states, as far as it is known; `delivery_status`
decides where both speak.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from yuntu_push.domain.platform import DeliveryStatus, RemoteAudience
from yuntu_push.domain.quota import BEIJING
from yuntu_push.domain.text import Text, msg

UNUSED_DAYS = 183  # an audience that no plan used for six months expires
EXPIRES_SOON = timedelta(days=30)
AUDIENCE_GONE_HINT = msg("it may have been deleted; create a new push")
_DELETED = {22, 23}
_EXPIRED = {11, 25, 26}
_FAILED = {3, 7, 9, 15}
_TOO_SMALL = 4
_BLOCKED = 24
_WORKING = {0, 1, 5, 6, 8, 12, 13, 14, 16, 17, 18, 19, 20, 21}


class AudienceState(StrEnum):
    """What an audience is good for."""

    USABLE = "usable"
    NEEDS_SHARE = "needs_share"  # published, not pushed to the account
    NEEDS_PUBLISH = "needs_publish"  # pushed, not published
    WORKING = "working"  # the platform is at it
    NOT_READY = "not_ready"  # neither pushed nor published
    TOO_SMALL = "too_small"
    FAILED = "failed"
    BLOCKED = "blocked"  # depends on a withdrawn tag
    EXPIRED = "expired"
    DELETED = "deleted"
    UNKNOWN = "unknown"


_BY_DELIVERY = {
    DeliveryStatus.AVAILABLE: AudienceState.USABLE,
    DeliveryStatus.NEED_PUSH: AudienceState.NEEDS_SHARE,
    DeliveryStatus.NEED_PUBLISH: AudienceState.NEEDS_PUBLISH,
    DeliveryStatus.UNAVAILABLE: AudienceState.NOT_READY,
}


def audience_state(audience: RemoteAudience) -> AudienceState:
    """What an audience is good for, from both of the platform's words."""
    status, delivery = audience.status, audience.delivery_status
    if audience.deleted or status in _DELETED:
        return AudienceState.DELETED
    if status in _EXPIRED:
        return AudienceState.EXPIRED
    if delivery is DeliveryStatus.AVAILABLE:
        return AudienceState.USABLE
    if status == _TOO_SMALL:
        return AudienceState.TOO_SMALL
    if status == _BLOCKED:
        return AudienceState.BLOCKED
    if status in _FAILED:
        return AudienceState.FAILED
    if delivery is not None and delivery is not DeliveryStatus.UNAVAILABLE:
        return _BY_DELIVERY[delivery]
    if status in _WORKING:
        return AudienceState.WORKING
    return _BY_DELIVERY[delivery] if delivery is not None else AudienceState.UNKNOWN


def expires_on(audience: RemoteAudience) -> date | None:
    """The first day (Beijing) on which an audience that no plan uses is gone; None if not known.

    The platform's own date, else six months after its creation. A plan that uses it moves the day.
    """
    told = _day(audience.expiry_date)
    if told is not None:
        return told
    made = _day(audience.create_time)
    return made + timedelta(days=UNUSED_DAYS) if made is not None else None


def expires_soon(audience: RemoteAudience, now: datetime) -> bool:
    """Whether a person should see to it that a plan uses the audience, or push it anew."""
    day = expires_on(audience)
    if day is None or audience_state(audience) in (AudienceState.DELETED, AudienceState.EXPIRED):
        return False
    return day - now.astimezone(BEIJING).date() <= EXPIRES_SOON


def expiry_warning(audience: RemoteAudience) -> Text:
    """What to tell a person of an audience that expires soon."""
    return msg(
        "audience {name} ({id}) expires on {day} unless an ad plan uses it",
        name=audience.name,
        id=audience.custom_audience_id,
        day=str(expires_on(audience)),
    )


def created_at(audience: RemoteAudience) -> datetime | None:
    """When an audience was made; None when the platform did not say so readably."""
    try:
        return datetime.fromisoformat(audience.create_time.strip()).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
