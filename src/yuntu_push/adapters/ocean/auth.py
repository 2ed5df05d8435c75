"""Sends a call with the channel's access token, and once more when that token is refused.

Token errors come inside the envelope with HTTP 200, so the decision needs the body. Every body we
send is small or a file that can be rewound, so a call can always be sent again; and a call refused
for its token was not carried out, so sending it again is safe for writes too.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from yuntu_push.adapters.ocean import envelope
from yuntu_push.adapters.ocean.needs import Pace, Tokens
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import OutcomeUnknownError, TryLaterError, UnreachableError
from yuntu_push.domain.secret import SecretText

SERVER_ERROR = 500  # HTTP; an envelope with an error code is an answer


@dataclass(frozen=True)
class Signer:
    """Attaches a channel's token; every sending waits for its turn."""

    channel: Channel
    tokens: Tokens
    transport: Transport
    pace: Pace

    def send(self, call: Call, *, seconds: float | None = None) -> envelope.Reply:
        """The answer to a call; `LoginError` when no accepted token can be had."""
        with _not_sent_yet():
            token = self.tokens.access_token(self.channel)
        reply = self._sent(call, token, seconds)
        if envelope.token_refused(reply):
            with _not_sent_yet():
                token = self.tokens.replace_refused(self.channel, token)
            reply = self._sent(call, token, seconds)
        return reply

    def _sent(self, call: Call, token: SecretText, seconds: float | None) -> envelope.Reply:
        host = self.transport.host
        endpoint = f"{host}{call.path} {self.channel.app_id}"
        left = self.pace.held(endpoint)
        if left > 0:
            raise envelope.held_off(left)
        self.pace.wait(host)
        try:
            reply = self.transport.send(call, token, seconds=seconds)
        except (UnreachableError, OutcomeUnknownError) as exc:
            if _tells_of_the_host(call, exc):
                self.pace.note(host, answered=False)
            raise
        self.pace.note(host, answered=reply.status < SERVER_ERROR)
        pause = envelope.asked_pause(reply, self.transport.server_now())
        if pause is not None:
            self.pace.hold(endpoint, pause)
        return reply


@contextlib.contextmanager
def _not_sent_yet() -> Iterator[None]:
    """A renewal without an answer leaves the login in doubt, never the call that waits for it."""
    try:
        yield
    except OutcomeUnknownError as exc:
        raise exc.retold(UnreachableError) from exc


def _tells_of_the_host(call: Call, exc: TryLaterError) -> bool:
    """Whether a failure is the host's: not our trust in it, nor our link's upload speed."""
    slow_upload = call.file is not None and exc.code == "PLATFORM_TIMEOUT"
    return exc.code != "TLS_UNTRUSTED" and not slow_upload
