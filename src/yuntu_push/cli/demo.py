"""`demo`: the whole way, with the real commands, against the embedded sandbox."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from yuntu_push.cli.output import Table
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.push import BrandState, PushState
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.labels import brand_label, state_label

SAMPLE_ROWS = 2_000
PUSH_NAME = "高价值会员"


def register(app: typer.Typer) -> None:
    """Add `demo` to the root."""
    app.command(epilog="Example: `yuntu-push demo --lang zh`")(demo)


def demo(ctx: typer.Context) -> None:
    """Run the whole flow in a temporary home against an embedded sandbox.

    Channel, login, accounts, a segment from a sample CSV, push, status. Your own config, keyring
    and accounts stay untouched.
    """
    session: Session = ctx.obj
    with session.demo_world(SAMPLE_ROWS) as world:
        runner = _Runner(session, world.environ)
        sandbox = world.announcement
        runner.say(msg("the sandbox imitates Ocean Engine at {url}", url=sandbox["url"]))
        runner.run(
            "channel", "add", "demo", "--kind", "yuntu",
            "--app-id", str(sandbox["app_id"]),
            "--callback-url", world.callback_url,
            "--auth-url", str(sandbox["auth_url"]),
            "--api-url", str(sandbox["url"]),
            "--secret-stdin",
            stdin=str(sandbox["secret"]),
        )  # fmt: skip
        runner.login("auth", "login", "demo", "--no-browser", follow=world.follow)
        listed = runner.run("accounts", "list", "demo")
        account, brand = _first_bound(listed["accounts"])
        runner.run(
            "segment", "build", "vip", "--csv", str(world.sample_csv), "--id", "phone=手机号"
        )
        created = runner.run(
            "push", "create", "--name", PUSH_NAME, "--segment", "vip",
            "--account", account["advertiser_id"], "--brand", brand["brand_name"],
            "--wait", "--poll", "1s", "--timeout", "3m",
        )  # fmt: skip
        push = runner.run("push", "status", created["push_id"])
    session.output.show(
        {"steps": runner.steps, "push": push},
        Table(
            columns=(
                Text("push"),
                Text("state"),
                Text("uploaded"),
                Text("coverage"),
                Text("brand"),
            ),
            rows=[
                (
                    push["name"],
                    state_label(PushState(push["state"])),
                    push["upload_num"],
                    push["cover_num"],
                    [
                        msg(
                            "{name} ({state})",
                            name=b["brand_name"],
                            state=brand_label(BrandState(b["state"])),
                        )
                        for b in push["brands"]
                    ],
                )
            ],
            title=msg("the push, as `yuntu-push push status` shows it"),
        ),
    )
    session.messages.notice(
        msg("that was all of it; `yuntu-push guide` leads through the same steps with your account")
    )


def _first_bound(accounts: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return next(
        (account, account["brands"][0])
        for account in accounts
        if account["brands"] and account["valid"]
    )


@contextlib.contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended."""
    arrived: list[int] = []
    ours = {
        number: signal.signal(number, lambda number, _frame: arrived.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for late in arrived:
            signal.raise_signal(late)


class _Runner:
    """Runs commands of this program as a person would and keeps what they answered."""

    def __init__(self, session: Session, environ: Mapping[str, str]) -> None:
        self._session = session
        self._environ = {**environ, "YUNTU_PUSH_JSON": "1", "YUNTU_PUSH_NO_INPUT": "1"}
        self.steps: list[dict[str, Any]] = []

    def say(self, text: Text) -> None:
        self._session.messages.notice(text)

    def run(self, *words: str, stdin: str = "") -> Any:
        """The data of a command's envelope; its failure is ours."""
        self._announce(words)
        with self._process(words) as process:
            stdout, stderr = process.communicate(stdin)
        return self._finish(words, stdout, stderr)

    def login(self, *words: str, follow: Callable[[str], None]) -> Any:
        """Like `run`, playing the person who opens the printed URL."""
        self._announce(words)
        with self._process(words) as process:
            assert process.stderr is not None
            seen = []
            for line in process.stderr:
                seen.append(line)
                if line.startswith("http"):
                    follow(line.strip())
                    break
            stdout, stderr = process.communicate(timeout=60)
        return self._finish(words, stdout, "".join(seen) + stderr)

    @contextlib.contextmanager
    def _process(self, words: tuple[str, ...]) -> Iterator["subprocess.Popen[str]"]:
        """A command that ends with us: it must not go on in a home that is being removed."""
        with contextlib.ExitStack() as stack:
            with _signals_deferred():  # else one could strike while nobody knows the process yet
                process = stack.enter_context(
                    subprocess.Popen(
                        self._argv(words),
                        env=dict(self._environ),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        encoding="utf-8",
                    )
                )
                stack.callback(process.kill)  # does nothing to one that has ended
            yield process

    def _argv(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "yuntu_push", *words]

    def _announce(self, words: tuple[str, ...]) -> None:
        shown = " ".join(Path(word).name if word.startswith("/") else word for word in words)
        self._session.messages.notice(Text("$ yuntu-push {words}", {"words": shown}))

    def _finish(self, words: tuple[str, ...], stdout: str, stderr: str) -> Any:
        try:
            envelope = json.loads(stdout)
        except ValueError:
            envelope = {"exit_code": 1, "errors": [{"code": "INTERNAL", "message": stderr[-500:]}]}
        self.steps.append(
            {
                "command": " ".join(words[:2]),
                "status": envelope.get("status"),
                "exit_code": envelope["exit_code"],
            }
        )
        if envelope["exit_code"] != 0:
            first = envelope["errors"][0]
            raise YuntuPushError(
                "DEMO_FAILED",
                msg(
                    "`{command}` failed: {code} {message}",
                    command=" ".join(words[:2]),
                    code=first["code"],
                    message=first["message"],
                ),
                hint=msg("report this: the demo must always work"),
            )
        return envelope["data"]
