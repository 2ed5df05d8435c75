"""However a run ends, its exit code is its own and nobody meets a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import TEST_ENVIRONMENT, command, yuntu, yuntu_json
from support.terminal import CTRL_C, CTRL_D, at_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX streams and paths")

UNKNOWN = ("channel", "show", "nope")


def through_shell(line: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """The end of a line of a shell in which `$YP` is our command."""
    environ = {**TEST_ENVIRONMENT, **os.environ, "YUNTU_PUSH_HOME": str(home)}
    return subprocess.run(
        ["sh", "-c", line.replace("$YP", " ".join(command()))],
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("form", ["", "--json"])
def test_an_error_keeps_its_code_when_nobody_reads_it(tmp_path: Path, form: str):
    """The reader is gone before the error is written."""
    line = f"(sleep 0.1; $YP channel show nope {form} 2>&1; echo $? >{tmp_path}/code) | true"
    ended = through_shell(f"{line}; while [ ! -s {tmp_path}/code ]; do sleep 0.1; done", tmp_path)

    assert (tmp_path / "code").read_text() == "2\n"
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffered", ["env -u PYTHONUNBUFFERED", "env PYTHONUNBUFFERED=1"])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_full_disk_under_stdout_is_75_and_said(tmp_path: Path, form: str, buffered: str):
    ended = through_shell(f"{buffered} $YP channel list {form} >/dev/full", tmp_path)

    assert ended.returncode == 75
    assert "DISK_FULL" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(tmp_path: Path, closed: str):
    """As under a service that closes them; nor does what is said land in a file of ours."""
    home = tmp_path / "home"
    assert through_shell(f"$YP accounts list {closed}", home).returncode == 0
    assert through_shell(f"$YP channel show nope {closed}", home).returncode == 2
    assert (home / "state" / "state.db").read_bytes().startswith(b"SQLite format 3")
    assert not (home / "logs").exists()


@pytest.mark.parametrize("words", [("accounts", "list"), ("doctor",)])
@pytest.mark.parametrize("home", ["/dev/null/home", "~no-such-user/home"])
def test_a_home_that_cannot_be_is_a_usage_error(words: tuple[str, ...], home: str):
    run = yuntu_json(*words, "--home", home)

    assert run.code == 2, run.stdout
    assert run.error_code in {"FOLDER_UNUSABLE", "CONFIG_UNREADABLE"}
    assert run.envelope["errors"][0]["hint"]


def test_a_current_folder_that_is_gone_is_a_usage_error(tmp_path: Path):
    line = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone"
    ended = through_shell(f"{line} && $YP channel list --home here", tmp_path)

    assert ended.returncode == 2
    assert "FOLDER_UNUSABLE" in ended.stderr


def test_an_absolute_home_works_where_the_current_folder_is_gone(tmp_path: Path):
    line = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone"

    assert through_shell(f"{line} && $YP channel list", tmp_path / "home").returncode == 0


def test_the_usual_error_is_told_once_and_has_a_step(tmp_path: Path):
    ended = yuntu(*UNKNOWN, home=tmp_path)

    assert ended.code == 2
    assert ended.stdout == ""
    assert ended.stderr.count("CHANNEL_UNKNOWN") == 1
    assert "next:" in ended.stderr


LOADING = """
import os, runpy, signal, sys

class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Hook())
sys.argv = ["yuntu-push", "--version"]
{before}
runpy.run_module("yuntu_push", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("before", "code", "shown"),
    [("", -signal.SIGINT, ""), ("signal.signal(signal.SIGINT, signal.SIG_IGN)", 0, "yuntu-push")],
    ids=["ctrl-c", "ignored"],
)
def test_ctrl_c_while_the_program_loads_is_silent(before: str, code: int, shown: str):
    """Loading takes most of a short run. Who started us with SIGINT ignored is obeyed."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADING.format(before=before)], capture_output=True, text=True
    )

    assert (ended.returncode, ended.stderr) == (code, "")
    assert ended.stdout.startswith(shown)


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
@pytest.mark.parametrize(
    ("words", "question"),
    [((), "[yuntu]:"), (("--kind", "yuntu", "--app-id", "1", "--auth-url", ""), "paste)")],
    ids=["shown", "hidden"],
)
def test_a_run_ended_at_a_question_speaks_on_a_line_of_its_own(
    tmp_path: Path, words: tuple[str, ...], question: str, key: str
):
    """It ends as interrupted, and nothing has been written."""
    answers = [("oauth/callback]:", ""), (question, key)] if words else [(question, key)]

    code, shown = at_terminal("channel", "add", "acme", *words, home=tmp_path, answers=answers)

    assert code == 130, shown
    assert "\nerror[INTERRUPTED]" in shown
    assert not (tmp_path / "config.yaml").exists()
