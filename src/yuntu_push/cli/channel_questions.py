"""What `channel add` asks for on a terminal, and what to copy from which page of the console."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from yuntu_push.cli.prompts import secret_from_stdin
from yuntu_push.cli.session import Session
from yuntu_push.domain.channel import (
    DEFAULT_API_URL,
    DEFAULT_CALLBACK_URL,
    Channel,
    ChannelKind,
)
from yuntu_push.domain.channel_rules import callback_of
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import channel_name
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg

T = TypeVar("T")

REPLACES_EARLIER = msg(
    "a new authorisation replaces the earlier one of the same login: tick all accounts again, and "
    "do not share an application that another system (a hosted CDP) uses"
)
_STORES = ("keyring", "file")


@dataclass(frozen=True)
class Draft:
    """A channel as far as the options of the line say."""

    name: str
    kind: ChannelKind | None
    app_id: int | None
    callback_url: str | None
    auth_url: str | None
    api_url: str | None
    client: str | None
    same_app_as: str | None


def ask_for_rest(session: Session, draft: Draft) -> Channel:
    """The channel of a draft: the rest comes from the channel it shares with, or the person."""
    channel_name(draft.name)
    if draft.same_app_as is not None:
        return _like(session.channels.get(draft.same_app_as), draft)
    if session.prompts.interactive and None in (draft.kind, draft.app_id):
        _say_where(session)
    kind = draft.kind or _ask_kind(session)
    app_id = _ask_app_id(session) if draft.app_id is None else draft.app_id
    auth_url = _or_ask(
        session,
        draft.auth_url,
        msg("授权URL of that page, whole (Enter: the standard page)"),
        default="",
    )
    callback_url = _or_ask(
        session,
        draft.callback_url,
        msg("回调地址: register this one in the console, or type the one registered there"),
        default=callback_of(auth_url) or DEFAULT_CALLBACK_URL,
    )
    return Channel(
        name=draft.name,
        kind=kind,
        app_id=app_id,
        callback_url=callback_url,
        auth_url=auth_url,
        api_url=draft.api_url or DEFAULT_API_URL,
        client=draft.client,
    )


def choose_store(session: Session) -> str:
    """The secret store to use: the chosen one, else what the person says."""
    chosen = session.secret_stores.chosen()
    if chosen is not None:
        return chosen
    if not session.prompts.interactive:
        raise ConfigError(
            "SECRETS_UNCHOSEN",
            msg("no secret store has been chosen yet"),
            hint=msg(
                "set YUNTU_PUSH_SECRETS=keyring (the system's), file (encrypted, for servers and "
                "cron) or env (CI) for this first `channel add`; it is remembered"
            ),
        )
    session.messages.notice(
        msg(
            "Secrets and tokens are kept in one place: keyring (this desktop's own store) or "
            "file (encrypted, for servers and cron)"
        )
    )
    return _repeated(
        lambda: session.prompts.text(
            msg("keyring or file"), option="YUNTU_PUSH_SECRETS", default="keyring"
        ),
        lambda answer: answer if answer in _STORES else None,
    )


def read_secret(
    session: Session, channel: Channel, *, store: str, from_stdin: bool
) -> SecretText | None:
    """The application's Secret; None when the environment or another channel has it."""
    if channel.same_app_as is not None:
        return None
    if from_stdin:
        return secret_from_stdin("--secret-stdin")
    if session.channels.secret_in_environment(channel):
        session.messages.notice(msg("the Secret of the environment is used"))
        return None
    if store == "env":
        return None  # `add` says which variable is missing
    return ask_secret(session, msg("Secret of that page (nothing is shown while you paste)"))


def ask_secret(session: Session, question: Text) -> SecretText:
    """The Secret that the person pastes, unseen; `ConfigError` when nothing was pasted."""
    secret = session.prompts.secret(question, option="--secret-stdin")
    if not secret:
        raise ConfigError(
            "SECRET_EMPTY",
            msg("no Secret was given"),
            hint=msg("copy Secret from the application's page (应用详情) and run this again"),
        )
    return secret


def _say_where(session: Session) -> None:
    for line in (
        msg("open 巨量引擎开放平台 (https://open.oceanengine.com), top navigation APPID管理"),
        msg("choose the application, or make one under 应用管理 → 巨量广告 (千川: 巨量千川)"),
        msg("its rights must include 账号服务, 广告投放, DMP人群管理 (not for 千川), 工具"),
        msg("on its page (应用详情) you find APP_ID, Secret, 回调地址 and 授权URL"),
    ):
        session.messages.notice(line)


def _like(owner: Channel, draft: Draft) -> Channel:
    return Channel(
        name=draft.name,
        kind=draft.kind or owner.kind,
        app_id=owner.app_id if draft.app_id is None else draft.app_id,
        callback_url=draft.callback_url or owner.callback_url,
        auth_url=owner.auth_url if draft.auth_url is None else draft.auth_url,
        api_url=draft.api_url or owner.api_url,
        client=draft.client,
        same_app_as=owner.name,
    )


def _ask_kind(session: Session) -> ChannelKind:
    kinds = {kind.value: kind for kind in ChannelKind}
    return _repeated(
        lambda: session.prompts.text(
            msg("kind: yuntu (巨量云图), oceanengine (巨量引擎) or qianchuan (巨量千川)"),
            option="--kind",
            default=ChannelKind.YUNTU.value,
        ),
        kinds.get,
    )


def _ask_app_id(session: Session) -> int:
    return _repeated(
        lambda: session.prompts.text(msg("APP_ID of that page"), option="--app-id"),
        lambda answer: int(answer) if answer.isascii() and answer.isdigit() else None,
    )


def _repeated(ask: Callable[[], str], read: Callable[[str], T | None]) -> T:
    """The first answer that makes sense; the end of input ends the questions by itself."""
    while True:
        found = read(ask())
        if found is not None:
            return found


def _or_ask(session: Session, given: str | None, question: Text, *, default: str) -> str:
    if given is not None:
        return given
    if not session.prompts.interactive:
        return default
    return session.prompts.text(question, option="", default=default)
