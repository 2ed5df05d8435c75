"""The quotas of the platform, as far as this tool's own use goes."""

from datetime import timedelta

from yuntu_push.domain.quota import QuotaUse, midnight
from yuntu_push.services.ports import Clock
from yuntu_push.services.push.ports import QuotaLedger


class Quotas:
    """Reads the ledger; other tools' use of the same quotas is not in it."""

    def __init__(self, *, ledger: QuotaLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def uses(self) -> list[QuotaUse]:
        """How every quota stands that was used today, or in the last 24 hours for publishes."""
        now = self._clock.now()
        since = min(midnight(now), now - timedelta(hours=24))
        found = [
            self._ledger.usage(kind, subject, now) for kind, subject in self._ledger.subjects(since)
        ]
        return [use for use in found if use.used]
