"""Help in the reader's language: the command tree's sentences looked up in the catalogue."""

from collections.abc import Iterator
from typing import Any

from yuntu_push.cli.i18n import Translator


def translate_help(command: Any, translator: Translator) -> None:
    """Replace the help sentences of a command tree by their translations, in place."""
    if translator.language == "en":
        return
    for owner, attribute in _sentences(command):
        setattr(owner, attribute, translator.sentence(getattr(owner, attribute)))


def help_sentences(command: Any) -> list[str]:
    """Every help sentence of a command tree, for the catalogue."""
    return [getattr(owner, attribute) for owner, attribute in _sentences(command)]


def _sentences(command: Any) -> Iterator[tuple[Any, str]]:
    for attribute in ("help", "short_help", "epilog"):
        if getattr(command, attribute, None):
            yield command, attribute
    for param in command.params:
        if getattr(param, "help", None):
            yield param, "help"
    for below in getattr(command, "commands", {}).values():
        yield from _sentences(below)
