"""A disk that fails under the state file: told in one sentence, nothing lost, nothing twice."""

import contextlib
import itertools
import json
import re
import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from support.sampling import sampled
from support.scene import Point, Scene

pytestmark = [pytest.mark.server, pytest.mark.timeout(4 * 3600)]

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename")
ERRORS = ("ENOSPC", "EIO", "EROFS")
PUSH = ("push", "resume")
REFRESH = ("auth", "refresh", "acme")


@pytest.mark.parametrize("last", ["", "+"], ids=["once", "from then on"])
def test_a_write_of_a_push_that_fails(one_push: Scene, last: str, whole: bool):
    """At each write and each sync of the state file, with the three errors in turn."""
    points, _ = one_push.points(one_push.resume, CALLS)
    codes = Counter[int]()
    turns = list(zip(points, itertools.cycle(ERRORS), strict=False))
    turns = turns[:: 1 if whole else 29]
    for point, error in sampled(turns, whole=whole):
        one_push.renew()
        ended = one_push.failing_at(one_push.resume, point, error, last)
        assert_told(ended.code, ended.stdout, (point, error))
        codes[ended.code] += 1
        one_push.assert_one_of_everything((point, error, last))
    sys.stdout.write(f"{codes.total()} points failed, of {len(points)}: exit codes {codes}\n")


def assert_told(code: int, stdout: str, trial: object) -> None:
    """An end that a script can rely on; 0 where what failed could be done without."""
    envelope = json.loads(stdout)
    assert code == envelope["exit_code"], trial
    assert code in (0, 75), (trial, envelope)
    if code == 75:
        [error] = envelope["errors"]
        assert error["retryable"], (trial, error)
        assert error["hint"], (trial, error)


@pytest.mark.parametrize("last", ["", "+"], ids=["once", "from then on"])
def test_a_write_of_a_refresh_that_fails(one_push: Scene, last: str, whole: bool):
    """The store is proven before the token is spent, so a disk that fails costs no login.

    But for one that fails for good between that proof and the answer: it can be kept nowhere.
    """
    points, _ = one_push.points(REFRESH, ("write", *CALLS))
    answered = answer_written(one_push) if last else None
    tried = lost = 0
    for point, error in sampled(
        itertools.product(points, ERRORS), whole=whole, share=0.5, at_least=1
    ):
        one_push.renew()
        tried += 1
        one_push.failing_at(REFRESH, point, error, last)
        after = one_push.warm(*REFRESH)
        if point == answered:
            assert (after.code, after.error_code) == (4, "AUTH_LOGIN_REQUIRED"), after.stdout
            lost += 1
        else:
            assert after.code == 0, (point, error, after.stdout)
        one_push.assert_no_trace((point, error))
    sys.stdout.write(f"{tried} failures in a refresh: {lost} lost the login, and said so\n")


def answer_written(scene: Scene) -> Point:
    """The write that keeps the platform's answer: the first one after the request."""
    points, _ = scene.points(REFRESH, ("write", "sendto"))
    scene.renew()
    sent = max(place for place, point in enumerate(points) if point.syscall == "sendto")
    return points[sent + 1]


def test_every_intent_is_on_the_disk_before_its_request_leaves(one_push: Scene):
    """A power cut takes nothing back that the platform may have seen.

    The row of an intent is known by its fingerprint: it is written to the state file's log, the log
    is synced, and only then does the request leave.
    """
    with tempfile.NamedTemporaryFile() as log:
        traced = "trace=pwrite64,fdatasync,sendto"
        ended = one_push.warm.strace(one_push.resume, ["-s", "4200", "-e", traced], Path(log.name))
        lines = Path(log.name).read_text("utf-8", "replace").splitlines()
    assert ended.code == 0, ended
    with contextlib.closing(sqlite3.connect(one_push.home / "state" / "state.db")) as state:
        rows = state.execute("SELECT fingerprint FROM push_call ORDER BY call_id").fetchall()
    posts = [n for n, line in enumerate(lines) if "sendto(" in line and '"POST ' in line]
    assert len(posts) == len(rows) == 5
    for (fingerprint,), post in zip(rows, posts, strict=True):
        written = next(n for n, line in enumerate(lines) if fingerprint in line)
        [descriptor] = re.findall(r"pwrite64\((\d+),", lines[written])
        synced = next(
            n for n in range(written, len(lines)) if f"fdatasync({descriptor})" in lines[n]
        )
        assert written < synced < post, (written, synced, post)
    sys.stdout.write(f"{len(posts)} of {len(posts)} requests left after their intent's sync\n")
