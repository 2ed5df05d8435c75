"""A host's lane: calls keep apart, failures in a row pause it, one probe finds out."""

import itertools
import random

import pytest

from yuntu_push.domain.pace import (
    FAILURES_IN_A_ROW,
    MOST_WAITING,
    PAUSE_SECONDS,
    Lane,
    after_call,
    take_turn,
)

NOW = 1_795_000_000.0
THIRD = 1 / 3


def failed(times: int, at: float = NOW) -> Lane:
    """A lane after failures in a row."""
    lane = Lane()
    for _ in range(times):
        lane = after_call(lane, at, answered=False)
    return lane


def test_four_failures_pause_nothing() -> None:
    """The fifth in a row does, for a minute."""
    lane, turn = take_turn(failed(4), NOW, THIRD)
    assert not turn.refused
    lane, turn = take_turn(after_call(lane, NOW, answered=False), NOW + 59.9, THIRD)
    assert turn.refused
    assert turn.at == NOW + 60
    assert lane.failures == 5


def test_an_answer_between_begins_the_count_anew() -> None:
    """Only failures in a row count."""
    lane = failed(FAILURES_IN_A_ROW - 1)
    lane = after_call(lane, NOW, answered=True)
    lane = after_call(lane, NOW, answered=False)

    assert lane.failures == 1
    assert not take_turn(lane, NOW, THIRD)[1].refused


def test_one_probe_a_minute() -> None:
    """After the pause one caller goes through, the others wait for what it finds."""
    lane = failed(FAILURES_IN_A_ROW)
    lane, first = take_turn(lane, NOW + 60, THIRD)
    lane, second = take_turn(lane, NOW + 60.1, THIRD)
    assert (first.refused, first.probe, second.refused) == (False, True, True)

    lane = after_call(lane, NOW + 61, answered=False)
    assert take_turn(lane, NOW + 120.9, THIRD)[1].refused
    lane, third = take_turn(lane, NOW + 121, THIRD)
    assert third.probe

    lane = after_call(lane, NOW + 122, answered=True)
    assert take_turn(lane, NOW + 122, THIRD)[1].refused is False


def test_a_probe_that_died_is_replaced() -> None:
    """Its process was killed: another minute, then another probe."""
    lane, _ = take_turn(failed(FAILURES_IN_A_ROW), NOW + 60, THIRD)

    assert take_turn(lane, NOW + 119, THIRD)[1].refused
    assert take_turn(lane, NOW + 120, THIRD)[1].probe


def test_a_clock_that_was_set_back_stops_nobody() -> None:
    """Neither an hour-long queue nor an hour-long pause is believed."""
    lane, _ = take_turn(Lane(), NOW + 3600, THIRD)
    assert take_turn(lane, NOW, THIRD)[1].at == NOW

    paused = failed(FAILURES_IN_A_ROW, NOW + 3600)
    assert take_turn(paused, NOW, THIRD)[1].at == NOW + PAUSE_SECONDS


def test_whatever_happens_calls_keep_apart_and_pauses_hold() -> None:
    """Whoever calls, fails or is silent: no two turns too close, no two probes in a minute."""
    draw = random.Random(5)
    for _ in range(200):
        lane, now, turns, probes = Lane(), NOW, [], []
        for _ in range(200):
            now += draw.choice([0.0, 0.01, 0.5, 30.0])
            lane, turn = take_turn(lane, now, THIRD)
            if turn.refused:
                assert now < turn.at <= now + PAUSE_SECONDS
                continue
            turns.append(turn.at)
            if turn.probe:
                probes.append(now)
            lane = after_call(lane, now, answered=draw.random() < 0.2)
        gaps = [late - early for early, late in itertools.pairwise(turns)]
        assert min(gaps) >= THIRD - 1e-6
        assert all(b - a >= PAUSE_SECONDS for a, b in itertools.pairwise(probes))


def test_a_long_queue_is_believed_as_long_as_it_can_be_one() -> None:
    """So many callers may wait at once, each with a turn of its own."""
    lane, at = Lane(), []
    for _ in range(MOST_WAITING):
        lane, turn = take_turn(lane, NOW, THIRD)
        at.append(turn.at)

    assert at[-1] - NOW == pytest.approx((MOST_WAITING - 1) * THIRD)
