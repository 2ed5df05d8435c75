"""How long to wait: before trying again, and before looking again."""

from collections.abc import Callable
from dataclasses import dataclass

MAX_HINT_SECONDS = 86_400.0  # nothing the platform limits lasts longer than a day


@dataclass(frozen=True)
class Backoff:
    """Full jitter: a random wait between nothing and a bound that doubles; seconds.

    Full jitter, because many pushes that met the same outage must not come back together.
    """

    base: float = 1.0
    cap: float = 60.0

    def bound(self, failures: int) -> float:
        """The longest wait after so many failures in a row."""
        return float(min(self.cap, self.base * 2 ** min(max(failures - 1, 0), 30)))

    def delay(self, failures: int, chance: Callable[[], float]) -> float:
        """Seconds to wait; `chance` gives numbers in [0, 1). Never quite nothing."""
        bound = self.bound(failures)
        return max(bound * chance(), bound / 10)


@dataclass(frozen=True)
class PollSchedule:
    """Looks at something slow: the first wait grows by half each time up to `cap`, ±20 %."""

    first: float = 60.0
    cap: float = 300.0
    growth: float = 1.5
    jitter: float = 0.2

    def delay(self, looks: int, chance: Callable[[], float]) -> float:
        """Seconds until the next look, after so many looks that found nothing new."""
        top = max(self.cap, self.first)
        plain = min(top, self.first * self.growth ** min(looks, 60))
        return float(plain * (1 - self.jitter + 2 * self.jitter * chance()))


def hinted(retry_in: float | None, own: float) -> float:
    """The wait after a throttled call: the platform's hint wins, bounded at a day."""
    return own if retry_in is None else min(max(retry_in, 0.0), MAX_HINT_SECONDS)
