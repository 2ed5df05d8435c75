"""A home with one push and the platform it goes to, put back to their beginning before each trial.

What a trial does to them is judged by what the platform ends with, by what lies in the home and by
what was printed: nothing lost, nothing twice, nothing personal anywhere, nothing open to others.
"""

import base64
import contextlib
import copy
import hashlib
import re
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cli import TEST_ENVIRONMENT
from support.warm import Ended, Started, Warm, warm_processes
from support.world import World, phones, world

# Short waits, so that a lost reply is judged within the test's patience.
QUICK = {
    "YUNTU_PUSH_PUSH_POLL": "0.1",
    "YUNTU_PUSH_PUSH_SETTLE": "1",
    "YUNTU_PUSH_PUSH_RECONCILE_WAIT": "3",
}
# What changes something outside the process, or learns what the platform did. A kill at any other
# system call (a look at a file, memory, a wait) is the same as one at the next of these.
SYSCALLS = (
    "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename", "write", "openat", "close",
    "connect", "sendto", "recvfrom",
)  # fmt: skip
PEOPLE, SEED = 50, 7
_CALL = re.compile(r"^(\d+) +(\w+)\(")


def needles(issued: Sequence[str]) -> re.Pattern[bytes]:
    """What must be found nowhere: ids, their digests in every spelling, the Secret, tokens."""
    found = [text.encode() for text in issued if text]
    for phone in phones(PEOPLE, SEED):
        digest = hashlib.sha256(phone.encode()).digest()
        found += [phone.encode(), digest, digest.hex().encode(), base64.b64encode(digest)[:40]]
        found.append(hashlib.md5(phone.encode()).hexdigest().encode())
    return re.compile(b"|".join(map(re.escape, found)))


@dataclass(frozen=True)
class Point:
    """The n-th call of a system call, counted from the first step of a run."""

    syscall: str
    nth: int


class Scene:
    """One push, `push_id`, that was stored by a process killed before it took the push's lock."""

    def __init__(self, made: World, warm: Warm, kept: Path) -> None:
        self.made, self.warm = made, warm
        self.sandbox, self.home = made.sandbox, made.home
        self._kept = kept
        self.searched = Counter[str]()
        """How many files and outputs were searched for ids and secrets."""
        account, brand = made.bound_account()
        self.advertiser_id: str = account["advertiser_id"]
        self.brand_id: str = brand["brand_id"]
        words = (
            "push", "create", "--name", "会员", "--segment", "vip", "--again", "--wait",
            "--account", self.advertiser_id, "--brand", self.brand_id,
        )  # fmt: skip
        self._keep()
        warm.learn(*words)
        self.renew()
        assert self.killed_at(words, Point("flock", 1)).killed
        [push] = warm("push", "list").data["pushes"]
        self.push_id: str = push["push_id"]
        self.resume = ("push", "resume", self.push_id, "--wait", "--timeout", "90s")
        self._keep()
        warm.ended.clear()

    def _keep(self) -> None:
        self._platform = copy.deepcopy(self.sandbox.world.state)
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.home, self._kept)

    def renew(self) -> None:
        """Back to the beginning, without faults."""
        self.sandbox.clear_faults()
        self.sandbox.control("requests/clear")
        self.sandbox.world.clock.offset = 0.0
        self.sandbox.world.state = copy.deepcopy(self._platform)
        shutil.rmtree(self.home)
        shutil.copytree(self._kept, self.home)

    def start(self) -> Started:
        """A process that resumes the push."""
        return self.warm.start(self.resume)

    def points(
        self, words: Sequence[str], syscalls: Sequence[str] = SYSCALLS
    ) -> tuple[list[Point], Ended]:
        """Every call of `syscalls` that a run of `words` makes once it has its first lock."""
        with tempfile.NamedTemporaryFile() as log:
            ended = self.warm.strace(words, [], Path(log.name))
            lines = Path(log.name).read_text("utf-8", "replace").splitlines()
        calls = [match for line in lines if (match := _CALL.match(line))]
        # strace counts for each thread; all that matters here is done by the first one.
        main = calls[0][1]
        seen, points, locked = Counter[str](), [], False
        for match in calls:
            if match[1] != main:
                continue
            seen[match[2]] += 1
            locked = locked or match[2] == "flock"
            if locked and match[2] in syscalls:
                points.append(Point(match[2], seen[match[2]]))
        return points, ended

    def killed_at(self, words: Sequence[str], point: Point) -> Ended:
        """A run of `words` that gets SIGKILL as it enters a system call, if it comes to it."""
        when = f"inject={point.syscall}:signal=KILL:when={point.nth}"
        return self.warm.strace(words, ["-e", f"trace={point.syscall}", "-e", when])

    def failing_at(self, words: Sequence[str], point: Point, error: str, last: str) -> Ended:
        """A run in which a system call fails; `last` is "" for that call alone, "+" for ever."""
        when = f"inject={point.syscall}:error={error}:when={point.nth}{last}"
        return self.warm.strace(words, ["-e", f"trace={point.syscall}", "-e", when])

    def brought_to_its_end(self, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The push after a resume and, where the platform shows nothing, a person's look."""
        run = self.warm(*self.resume, env=env)
        assert run.stdout, run.stderr
        push: dict[str, Any] = run.data
        if push["state"] == "needs_operator":
            word = "--done" if self.sandbox.world.state.copies else "--again"
            words = ("push", "copy", self.push_id, "--brand", self.brand_id, word)
            push = self.warm(*words, env=env).data
        return push

    def assert_one_of_everything(self, trial: object, env: Mapping[str, str] | None = None) -> None:
        """Bring the push to its end: one data source, one publish, one copy, and no trace."""
        push = self.brought_to_its_end(env)
        assert push["state"] == "succeeded", (trial, push)
        state = self.sandbox.world.state
        published = [p for audience in state.audiences.values() for p in audience.publishes]
        made = (len(state.data_sources), len(published), len(state.copies))
        assert made == (1, 1, 1), (trial, made)
        self.assert_no_trace(trial)

    def assert_no_trace(self, trial: object) -> None:
        """No id, Secret or token in any file or output so far, and no file open to others."""
        unwanted = needles([str(self.sandbox.secret), *self.sandbox.tokens()])
        for ended in self.warm.ended:
            said = (ended.stdout + ended.stderr).encode()
            assert unwanted.search(said) is None, (trial, said)
            assert b"Traceback" not in said, (trial, said.decode())
        self.searched["outputs"] += len(self.warm.ended)
        self.warm.ended.clear()
        for path in self.home.rglob("*"):
            assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, (trial, path)
            sealed = path.suffix == ".zip" or path.relative_to(self.home).parts[0] == "secrets"
            if path.is_file() and not sealed:
                assert unwanted.search(path.read_bytes()) is None, (trial, path)
                self.searched["files"] += 1


@contextlib.contextmanager
def scene(**sandbox_options: Any) -> Iterator[Scene]:
    """A scene in memory where the machine has it, so that no trial waits for a disk."""
    memory = Path("/dev/shm")
    options = {"speed": 1e6, "brand_readable": True, **sandbox_options}
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        world(Path(folder) / "home", **options) as made,
    ):
        made.build(count=PEOPLE, seed=SEED)
        for source in made.home.glob("*.csv"):
            source.unlink()
        spare = Path(folder) / "tmp"
        spare.mkdir()
        made.home.chmod(0o700)
        environ = {
            **TEST_ENVIRONMENT, **QUICK, "YUNTU_PUSH_JSON": "1",
            "YUNTU_PUSH_HOME": str(made.home), "TMPDIR": str(spare),
        }  # fmt: skip
        with warm_processes(environ) as warm:
            yield Scene(made, warm, Path(folder) / "kept")
            assert list(spare.iterdir()) == [], "something was left in the folder for all"
