"""Global options anywhere on the line: they are taken out before the commands are parsed.

A word is global only when it is no option of the command it follows and no value of another
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
    words = list(argv)
    while words:
        word = words.pop(0)
        name, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word == "--":
            line.rest += [word, *words]
            break
        if node is not root and name in own:
            line.rest.append(word)
            if own[name] and not has_value and words:
                line.rest.append(words.pop(0))
        elif name in _FLAGS and not has_value:
            found[_FLAGS[name]] = True
        elif name in _VALUES:
            _take_value(line, found, name, value if has_value else None, words)
        elif _is_cluster(word):
            found |= {_FLAGS[f"-{letter}"]: True for letter in word[1:]}
        else:
            line.rest.append(word)
            below = None if word.startswith("-") else _subcommand(node, word)
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
    line: Line, found: dict[str, Any], name: str, value: str | None, words: list[str]
) -> None:
    if value is None and words:
        value = words.pop(0)
    if value:
        found[_VALUES[name]] = value
    else:
        line.error = ConfigError(
            "USAGE",
            msg("option {option} needs a value", option=name),
            hint=msg("see `yuntu-push --help`"),
        )


def _is_cluster(word: str) -> bool:
    return (
        len(word) > 2
        and word[0] == "-"
        and word[1] != "-"
        and all(f"-{letter}" in _FLAGS for letter in word[1:])
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
