"""Many processes at once: one runs a push, a quota is never overrun, a dead one blocks nobody."""

import os
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from support.crowd import of_module
from support.push import Bench, memory_folder
from support.sampling import sampled
from support.scene import Scene
from support.warm import Ended, Started

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="forks and signals of POSIX"),
    pytest.mark.timeout(3600),
]

STARTERS = 32
UPLOAD = "data_source/file/upload"


def hold_uploads(scene: Scene) -> None:
    """Whoever uploads waits for longer than the test takes."""
    scene.sandbox.fault(UPLOAD, "delay", seconds=120)


def until_it_uploads(scene: Scene) -> None:
    while not scene.sandbox.requests(UPLOAD):
        time.sleep(0.002)


def is_held(ended: Ended) -> bool:
    return ended.run.code == 75 and ended.run.error_code == "PUSH_HELD"


def test_of_many_starters_one_runs_the_push(one_push: Scene, whole: bool):
    """The others are told who it is and since when, and end with 75."""
    rounds = 0
    for _ in sampled(range(50), whole=whole, share=0.2, at_least=1):
        one_push.renew()
        hold_uploads(one_push)
        running = {each.pid: each for each in (one_push.start() for _ in range(STARTERS))}
        ended = []
        for _ in range(STARTERS - 1):
            pid = next_to_end(running)
            ended.append(one_push.warm.wait(running.pop(pid)))
        [(winner, started)] = running.items()
        until_it_uploads(one_push)
        assert all(map(is_held, ended)), Counter(each.code for each in ended)
        for each in ended:
            assert re.search(rf"pid {winner}, 20[-0-9]+ [:0-9]+ \+08:00", each.stdout), each.stdout
        os.kill(winner, signal.SIGKILL)
        one_push.warm.wait(started)
        one_push.sandbox.clear_faults()
        one_push.assert_one_of_everything("starters")
        rounds += 1
    sys.stdout.write(f"{rounds} rounds of {STARTERS} starters: one runner each\n")


def next_to_end(running: dict[int, Started]) -> int:
    """A process that has ended and is not waited for yet."""
    while True:
        for pid in running:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return pid
        time.sleep(0.002)


def test_the_next_process_goes_on_at_once_when_the_holder_dies(one_push: Scene, whole: bool):
    """Nobody has to remove a lock: the kernel's vanishes with the process."""
    times = 0
    for _ in sampled(range(100), whole=whole, share=0.3):
        one_push.renew()
        hold_uploads(one_push)
        holder = one_push.start()
        until_it_uploads(one_push)
        assert is_held(one_push.warm.wait(one_push.start()))
        os.kill(holder.pid, signal.SIGKILL)
        assert one_push.warm.wait(holder).killed
        one_push.sandbox.clear_faults()
        one_push.assert_one_of_everything("holder")
        times += 1
    sys.stdout.write(f"{times} of {times} holders killed: the next process went on\n")


def test_many_processes_never_overrun_a_quota(whole: bool):
    """Exactly the day's hundred are granted of 1,280, and nobody meets a locked file."""
    rounds = 20 if whole else 1
    with memory_folder() as memory:
        folders = [memory / str(number) for number in range(rounds)]
        for folder in folders:
            folder.mkdir()
        benches = [Bench(folder) for folder in folders]
        [push_id] = {bench.create().push_id for bench in benches}
        words = ["128", "10", push_id, *map(str, folders)]
        for bench, granted in zip(benches, of_module("support.quota_claims", words), strict=True):
            assert all(isinstance(each, int) for each in granted), granted
            assert sum(granted) == 100
            stored = bench.store.get(push_id)
            assert stored is not None
            assert len(stored.calls) == 100
    sys.stdout.write(f"{rounds} rounds of 128 processes with 10 claims: 100 granted each time\n")
