"""Kills a real `yuntu-push` process with SIGKILL, at a request or at a system call."""

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.cli import TEST_ENVIRONMENT, command
from support.world import World

# Short waits, so that a lost reply is judged within the test's patience.
QUICK = {
    "YUNTU_PUSH_PUSH_POLL": "0.1",
    "YUNTU_PUSH_PUSH_SETTLE": "1",
    "YUNTU_PUSH_PUSH_RECONCILE_WAIT": "3",
    "YUNTU_PUSH_JSON": "1",
}
SYSCALLS = ("pwrite64", "fdatasync", "sendto", "recvfrom", "connect")
_COUNTED = re.compile(r"^(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\(| resumed)")


def environment(world: World) -> dict[str, str]:
    """The environment of a process in a world."""
    return {**TEST_ENVIRONMENT, **os.environ, **QUICK, "YUNTU_PUSH_HOME": str(world.home)}


def create_words(world: World, name: str) -> list[str]:
    """`push create` of the world's segment to its brand, to the end."""
    account, brand = world.bound_account()
    return command(
        "push", "create", "--name", name, "--segment", "vip", "--again", "--wait", "--timeout",
        "60s", "--account", account["advertiser_id"], "--brand", brand["brand_id"],
    )  # fmt: skip


def killed_at_request(world: World, words: Sequence[str], ending: str) -> bool:
    """Start `words` and SIGKILL it while its next request for `ending` is in the air."""
    world.sandbox.clear_faults()
    world.sandbox.fault(ending, "delay", nth=1, seconds=0.4)
    seen = len(world.sandbox.requests(ending))
    process = subprocess.Popen(
        words, env=environment(world), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and len(world.sandbox.requests(ending)) == seen:
        time.sleep(0.01)
    process.kill()
    process.wait()
    world.sandbox.clear_faults()
    return process.returncode == -signal.SIGKILL


def syscalls_of(world: World, words: Sequence[str], log: Path) -> Counter[str]:
    """How often each system call of interest is made when nothing goes wrong."""
    subprocess.run(
        ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(SYSCALLS)}", *words],
        env=environment(world), check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    lines = (_COUNTED.match(line) for line in log.read_text("utf-8").splitlines())
    return Counter(match[1] for match in lines if match)


def killed_at_syscall(world: World, words: Sequence[str], syscall: str, nth: int) -> bool:
    """Run `words` and SIGKILL it at the entry of the n-th `syscall`; whether it came to that."""
    done = subprocess.run(
        [
            "strace", "-f", "-qq", "-o", os.devnull,
            "-e", f"inject={syscall}:signal=KILL:when={nth}", *words,
        ],
        env=environment(world), check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    return done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def brought_to_its_end(world: World, name: str) -> dict[str, Any]:
    """The push called `name` after as many resumes as it takes; made when it was not stored."""
    listed = world.json("push", "list").data["pushes"]
    found = [push for push in listed if push["name"] == name]
    if not found:
        words = create_words(world, name)
    else:
        [push] = found
        words = command("push", "resume", push["push_id"], "--wait", "--timeout", "60s")
    push = _answered(world, words)
    if push["state"] == "needs_operator":  # a copy that nothing shows: a person looks in Yuntu
        seen = made_for(world, push)[2] == 1
        words = command(
            "push", "copy", push["push_id"], "--brand", push["brands"][0]["brand_id"],
            "--done" if seen else "--again",
        )  # fmt: skip
        push = _answered(world, words)
    return push


def _answered(world: World, words: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(
        words, env=environment(world), check=False, capture_output=True, timeout=120
    )
    assert done.stdout, done.stderr.decode()
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return data


def made_for(world: World, push: dict[str, Any]) -> tuple[int, int, int]:
    """How many data sources, publishes and copies the platform has of a push."""
    state = world.sandbox.state()
    sources = [s for s in state["data_sources"] if s["name"] == push["audience_name"]]
    audiences = {str(s["audience_id"]) for s in sources}
    publishes = [p for p in state["publishes"] if str(p["custom_audience_id"]) in audiences]
    copies = [c for c in state["copies"] if str(c["audience_id"]) in audiences]
    return len(sources), len(publishes), len(copies)
