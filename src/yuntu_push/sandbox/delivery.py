"""How far an audience is for one advertiser: `delivery_status`, `status` and `push_status`."""

from yuntu_push.sandbox.options import AfterUpdate, SandboxOptions, SelfPush
from yuntu_push.sandbox.records import Audience, Publish, Push
from yuntu_push.sandbox.world import DAY

EXPIRES_AFTER = 180 * DAY
"""Audiences that no plan used for six months expire; no plan uses the sandbox's."""

STATUS_EFFECTIVE, STATUS_TOO_FEW, STATUS_PUSHED, STATUS_PUSHING = 2, 4, 10, 14
STATUS_DELETED, STATUS_EXPIRED = 22, 26

STATUS_PREFIX = "CUSTOM_AUDIENCE_DELIVERY_STATUS_"
AVAILABLE = STATUS_PREFIX + "AVAILABLE"
NEED_PUSH = STATUS_PREFIX + "NEED_PUSH"
NEED_PUBLISH = STATUS_PREFIX + "NEED_PUBLISH"
UNAVAILABLE = STATUS_PREFIX + "UNAVAILABLE"


def is_expired(audience: Audience, now: float) -> bool:
    """Whether the audience's half year is over."""
    return now >= audience.created + EXPIRES_AFTER


def is_too_small(audience: Audience, options: SandboxOptions) -> bool:
    """Whether it covers fewer users than the platform delivers to."""
    return audience.cover_num < options.min_cover


def push_to(audience: Audience, viewer: int) -> Push | None:
    """The push of the audience to that advertiser."""
    return next((push for push in audience.pushes if push.target == viewer), None)


def in_force(audience: Audience) -> Publish | None:
    """The last publish that took effect."""
    return next((each for each in reversed(audience.publishes) if each.done), None)


def delivery_status(audience: Audience, viewer: int, options: SandboxOptions, now: float) -> str:
    """`delivery_status` as `viewer` sees it."""
    if audience.deleted or is_expired(audience, now) or is_too_small(audience, options):
        return UNAVAILABLE
    push = push_to(audience, viewer)
    own = viewer == audience.advertiser_id and options.self_push is not SelfPush.NEEDED
    pushed = own or (push is not None and push.done)
    published = _published_for(audience, None if own else push, options)
    match pushed, published:
        case True, True:
            return AVAILABLE
        case True, False:
            return NEED_PUBLISH
        case False, True:
            return NEED_PUSH
        case _:
            return UNAVAILABLE


def _published_for(audience: Audience, push: Push | None, options: SandboxOptions) -> bool:
    for publish in audience.publishes:
        if not publish.done:
            continue
        current = publish.log_id == audience.log_id
        if options.after_update is AfterUpdate.NEED_PUBLISH and not current:
            continue
        late = push is not None and push.requested > publish.requested
        if not (options.publish_after_push and late):
            return True
    return False


def push_status(audience: Audience, viewer: int) -> int:
    """0 not pushed, 1 pushing, 2 pushed; for the owner over all pushes."""
    own = viewer == audience.advertiser_id
    pushes = [push for push in audience.pushes if own or push.target == viewer]
    if any(not push.done for push in pushes):
        return 1
    return 2 if pushes else 0


def status(audience: Audience, viewer: int, options: SandboxOptions, now: float) -> int:
    """The appendix's `status` number."""
    if audience.deleted:
        return STATUS_DELETED
    if is_expired(audience, now):
        return STATUS_EXPIRED
    if is_too_small(audience, options):
        return STATUS_TOO_FEW
    return {0: STATUS_EFFECTIVE, 1: STATUS_PUSHING, 2: STATUS_PUSHED}[push_status(audience, viewer)]
