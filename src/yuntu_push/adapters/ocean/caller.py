"""Calls of one channel: reads are repeated briefly, writes are made once."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from yuntu_push.adapters.ocean import envelope
from yuntu_push.adapters.ocean.auth import Signer
from yuntu_push.adapters.ocean.needs import Clock, Pace, Tokens
from yuntu_push.adapters.ocean.pace import PAUSED, Pacer
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    ThrottledError,
    TryLaterError,
    UnreachableError,
)
from yuntu_push.domain.settings import ApiSettings

READ_TRIES = 3
FIRST_PAUSE = 0.5  # doubled for each further try, with jitter
LONGEST_PAUSE = 10.0  # a longer wait is the caller's business: it can be interrupted and resumed


class Caller:
    """Makes calls with a channel's grant and gives the `data` of their answers."""

    def __init__(
        self,
        channel: Channel,
        tokens: Tokens,
        api: ApiSettings,
        clock: Clock,
        *,
        pace: Pace | None = None,
        tries: int = READ_TRIES,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.channel = channel
        self.api = api
        self.clock = clock
        self._transport = Transport(channel.api_url, api, clock)
        self._signer = Signer(channel, tokens, self._transport, pace or Pacer(api.rate, clock))
        self._tries = tries
        self._jitter = jitter

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def server_now(self) -> datetime:
        """The platform's clock as last announced."""
        return self._transport.server_now()

    def get(self, path: str, **query: object) -> Any:
        """`data` of a read; parameters that are None are left out."""
        return self.read(Call("GET", path, query=_given(query)))

    def post(self, path: str, **body: object) -> Any:
        """`data` of a write."""
        return self.write(Call("POST", path, body=_given(body)))

    def write(self, call: Call, *, seconds: float | None = None) -> Any:
        """`data` of a call that is made exactly once, within `seconds`."""
        try:
            reply = self._signer.send(call, seconds=seconds)
            return envelope.opened(reply, channel=self.channel.name, now=self.server_now())
        except ThrottledError as exc:
            if exc.retry_in is not None:  # who waits looks at our clock, not at the platform's
                exc.next_at = self.clock.now() + timedelta(seconds=exc.retry_in)
            raise

    def read(self, call: Call) -> Any:
        """`data` of a call without effect, tried `tries` times at most; then `TryLaterError`."""
        for attempt in range(1, self._tries + 1):
            try:
                return self.write(call)
            except (UnreachableError, OutcomeUnknownError, ThrottledError) as exc:
                pause = self._pause(exc, attempt)
                if attempt == self._tries or pause is None:
                    raise _of_a_read(exc) from exc
                self.clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, exc: TryLaterError, attempt: int) -> float | None:
        """Seconds before the next try; None when another try makes no sense here."""
        if exc.code in ("TLS_UNTRUSTED", PAUSED):
            return None
        if isinstance(exc, ThrottledError) and exc.retry_in is not None:
            return exc.retry_in if exc.retry_in <= LONGEST_PAUSE else None
        return float(FIRST_PAUSE * 2 ** (attempt - 1) * (1 + self._jitter()))


def _given(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _of_a_read(exc: TryLaterError) -> TryLaterError:
    """The error of a read: nothing was changed, so its outcome is not "unknown"."""
    return exc.retold(TryLaterError) if isinstance(exc, OutcomeUnknownError) else exc
