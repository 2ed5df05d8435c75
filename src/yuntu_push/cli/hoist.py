"""Global options anywhere on the line: they are taken out before the commands are parsed.

A token is global only when it is no option of the command it follows and no value of another
option; everything after `--` is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

_FLAGS = {
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "-v": "verbose",
    "--verbose": "verbose",
    "--no-color": "no_color",
    "--no-input": "no_input",
    "-y": "yes",
    "--yes": "yes",
    "--version": "version",
}
_VALUES = {"--home": "home", "--config": "config", "--lang": "lang"}
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class GlobalOptions:
    """The options that every command takes."""

    home: str | None = None
    config: str | None = None
    lang: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    no_input: bool = False
    yes: bool = False
    version: bool = False

    def with_environment(self, environ: Mapping[str, str]) -> "GlobalOptions":
        """These options, with the environment where the line said nothing."""

        def on(name: str) -> bool:
            return environ.get(name, "").strip().lower() in _TRUE

        return replace(
            self,
            json=self.json or on("YUNTU_PUSH_JSON"),
            no_input=self.no_input or on("YUNTU_PUSH_NO_INPUT"),
            no_color=self.no_color
            or bool(environ.get("NO_COLOR"))
            or environ.get("TERM") == "dumb",
        )


@dataclass
class Line:
    """A command line taken apart."""

    options: GlobalOptions = field(default_factory=GlobalOptions)
    rest: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    error: ConfigError | None = None


def hoist(argv: Sequence[str], root: Any) -> Line:
    """The global options of a line, the rest of it, and the command's path.

    A bad global option is kept as `Line.error`, so that the ones beside it (`--json`) still say
    how the error is shown.
    """
    line = Line()
    found: dict[str, Any] = {}
    node = root
    own = _own_options(node)
    tokens = list(argv)
    while tokens:
        token = tokens.pop(0)
        name, has_value, value = token.partition("=") if token.startswith("--") else (token, "", "")
        if token == "--":
            line.rest += [token, *tokens]
            break
        if node is not root and name in own:
            line.rest.append(token)
            if own[name] and not has_value and tokens:
                line.rest.append(tokens.pop(0))
        elif name in _FLAGS and not has_value:
            found[_FLAGS[name]] = True
        elif name in _VALUES:
            _take_value(line, found, name, value if has_value else None, tokens)
        elif _is_cluster(token):
            found |= {_FLAGS[f"-{letter}"]: True for letter in token[1:]}
        else:
            line.rest.append(token)
            below = None if token.startswith("-") else _subcommand(node, token)
            if below is not None:
                node = below
                own = _own_options(node)
                line.command.append(str(node.name))
    line.options = GlobalOptions(**found)
    if found.get("lang") not in (None, "zh", "en"):
        line.options = replace(line.options, lang=None)
        line.error = ConfigError(
            "USAGE",
            msg("--lang takes zh or en, not {value}", value=repr(found["lang"])),
            hint=msg("pass --lang zh or --lang en"),
        )
    return line


def _take_value(
    line: Line, found: dict[str, Any], name: str, value: str | None, tokens: list[str]
) -> None:
    if value is None and tokens:
        value = tokens.pop(0)
    if value:
        found[_VALUES[name]] = value
    else:
        line.error = ConfigError(
            "USAGE",
            msg("option {option} needs a value", option=name),
            hint=msg("see `yuntu-push --help`"),
        )


def _is_cluster(token: str) -> bool:
    return (
        len(token) > 2
        and token[0] == "-"
        and token[1] != "-"
        and all(f"-{letter}" in _FLAGS for letter in token[1:])
    )


def _own_options(node: Any) -> dict[str, bool]:
    """Each option string of a command, and whether it takes the next word as its value."""
    return {
        text: not getattr(param, "is_flag", False) and not getattr(param, "count", False)
        for param in node.params
        if param.param_type_name == "option"
        for text in (*param.opts, *param.secondary_opts)
    }


def _subcommand(node: Any, name: str) -> Any:
    get_command = getattr(node, "get_command", None)
    return get_command(None, name) if get_command else None
