"""The README says what works: its commands are run, its names exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def tour() -> str:
    """The shell blocks between the tour's marks, in order."""
    section = README[README.index("<!-- tour -->") : README.index("<!-- end of tour -->")]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL))


@pytest.mark.skipif(os.name == "nt", reason="the tour is written for a POSIX shell")
def test_the_tour_works_word_for_word(tmp_path: Path):
    """Each command of the tour, as it stands, ends with 0, and the push succeeds."""
    bin_folder = Path(sys.executable).parent
    environ = {k: v for k, v in os.environ.items() if not k.startswith("YUNTU_PUSH_")}
    environ |= {
        "PATH": f"{bin_folder}{os.pathsep}{environ['PATH']}",
        "HOME": str(tmp_path),
        "YUNTU_PUSH_LANG": "en",
        "BROWSER": f"{sys.executable} {ROOT / 'tests' / 'support' / 'person.py'} %s",
    }

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tour()],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=150,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("succeeded") == 2, done.stdout


def commands() -> set[str]:
    """Every command path of the program."""
    from yuntu_push.cli.main import app

    def walk(node: object, path: str) -> set[str]:
        below = getattr(node, "commands", None)
        if not below:
            return {path}
        return set().union(*(walk(sub, f"{path} {name}".strip()) for name, sub in below.items()))

    return walk(typer.main.get_command(app), "")


def test_every_command_named_in_the_docs_exists():
    """`yuntu-push GROUP COMMAND` in any document names a real command."""
    known = commands() | {"completion"}
    groups = {name.split()[0] for name in known}
    wrong = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for first, second in re.findall(
            r"yuntu-push (?:--[\w-]+ \S+ )*([a-z]+)(?: ([a-z][a-z-]+))?", path.read_text("utf-8")
        ):
            if first not in groups:
                wrong.append((path.name, first))
            elif first not in known and second and f"{first} {second}" not in known:
                wrong.append((path.name, f"{first} {second}"))
    assert wrong == []


def test_every_group_and_exit_code_is_in_the_readme():
    for group in {name.split()[0] for name in commands()}:
        assert f"`{group}" in README or f"yuntu-push {group}" in README, group


def test_the_exit_codes_of_the_docs_are_those_of_the_code():
    from yuntu_push.cli.errors import EXIT_CODES

    table = (ROOT / "docs" / "exit-codes.md").read_text("utf-8")
    shown = {int(code) for code in re.findall(r"(?m)^\| (\d+) ", table)}

    assert set(EXIT_CODES.values()) <= shown
    assert {0, 1, 130, 143} <= shown
