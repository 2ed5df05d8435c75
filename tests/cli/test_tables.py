"""What a terminal's tables say can be translated, and is plain where no colour is wanted."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from support.cli import yuntu
from support.terminal import at_terminal
from yuntu_push.cli import contract
from yuntu_push.cli.headings import HEADINGS
from yuntu_push.domain.id_types import RejectReason
from yuntu_push.domain.reject_words import WORDS

CLI = Path(contract.__file__).parent


def _literals(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value


def _headings() -> Iterator[str]:
    """The bare strings that stand as columns of a `Table` or as fields of `details`."""
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "Table":
                for keyword in node.keywords:
                    if keyword.arg == "columns" and isinstance(keyword.value, ast.Tuple):
                        yield from _literals(keyword.value.elts)
            if node.func.id == "details" and isinstance(node.args[0], ast.List):
                pairs = [pair for pair in node.args[0].elts if isinstance(pair, ast.Tuple)]
                yield from _literals([pair.elts[0] for pair in pairs])


def test_every_heading_is_in_the_catalogue() -> None:
    """Whoever adds a column or a field adds its name to `cli/headings.py`."""
    found = set(_headings())

    assert len(found) > 40
    assert found - HEADINGS == set()


@pytest.mark.parametrize("command", ["channel show", "state export", "audience show"])
def test_fields_that_come_from_the_data_are_in_the_catalogue(command: str) -> None:
    (shape,) = contract.ANSWERS[command]

    assert set(get_type_hints(shape)) - HEADINGS == set()


def test_every_reason_of_a_reject_has_a_word() -> None:
    assert set(WORDS) == set(RejectReason)


def test_a_terminal_without_colour_gets_no_escapes(tmp_path: Path) -> None:
    """Not even bold headings: `NO_COLOR` promises plain output."""
    plain, shown = at_terminal("explain", "40001", home=tmp_path)
    _, bright = at_terminal("explain", "40001", home=tmp_path, env={"NO_COLOR": ""})

    assert plain == 0
    assert "\x1b" not in shown
    assert "\x1b" in bright


def test_a_pipe_gets_the_names_as_scripts_know_them(tmp_path: Path) -> None:
    """Whatever the language."""
    english, chinese = (
        yuntu("explain", "40001", "--lang", language, home=tmp_path).stdout
        for language in ("en", "zh")
    )

    fields = [line.split("\t")[0] for line in english.splitlines()]
    assert fields[0] == "field"
    assert fields == [line.split("\t")[0] for line in chinese.splitlines()]
