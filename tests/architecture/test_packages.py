"""What is built for others to install has everything that the program reads."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "yuntu_push"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def ours() -> set[str]:
    """Every file of the package: code, SQL, templates, catalogues, schema, example config."""
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_every_file_of_the_package(built: Path):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("yuntu_push/")}
        scripts = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        script = wheel.read(scripts).decode()

    assert names == ours()
    assert "yuntu-push = yuntu_push.__main__:main" in script


def test_the_source_distribution_can_be_installed_and_read(built: Path):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {f"src/{name}" for name in ours()} <= names
    assert {"README.md", "config.example.yaml", "pyproject.toml", "docs/exit-codes.md"} <= names


def test_an_installed_wheel_runs_outside_the_checkout(built: Path, tmp_path: Path):
    """The example config, the Chinese catalogue and the state's SQL are found inside it."""
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(tmp_path / "site")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from yuntu_push.__main__ import main; "
    program = [sys.executable, "-c", code + "main()", str(tmp_path / "site")]

    def run(*words: str) -> str:
        done = subprocess.run(
            [*program, *words, "--home", str(tmp_path / "home"), "--lang", "zh"],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "下一步" in run("init")
    assert "还没有" in run("push", "list") + run("segment", "list")
    assert (tmp_path / "home" / "config.yaml").exists()
