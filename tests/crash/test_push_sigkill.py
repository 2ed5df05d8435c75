"""Real processes that run a push, killed with SIGKILL anywhere and resumed: one of everything."""

import os
import random
import signal
import sys
import time

import pytest

from support.sampling import sampled
from support.scene import SYSCALLS, Scene

pytestmark = [pytest.mark.server, pytest.mark.timeout(4 * 3600)]

STEPS = {
    "upload": "data_source/file/upload",
    "create": "data_source/create",
    "parse": "data_source/read",
    "share": "custom_audience/push_v2",
    "publish": "custom_audience/publish",
    "activate": "custom_audience/read",
    "copy": "custom_audience/copy",
}
RANDOM_RUNS, BATCHES = 1000, 4
DOUBLES = 260
FEW = 20  # trials of a small sample may all end before their kill


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(one_push: Scene, step: str):
    """While the request of the step is in the air."""
    one_push.sandbox.fault(STEPS[step], "delay", nth=1, seconds=0.4)
    process = one_push.start()
    while not one_push.sandbox.requests(STEPS[step]):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert one_push.warm.wait(process).killed
    one_push.sandbox.clear_faults()
    one_push.assert_one_of_everything(step)


@pytest.mark.parametrize("calls", [SYSCALLS[:1], SYSCALLS[1:]], ids=["pwrite64", "others"])
def test_killed_at_any_system_call(one_push: Scene, calls: tuple[str, ...], whole: bool):
    """At the entry of each call that changes something outside the process, then resumed."""
    points, _ = one_push.points(one_push.resume, calls)
    assert len(points) > 100
    random.Random(1).shuffle(points)
    killed = tried = 0
    for point in sampled(points, whole=whole):
        one_push.renew()
        tried += 1
        killed += one_push.killed_at(one_push.resume, point).killed
        one_push.assert_one_of_everything(point)
    sys.stdout.write(f"{killed} of {tried} points killed, of {len(points)}; 0 lost, 0 twice\n")
    sys.stdout.write(f"searched for people and secrets: {dict(one_push.searched)}\n")
    assert killed >= 0.9 * tried


def test_killed_and_killed_again_while_resuming(one_push: Scene, whole: bool):
    """A kill, a resume that is killed too, and the next one makes it good."""
    points, _ = one_push.points(one_push.resume)
    draw = random.Random(2)
    # The second run has less left to do, so its point is among the earlier ones.
    pairs = ((draw.choice(points), draw.choice(points[: len(points) // 3])) for _ in range(DOUBLES))
    first = second = tried = 0
    for at, then_at in sampled(pairs, whole=whole):
        one_push.renew()
        tried += 1
        first += one_push.killed_at(one_push.resume, at).killed
        second += one_push.killed_at(one_push.resume, then_at).killed
        one_push.assert_one_of_everything((at, then_at))
    sys.stdout.write(f"{tried} pairs: {first} first and {second} second kills; 0 lost, 0 twice\n")
    assert first >= 0.9 * tried
    assert second >= (0.5 * tried if tried >= FEW else 0)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_killed_three_times_at_random_moments(one_push: Scene, whole: bool, batch: int):
    """Wherever the clock happens to find the process."""
    began = time.monotonic()
    one_push.warm(*one_push.resume)
    length = time.monotonic() - began
    draw = random.Random(batch)
    runs = killed = 0
    for _ in sampled(range(RANDOM_RUNS // BATCHES), whole=whole, share=1 / BATCHES):
        one_push.renew()
        runs += 1
        for _ in range(3):
            process = one_push.start()
            time.sleep(draw.uniform(0, length))
            os.kill(process.pid, signal.SIGKILL)
            hit = one_push.warm.wait(process).killed
            killed += hit
            length *= 1.05 if hit else 0.8  # the machine may be busier or idler than it was
        one_push.assert_one_of_everything(runs)
    sys.stdout.write(f"{runs} runs with {killed} kills; 0 lost, 0 twice\n")
    assert killed >= (runs if runs >= FEW else 1)
