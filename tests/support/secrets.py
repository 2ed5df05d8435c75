"""Fakes around secrets and logins: a store in memory, a token platform, a clock that is set."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from yuntu_push.domain.channel import Account, Channel, ChannelKind
from yuntu_push.domain.errors import ConfigError, LoginError, OutcomeUnknownError, TryLaterError
from yuntu_push.domain.platform import TokenAnswer
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.directory import DirectoryRefresh
from yuntu_push.services.grants import Grants, app_secret_key
from yuntu_push.services.tokens import Tokens

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
DAY = 86_400
APP_SECRET = "canary-app-secret-0123456789"


def channel(name: str = "acme", **changes: object) -> Channel:
    """A channel of a made-up application."""
    fields: dict[str, object] = {"kind": ChannelKind.YUNTU, "app_id": 1234567890123456, **changes}
    return Channel(name=name, **fields)  # type: ignore[arg-type]


@dataclass
class SetClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    moment: datetime = START
    ticks: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass
class MemoryStore:
    """A secret store in memory. `locked` makes every call fail; `failing_puts` the named ones."""

    name: str = "keyring"
    kept: dict[str, SecretText] = field(default_factory=dict)
    locked: bool = False
    refuses_puts_of: Callable[[str], bool] = lambda _key: False
    limit: int | None = None
    probes: int = 0

    def describe(self) -> Text:
        return msg("system keyring ({backend})", backend="memory")

    def get(self, key: str) -> SecretText | None:
        self._check()
        return self.kept.get(key)

    def put(self, key: str, value: SecretText) -> None:
        self._check()
        if self.refuses_puts_of(key):
            raise TryLaterError("SECRETS_UNAVAILABLE", msg("no"), hint=msg("no"))
        if self.limit is not None and len(value.reveal()) > self.limit:
            raise TryLaterError("SECRETS_UNAVAILABLE", msg("too long"), hint=msg("no"))
        self.kept[key] = value

    def delete(self, key: str) -> None:
        self._check()
        self.kept.pop(key, None)

    def probe(self) -> None:
        self.probes += 1
        self.put("probe", SecretText("x" * 1200))
        self.delete("probe")

    def _check(self) -> None:
        if self.locked:
            raise TryLaterError("SECRETS_LOCKED", msg("locked"), hint=msg("unlock it"))


@dataclass
class MemoryStores:
    """The choice among stores in memory."""

    stores: dict[str, MemoryStore] = field(
        default_factory=lambda: {name: MemoryStore(name) for name in ("keyring", "file", "env")}
    )
    in_config: str | None = None
    in_environment: str | None = None

    def chosen(self) -> str | None:
        return self.in_environment or self.in_config

    def pinned(self) -> str | None:
        return self.in_config

    def pin(self, name: str) -> None:
        self.in_config = name

    def current(self) -> MemoryStore:
        return self.stores[self.chosen() or "env"]

    def open(self, name: str, *, bare: bool = False) -> MemoryStore:
        return self.stores[name]


@dataclass
class MemoryChannels:
    """The channels of a config; `broken` makes writes fail."""

    entries: dict[str, Channel] = field(default_factory=dict)
    broken: bool = False

    def channels(self) -> dict[str, Channel]:
        return dict(self.entries)

    def add_channel(self, channel: Channel) -> None:
        if self.broken:
            raise ConfigError("CONFIG_UNREADABLE", msg("no"), hint=msg("no"))
        self.entries[channel.name] = channel

    def remove_channel(self, name: str) -> None:
        self.entries.pop(name, None)


@dataclass
class MemoryDirectory:
    """The accounts last seen; `platform` is what a refresh finds."""

    seen: dict[str, list[Account]] = field(default_factory=dict)
    platform: list[Account] = field(default_factory=list)

    def replace(self, channel: str, accounts: object, seen_at: datetime) -> None:
        self.seen[channel] = list(accounts)  # type: ignore[call-overload]

    def accounts(self, channel: str | None = None) -> list[Account]:
        return [a for name, all_ in self.seen.items() if channel in (None, name) for a in all_]

    def forget(self, channel: str) -> None:
        self.seen.pop(channel, None)

    def refresh(self, channel: Channel, /) -> DirectoryRefresh:
        before = self.seen.get(channel.name, [])
        self.seen[channel.name] = list(self.platform)
        return DirectoryRefresh(
            accounts=tuple(self.platform),
            gained=tuple(a for a in self.platform if a not in before),
            lost=tuple(a for a in before if a not in self.platform),
            bound=None,
            statement=msg("read"),
            problems=(),
            notes=(),
        )


class TokenPlatform:
    """The platform's side of tokens, kept in a file so that many processes meet the same one.

    A refresh gives a new pair and voids the old one. `drop` names calls whose answer gets lost:
    `before` the platform acted, or `after`.
    """

    def __init__(self, path: Path, *, lives: int = DAY) -> None:
        self.path = path
        self.lives = lives
        self.drop: list[str] = []
        self.refused_code = 40107
        if not path.exists():
            self._save({"number": 0, "refreshes": 0, "refused": 0, "codes": []})

    @property
    def refreshes(self) -> int:
        return int(self._load()["refreshes"])

    @property
    def refused(self) -> int:
        return int(self._load()["refused"])

    @property
    def current(self) -> tuple[str, str]:
        """The access and refresh token that are valid now."""
        number = self._load()["number"]
        return _token("access", number), _token("refresh", number)

    def exchange(self, channel: Channel, secret: SecretText, auth_code: SecretText) -> TokenAnswer:
        with self._locked() as state:
            if secret.reveal() != APP_SECRET:
                raise _refusal(40002)
            if auth_code.reveal() in state["codes"]:
                raise _refusal(40107)
            state["codes"].append(auth_code.reveal())
            state["number"] += 1
            return self._answer(state["number"])

    def refresh(
        self,
        channel: Channel,
        secret: SecretText,
        refresh_token: SecretText,
        *,
        on_answer: Callable[[bytes], None],
    ) -> TokenAnswer:
        dropped = self.drop.pop(0) if self.drop else ""
        if dropped == "before":
            raise OutcomeUnknownError("PLATFORM_SILENT", msg("no answer"), hint=msg("again"))
        with self._locked() as state:
            valid = refresh_token.reveal() == _token("refresh", state["number"])
            state["refreshes" if valid else "refused"] += 1
            if valid:
                state["number"] += 1
            number = state["number"]
        if dropped == "after":
            raise OutcomeUnknownError("PLATFORM_SILENT", msg("no answer"), hint=msg("again"))
        answer = self._answer(number)
        body = {"code": 0, "data": vars_of(answer)} if valid else {"code": self.refused_code}
        on_answer(json.dumps(body).encode())
        if not valid:
            raise _refusal(self.refused_code)
        return answer

    def parse(self, body: bytes) -> TokenAnswer:
        document = json.loads(body)
        if document["code"]:
            raise _refusal(document["code"])
        return TokenAnswer(**document["data"])

    def rotate_elsewhere(self) -> None:
        """Someone else refreshes or logs in: what is stored here is void."""
        with self._locked() as state:
            state["number"] += 1

    def _answer(self, number: int) -> TokenAnswer:
        return TokenAnswer(
            access_token=_token("access", number),
            refresh_token=_token("refresh", number),
            expires_in=self.lives,
            refresh_expires_in=30 * DAY,
        )

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self._load()
            try:
                yield state
            finally:
                self._save(state)

    def _load(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.path.read_text())
        return state

    def _save(self, state: object) -> None:
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(state))
        fresh.replace(self.path)


def vars_of(answer: TokenAnswer) -> dict[str, object]:
    """The fields of an answer as the platform sends them."""
    return {
        "access_token": answer.access_token,
        "refresh_token": answer.refresh_token,
        "expires_in": answer.expires_in,
        "refresh_expires_in": answer.refresh_expires_in,
    }


def _token(kind: str, number: int) -> str:
    return f"canary-{kind}-{number:04d}-0123456789abcdef"


def _refusal(code: int) -> LoginError:
    return LoginError("AUTH_LOGIN_REQUIRED", msg("refused"), hint=msg("again"), platform_code=code)


def logged_in(tokens: Tokens, store: MemoryStore, platform: TokenPlatform) -> Channel:
    """A channel with a Secret and a fresh grant of the platform."""
    made = channel()
    store.put(app_secret_key(made), SecretText(APP_SECRET))
    tokens.accept(
        made, lambda secret: platform.exchange(made, secret, SecretText(os.urandom(8).hex()))
    )
    assert Grants(store).read(made) is not None
    return made
