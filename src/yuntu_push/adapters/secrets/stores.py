"""The choice of the secret store: what the config or the environment says, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from yuntu_push.adapters.secrets.env_store import (
    EnvironmentOver,
    NoStore,
    Store,
    read_only,
    unchosen,
)
from yuntu_push.domain.settings import SecretsSettings, Settings
from yuntu_push.domain.text import msg


class Loaded(Protocol):
    """What is used of a loaded config."""

    @property
    def settings(self) -> Settings: ...


class Config(Protocol):
    """What is used of the config file."""

    def load(self) -> Loaded: ...
    def pin_secrets_backend(self, backend: str) -> None: ...


# What names the store in the environment, whatever the config says.
FORCING_VARIABLES = ("YUNTU_PUSH_SECRETS", "YUNTU_PUSH_SECRETS_BACKEND")


class SecretStores:
    """Opens the chosen store.

    `config` is the config file under the whole environment, `unforced` the same without
    `FORCING_VARIABLES`; `folder` is where the encrypted file store lives; `namespace` tells the
    keyring entries of this home from those of others.
    """

    def __init__(
        self,
        *,
        config: Config,
        unforced: Config,
        environ: Mapping[str, str],
        folder: Path,
        namespace: str = "",
    ) -> None:
        self._config = config
        self._unforced = unforced
        self._environ = environ
        self._folder = folder
        self._namespace = namespace
        self._open: dict[str, Store] = {}

    def chosen(self) -> str | None:
        """`keyring`, `file` or `env` as the environment or the config says; None when neither."""
        return self._config.load().settings.secrets.backend or self.pinned()

    def pinned(self) -> str | None:
        """What the config file itself says."""
        return self._unforced.load().settings.secrets.backend

    def pin(self, name: str) -> None:
        """Write the choice into the config, so that cron finds the same store."""
        self._config.pin_secrets_backend(name)

    def current(self) -> Store:
        """The chosen store; one that refuses to store when none was chosen."""
        return self.open(self.chosen() or "")

    def open(self, name: str, *, bare: bool = False) -> Store:
        """The store of a name, under the secrets of the environment unless `bare`."""
        if name not in self._open:
            self._open[name] = self._store(name, self._config.load().settings.secrets)
        below = self._open[name]
        return below if bare else EnvironmentOver(self._environ, below)

    def _store(self, name: str, settings: SecretsSettings) -> Store:
        if name == "keyring":
            from yuntu_push.adapters.secrets.keyring_store import KeyringStore

            return KeyringStore(
                namespace=self._namespace, allow=settings.allow_backends, timeout=settings.timeout
            )
        if name == "file":
            from yuntu_push.adapters.secrets.file_key import FileKey
            from yuntu_push.adapters.secrets.file_store import FileStore

            key = FileKey(
                environ=self._environ,
                command=settings.key_command,
                beside=self._folder.with_name(f"{self._folder.name}.key"),
            )
            return FileStore(self._folder, key)
        if name == "env":
            place = msg("environment variables YUNTU_PUSH_SECRET_…, read only")
            return NoStore("env", place, read_only)
        return NoStore("none", msg("no store has been chosen yet"), unchosen)
