"""Audiences: usable or not in our words, and a warning before they expire."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from yuntu_push.domain.audience import (
    AudienceState,
    audience_state,
    created_at,
    expires_on,
    expires_soon,
)
from yuntu_push.domain.platform import DeliveryStatus, RemoteAudience

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # the 24th in Beijing
PLAIN = RemoteAudience(42, "会员", "ds", 2, DeliveryStatus.AVAILABLE)


@pytest.mark.parametrize(
    ("status", "delivery", "deleted", "state"),
    [
        (2, "AVAILABLE", False, "usable"),
        (15, "AVAILABLE", False, "usable"),  # delivery decides
        (10, "NEED_PUBLISH", False, "needs_publish"),
        (2, "NEED_PUSH", False, "needs_share"),
        (14, "UNAVAILABLE", False, "working"),
        (2, "UNAVAILABLE", False, "not_ready"),
        (4, "UNAVAILABLE", False, "too_small"),
        (3, "UNAVAILABLE", False, "failed"),
        (24, "UNAVAILABLE", False, "blocked"),
        (26, "AVAILABLE", False, "expired"),
        (22, "AVAILABLE", False, "deleted"),
        (2, "AVAILABLE", True, "deleted"),
        (99, None, False, "unknown"),
        (None, None, False, "unknown"),
    ],
)
def test_states(status: int | None, delivery: str | None, deleted: bool, state: str) -> None:
    """Gone before usable before what is missing; an unknown number is no stumble."""
    found = replace(
        PLAIN,
        status=status,
        delivery_status=DeliveryStatus(delivery) if delivery else None,
        deleted=deleted,
    )
    assert audience_state(found) is AudienceState(state)


def test_the_platforms_own_date_wins() -> None:
    """It knows of the plans; six months after the creation is what is left without it."""
    dated = replace(PLAIN, create_time="2026-06-10 09:00:00", expiry_date="2027-01-31 00:00:00")
    assert expires_on(dated) == date(2027, 1, 31)
    assert expires_on(replace(dated, expiry_date="")) == date(2026, 12, 10)
    assert expires_on(replace(dated, expiry_date="永久", create_time="?")) is None


@pytest.mark.parametrize(
    ("day", "soon"),
    [("2026-12-24", True), ("2026-12-25", False), ("2026-11-01", True), ("", False)],
)
def test_thirty_days_are_soon(day: str, soon: bool) -> None:
    """Counted in Beijing's days."""
    assert expires_soon(replace(PLAIN, expiry_date=day), NOW) is soon


def test_what_is_gone_warns_no_more() -> None:
    """A deleted or an expired audience."""
    for status in (22, 26):
        assert not expires_soon(replace(PLAIN, status=status, expiry_date="2026-11-01"), NOW)


def test_creation_times_are_beijing_times() -> None:
    """As the platform writes them; what cannot be read is left out."""
    found = created_at(replace(PLAIN, create_time="2026-06-10 09:00:00"))
    assert found is not None
    assert found.isoformat() == "2026-06-10T09:00:00+08:00"
    assert created_at(PLAIN) is None
