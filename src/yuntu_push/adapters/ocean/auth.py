"""Sends a call with the channel's access token, and once more when that token is refused.

Token errors come inside the envelope with HTTP 200, so the decision needs the body. Every body we
send is small or a file that can be rewound, so a call can always be sent again; and a call refused
for its token was not carried out, so sending it again is safe for writes too.
"""

from dataclasses import dataclass

from yuntu_push.adapters.ocean import envelope
from yuntu_push.adapters.ocean.needs import Pace, Tokens
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.domain.channel import Channel


@dataclass(frozen=True)
class Signer:
    """Attaches a channel's token; every sending waits for its turn."""

    channel: Channel
    tokens: Tokens
    transport: Transport
    pace: Pace

    def send(self, call: Call, *, seconds: float | None = None) -> envelope.Reply:
        """The answer to a call; `LoginError` when no accepted token can be had."""
        token = self.tokens.access_token(self.channel)
        self.pace.wait()
        reply = self.transport.send(call, token, seconds=seconds)
        if envelope.token_refused(reply):
            token = self.tokens.replace_refused(self.channel, token)
            self.pace.wait()
            reply = self.transport.send(call, token, seconds=seconds)
        return reply
