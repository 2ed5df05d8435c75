"""One wrong constant must not fool both sides: the client's unit tests and the sandbox's own tests
have nothing in common but the published upload schema."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
COMMON = "yuntu_push.proto"
CLIENT_TESTS = sorted(
    path
    for path in TESTS.rglob("test_*.py")
    if path.parent.name == "adapters" and "respx" in path.read_text("utf-8")
)
SANDBOX_TESTS = sorted((TESTS / "sandbox").glob("*.py"))


@cache
def named_by(source: Path) -> list[str]:
    """The modules, and the names in them, that one file imports."""
    names = []
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def imported(path: Path) -> Iterator[str]:
    """The modules that a test imports, with what it imports through `support`."""
    waiting, seen = [path], set[Path]()
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        for name in named_by(source):
            yield name
            helper = TESTS.joinpath(*name.split(".")).with_suffix(".py")
            if helper.exists():
                waiting.append(helper)


def ours(path: Path) -> set[str]:
    """What a test uses of the program."""
    return {name for name in imported(path) if name.startswith("yuntu_push.")}


def test_there_are_such_tests():
    assert len(CLIENT_TESTS) >= 5
    assert len(SANDBOX_TESTS) >= 10


@pytest.mark.parametrize("path", CLIENT_TESTS, ids=lambda path: path.name)
def test_the_clients_unit_tests_know_nothing_of_the_sandbox(path: Path):
    """Nor of the table that the sandbox is tested against."""
    assert {name for name in ours(path) if name.startswith("yuntu_push.sandbox")} == set()
    text = path.read_text("utf-8")
    assert "support.sandbox" not in text
    assert "ocean_fields" not in text


@pytest.mark.parametrize("path", SANDBOX_TESTS, ids=lambda path: path.name)
def test_the_sandboxs_tests_know_nothing_of_the_client(path: Path):
    foreign = {name for name in ours(path) if not name.startswith(("yuntu_push.sandbox", COMMON))}
    assert foreign == set()


def test_the_check_sees_what_is_imported_through_helpers():
    """A contract test does use both sides, through `support`."""
    both = ours(TESTS / "contracts" / "test_client_speaks_to_sandbox.py")
    assert any(name.startswith("yuntu_push.sandbox") for name in both)
    assert any(name.startswith("yuntu_push.adapters.ocean") for name in both)
