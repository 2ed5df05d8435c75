"""Scheduler entries that a bare scheduler can run as they are."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path, PureWindowsPath

import pytest

from support.cli import yuntu, yuntu_json
from yuntu_push.adapters.secrets.file_key import CREDENTIAL_NAME
from yuntu_push.domain.schedule import ScheduledRun, Scheduler, schedule_files

CONFIG = """\
pushes:
  vip_daily:
    name: 高价值会员
    segment: {name: vip, ids: {phone: mobile}, csv: [a.csv]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "my home % $X"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG, "utf-8")
    return folder


def test_the_cron_line_runs_as_it_stands(home: Path, tmp_path: Path):
    """The command of the line, with percent signs as cron gives them, reaches the program."""
    program = tmp_path / "fake program"
    program.write_text('#!/bin/sh\necho "$YUNTU_PUSH_HOME|$*"\n')
    program.chmod(0o700)
    run = ScheduledRun(
        "vip_daily", program, home, None, home / "logs", home / "locks", hour=2, minute=30
    )

    text = schedule_files(Scheduler.CRON, run)["yuntu-push-vip_daily.cron"]
    line = next(x for x in text.splitlines() if x.startswith("30 2 * * *"))
    command = line.removeprefix("30 2 * * *").replace(r"\%", "%")
    subprocess.run(["sh", "-c", command], check=True)

    logged = (home / "logs" / "vip_daily.log").read_text()
    assert logged == f"{home}|push run vip_daily -q\n"
    assert "CRON_TZ=Asia/Shanghai" in text


def test_the_lines_carry_what_the_person_has_set_and_no_secret(home: Path):
    """A bare scheduler has none of the shell's variables."""
    environ = {
        "YUNTU_PUSH_KEY_FILE": "keys/store.key",
        "YUNTU_PUSH_PUSH_SETTLE": "7m",
        "YUNTU_PUSH_SECRET_ACME_APP_SECRET": "hidden-1",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "http_proxy": "http://me:hidden-2@proxy.example:3128",
        "SSL_CERT_FILE": "/etc/company.pem",
        "EDITOR": "vi",
    }
    for scheduler in ("--cron", "--systemd", "--windows"):
        run = yuntu("schedule", "print", "vip_daily", scheduler, home=home, env=environ)
        assert run.code == 0, run.stderr
        assert f"YUNTU_PUSH_KEY_FILE={Path.cwd()}/keys/store.key" in run.stdout
        assert "YUNTU_PUSH_PUSH_SETTLE=7m" in run.stdout
        assert "HTTPS_PROXY=http://proxy.example:3128" in run.stdout
        assert "SSL_CERT_FILE=/etc/company.pem" in run.stdout
        assert "hidden" not in run.stdout + run.stderr
        assert "EDITOR" not in run.stdout
        assert "http_proxy holds a password" in run.stderr


def test_the_unit_names_the_credential_that_the_store_looks_for(home: Path):
    text = yuntu("schedule", "print", "vip_daily", "--systemd", home=home).stdout
    named = [x.partition("=")[2] for x in text.splitlines() if "LoadCredentialEncrypted=" in x]
    assert set(named) == {CREDENTIAL_NAME}


def test_systemd_units_name_program_home_and_time(home: Path):
    data = yuntu_json("schedule", "print", "vip_daily", "--systemd", "--at", "3:05", home=home).data

    files = {file["name"]: file["content"] for file in data["files"]}
    assert "OnCalendar=*-*-* 03:05:00 Asia/Shanghai" in files["yuntu-push-vip_daily.timer"]
    assert "SuccessExitStatus=75" in files["yuntu-push-vip_daily.service"]
    assert "my home %% $$X" in files["yuntu-push-vip_daily.service"]
    assert "push resume --all" in files["yuntu-push-resume.service"]
    assert data["written"] == []


def test_each_unit_says_where_its_log_is_and_what_locks_it(home: Path):
    data = yuntu_json("schedule", "print", "vip_daily", "--systemd", home=home).data

    services = {f["name"]: f["content"] for f in data["files"] if f["name"].endswith(".service")}
    assert len(services) == 2
    for name, content in services.items():
        comments = [line for line in content.splitlines() if line.startswith("#")]
        assert f"journalctl --user -u {name}" in " ".join(comments)
        assert any("lock" in line for line in comments)
        assert all("=" in line or line[:1] in ("", "#", "[") for line in content.splitlines())


def test_the_windows_task_is_well_formed():
    run = ScheduledRun(
        entry="vip_daily",
        program=PureWindowsPath(r"C:\Program Files\x & y\yuntu-push.exe"),
        home=PureWindowsPath(r"D:\品牌"),
        config=None,
        log_dir=PureWindowsPath(r"D:\品牌\logs"),
        lock_dir=PureWindowsPath(r"D:\品牌\locks"),
        hour=2,
        minute=30,
    )

    files = schedule_files(Scheduler.WINDOWS, run)
    tasks = [ET.fromstring(text.encode("utf-16")) for text in files.values()]

    program = '"C:\\Program Files\\x & y\\yuntu-push.exe"'
    daily, often = (
        next(e.text or "" for e in task.iter() if e.tag.endswith("Arguments")) for task in tasks
    )
    assert f"{program} push run vip_daily" in daily
    assert f"{program} push resume --all" in often
    assert next(e.text for e in tasks[1].iter() if e.tag.endswith("}Interval")) == "PT10M"


def test_it_writes_only_when_told(home: Path, tmp_path: Path):
    target = tmp_path / "units"

    quiet = yuntu("schedule", "print", "vip_daily", "--systemd", home=home)
    told = yuntu_json("schedule", "print", "vip_daily", "--systemd", "--write", target, home=home)

    assert quiet.code == 0
    assert [Path(p).name for p in told.data["written"]] == sorted(
        [p.name for p in target.iterdir()], key=[Path(p).name for p in told.data["written"]].index
    )
    assert len(told.data["written"]) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("schedule", "print", "vip"),
        ("schedule", "print", "vip_daily", "--cron", "--windows"),
        ("schedule", "print", "vip_daily", "--at", "25:00"),
    ],
)
def test_wrong_lines_are_usage_errors(home: Path, words: tuple[str, ...]):
    assert yuntu(*words, home=home).code == 2
