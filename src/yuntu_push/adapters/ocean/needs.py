"""What the Ocean Engine client asks of the rest of the program."""

from datetime import datetime
from typing import Protocol

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.secret import SecretText


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Tokens(Protocol):
    """Current access tokens of a channel."""

    def access_token(self, channel: Channel) -> SecretText: ...

    def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText: ...


class Pace(Protocol):
    """Keeps calls apart."""

    def wait(self) -> None:
        """Return when the next call may be made."""
        ...
