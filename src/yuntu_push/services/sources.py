"""Databases that segments are built from: named in the config, passwords in the secret store."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import local_name, unknown
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import SecretStore

_LOOSE_LOGIN = re.compile(
    r"(?P<user>[^:/]+://[^:/?#@]*):(?P<password>.*)@(?P<rest>[^@]*)", re.DOTALL
)


@dataclass(frozen=True)
class SourceInfo:
    """A database as `source list` shows it; the URL has no password."""

    name: str
    url: str
    kind: str
    password_stored: bool


class SourceConfig(Protocol):
    """The `sources:` of the config file."""

    def add_source(self, name: str, url: str) -> None: ...

    def remove_source(self, name: str) -> None: ...


class SourceProbe(Protocol):
    """Looks at databases."""

    def check_url(self, url: str) -> str:
        """The kind of database of a URL, or `ConfigError`."""
        ...

    def test(self, name: str) -> str:
        """Connect and read one row; the kind of database."""
        ...


class SourceService:
    """Adds, shows, logs in to, tests and removes databases."""

    def __init__(
        self,
        *,
        config: SourceConfig,
        urls: Callable[[], Mapping[str, str]],
        secrets: Callable[[], SecretStore],
        probe: SourceProbe,
    ) -> None:
        self._config = config
        self._urls = urls
        self._secrets = secrets
        self._probe = probe

    def add(self, name: str, url: str) -> tuple[SourceInfo, bool]:
        """Write the entry; a password in the URL moves to the secret store.

        Gives the source, and whether a password was found in the URL: it is then in the shell's
        history, and the person should know.
        """
        name = local_name(name, what="source")
        if name in self._urls():
            raise ConfigError(
                "SOURCE_EXISTS",
                msg("there is a source {name} already", name=repr(name)),
                hint=msg("remove it first: `yuntu-push source remove {name}`", name=name),
            )
        bare, password = split_password(url)
        kind = self._probe.check_url(bare)
        if password is not None:
            self._secrets().put(password_key(name), SecretText(password))
        self._config.add_source(name, bare)
        return SourceInfo(name, bare, kind, password is not None), password is not None

    def list(self) -> "list[SourceInfo]":
        """All sources, by name."""
        return [self._info(name, url) for name, url in sorted(self._urls().items())]

    def login(self, name: str, password: SecretText) -> SourceInfo:
        """Store a source's password."""
        url = self._known(name)
        self._secrets().put(password_key(name), password)
        return self._info(name, url)

    def test(self, name: str) -> SourceInfo:
        """Connect and read one row, or raise what a build would raise."""
        url = self._known(name)
        self._probe.test(name)
        return self._info(name, url)

    def remove(self, name: str) -> SourceInfo:
        """Forget the entry and its password."""
        info = self._info(name, self._known(name))
        if info.password_stored:
            self._secrets().delete(password_key(name))
        self._config.remove_source(name)
        return info

    def _known(self, name: str) -> str:
        urls = self._urls()
        if name not in urls:
            raise unknown("source", name, urls, hint=msg("see `yuntu-push source list`"))
        return urls[name]

    def _info(self, name: str, url: str) -> SourceInfo:
        stored = needs_password(url) and self._secrets().get(password_key(name)) is not None
        bare, _ = split_password(url)
        try:
            kind = self._probe.check_url(bare)
        except ConfigError:
            kind = bare.partition(":")[0]  # one wrong entry must not hide the others
        return SourceInfo(name, bare, kind, stored)


def password_key(name: str) -> str:
    """Under which a source's password lies in the secret store."""
    return f"source/{name}/password"


def needs_password(url: str) -> bool:
    """Whether the database is reached as a user, so that a password may be stored for it."""
    return _parts(url).username is not None


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # half a bracket: no URL, as whoever opens it will say
        return SplitResult("", "", url, "", "")


def split_password(url: str) -> tuple[str, str | None]:
    """The URL without its password, and the password.

    A password is found, too, when it holds characters that should have been percent-encoded.
    """
    parts = _parts(url)
    if parts.password is not None:
        login, _, host = parts.netloc.rpartition("@")
        user = login.partition(":")[0]
        return urlunsplit(parts._replace(netloc=f"{user}@{host}")), unquote(parts.password)
    if "@" not in parts.netloc and (match := _LOOSE_LOGIN.fullmatch(url)):
        return f"{match['user']}@{match['rest']}", unquote(match["password"])
    return url, None
