"""Requests and replies lost on the wire: every one of a push, before and after the work."""

import contextlib
import itertools
import random
import sqlite3
import sys
from collections.abc import Iterator

import pytest

from support.push import Bench, memory_folder
from support.sampling import sampled
from support.scene import Scene
from yuntu_push.domain.push import PushState

pytestmark = [pytest.mark.server, pytest.mark.timeout(4 * 3600)]

# What the platform did not get, what it did but could not say, and what only looks like a reply.
EFFECTS = [
    {"effect": "drop_before"},
    {"effect": "drop_after"},
    {"effect": "half_json", "after": True},
    {"effect": "http_502", "after": True},
]
# Nothing lingers on its way in these trials, so there is nothing to wait long for.
HASTY = {"YUNTU_PUSH_PUSH_SETTLE": "0.4", "YUNTU_PUSH_PUSH_RECONCILE_WAIT": "1"}
TIMES = 20
LAGS, EACH = (0, 60, 300, 1200), 200


def test_whatever_request_or_reply_is_lost(one_push: Scene, whole: bool):
    """One of everything, and a day's quota that says one create."""
    one_push.warm(*one_push.resume)
    requests = len(one_push.sandbox.requests("/"))
    assert requests >= 9
    trials = list(itertools.product(range(1, requests + 1), EFFECTS)) * (TIMES if whole else 1)
    random.Random(4).shuffle(trials)
    struck = 0
    for nth, effect in sampled(trials, whole=whole, share=1.5):
        one_push.renew()
        one_push.sandbox.fault("*", nth=nth, **effect)
        trial = (nth, effect)
        one_push.assert_one_of_everything(trial, HASTY)
        struck += sum(each["struck"] for each in one_push.sandbox.browse("/_sandbox/faults").json())
        assert ledger(one_push) == {"create": 1, "publish": 1}, trial
    sys.stdout.write(f"{struck} losses among {requests} requests; 0 lost, 0 twice\n")
    assert struck >= 2


def ledger(scene: Scene) -> dict[str, int]:
    """What the quota ledger says was used."""
    with contextlib.closing(sqlite3.connect(scene.home / "state" / "state.db")) as state:
        return dict(state.execute("SELECT kind, count(*) FROM quota_use GROUP BY kind"))


def delays(lag: float, draw: random.Random) -> Iterator[tuple[str, float, float]]:
    """Ways to lose a create, with the seconds until it is parsed and until it is listed."""
    while True:
        effect = draw.choice(["drop_after", "kill_after", "drop_before", "kill_before"])
        yield effect, draw.uniform(60, 3600), lag


@pytest.mark.parametrize("lag", LAGS)
def test_a_lost_create_is_not_repeated_while_the_list_lags(lag: int, whole: bool):
    """However late the list shows it (within `push.reconcile_wait`), it is made once."""
    trials = 0
    losses = itertools.islice(delays(lag, random.Random(lag)), EACH if whole else 6)
    for effect, parse_seconds, list_lag in losses:
        with memory_folder() as folder:
            bench = Bench(folder)
            bench.platform.parse_seconds = parse_seconds
            bench.platform.list_lag = list_lag
            bench.platform.plan["create", 1] = effect
            push = bench.survive(bench.create())
            assert push.state is PushState.SUCCEEDED, (effect, push)
            assert len(bench.platform.sources) == 1, (effect, parse_seconds, list_lag)
            made = 1 if effect.endswith("after") else 2
            assert bench.platform.calls["create"] == made
        trials += 1
    sys.stdout.write(f"{trials} lost creates with a list {lag} s late: 0 twice\n")
