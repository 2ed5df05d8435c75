"""The token calls: made once each, for the second use of a code or refresh token is refused."""

from collections.abc import Callable
from datetime import datetime

from yuntu_push.adapters.ocean import envelope, models
from yuntu_push.adapters.ocean.envelope import Reply
from yuntu_push.adapters.ocean.needs import Clock
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import LoginError, RefusedError
from yuntu_push.domain.platform import TokenAnswer
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.settings import ApiSettings
from yuntu_push.domain.text import msg

EXCHANGE = "/open_api/oauth2/access_token/"
REFRESH = "/open_api/oauth2/refresh_token/"


class OceanOAuth:
    """Exchanges codes and refresh tokens at a channel's API host."""

    def __init__(self, api: ApiSettings, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def exchange(self, channel: Channel, secret: SecretText, auth_code: SecretText) -> TokenAnswer:
        """The tokens for an authorisation code; `LoginError` when code or Secret are refused."""
        body = {"auth_code": auth_code.reveal()}
        return self._call(channel, EXCHANGE, secret, body, "auth_code", _ignore)

    def refresh(
        self,
        channel: Channel,
        secret: SecretText,
        refresh_token: SecretText,
        *,
        on_answer: Callable[[bytes], None],
    ) -> TokenAnswer:
        """The next pair of tokens; `on_answer` gets the raw body before anything is parsed."""
        body = {"refresh_token": refresh_token.reveal()}
        return self._call(channel, REFRESH, secret, body, "refresh_token", on_answer)

    def parse(self, body: bytes) -> TokenAnswer:
        """The tokens of a raw body kept from an earlier answer."""
        return _answer(Reply(REFRESH, 200, {}, body), "", self._clock.now())

    def _call(
        self,
        channel: Channel,
        path: str,
        secret: SecretText,
        body: dict[str, str],
        grant_type: str,
        on_answer: Callable[[bytes], None],
    ) -> TokenAnswer:
        full: dict[str, object] = {"app_id": channel.app_id, "secret": secret.reveal(), **body}
        if self._api.grant_type:  # asked for by older documents, gone from the present ones
            full["grant_type"] = grant_type
        transport = Transport(channel.api_url, self._api, self._clock)
        try:
            call = Call("POST", path, body=full, sign="none")
            reply = transport.send(call, on_body=on_answer)
            return _answer(reply, channel.name, transport.server_now())
        except (RefusedError, LoginError) as exc:
            raise _refused(exc, channel) from exc
        finally:
            transport.close()


def _answer(reply: Reply, channel: str, now: datetime) -> TokenAnswer:
    answer = models.token_answer(envelope.opened(reply, channel=channel, now=now))
    if answer is None:
        raise envelope.unexpected(reply.path)
    return answer


def _ignore(_body: bytes) -> None:
    """An exchange keeps no journal: the person can simply log in again."""


def _refused(exc: RefusedError | LoginError, channel: Channel) -> RefusedError | LoginError:
    """A refusal of a token call by the platform itself: only a person can mend it."""
    if exc.platform_code is None:
        return exc
    code, words = "AUTH_LOGIN_REQUIRED", str(exc.message).lower()
    if "grant_type" in words or exc.platform_code == 40108:
        hint = msg("set `api.grant_type: true` in the config, then log in again")
    elif "secret" in words or "app_id" in words or exc.platform_code == 40101:
        code = "APP_REFUSED"
        hint = msg(
            "compare APP_ID and Secret with the developer console: `yuntu-push channel show "
            "{channel}`, `yuntu-push channel set-secret {channel}`",
            channel=channel.name,
        )
    else:
        hint = msg("log in again: `yuntu-push auth login {channel}`", channel=channel.name)
    return LoginError(
        code,
        exc.message,
        hint=hint,
        platform_code=exc.platform_code,
        request_id=exc.request_id,
    )
