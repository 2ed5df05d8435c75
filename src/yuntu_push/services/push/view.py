"""What a step sees when it decides: the push as stored, the platform to read from, the moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from yuntu_push.domain.platform import RemoteAudience
from yuntu_push.domain.push import Call, Facts, Push
from yuntu_push.domain.segment import SegmentRef
from yuntu_push.domain.settings import PushSettings
from yuntu_push.services.ports import AudienceApi


@dataclass(frozen=True)
class View:
    """One look at a push.

    `decided_before` is set when a person resumed a push that needed a decision: writes in doubt
    from before that moment may be made once more. `earlier_copies` counts, per `virtual_adv_id`,
    the copies of this audience that may have been made. `open_segment` opens a sealed version.
    """

    push: Push
    api: AudienceApi
    now: datetime
    settings: PushSettings
    decided_before: datetime | None = None
    earlier_copies: Mapping[int, int] = field(default_factory=dict)
    open_segment: Callable[[SegmentRef], object] = lambda _: None

    def remaining(self, call: Call, wait: float) -> float:
        """Seconds left of `wait` since a write's intent; negative when it is over."""
        return (call.intent_at + timedelta(seconds=wait) - self.now).total_seconds()

    def decided(self, call: Call) -> bool:
        """Whether a person looked and let this doubtful write be made once more."""
        return self.decided_before is not None and call.intent_at < self.decided_before

    def audience_id(self) -> int:
        """The audience of this push; steps after `parse` always have one."""
        found = self.push.custom_audience_id
        if found is None:
            raise AssertionError(f"push {self.push.push_id} has no audience at {self.push.step}")
        return found

    def read_audience(self) -> RemoteAudience | None:
        """The audience as the platform has it now."""
        wanted = self.audience_id()
        found = self.api.read_audiences(advertiser_id=self.push.advertiser_id, ids=[wanted])
        return next((a for a in found if a.custom_audience_id == wanted), None)


def audience_facts(audience: RemoteAudience) -> Facts:
    """The counts and the delivery status that an audience shows."""
    return Facts(
        delivery_status=audience.delivery_status,
        upload_num=audience.upload_num,
        cover_num=audience.cover_num,
    )
