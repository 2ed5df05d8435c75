"""What `POST /_sandbox/*` takes, as types: what makes no sense never touches the world.

Ids may come as numbers or in quotes.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct


class Order(Struct, forbid_unknown_fields=True):
    """A request to the sandbox itself."""


class Nothing(Order):
    """No fields at all."""


class Step(Order):
    """Step the clock by `advance` seconds, or set it."""

    advance: float | None = None
    set: Annotated[datetime, Meta(tz=True)] | None = None


class Binding(Order):
    """A brand and an advertiser."""

    brand_id: int
    advertiser_id: int


class AppChange(Order):
    """What shall change about the application; `callback_url` null accepts any loopback address."""

    callback_url: str | None = ""
    """Empty leaves it as it is."""
    permissions: list[str] | None = None


class Authorisation(Order):
    """Which login ticks which accounts; by default the first login ticks all of its own."""

    uid: int | None = None
    accounts: list[int] | None = None


class Revocation(Order):
    """Whose authorisation ends; everybody's when left out."""

    uid: int | None = None


class AccountChange(Order):
    """What shall change about an account."""

    id: int
    valid: bool | None = None
    name: str | None = None
    company: str | None = None
