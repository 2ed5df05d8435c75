"""The sandbox under load: how soon it serves, ten clients at once, 50 MB uploads beside them.

    python -m bench.sandbox_load [--clients 10] [--rounds 20] [--starts 7]

Prints a Markdown table. The server is `yuntu-push sandbox serve` in a process of its own.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.sandbox import OWNER, phone_zip

COMMAND = [sys.executable, "-m", "yuntu_push", "sandbox", "serve", "--speed", "1e6"]


def cpu_seconds(pid: int) -> float:
    """Processor seconds that a process used so far."""
    spent = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(*words: str) -> Iterator[tuple[dict[str, str], int, float]]:
    """A sandbox process: its facts, its pid, and the seconds until it served."""
    began = time.monotonic()
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        seconds = time.monotonic() - began
        httpx.get(facts["console_url"], trust_env=False).raise_for_status()
        try:
            yield facts, process.pid, seconds
        finally:
            process.terminate()


@dataclass
class Client:
    """One client of the platform's interface; it keeps how long each call took."""

    facts: dict[str, str]
    token: str = ""
    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.facts["url"], trust_env=False, timeout=120)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The `data` of an answer."""
        began = time.monotonic()
        headers = {"Access-Token": self.token}
        answer = self.http.request(method, f"/open_api/{path}", headers=headers, **options).json()
        self.seconds.append(time.monotonic() - began)
        self.refused += answer["code"] != 0
        return answer.get("data")

    def log_in(self) -> None:
        """A token, without the page."""
        code = self.http.post("/_sandbox/authorize", json={}).json()["auth_code"]
        body = {"app_id": int(self.facts["app_id"]), "secret": self.facts["secret"]}
        self.token = self.call("POST", "oauth2/access_token/", json={**body, "auth_code": code})[
            "access_token"
        ]

    def upload(self, content: bytes) -> str:
        """The path of an uploaded zip."""
        form = {"advertiser_id": str(OWNER), "file_signature": hashlib.md5(content).hexdigest()}
        files = {"file": ("part.zip", content, "application/zip")}
        path: str = self.call("POST", "2/dmp/data_source/file/upload/", data=form, files=files)[
            "file_path"
        ]
        return path

    def work(self, content: bytes, rounds: int) -> None:
        """Upload, then read as a push reads while it waits."""
        for _ in range(rounds):
            self.upload(content)
            for _ in range(4):
                self.call("GET", "2/user/info/")
                self.call("GET", "2/dmp/brand/get/", params={"advertiser_id": OWNER})
                query = {"advertiser_id": OWNER, "limit": 100}
                self.call("GET", "2/dmp/custom_audience/select/", params=query)


def large_zip(ids: int) -> bytes:
    """A DMP zip of SHA-256 phones of about `ids` times 46 bytes."""
    return phone_zip(0, ids)


def peak_mb(pid: int) -> float:
    """The most memory the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


_SPENT: dict[int, float] = {}


def row(what: str, seconds: list[float], wall: float, refused: int, pid: int) -> None:
    """One line of the table; the CPU seconds are those since the line before."""
    spent = cpu_seconds(pid)
    cpu = spent - _SPENT.get(pid, 0.0)
    _SPENT[pid] = spent
    ordered = sorted(seconds)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 for share in (0.5, 0.95)]
    print(
        f"| {what} | {len(ordered)} | {refused} | {wall:.2f} | {cpu:.2f} "
        f"| {len(ordered) / wall:.0f} "
        f"| {at[0]:.1f} | {at[1]:.1f} | {ordered[-1] * 1e3:.0f} | {peak_mb(pid):.0f} |",
        flush=True,
    )


def crowd(
    facts: dict[str, str], token: str, count: int, content: bytes, rounds: int
) -> list[Client]:
    """`count` clients at work side by side."""
    clients = [Client(facts, token) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda client: client.work(content, rounds), clients))
    return clients


def total(clients: list[Client]) -> tuple[list[float], int]:
    """All calls' seconds and the refusals."""
    return [s for client in clients for s in client.seconds], sum(c.refused for c in clients)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=10)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--starts", type=int, default=7)
    asked = options.parse_args()

    starts, spent = [], []
    for _ in range(asked.starts):
        with serving() as (_, pid, seconds):
            starts.append(seconds)
            spent.append(cpu_seconds(pid))
    print(
        f"From start to serving, {asked.starts} times: median {statistics.median(starts):.2f} s "
        f"({min(starts):.2f}–{max(starts):.2f}), of which {statistics.median(spent):.2f} CPU s; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    small, large = phone_zip(0, 2_000), large_zip(1_080_000)
    print(f"Small zip {len(small) / 1e6:.2f} MB, large zip {len(large) / 1e6:.1f} MB\n")
    print(
        "| what | calls | refused | wall s | server CPU s | calls/s | p50 ms | p95 ms | max ms "
        "| peak RSS MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    with serving("--switch", "upload_limit=0") as (facts, pid, _):
        first = Client(facts)
        first.log_in()
        began = time.monotonic()
        clients = crowd(facts, first.token, asked.clients, small, asked.rounds)
        seconds, refused = total(clients)
        row(f"{asked.clients} clients", seconds, time.monotonic() - began, refused, pid)

        began = time.monotonic()
        big = Client(facts, first.token)
        big.upload(large)
        row("one large upload alone", big.seconds, time.monotonic() - began, big.refused, pid)

        big = Client(facts, first.token)
        uploading = threading.Thread(target=big.upload, args=[large])
        began = time.monotonic()
        uploading.start()
        clients = crowd(facts, first.token, asked.clients, small, asked.rounds)
        seconds, refused = total(clients)
        row(
            f"{asked.clients} clients beside a large upload",
            seconds, time.monotonic() - began, refused, pid,
        )  # fmt: skip
        uploading.join()
        row("↳ the large upload", big.seconds, time.monotonic() - began, big.refused, pid)

        began = time.monotonic()
        bigs = [Client(facts, first.token) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda client: client.upload(large), bigs))
        seconds, refused = total(bigs)
        row("three large uploads at once", seconds, time.monotonic() - began, refused, pid)


if __name__ == "__main__":
    main()
