"""`schedule print`: scheduler entries for a push of the config."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import local_name, unknown
from yuntu_push.domain.schedule import (
    ScheduledRun,
    Scheduler,
    carried,
    left_out,
    schedule_files,
)
from yuntu_push.domain.text import msg

app = typer.Typer(help="Entries for cron, systemd or the Windows task scheduler.")
_PATHS = ("YUNTU_PUSH_KEY_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_DEFAULT_HOUR, _DEFAULT_MINUTE = 2, 30


@app.callback()
def schedule() -> None:
    """Entries for cron, systemd or the Windows task scheduler."""


@app.command(
    "print",
    epilog="Example: `yuntu-push schedule print vip_daily --cron --at 02:30`",
)
def print_entry(
    ctx: typer.Context,
    push: Annotated[str, typer.Argument(help="An entry of `pushes:` in the config.")],
    cron: Annotated[bool, typer.Option("--cron", help="Lines for a crontab (default).")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="Services and timers.")] = False,
    windows: Annotated[bool, typer.Option("--windows", help="A task for schtasks /xml.")] = False,
    at: Annotated[str, typer.Option(help="HH:MM in Beijing time.", metavar="HH:MM")] = "",
    write: Annotated[
        Path | None, typer.Option(help="Write the files into this folder instead.")
    ] = None,
) -> None:
    """Print scheduler entries for a push; writes nothing unless told."""
    session: Session = ctx.obj
    scheduler = _one_of(cron=cron, systemd=systemd, windows=windows)
    files = schedule_files(scheduler, _run(session, push, at))
    encoding = "utf-16" if scheduler is Scheduler.WINDOWS else "utf-8"
    written = []
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (write / name).write_text(content, encoding)
            written.append(str((write / name).absolute()))
    data = {
        "scheduler": scheduler.value,
        "files": [{"name": name, "content": content} for name, content in files.items()],
        "written": written,
    }
    session.output.show(data)
    if not session.output.as_json and write is None:
        for name, content in files.items():
            session.output.line(f"# {name}\n{content}" if len(files) > 1 else content)
    for name in left_out(session.environ):
        session.messages.warning(
            msg("{name} holds a password and is left out: set it where the runs find it", name=name)
        )
    for path in written:
        session.messages.notice(msg("written: {path}", path=path))


def _one_of(*, cron: bool, systemd: bool, windows: bool) -> Scheduler:
    if cron + systemd + windows > 1:
        raise ConfigError(
            "USAGE",
            msg("--cron, --systemd and --windows exclude each other"),
            hint=msg("choose one of {choices}", choices="--cron, --systemd, --windows"),
        )
    if systemd:
        return Scheduler.SYSTEMD
    return Scheduler.WINDOWS if windows else Scheduler.CRON


def _run(session: Session, push: str, at: str) -> ScheduledRun:
    entry = local_name(push, what="push")
    entries = session.settings.pushes
    if entry not in entries:
        raise unknown("push", entry, entries, hint=msg("add it under `pushes:` in the config"))
    hour, minute = _time(at) if at else (_DEFAULT_HOUR, _DEFAULT_MINUTE)
    found = shutil.which("yuntu-push") or str(Path(sys.executable).with_name("yuntu-push"))
    paths = session.paths
    home = session.options.home or session.environ.get("YUNTU_PUSH_HOME")
    config = session.options.config or session.environ.get("YUNTU_PUSH_CONFIG")
    return ScheduledRun(
        entry=entry,
        program=Path(found).absolute(),
        home=Path(home).expanduser().absolute() if home else None,
        config=paths.config_file if config else None,
        log_dir=paths.log_dir,
        lock_dir=paths.locks_dir,
        hour=hour,
        minute=minute,
        variables={name: _anywhere(name, text) for name, text in carried(session.environ).items()},
    )


def _anywhere(name: str, text: str) -> str:
    """A variable's value; a file's or folder's so that it is found from every folder."""
    return str(Path(text).expanduser().absolute()) if name in _PATHS else text


def _time(text: str) -> tuple[int, int]:
    hour, colon, minute = text.partition(":")
    if colon and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60:
        return int(hour), int(minute)
    raise ConfigError(
        "USAGE",
        msg("expected a time such as 02:30, not {text}", text=repr(text)),
        hint=msg("write HH:MM, Beijing time"),
    )
