"""A gnome-keyring in a D-Bus session of its own, and programs run inside that session."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def need_gnome_keyring() -> None:
    """Skip with the reason where gnome-keyring or D-Bus is missing."""
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} (Debian: gnome-keyring, dbus)")


@contextmanager
def keyring_session(folder: Path, *, password: str | None) -> Iterator[Runner]:
    """Runs programs in a session whose keyring is unlocked with `password`, or locked.

    Each run is a session of its own over the same keyring files in `folder`.
    """
    need_gnome_keyring()
    home = folder / "keyring-home"
    home.mkdir(exist_ok=True, mode=0o700)

    def run(
        argv: Sequence[str], *, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        start = (
            f"printf %s {shlex.quote(password)} | gnome-keyring-daemon --unlock"
            if password is not None
            else "gnome-keyring-daemon --start"
        )
        script = f"{start} --components=secrets >/dev/null 2>&1; exec {shlex.join(argv)}"
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PYTHONPATH": str(TESTS),
            "LC_ALL": "C.UTF-8",
            **(env or {}),
        }
        return subprocess.run(
            ["dbus-run-session", "--", "sh", "-c", script],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    yield run


def run_promises(run: Runner) -> dict[str, str]:
    """What became of each promise of a store, in the session's keyring."""
    done = run([sys.executable, "-m", "support.store_promises"])
    assert done.returncode == 0, done.stderr
    results: dict[str, str] = json.loads(done.stdout)
    return results
