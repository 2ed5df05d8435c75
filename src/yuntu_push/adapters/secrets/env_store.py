"""Secrets of the environment, laid over another store: for CI, read only.

`YUNTU_PUSH_SECRET_<CHANNEL>_APP_SECRET` and `YUNTU_PUSH_SECRET_<SOURCE>_PASSWORD`. Tokens change
by themselves and so never come from here.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg

_ENDINGS = {"app_secret": "APP_SECRET", "password": "PASSWORD"}


class Store(Protocol):
    """The store below."""

    @property
    def name(self) -> str: ...
    def describe(self) -> Text: ...
    def get(self, key: str) -> SecretText | None: ...
    def put(self, key: str, value: SecretText) -> None: ...
    def delete(self, key: str) -> None: ...
    def probe(self) -> None: ...


def variable_of(key: str) -> str | None:
    """The environment variable that may hold a secret, or None for what it may not hold."""
    _, _, rest = key.partition("/")
    name, _, ending = rest.rpartition("/")
    if not name or ending not in _ENDINGS:
        return None
    return f"YUNTU_PUSH_SECRET_{name.replace('-', '_').upper()}_{_ENDINGS[ending]}"


class EnvironmentOver:
    """A store whose app Secrets and passwords the environment may replace."""

    def __init__(self, environ: Mapping[str, str], below: Store) -> None:
        self._environ = environ
        self._below = below

    @property
    def name(self) -> str:
        """The name of the store below, which keeps what is stored."""
        return self._below.name

    def describe(self) -> Text:
        """Where the secrets are."""
        return self._below.describe()

    def get(self, key: str) -> SecretText | None:
        """The environment's secret, else the stored one."""
        variable = variable_of(key)
        value = self._environ.get(variable, "").strip() if variable else ""
        return SecretText(value) if value else self._below.get(key)

    def put(self, key: str, value: SecretText) -> None:
        """Store below; the environment stays on top where it says something."""
        self._below.put(key, value)

    def delete(self, key: str) -> None:
        """Forget the stored secret; the environment is not ours to change."""
        self._below.delete(key)

    def probe(self) -> None:
        """Probe the store below."""
        self._below.probe()


class NoStore:
    """The place of a store where nothing can be kept: reads find nothing, writes are refused."""

    def __init__(self, name: str, description: Text, refusal: Callable[[], YuntuPushError]) -> None:
        self._name = name
        self._description = description
        self._refusal = refusal

    @property
    def name(self) -> str:
        """What stands for the store in reports."""
        return self._name

    def describe(self) -> Text:
        """Where the secrets are."""
        return self._description

    def get(self, key: str) -> SecretText | None:
        """Nothing."""
        del key
        return None

    def put(self, key: str, value: SecretText) -> None:
        """Refused."""
        del key, value
        raise self._refusal()

    def delete(self, key: str) -> None:
        """Nothing to forget."""

    def probe(self) -> None:
        """Refused."""
        raise self._refusal()


def read_only() -> ConfigError:
    """The error for storing where only the environment is chosen."""
    return ConfigError(
        "SECRETS_READ_ONLY",
        msg("the env store is read only: tokens need the keyring or the encrypted file"),
        hint=msg(
            "set YUNTU_PUSH_SECRETS=file (or secrets.backend in the config); "
            "the Secret may stay in the environment"
        ),
    )


def unchosen() -> ConfigError:
    """The error for storing before a store was chosen."""
    return ConfigError(
        "SECRETS_UNCHOSEN",
        msg("no secret store has been chosen yet"),
        hint=msg("set YUNTU_PUSH_SECRETS to keyring or file, or secrets.backend in the config"),
    )
