"""The only writer of stderr, and the one table of exit codes."""

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from yuntu_push.cli.i18n import Translator
from yuntu_push.cli.times import iso
from yuntu_push.domain import errors as e
from yuntu_push.domain.text import Text, msg

EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

EXIT_CODES: Mapping[type[e.YuntuPushError], int] = {
    e.ConfigError: 2,
    e.SourceError: 3,
    e.LoginError: 4,
    e.RefusedError: 5,
    e.GuardError: 6,
    e.PartialError: 7,
    e.StillRunningError: 8,
    e.TryLaterError: 75,
    e.StoppedError: EXIT_INTERRUPTED,
}


def exit_code_for(error: e.YuntuPushError) -> int:
    """The process's exit code for an error: that of the nearest class in the table."""
    for cls in type(error).__mro__:
        code = EXIT_CODES.get(cls)
        if code is not None:
            return code
    return EXIT_BUG


def as_json(error: e.YuntuPushError, translator: Translator) -> dict[str, Any]:
    """An error as an item of the envelope's `errors`."""
    item: dict[str, Any] = {
        "code": error.code,
        "message": translator.render(error.message),
        "hint": translator.render(error.hint) if error.hint else None,
        "retryable": error.retryable,
    }
    if error.platform_code is not None:
        item["platform_code"] = error.platform_code
    if error.request_id is not None:
        item["request_id"] = error.request_id
    if error.next_at is not None:
        item["next_at"] = iso(error.next_at)
    return item


class Messages:
    """Sentences for the person on stderr: notices, warnings, errors with their next step."""

    def __init__(
        self,
        translator: Translator,
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self.translator = translator
        self.quiet = quiet
        self.verbose = verbose
        self._color = color
        self._stream = stream

    @property
    def stream(self) -> TextIO:
        """Where messages go; looked up late, so that a replaced stderr is honoured."""
        return self._stream or sys.stderr

    def notice(self, text: Text) -> None:
        """What was done or comes next; silent under `--quiet`."""
        if not self.quiet:
            self._write(self.translator.render(text))

    def detail(self, text: Text) -> None:
        """More, under `--verbose`."""
        if self.verbose:
            self._write(self.translator.render(text))

    def warning(self, text: Text) -> None:
        """Something a person should look at."""
        label = self._paint("33", self.translator.render(msg("warning")))
        self._write(f"{label}: {self.translator.render(text)}")

    def bare(self, text: str) -> None:
        """One line that stands alone, such as a URL to copy."""
        self._write(text)

    def error(self, error: e.YuntuPushError) -> None:
        """An error: what happened, the next step, and the platform's request id."""
        label = self._paint("31", self.translator.render(msg("error")))
        self._write(f"{label}[{error.code}]: {self.translator.render(error.message)}")
        if error.platform_code is not None or error.request_id:
            facts = [
                f"code={error.platform_code}" if error.platform_code is not None else "",
                f"request_id={error.request_id}" if error.request_id else "",
            ]
            self._write("  " + " ".join(fact for fact in facts if fact))
        if error.hint:
            step = self.translator.render(msg("next"))
            self._write(f"  {step}: {self.translator.render(error.hint)}")
        for more in error.also:
            self.error(more)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def _write(self, text: str) -> None:
        encoding = self.stream.encoding or "utf-8"
        self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self.stream.flush()
