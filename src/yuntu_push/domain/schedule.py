"""Scheduler entries that run a push every day: cron lines, systemd units, a Windows task.

Each carries the home, a log (a file, or systemd's journal) and a lock that lets a late run pass.
The push itself is locked anyway: the outer lock of a cron line only keeps runs from queueing up,
and a systemd unit, which is never started twice, needs none.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath


class Scheduler(StrEnum):
    """Who starts the runs."""

    CRON = "cron"
    SYSTEMD = "systemd"
    WINDOWS = "windows"


@dataclass(frozen=True)
class ScheduledRun:
    """What is to be run when: `hour` and `minute` in Beijing time, all paths absolute.

    `variables` are those that the person has set besides.
    """

    entry: str
    program: PurePath
    home: PurePath | None
    config: PurePath | None
    log_dir: PurePath
    lock_dir: PurePath
    hour: int
    minute: int
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make a bare scheduler see what the person saw."""
        found = {"YUNTU_PUSH_NO_INPUT": "1"}
        if self.home:
            found["YUNTU_PUSH_HOME"] = str(self.home)
        if self.config:
            found["YUNTU_PUSH_CONFIG"] = str(self.config)
        return found | dict(self.variables)


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of `environ` that a run needs as well, in the order of their names.

    None that holds a secret: those lines lie in a crontab or a unit file.
    """
    return {
        name: value
        for name, value in sorted(environ.items())
        if value and _matters(name) and not holds_password(value)
    }


def left_out(environ: Mapping[str, str]) -> list[str]:
    """The names of the variables that a run needs and that hold a password."""
    return sorted(n for n, value in environ.items() if _matters(n) and holds_password(value))


def holds_password(value: str) -> bool:
    """Whether a variable's value is an address with a user's password in it."""
    user, at, _ = value.partition("://")[2].rpartition("@")
    return bool(at) and ":" in user


def _matters(name: str) -> bool:
    if name.startswith("YUNTU_PUSH_"):
        return not name.startswith("YUNTU_PUSH_SECRET_") and name not in _OWN
    return name.upper() in _NETWORK


_OWN = {
    f"YUNTU_PUSH_{name}"
    for name in ("HOME", "CONFIG", "JSON", "NO_INPUT")  # the lines have their own of these
}
_NETWORK = {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}


def schedule_files(scheduler: Scheduler, run: ScheduledRun) -> dict[str, str]:
    """The files of a scheduler by name; a crontab is one file of lines to add."""
    match scheduler:
        case Scheduler.CRON:
            return {f"yuntu-push-{run.entry}.cron": _cron(run)}
        case Scheduler.SYSTEMD:
            return _systemd(run)
        case Scheduler.WINDOWS:
            return _windows(run)


def _cron(run: ScheduledRun) -> str:
    variables = " ".join(f"{k}={shlex.quote(v)}" for k, v in run.environment.items())
    log = shlex.quote(str(run.log_dir / f"{run.entry}.log"))
    folders = " ".join(shlex.quote(str(folder)) for folder in (run.log_dir, run.lock_dir))
    lock = shlex.quote(str(run.lock_dir / f"cron-{run.entry}.lock"))
    program = shlex.quote(str(run.program))
    start = f"umask 077; mkdir -p {folders}; {variables} flock -n -E 75 {lock}"
    words = [
        f"{start} {program} push run {shlex.quote(run.entry)} -q",
        f"{start}-resume {program} push resume --all -q",
    ]
    # In a crontab an unescaped percent sign ends the command.
    daily, resume = (f"{line} >> {log} 2>&1".replace("%", r"\%") for line in words)
    return (
        "# Beijing time; a cron that does not know CRON_TZ needs the hour of its own zone.\n"
        "CRON_TZ=Asia/Shanghai\n"
        f"{run.minute} {run.hour} * * *  {daily}\n"
        f"*/10 * * * *  {resume}\n"
    )


def _systemd(run: ScheduledRun) -> dict[str, str]:
    name = f"yuntu-push-{run.entry}"
    variables = "".join(
        f"Environment={_unit_word(f'{k}={v}')}\n" for k, v in run.environment.items()
    )

    def service(unit: str, description: str, words: str) -> str:
        return (
            "[Unit]\n"
            f"Description={description}\n"
            "After=network-online.target\nWants=network-online.target\n\n"
            "[Service]\nType=oneshot\nUMask=0077\n"
            f"# The log is the journal: journalctl --user -u {unit}.service\n"
            "# The lock is yuntu-push's own, held by the kernel, and ends with the run, however "
            "that ends:\n# what another run is working on is left to it.\n"
            f"{variables}"
            "# The file store's key, sealed to this machine:\n"
            "# LoadCredentialEncrypted=yuntu-push-key\n"
            # 75 means: later, by itself. A unit that failed for it would only raise alarms.
            "SuccessExitStatus=75\n"
            f"ExecStart={_unit_word(str(run.program))} {words}\n"
        )

    def timer(description: str, when: str) -> str:
        return (
            f"[Unit]\nDescription={description}\n\n[Timer]\n{when}\nPersistent=true\n\n"
            "[Install]\nWantedBy=timers.target\n"
        )

    return {
        f"{name}.service": service(
            name,
            f"yuntu-push: build and push {run.entry}",
            f"push run {_unit_word(run.entry)} -q",
        ),
        f"{name}.timer": timer(
            f"yuntu-push: {run.entry}, daily",
            f"OnCalendar=*-*-* {run.hour:02d}:{run.minute:02d}:00 Asia/Shanghai",
        ),
        "yuntu-push-resume.service": service(
            "yuntu-push-resume", "yuntu-push: go on with what is due", "push resume --all -q"
        ),
        "yuntu-push-resume.timer": timer(
            "yuntu-push: every ten minutes", "OnCalendar=*:0/10\nRandomizedDelaySec=60"
        ),
    }


def _unit_word(text: str) -> str:
    """One word of a unit file, with systemd's specifiers and variables switched off."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{quoted}"' if quoted != text or any(c.isspace() for c in text) else text


def _windows(run: ScheduledRun) -> dict[str, str]:
    """Tasks for `schtasks /create /xml`: the daily run, and one that goes on every ten minutes."""
    repeat = "<Repetition><Interval>PT10M</Interval><Duration>P1D</Duration></Repetition>"
    return {
        f"yuntu-push-{run.entry}.xml": _windows_task(
            run, f"yuntu-push: {run.entry}", f"push run {run.entry} -q", run.entry
        ),
        "yuntu-push-resume.xml": _windows_task(
            run, "yuntu-push: every ten minutes", "push resume --all -q", "resume", repeat
        ),
    }


def _windows_task(
    run: ScheduledRun, title: str, words: str, log_name: str, repeat: str = ""
) -> str:
    """One task; the environment goes through `cmd`."""
    from xml.sax.saxutils import escape  # brings half an HTTP client along

    sets = " && ".join(f'set "{k}={v}"' for k, v in run.environment.items())
    log = run.log_dir / f"{log_name}.log"
    command = f'/d /c {sets} && "{run.program}" {words} >> "{log}" 2>&1'
    start = f"2026-01-01T{run.hour:02d}:{run.minute:02d}:00+08:00"
    return (
        '<?xml version="1.0" encoding="UTF-16"?>\n'
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">\n'
        f"  <RegistrationInfo><Description>{escape(title)}</Description></RegistrationInfo>\n"
        "  <Triggers><CalendarTrigger>\n"
        f"    {repeat}<StartBoundary>{start}</StartBoundary>\n"
        "    <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>\n"
        "  </CalendarTrigger></Triggers>\n"
        "  <Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n"
        "    <StartWhenAvailable>true</StartWhenAvailable></Settings>\n"
        '  <Actions Context="Author"><Exec>\n'
        f"    <Command>cmd.exe</Command><Arguments>{escape(command)}</Arguments>\n"
        "  </Exec></Actions>\n"
        '  <Principals><Principal id="Author">'
        "<LogonType>InteractiveToken</LogonType></Principal></Principals>\n"
        "</Task>\n"
    )
