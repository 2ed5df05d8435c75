"""Start-up stays quick, and every module stands on its own."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import yuntu_push

HEAVY = (
    "httpx", "duckdb", "numpy", "keyring", "sqlalchemy", "sqlglot", "google.protobuf", "starlette",
    "uvicorn", "jinja2", "cryptography", "msgspec", "ruamel", "yaml", "isal", "stringzilla",
    "rich.progress", "selenium",
)  # fmt: skip
LINES = [
    ["--help"],
    ["push", "--help"],
    ["segment", "build", "--help"],
    ["auth", "login", "--help"],
    ["sandbox", "serve", "--help"],
    ["--version"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]):
    """Help is typed a hundred times a day: none of the heavy libraries may be loaded for it."""
    script = (
        "import sys\n"
        "from yuntu_push.cli.main import app\n"
        f"try: app({words!r})\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(' '.join(m for m in {HEAVY!r} if m in sys.modules))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0
    assert done.stdout
    assert done.stderr == ""


def test_every_module_can_be_imported_alone():
    """No module depends on another having been imported before it."""
    names = [
        module.name
        for module in pkgutil.walk_packages(yuntu_push.__path__, "yuntu_push.")
        if not module.name.endswith("__main__")
    ]
    script = (
        "import importlib, os, sys\n"
        # What is not ours is imported once, before the forks: it makes no difference, and is slow.
        "import typer._adapters, rich.table, httpx, yaml, msgspec, sqlalchemy, sqlglot\n"
        "import cryptography.fernet, numpy, starlette.applications, uvicorn, jinja2\n"
        "for name in sys.argv[1:]:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try: importlib.import_module(name)\n"
        "        except BaseException as exc: print(name, repr(exc)); os._exit(1)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    if not hasattr(sys.modules["os"], "fork"):
        pytest.skip("needs fork")

    done = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True)

    assert done.stdout == ""


def test_modules_stay_small():
    """A module over 400 lines hides a second responsibility."""
    source = Path(yuntu_push.__file__).parent
    long = {
        str(path.relative_to(source)): lines
        for path in source.rglob("*.py")
        if path.name != "dmp_pb2.py" and (lines := len(path.read_text("utf-8").splitlines())) > 400
    }

    assert long == {}
