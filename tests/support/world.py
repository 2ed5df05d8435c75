"""A home that is logged in to a running sandbox, as a person would have made it."""

import csv
import json
import os
import random
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cli import TEST_ENVIRONMENT, Run, command, yuntu, yuntu_json
from yuntu_push.sandbox.demo_world import free_port


def phones(count: int, seed: int = 7) -> list[str]:
    """Made-up mobile numbers, the same for the same seed."""
    draw = random.Random(seed)
    return [f"1{draw.choice('3456789')}{draw.randrange(10**9):09d}" for _ in range(count)]


def write_csv(path: Path, column: str, values: Sequence[str]) -> Path:
    """A CSV of a running number and one column."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["n", column])
        table.writerows(enumerate(values))
    return path


def open_url(url: str) -> bytes:
    """What a browser that follows redirects would get."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as page:
        return bytes(page.read())


@dataclass
class World:
    """A home and the sandbox it talks to."""

    home: Path
    sandbox: Any
    channel: str = "acme"

    def __call__(self, *words: str | Path, **options: Any) -> Run:
        return yuntu(*words, home=self.home, **options)

    def json(self, *words: str | Path, **options: Any) -> Run:
        return yuntu_json(*words, home=self.home, **options)

    def add_channel(self) -> Run:
        return self.json(
            "channel", "add", self.channel, "--kind", "yuntu",
            "--app-id", str(self.sandbox.app_id),
            "--callback-url", f"http://127.0.0.1:{free_port()}/oauth/callback",
            "--auth-url", self.sandbox.auth_url, "--api-url", self.sandbox.url,
            "--secret-stdin", stdin=str(self.sandbox.secret),
        )  # fmt: skip

    def login(self, env: Mapping[str, str] | None = None) -> Run:
        """`auth login --no-browser`, with the consent page opened by hand."""
        environ = {
            **TEST_ENVIRONMENT,
            **os.environ,
            "YUNTU_PUSH_HOME": str(self.home),
            **(env or {}),
        }
        with subprocess.Popen(
            command("auth", "login", self.channel, "--no-browser", "--json"),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert process.stderr is not None
            seen = []
            for line in process.stderr:
                seen.append(line)
                if line.startswith("http"):
                    open_url(line.strip())
                    break
            stdout, stderr = process.communicate(timeout=60)
        return Run(process.returncode, stdout, "".join(seen) + stderr)

    def login_by_code(self) -> Run:
        """`auth login --paste` with the bare code: the quicker way, where another is not tested."""
        code = self.sandbox.auth_code()
        return self.json("auth", "login", self.channel, "--paste", stdin=code)

    def bound_account(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The first account with a Yuntu brand, and that brand."""
        accounts = self.json("accounts", "list", self.channel).data["accounts"]
        return next((a, a["brands"][0]) for a in accounts if a["brands"] and a["valid"])

    def build(self, name: str = "vip", count: int = 300, seed: int = 7) -> dict[str, Any]:
        """A segment of made-up phones."""
        path = write_csv(self.home / f"{name}.csv", "手机号", phones(count, seed))
        run = self.json("segment", "build", name, "--csv", path, "--id", "phone=手机号")
        assert run.code == 0, run.stdout
        return run.data

    def create(self, *words: str, name: str = "高价值会员", segment: str = "vip") -> Run:
        """`push create` to the first bound brand."""
        account, brand = self.bound_account()
        return self.json(
            "push", "create", "--name", name, "--segment", segment,
            "--account", account["advertiser_id"], "--brand", brand["brand_id"], *words,
        )  # fmt: skip


@contextmanager
def world(home: Path, *, logged_in: bool = True, **sandbox_options: Any) -> Iterator[World]:
    """A running sandbox and a home with its channel; logged in unless told otherwise."""
    from support.sandbox import running_sandbox

    options = {"speed": 100_000.0, "auto_consent": True, **sandbox_options}
    home.mkdir(parents=True, exist_ok=True)
    with running_sandbox(**options) as sandbox:
        made = World(home, sandbox)
        if logged_in:
            for run in (made.add_channel(), made.login_by_code()):
                assert run.code == 0, json.dumps([run.stdout, run.stderr], ensure_ascii=False)
        yield made
