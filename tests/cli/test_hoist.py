"""Global options stand anywhere on the line, and never eat what belongs to a command."""

from typing import Annotated

import pytest
import typer

from yuntu_push.cli.hoist import hoist

app = typer.Typer()
group = typer.Typer()


@app.callback()
def root() -> None: ...


@group.command()
def create(
    name: str = "",
    words: Annotated[list[str] | None, typer.Argument()] = None,
    wait: bool = False,
) -> None: ...


@group.command()
def other() -> None: ...


app.add_typer(group, name="push")
tree = typer.main.get_command(app)


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "push", "create", "--name", "x"],
        ["push", "--json", "create", "--name", "x"],
        ["push", "create", "--json", "--name", "x"],
        ["push", "create", "--name", "x", "--json"],
        ["push", "create", "--name=x", "--json"],
    ],
)
def test_json_is_taken_from_any_place(words: list[str]):
    line = hoist(words, tree)

    assert line.options.json
    assert line.command == ["push", "create"]
    assert "--json" not in line.rest


def test_values_of_other_options_are_left_alone():
    line = hoist(["push", "create", "--name", "--json", "-q"], tree)

    assert line.rest == ["push", "create", "--name", "--json"]
    assert (line.options.json, line.options.quiet) == (False, True)


def test_nothing_is_taken_after_two_dashes():
    line = hoist(["push", "create", "--", "--json", "-q"], tree)

    assert line.rest == ["push", "create", "--", "--json", "-q"]
    assert not line.options.json


def test_values_and_clusters_of_global_options():
    line = hoist(["push", "create", "--home", "/x", "-qvy", "--lang=zh"], tree)

    assert line.rest == ["push", "create"]
    options = line.options
    assert (options.home, options.lang) == ("/x", "zh")
    assert options.quiet
    assert options.verbose
    assert options.yes


@pytest.mark.parametrize("words", [["--lang", "fr"], ["--home"], ["--lang="]])
def test_a_bad_global_option_is_an_error_that_still_knows_about_json(words: list[str]):
    line = hoist(["--json", *words], tree)

    assert line.error is not None
    assert line.error.code == "USAGE"
    assert line.options.json


def test_the_environment_fills_in_what_the_line_left_out():
    options = hoist(["push"], tree).options.with_environment(
        {"YUNTU_PUSH_JSON": "1", "YUNTU_PUSH_NO_INPUT": "1", "NO_COLOR": "1"}
    )

    assert (options.json, options.no_input, options.no_color) == (True, True, True)
