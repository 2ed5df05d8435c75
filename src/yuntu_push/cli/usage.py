"""What is wrong with a command line, in our words: the parser speaks English only."""

import re
from typing import Any

import typer

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import nearest
from yuntu_push.domain.text import Text, msg

_PATTERNS = {
    "no_command": re.compile(r"No such command '(.*?)'\..*"),
    "no_value": re.compile(r"Option '(.*)' does not take a value\."),
    "needs_value": re.compile(r"Option '(.*)' requires an argument\."),
    "too_many": re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.DOTALL),
    "choice": re.compile(r"(?:Value error, )?'(.*)' is not one of (.*)\.", re.DOTALL),
    "number": re.compile(r"Input should be a valid (?:integer|number).*"),
    "least": re.compile(r"Input should be greater than or equal to (.*)"),
}


def usage_error(exc: typer.TyperException) -> ConfigError:
    """The parser's refusal of a line, with the help that shows how it is written."""
    context = getattr(exc, "ctx", None)
    path = context.command_path if context is not None else "yuntu-push"
    return ConfigError("USAGE", _sentence(exc, context), hint=Text(f"`{path} --help`"))


def _sentence(exc: Any, context: Any) -> Text:
    said = str(getattr(exc, "message", "") or "")
    found = {name: match for name, rule in _PATTERNS.items() if (match := rule.fullmatch(said))}
    if getattr(exc, "option_name", None) and hasattr(exc, "possibilities"):
        return _no_option(exc.option_name, exc.possibilities or ())
    if "no_command" in found:
        return _no_command(found["no_command"][1], context)
    if said == "Missing command.":
        return msg("a command is needed")
    if "no_value" in found:
        return msg("option {option} takes no value", option=found["no_value"][1])
    if "needs_value" in found:
        return msg("option {option} needs a value", option=found["needs_value"][1])
    if "too_many" in found:
        return msg("too many words: {words}", words=found["too_many"][1])
    param = getattr(exc, "param", None)
    if param is None:
        return Text("{text}", {"text": _formatted(exc)})
    name = str(param.get_error_hint()).strip("'")
    if not said:
        return msg("{option} is missing", option=name)
    return _bad_value(name, said, found)


def _bad_value(name: str, said: str, found: dict[str, re.Match[str]]) -> Text:
    if "choice" in found:
        value, choices = found["choice"].groups()
        return msg(
            "{option} takes one of {choices}, not {value}",
            option=name,
            choices=choices.replace("'", ""),
            value=repr(value),
        )
    if "number" in found:
        return msg("{option}: {problem}", option=name, problem=msg("expected a number"))
    if "least" in found:
        problem = msg("expected a number of at least {least}", least=found["least"][1])
        return msg("{option}: {problem}", option=name, problem=problem)
    return msg("{option}: {problem}", option=name, problem=said)


def _no_option(option: str, close: Any) -> Text:
    # Two dashes that all options share make short words look alike: the words themselves count.
    words = {known.lstrip("-"): known for known in close}
    near = [words[word] for word in nearest(option.lstrip("-"), list(words))] or list(close)
    if near:
        return msg(
            "there is no option {option}; did you mean {known}?",
            option=option,
            known=", ".join(sorted(near)),
        )
    return msg("there is no option {option}", option=option)


def _no_command(name: str, context: Any) -> Text:
    known = sorted(getattr(context.command, "commands", ())) if context is not None else []
    return msg(
        "there is no command {name}; known: {known}",
        name=repr(name),
        known=", ".join(nearest(name, known) or known),
    )


def _formatted(exc: Any) -> str:
    return str(getattr(exc, "format_message", lambda: str(exc))())
