"""The pages of docs/ that the code knows best: `--write` makes them anew, a test compares them.

`docs/json.md` comes from the contract of the answers, `docs/error-codes.md` from the tables of
codes.
"""

import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from yuntu_push.cli.contract import ANSWERS, BARE
from yuntu_push.cli.errors import exit_code_for
from yuntu_push.cli.i18n import Translator
from yuntu_push.domain.explanations import explain, known_codes

DOCS = Path(__file__).resolve().parents[2] / "docs"
_NAMES: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "true or false",
    type(None): "null",
    Any: "any",
}

_JSON_HEAD = """\
# What the JSON answers hold

With `--json`, stdout carries one document and nothing else, also on errors:

```json
{{"schema": "yuntu-push/1", "command": "push list", "status": "ok", "exit_code": 0, "data": {{}},
 "errors": []}}
```

`status` is `ok`, `pending`, `partial` or `error`. Each of `errors` has `code`, `message`, `hint`,
`retryable`, for the platform's refusals `platform_code` and `request_id`, and `next_at` where it
is known when trying again makes sense. After an error `data` may be empty.

Ids are strings, times ISO 8601 with offset, paths absolute. `yuntu-push schema COMMAND` prints the
JSON Schema of a command's `data`. These print their own output, without the envelope: {bare}.
"""
_CODES_HEAD = """\
# Error codes

`yuntu-push explain CODE` tells the same, with the next step, offline. Numbers are the platform's
codes and what this tool makes of them; [exit codes](exit-codes.md) tell a script what to do next.
"""


def json_page() -> str:
    """What every command's `data` holds."""
    shapes = _shapes()
    lines = [
        _JSON_HEAD.format(bare=", ".join(f"`{name}`" for name in sorted(BARE))),
        "| command | `data` |",
        "|---|---|",
        *(
            f"| `{command}` | {' or '.join(_link(shape) for shape in answers)} |"
            for command, answers in sorted(ANSWERS.items())
        ),
    ]
    for shape in shapes:
        lines += [
            "",
            f"## {shape.__name__}",
            "",
            _first_line(shape),
            "",
            "| key | value |",
            "|---|---|",
        ]
        lines += [f"| `{key}` | {value} |" for key, value in _fields(shape)]
    return "\n".join(lines) + "\n"


def error_codes_page() -> str:
    """Every code, its exit code and its meaning in both languages."""
    zh = Translator("zh")
    rows = []
    for code in known_codes():
        found = explain(code)
        assert found is not None
        exit_code = exit_code_for(found.kind(found.code, found.meaning))
        english, chinese = Translator("en").render(found.meaning), zh.render(found.meaning)
        rows.append(f"| `{code}` | {exit_code} | {_cell(english)} | {_cell(chinese)} |")
    return "\n".join(
        [
            _CODES_HEAD,
            "| code | exit | meaning | 含义 |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


PAGES: dict[str, Callable[[], str]] = {
    "json.md": json_page,
    "error-codes.md": error_codes_page,
}


def _shapes() -> list[type]:
    """All shapes of the contract, each before those it is made of."""
    found: dict[type, None] = {}

    def visit(shape: type) -> None:
        if shape in found:
            return
        found[shape] = None
        for hint in typing.get_type_hints(shape).values():
            for inner in _inner(hint):
                visit(inner)

    for answers in ANSWERS.values():
        for shape in answers:
            visit(shape)
    return sorted(found, key=lambda shape: shape.__name__)


def _inner(hint: object) -> Iterator[type]:
    if typing.is_typeddict(hint):
        assert isinstance(hint, type)
        yield hint
    for argument in typing.get_args(hint):
        yield from _inner(argument)


def _fields(shape: type) -> Iterator[tuple[str, str]]:
    optional: frozenset[str] = getattr(shape, "__optional_keys__", frozenset())
    for key, hint in typing.get_type_hints(shape).items():
        yield key, _value(hint) + (" (may be absent)" if key in optional else "")


def _value(hint: object) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    if typing.is_typeddict(hint):
        assert isinstance(hint, type)
        return _link(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return f"list of {_value(arguments[0])}"
    if origin is dict:
        return f"object: {_value(arguments[0])} → {_value(arguments[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_value(argument) for argument in arguments)
    if origin is typing.Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    raise LookupError(f"the page has no words for {hint}")


def _link(shape: type) -> str:
    return f"[{shape.__name__}](#{shape.__name__.lower()})"


def _first_line(shape: type) -> str:
    return (shape.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.support.pages --write")
    for page, make in PAGES.items():
        (DOCS / page).write_text(make(), "utf-8")
