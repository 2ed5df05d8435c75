"""A world for `demo`: a temporary home, a sandbox that consents by itself, a sample of members."""

import contextlib
import csv
import os
import random
import socket
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yuntu_push.sandbox.options import SandboxOptions

DEMO_SPEED = 3600.0  # an hour of parsing in a second
_OTHERS = ("", "无", "138****8000", "1.38E+10", "0571-88888888")


@dataclass(frozen=True)
class DemoWorld:
    """What the demo's commands need; `environ` keeps them away from the person's own things."""

    environ: Mapping[str, str]
    announcement: Mapping[str, Any]
    callback_url: str
    sample_csv: Path

    def follow(self, url: str) -> None:
        """Open a URL as the person's browser would, redirects included."""
        if not url.startswith(str(self.announcement["url"])):
            raise ValueError("the demo follows its own sandbox only")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=30) as page:
            page.read()


@contextlib.contextmanager
def demo_world(rows: int, environ: Mapping[str, str]) -> Iterator[DemoWorld]:
    """A running world; everything in it is gone afterwards."""
    from yuntu_push.sandbox.server import SandboxServer

    with tempfile.TemporaryDirectory(prefix="yuntu-push-demo-") as folder:
        home = Path(folder)
        sample = home / "members.csv"
        _write_sample(sample, rows)
        options = SandboxOptions(speed=DEMO_SPEED, auto_consent=True)
        with SandboxServer(options) as server:
            kept = {k: v for k, v in environ.items() if not k.startswith("YUNTU_PUSH_")}
            yield DemoWorld(
                environ={
                    **kept,
                    "YUNTU_PUSH_HOME": str(home / "home"),
                    "YUNTU_PUSH_SECRETS": "file",
                    "YUNTU_PUSH_API_RATE": "100",  # the sandbox minds no hurry
                    "NO_PROXY": "127.0.0.1,localhost",
                },
                announcement=server.facts(),
                callback_url=f"http://127.0.0.1:{free_port()}/oauth/callback",
                sample_csv=sample,
            )


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_sample(path: Path, rows: int) -> None:
    """Members with made-up phones, a few of them as lists from real life look."""
    draw = random.Random(20)  # noqa: S311 - a sample, the same every time
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["会员号", "手机号", "等级"])
        for number in range(1, rows + 1):
            phone = f"1{draw.choice('3456789')}{draw.randrange(10**9):09d}"
            if number % 50 == 0:
                phone = draw.choice(_OTHERS)
            elif number % 20 == 0:
                phone = f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}"
            table.writerow([f"M{number:06d}", phone, draw.choice(["金卡", "银卡", "普通"])])
