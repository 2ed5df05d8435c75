"""What the Ocean Engine client asks of the rest of the program."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.pace import Lane
from yuntu_push.domain.secret import SecretText

Found = TypeVar("Found")


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
    """Keeps calls apart, and stops them while a host fails."""

    def wait(self, host: str) -> None:
        """Return when the next call may be made; `UnreachableError` while none may be."""
        ...

    def note(self, host: str, *, answered: bool) -> None:
        """Take in how a call ended."""
        ...

    def held(self, endpoint: str) -> float:
        """Seconds for which the platform asked to leave an endpoint alone."""
        ...

    def hold(self, endpoint: str, seconds: float) -> None:
        """Leave an endpoint alone, because the platform asked to."""
        ...


class Lanes(Protocol):
    """What is known of each API host, shared by whoever calls it."""

    def change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        """What `step` finds in the lane of a host, which it replaces, with nobody in between.

        `YuntuPushError` when the lanes cannot be used now.
        """
        ...
