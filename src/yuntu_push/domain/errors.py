"""The errors of this tool.

    YuntuPushError
    ├── ConfigError        exit 2    wrong option, config key, name, missing driver
    ├── SourceError        exit 3    the source or its data cannot be used
    ├── LoginError         exit 4    a login is needed, or the grant lacks a right
    ├── RefusedError       exit 5    the platform refused for good
    ├── GuardError         exit 6    a safety guard refused, or an operator must decide
    ├── PartialError       exit 7    some targets failed
    ├── StillRunningError  exit 8    `--wait` ran out of time; the push goes on
    ├── StoppedError       exit 130  a person or the system ended the run (143: SIGTERM)
    └── TryLaterError      exit 75   quota, outage, locked store, disk full, held by another run
        ├── UnreachableError         the request was never sent
        ├── OutcomeUnknownError      the request was sent, its answer was lost
        └── ThrottledError           the platform asked to slow down

The class decides what a caller does (and, in `cli/errors`, the exit code); `code` is the stable
name that scripts match on. Any other exception that reaches the top is a bug of ours (exit 1).
Messages carry facts, never a person's id, a Secret or a token.
"""

from datetime import datetime
from typing import ClassVar, TypeVar

from yuntu_push.domain.text import Text

Told = TypeVar("Told", bound="YuntuPushError")


class YuntuPushError(Exception):
    """A failure that is not a bug: it has a stable code, a sentence and a next step.

    `code` is UPPER_SNAKE and stable; `hint` says what to do and names a command where one helps;
    `platform_code` and `request_id` are set for the platform's refusals; `next_at` is when trying
    again makes sense, where that is known.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        code: str,
        message: Text,
        *,
        hint: Text | None = None,
        platform_code: int | None = None,
        request_id: str | None = None,
        next_at: datetime | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.hint = hint
        self.platform_code = platform_code
        self.request_id = request_id
        self.next_at = next_at
        self.also: tuple[YuntuPushError, ...] = ()  # further failures found in the same look

    def retold(self, kind: type[Told]) -> Told:
        """The same failure as one of another kind, which a caller handles otherwise."""
        return kind(
            self.code,
            self.message,
            hint=self.hint,
            platform_code=self.platform_code,
            request_id=self.request_id,
            next_at=self.next_at,
        )


class ConfigError(YuntuPushError):
    """A wrong option, config value or name, found before anything ran."""


class SourceError(YuntuPushError):
    """The source cannot be read, or its content cannot make a segment."""


class LoginError(YuntuPushError):
    """A person must log in again, or the grant lacks a right."""


class RefusedError(YuntuPushError):
    """The platform refused, and the same request will be refused again."""


class GuardError(YuntuPushError):
    """A safety guard stopped the run before any write, or an operator must decide."""


class PartialError(YuntuPushError):
    """Some targets or brands failed, others are done."""


class StillRunningError(YuntuPushError):
    """The time given to `--wait` is over; the push goes on and can be attached to again."""


class TryLaterError(YuntuPushError):
    """Nothing is wrong with the request; the same command works later."""

    retryable: ClassVar[bool] = True


class StoppedError(YuntuPushError):
    """A person or the system ended the run; what was done is saved, and it may be run again."""

    retryable: ClassVar[bool] = True


class UnreachableError(TryLaterError):
    """The request provably never reached the platform; repeating it is safe."""


class OutcomeUnknownError(TryLaterError):
    """The request may have been carried out, but no usable answer came back.

    For a write this means: look for its effect before repeating it.
    """


class ThrottledError(TryLaterError):
    """The platform asked us to slow down; `retry_in` is its hint in seconds, if it gave one."""

    def __init__(
        self,
        code: str,
        message: Text,
        *,
        retry_in: float | None = None,
        hint: Text | None = None,
        platform_code: int | None = None,
        request_id: str | None = None,
        next_at: datetime | None = None,
    ) -> None:
        super().__init__(
            code,
            message,
            hint=hint,
            platform_code=platform_code,
            request_id=request_id,
            next_at=next_at,
        )
        self.retry_in = retry_in
