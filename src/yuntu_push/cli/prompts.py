"""Questions to the person at the terminal; a script is never asked."""

import contextlib
import getpass
import sys
from collections.abc import Iterator

import typer

from yuntu_push.cli.errors import Messages
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg


class Prompts:
    """Asks on stderr and reads from stdin; with `--no-input` or no terminal it refuses instead.

    Ctrl-D at a question that needs an answer ends the run as Ctrl-C does.
    """

    def __init__(self, messages: Messages, *, no_input: bool, yes: bool) -> None:
        self._messages = messages
        self._no_input = no_input
        self.yes = yes

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return not self._no_input and sys.stdin is not None and sys.stdin.isatty()

    def text(self, question: Text, *, option: str, default: str = "") -> str:
        """A line from the person; `option` is what a script has to pass instead."""
        self._need_person(option)
        suffix = f" [{default}]" if default else ""
        line = self._answer(f"{self._messages.translator.render(question)}{suffix}: ")
        if not line:
            raise typer.Abort
        return line.strip() or default

    def secret(self, question: Text, *, option: str) -> SecretText:
        """A hidden line from the person."""
        self._need_person(option)
        shown = self._messages.translator.render(question)
        try:
            with self._line_ended():
                typed = getpass.getpass(f"{shown}: ", stream=self._messages.stream)
        except EOFError as exc:
            raise typer.Abort from exc
        return SecretText(typed.strip())

    def confirm(self, question: Text, *, default: bool = False) -> bool:
        """Yes or no; `--yes` answers yes, and where nobody can be asked the answer is `default`."""
        if self.yes:
            return True
        if not self.interactive:
            return default
        shown = self._messages.translator.render(question)
        answer = self._answer(f"{shown} [{'Y/n' if default else 'y/N'}]: ").strip().lower()
        return default if not answer else answer in {"y", "yes", "是", "好"}

    def _answer(self, question: str) -> str:
        """The line that the person types, with its end; empty at the end of input."""
        stream = self._messages.stream
        with self._line_ended():
            stream.write(question)
            stream.flush()
            line = sys.stdin.readline()
        if not line:
            stream.write("\n")
        return line

    @contextlib.contextmanager
    def _line_ended(self) -> Iterator[None]:
        """Ends the question's line when the run ends at it: what is said next has its own."""
        try:
            yield
        except BaseException:
            self._messages.stream.write("\n")
            raise

    def _need_person(self, option: str) -> None:
        if not self.interactive:
            raise self._missing(option)

    def _missing(self, option: str) -> ConfigError:
        return ConfigError(
            "OPTION_MISSING",
            msg("{option} is needed here", option=option),
            hint=msg("pass {option}; nobody can be asked without a terminal", option=option),
        )


def piped_line() -> str:
    """The first line of stdin without its line end; empty when there is none.

    Bytes that are no text become U+FFFD; the mark that some programs put first is left out.
    """
    if sys.stdin is None:
        return ""
    line = sys.stdin.buffer.readline()
    return line.decode(sys.stdin.encoding or "utf-8", "replace").removeprefix("\ufeff").strip()


def secret_from_stdin(option: str) -> SecretText:
    """The Secret on stdin, without its line end, or `ConfigError` when there is none."""
    value = piped_line()
    if not value:
        raise ConfigError(
            "SECRET_EMPTY",
            msg("stdin gave no Secret for {option}", option=option),
            hint=msg(
                "pipe the Secret in, e.g. `pass show app | yuntu-push … {option}`", option=option
            ),
        )
    if "\ufffd" in value:
        raise ConfigError(
            "SECRET_UNREADABLE",
            msg("what stdin gave for {option} is no text", option=option),
            hint=msg("pipe the Secret in as UTF-8 text"),
        )
    return SecretText(value)
