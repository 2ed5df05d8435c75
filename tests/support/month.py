"""A month of cron: the lines of the README, run by the clock of a sandbox where things go wrong.

The sandbox is a process of its own at the platform's speed, and its clock is the only one: a run
sees it as the machine's time, and when a run sleeps, the clock is stepped. Runs are made either in
this process, so that what it holds on to can be measured, or as processes that may be killed.
"""

import contextlib
import gc
import io
import json
import os
import random
import re
import shlex
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from support.cli import TEST_ENVIRONMENT, Run, command, yuntu_json
from support.world import phones, write_csv
from yuntu_push.adapters.system import SystemClock
from yuntu_push.sandbox.clock import BEIJING
from yuntu_push.sandbox.idsets import digest, unite

README = Path(__file__).resolve().parents[2] / "README.md"
PHONE = 6  # the wire's number of MOBILE_HASH_SHA256
# When cron's second line is looked at: it really runs every ten minutes, most of the time in vain.
TICKS = (
    "02:40", "03:00", "03:30", "03:40", "04:00", "04:20", "04:40", "05:00", "05:30", "06:00",
    "06:30", "07:30", "09:00", "12:00", "16:00", "21:00",
)  # fmt: skip
FEW_TICKS = ("02:50", "03:30", "04:30", "05:30", "06:30", "08:00", "13:00", "20:00")

ENTRY = """
pushes:
  vip_daily:
    name: 高价值会员
    account: "1700000000000001"
    brands: ["10250001"]
    mode: {mode}
    copy: each
    publish_at: "03:30"
    expect_every: 26h
    segment:
      name: vip
      csv: ["{csv}"]
      ids: {{MOBILE_HASH_SHA256: 手机号}}
"""
WRITES = (
    "data_source/file/upload", "data_source/create", "data_source/update",
    "custom_audience/push_v2", "custom_audience/publish", "custom_audience/copy",
)  # fmt: skip
UNPARSABLE = {"route": "data_source/update", "effect": "fail_parse", "message": "解析失败"}
READS = ("data_source/read", "custom_audience/read", "custom_audience/select")
# Makes the machine's time of a child process the sandbox's.
_SITE = """
import os
if "TEST_CLOCK_URL" in os.environ:
    from support.month import Ahead, follow
    follow(Ahead(os.environ["TEST_CLOCK_URL"], float(os.environ["TEST_CLOCK_OFFSET"])))
"""


def cron_lines() -> list[tuple[str, list[str]]]:
    """The lines of the README's section on cron: when, and the words after `yuntu-push`."""
    section = README.read_text("utf-8").partition("\n## Cron\n")[2].partition("\n## ")[0]
    found = re.findall(r"^((?:\S+ +){5})yuntu-push (.*)$", section, re.MULTILINE)
    return [(when.strip(), shlex.split(words)) for when, words in found]


class Ahead:
    """The machine's clock with an offset; sleeping steps it, and the sandbox's with it."""

    def __init__(self, url: str, offset: float) -> None:
        self.url = url
        self.offset = offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.offset, UTC)

    def monotonic(self) -> float:
        return time.monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.offset += seconds
            post(self.url, "clock", advance=seconds)


def post(url: str, name: str, **given: Any) -> Any:
    """What the sandbox answers to a POST of its own interface."""
    request = urllib.request.Request(
        f"{url}/_sandbox/{name}",
        json.dumps(given).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def follow(clock: Ahead, put: Callable[[type, str, object], None] = setattr) -> None:
    """Let this process live by `clock`."""
    for name in ("now", "monotonic", "sleep"):
        method = getattr(clock, name)
        put(SystemClock, name, lambda _self, *args, method=method: method(*args))


@dataclass
class Growth:
    """What this process holds: resident bytes and open files, after each run from the `warm`th."""

    warm: int
    resident: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    runs: int = 0

    def note(self) -> None:
        self.runs += 1
        if self.runs < self.warm:
            return
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        self.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.files.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208

    @property
    def resident_growth(self) -> int:
        """Bytes between the mean of the first tenth and that of the last."""
        tenth = max(1, len(self.resident) // 10)
        first, last = self.resident[:tenth], self.resident[-tenth:]
        return sum(last) // len(last) - sum(first) // len(first)

    @property
    def files_growth(self) -> int:
        return self.files[-1] - self.files[0]


class Month:
    """A home, its sandbox, and the days that pass over both."""

    def __init__(self, folder: Path, url: str, state_file: Path, *, seed: int, mode: str) -> None:
        self.home = folder
        self.url = url
        self.clock = Ahead(url, 0.0)
        self.chance = random.Random(seed)
        self.mode = mode
        self.source = folder / "members.csv"
        self.people: list[str] = []
        self.codes: Counter[tuple[str, int]] = Counter()
        self.faults: Counter[str] = Counter()
        self.killed = 0
        self.runs = 0
        self.problems: list[str] = []
        self._state_file = state_file
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=30)
        self._site = folder / "site"

    def close(self) -> None:
        self._http.close()

    # The days.

    def begin(self) -> None:
        """The first midnight in Beijing that comes."""
        now = datetime.now(BEIJING)
        midnight = datetime(now.year, now.month, now.day, tzinfo=BEIJING) + timedelta(days=1)
        self.go_to(midnight)

    def at(self, clock_time: str) -> None:
        """Let time pass until the clocks of Beijing show `clock_time` today."""
        hour, minute = map(int, clock_time.split(":"))
        today = self.clock.now().astimezone(BEIJING)
        due = today.replace(hour=hour, minute=minute, second=1, microsecond=0)
        if due > today:
            self.go_to(due)

    def go_to(self, moment: datetime) -> None:
        self.clock.sleep((moment - self.clock.now()).total_seconds())

    def next_day(self) -> None:
        today = self.clock.now().astimezone(BEIJING)
        self.go_to(datetime(today.year, today.month, today.day, tzinfo=BEIJING) + timedelta(days=1))

    # The source.

    def change_source(self, day: int) -> None:
        """A tenth of the people leave, others come."""
        fresh = phones(60, seed=1000 + day)
        if not self.people:
            self.people = phones(400, seed=1)
        self.chance.shuffle(self.people)
        self.people = [*self.people[self.chance.randrange(20, 60) :], *fresh]
        self.write_source(self.people)

    def write_source(self, people: Sequence[str]) -> None:
        write_csv(self.source, "手机号", people)

    # The faults.

    def spoil(self) -> None:
        """Something for the next run: a lost request or answer, an outage, a throttle, a lag."""
        write, read = self.chance.choice(WRITES), self.chance.choice(READS)
        either = self.chance.choice((write, read))
        plans: list[dict[str, Any]] = [
            {"route": write, "effect": "drop_before", "nth": 1},
            {"route": write, "effect": "drop_after", "nth": 1},
            {"route": write, "effect": "http_502", "nth": 1, "after": True},
            {"route": write, "effect": "http_500", "nth": 1},
            {"route": write, "effect": "html", "nth": 1, "after": True},
            {"route": write, "effect": "half_json", "nth": 1, "after": True},
            {"route": write, "effect": "refuse", "code": 50000, "from": 1, "to": 2},
            {"route": either, "effect": "refuse", "code": 40100, "retry_in": 7, "nth": 1},
            {"route": either, "effect": "http_429", "retry_after": 400, "nth": 1},
            {"route": either, "effect": "refuse", "code": 40110, "from": 1, "to": 3},
            {"route": read, "effect": "http_503"},
            {"route": read, "effect": "empty", "nth": 1},
            {"route": "custom_audience/copy", "effect": "drop_after"},
            {"route": "custom_audience/publish", "effect": "drop_before", "from": 1, "to": 2},
            {"route": "data_source/update", "effect": "slow", "factor": 2.0, "nth": 1},
            {"route": "data_source/read", "effect": "list_lag", "seconds": 900, "nth": 1},
            {"route": read, "effect": "clock_jump", "seconds": self.chance.choice((-90, 90))},
        ]
        self.fault(**self.chance.choice(plans))

    def fault(self, **plan: Any) -> None:
        """One fault until the next run is over."""
        self.faults[str(plan["effect"])] += 1
        post(self.url, "faults", **plan)

    def mend(self) -> None:
        post(self.url, "faults/clear")
        # A clock that jumped is set right by the platform; ours is the measure.
        post(self.url, "clock", set=self.clock.now().isoformat())

    # The runs.

    def in_process(self, words: Sequence[str]) -> int:
        """One run of the command line in this process; its exit code."""
        import typer.main

        from yuntu_push.cli.main import app

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = typer.main.get_command(app).main(args=list(words), standalone_mode=False)
        return self._noted(words, int(code), err.getvalue())

    def as_process(self, words: Sequence[str], *, kill_after: float | None = None) -> int:
        """One run as a process of its own, killed after some seconds; its exit code."""
        process = subprocess.Popen(
            command(*words), env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        try:
            _, err = process.communicate(timeout=kill_after or 120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.killed += 1
            self._look_at_the_clock()
            return -signal.SIGKILL
        self._look_at_the_clock()
        return self._noted(words, process.returncode, err)

    def _look_at_the_clock(self) -> None:
        """A child that slept stepped the sandbox's clock: follow it."""
        now = self._http.get("/_sandbox/state").json()["now"]
        self.clock.offset = max(self.clock.offset, now - time.time())

    def _noted(self, words: Sequence[str], code: int, err: str) -> int:
        self.runs += 1
        self.codes[" ".join(words[:2]), code] += 1
        if code in (1, 2) or "Traceback" in err:
            self.problems.append(f"{self.clock.now():%d %H:%M} {words} -> {code}: {err[-600:]}")
        return code

    def environment(self) -> Mapping[str, str]:
        """Of a process that lives by the sandbox's clock."""
        tests = Path(__file__).resolve().parents[1]
        self._site.mkdir(exist_ok=True)
        (self._site / "sitecustomize.py").write_text(_SITE, "utf-8")
        return {
            **TEST_ENVIRONMENT,
            **os.environ,
            "YUNTU_PUSH_HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join([str(self._site), str(tests)]),
            "TEST_CLOCK_URL": self.url,
            "TEST_CLOCK_OFFSET": str(self.clock.offset),
        }

    # What came of it.

    def platform(self) -> dict[str, Any]:
        """What the platform has now."""
        state: dict[str, Any] = self._http.get("/_sandbox/state").json()
        return state

    def is_what_the_source_has(self, audience: Mapping[str, Any]) -> bool:
        """Whether the published content is exactly the people of the source."""
        _, state = json.loads(self._state_file.read_text("utf-8"))
        hashes = [sha256(person.encode()).hexdigest() for person in self.people]
        wanted = unite([digest(state["salt"].encode(), hashes)])
        name = sha256(wanted.tobytes()).hexdigest()[:32]
        return dict(audience["published_content"]) == {str(PHONE): name}

    def run(self, *words: str) -> Run:
        """A command of a person, with its answer."""
        return yuntu_json(*words, home=self.home, env=self.environment())


@contextlib.contextmanager
def month(folder: Path, *, seed: int, mode: str) -> Iterator[Month]:
    """A logged-in home with one entry, and a sandbox at the platform's own speed."""
    folder.mkdir(parents=True)
    state_file = folder / "platform.json"
    process = subprocess.Popen(
        command(
            "sandbox", "serve", "--speed", "1", "--state-file", str(state_file),
            "--switch", "brand_readable=true",
        ),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        made = Month(folder / "home", facts["url"], state_file, seed=seed, mode=mode)
        made.home.mkdir()
        with contextlib.closing(made):
            made.begin()
            _set_up(made, facts)
            yield made
    finally:
        process.terminate()
        process.wait(timeout=20)
        if process.stdout is not None:
            process.stdout.close()


def _set_up(made: Month, facts: Mapping[str, Any]) -> None:
    env = made.environment()
    added = yuntu_json(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", facts["app_id"],
        "--auth-url", facts["auth_url"], "--api-url", facts["url"], "--secret-stdin",
        home=made.home, stdin=facts["secret"], env=env,
    )  # fmt: skip
    assert added.code == 0, added.stdout
    code = post(made.url, "authorize")["auth_code"]
    login = yuntu_json(
        "auth", "login", "acme", "--paste", home=made.home, stdin=f"{code}\n", env=env
    )
    assert login.code == 0, login.stdout + login.stderr
    config = made.home / "config.yaml"
    entry = ENTRY.format(mode=made.mode, csv=made.source)
    config.write_text(config.read_text("utf-8") + entry, "utf-8")


def live(
    made: Month,
    days: int,
    ticks: Sequence[str],
    *,
    processes: bool,
    growth: Growth | None = None,
) -> None:
    """Let `days` days pass, each with one run of the first line and `ticks` of the second.

    The source changes every day; on some days it is late, or has lost most people, or the platform
    cannot parse it.
    """
    (daily, run_words), (_, resume_words) = cron_lines()
    minute, hour = daily.split()[:2]
    for day in range(days):
        last = day == days - 1
        made.change_source(day)
        late, halved = not last and day % 7 == 3, not last and day % 10 == 8
        if late:
            made.write_source([])
        if halved:
            made.write_source(made.people[: len(made.people) // 3])
        unparsable = not last and day % 8 == 5
        made.at(f"{hour}:{minute}")
        if unparsable:
            made.fault(**UNPARSABLE)
        _one(made, run_words, processes=processes, growth=growth)
        for tick in ticks:
            made.at(tick)
            if late and tick >= "05:00":
                made.write_source(made.people)
            if unparsable and tick in ticks[:3]:
                made.fault(**UNPARSABLE)
            _one(made, resume_words, processes=processes, growth=growth)
        made.next_day()


def _one(made: Month, words: list[str], *, processes: bool, growth: Growth | None) -> None:
    if made.chance.random() < 0.4:
        made.spoil()
    if processes:
        kill = made.chance.random() < 0.1
        after = made.chance.uniform(0.1, 1.0) if kill else None
        made.as_process(words, kill_after=after)
    else:
        made.in_process(words)
    made.mend()
    if growth is not None:
        growth.note()


def report(made: Month, growth: Growth | None = None) -> str:
    """What was measured, in one line for each figure."""
    lines = [
        f"{made.runs} runs, {made.killed} more killed, {sum(made.faults.values())} faults: "
        + ", ".join(f"{name} {count}" for name, count in made.faults.most_common()),
        "exit codes: "
        + ", ".join(f"{words} {code}: {n}" for (words, code), n in sorted(made.codes.items())),
    ]
    if growth is not None:
        lines.append(
            f"resident {growth.resident_growth / 1e6:+.1f} MB over {growth.runs - growth.warm} "
            f"runs (now {growth.resident[-1] / 1e6:.0f} MB), open files {growth.files_growth:+d}"
        )
    return "\n".join(lines) + "\n"
