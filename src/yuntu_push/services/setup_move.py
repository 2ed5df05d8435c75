"""Moves a setup to another machine as one file, without any secret and without any id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from yuntu_push.domain.errors import ConfigError, GuardError
from yuntu_push.domain.push import WORKING
from yuntu_push.domain.setup import FORMAT, KIND, Setup
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import Clock
from yuntu_push.services.setup_ports import ConfigText, PrivateFiles, StateTables
from yuntu_push.services.sources import split_password

_PASSWORD_KEYS = {"password", "passwd", "pwd"}


@dataclass(frozen=True)
class SetupMoved:
    """What was written or taken in; `working` pushes are under way.

    `kept` is where the setup that an import replaced was put.
    """

    path: Path
    setup: Setup
    working: int
    kept: Path | None = None


class SetupMove:
    """Exports and imports the setup of a home.

    `source_urls` gives the databases of the config by name; `kept_in` is where a replaced setup is
    kept.
    """

    def __init__(
        self,
        *,
        state: StateTables,
        config: ConfigText,
        files: PrivateFiles,
        source_urls: Callable[[], Mapping[str, str]],
        kept_in: Path,
        version: str,
        clock: Clock,
    ) -> None:
        self._state = state
        self._config = config
        self._files = files
        self._source_urls = source_urls
        self._kept_in = kept_in
        self._version = version
        self._clock = clock

    def would_replace(self, path: Path) -> bool:
        """Whether an export to `path` would replace a file."""
        return self._files.exists(path)

    def export(self, path: Path) -> SetupMoved:
        """Write the setup of this home to `path`, mode 0600."""
        setup = self._present()
        self._files.write(path, _document(setup))
        return SetupMoved(path, setup, _working(setup))

    def read(self, path: Path) -> Setup:
        """The setup in a file; `ConfigError` for a newer format or no such file at all."""
        document = self._files.read(path)
        setup = _setup(document, path)
        if setup.state_format > self._state.format:
            raise _newer(path, setup.made_by)
        self._config.check(setup.config)
        return setup

    def is_empty(self) -> bool:
        """Whether this home has neither a config nor any push or account."""
        return not self._config.read().strip() and self._state.is_empty()

    def take_in(self, path: Path, setup: Setup, *, replace: bool) -> SetupMoved:
        """Make `setup` that of this home; one that is here already is kept in a file.

        `GuardError` when there is one and `replace` does not allow it.
        """
        kept: Path | None = None
        if not self.is_empty():
            if not replace:
                raise GuardError(
                    "HOME_NOT_EMPTY",
                    msg("this home has a setup already"),
                    hint=msg("use another --home, or replace it with --yes"),
                )
            stamp = self._clock.now().strftime("%Y%m%dT%H%M%S%f")
            kept = self._kept_in / f"replaced-{stamp}.json"
            self.export(kept)
        self._state.restore(setup.tables, lambda: self._config.replace(setup.config))
        return SetupMoved(path, setup, _working(setup), kept)

    def _present(self) -> Setup:
        return Setup(
            made_at=self._clock.now(),
            made_by=self._version,
            state_format=self._state.format,
            config=self._config_without_passwords(),
            tables=self._state.dump(),
        )

    def _config_without_passwords(self) -> str:
        text = self._config.read()
        for name, url in self._source_urls().items():
            text = text.replace(url, split_password(url)[0])
            if _holds_password(text, url):
                raise ConfigError(
                    "CONFIG_HAS_PASSWORD",
                    msg("the URL of source {name} holds a password", name=name),
                    hint=msg(
                        "move it to the secret store: `yuntu-push source login {name}`, then take "
                        "it out of the config",
                        name=name,
                    ),
                )
        return text


def _holds_password(text: str, url: str) -> bool:
    """Whether the password of a database's URL still stands in a text."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    if ":" in login and f"{login}@" in text:
        return True
    named = {key.lower() for key in parse_qs(parts.query)}
    return bool(named & _PASSWORD_KEYS) and parts.query in text


def _working(setup: Setup) -> int:
    return sum(row.get("state") in WORKING for row in setup.tables.get("push", ()))


def _document(setup: Setup) -> dict[str, Any]:
    return {
        "kind": KIND,
        "format": FORMAT,
        "state_format": setup.state_format,
        "made_at": setup.made_at.isoformat(),
        "made_by": setup.made_by,
        "config": setup.config,
        "tables": setup.tables,
    }


def _setup(document: Any, path: Path) -> Setup:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise _invalid(path)
    number = document.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise _newer(path, str(document.get("made_by")))
    try:
        made_at = datetime.fromisoformat(document["made_at"])
        state_format, config, tables = (
            document[name] for name in ("state_format", "config", "tables")
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise _invalid(path) from exc
    if not isinstance(config, str) or type(state_format) is not int or not _are_tables(tables):
        raise _invalid(path)
    return Setup(made_at, str(document.get("made_by", "")), state_format, config, tables)


def _are_tables(tables: Any) -> bool:
    return isinstance(tables, dict) and all(
        isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        for rows in tables.values()
    )


def _invalid(path: Path) -> ConfigError:
    return ConfigError(
        "EXPORT_INVALID",
        msg("{path} is no setup that `state export` wrote", path=str(path)),
        hint=msg("write one with `yuntu-push state export FILE` on the other machine"),
    )


def _newer(path: Path, version: str) -> ConfigError:
    return ConfigError(
        "EXPORT_NEWER",
        msg(
            "{path} was written by a newer yuntu-push ({version})", path=str(path), version=version
        ),
        hint=msg("upgrade yuntu-push here first"),
    )
