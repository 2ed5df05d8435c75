"""The one place that knows every concrete class: services and adapters, built at first use."""

import functools
import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yuntu_push.adapters.system import FileLocks, Paths, SystemClock, open_browser, private_dir
from yuntu_push.domain.channel import Channel
from yuntu_push.services.ports import (
    AudienceApi,
    Callback,
    ChannelStore,
    Clock,
    DirectoryApi,
    DirectoryStore,
    Locks,
    NetworkProbe,
    Notice,
    OAuthApi,
    Progress,
    RefreshJournal,
    SecretStore,
    SecretStores,
)

if TYPE_CHECKING:
    from yuntu_push.adapters.config_file import ConfigFile, LoadedConfig
    from yuntu_push.adapters.store.database import Database
    from yuntu_push.domain.settings import Settings
    from yuntu_push.sandbox.demo_world import DemoWorld
    from yuntu_push.sandbox.options import SandboxOptions
    from yuntu_push.services.channels import Channels
    from yuntu_push.services.directory import DirectoryService
    from yuntu_push.services.doctor import Doctor
    from yuntu_push.services.login import Login
    from yuntu_push.services.push.ports import PushStore
    from yuntu_push.services.store_move import StoreMove
    from yuntu_push.services.tokens import Tokens

PUSH_ID_BYTES = 3  # six hex digits: short enough for a name of 30 characters


@dataclass(frozen=True)
class Milestones:
    """How far this home is on the way to its first push; see `guide`."""

    config: bool
    channel: bool
    login: bool
    bound: bool
    segment: bool
    push: bool


class AppContext:
    """The application of one run: each property is built when it is first asked for.

    `notice` and `warning` say sentences to the person, `progress` shows how far work is.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        home: str | None,
        config: str | None,
        notice: Notice,
        warning: Notice,
        progress: Progress,
    ) -> None:
        self.environ = environ
        self.paths = Paths.resolve(environ, home, config)
        self.notice = notice
        self.warning = warning
        self.progress = progress
        self._opened = ExitStack()

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()

    # --- config and state -------------------------------------------------------------------

    @functools.cached_property
    def config_file(self) -> "ConfigFile":
        """The config file."""
        from yuntu_push.adapters.config_file import ConfigFile

        return ConfigFile(self.paths.config_file, self.environ)

    @functools.cached_property
    def loaded_config(self) -> "LoadedConfig":
        """The config as it stands, read once."""
        return self.config_file.load()

    @property
    def settings(self) -> "Settings":
        """The settings of the config file and the environment."""
        return self.loaded_config.settings

    @property
    def channel_store(self) -> ChannelStore:
        """The channels of the config file."""
        return self.config_file

    def check_config(self) -> None:
        """Raise `ConfigError` when the config file has a wrong key or value."""
        _ = self.loaded_config

    def write_example_config(self) -> bool:
        """Write the commented example config; False when there is a config file already."""
        return self.config_file.write_example()

    @functools.cached_property
    def database(self) -> "Database":
        """The state file."""
        from yuntu_push.adapters.store.database import Database

        private_dir(self.paths.state_dir)
        return Database(self.paths.database)

    # --- the machine ------------------------------------------------------------------------

    @functools.cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        return SystemClock()

    @functools.cached_property
    def locks(self) -> Locks:
        """Kernel locks in the state folder."""
        return FileLocks(self.paths.locks_dir, SystemClock())

    def open_browser(self, url: str) -> bool:
        """Open the person's browser; False when there is none."""
        return open_browser(url)

    def write_bug_report(self, report: str) -> Path:
        """Keep a scrubbed traceback in the log folder; its path."""
        stamp = self.clock.now().strftime("%Y%m%dT%H%M%S%f")
        path = private_dir(self.paths.log_dir) / f"bug-{stamp}.txt"
        path.touch(mode=0o600)
        path.write_text(report, "utf-8")
        return path

    # --- secrets, logins --------------------------------------------------------------------

    @functools.cached_property
    def secret_stores(self) -> SecretStores:
        """The stores that secrets can live in."""
        from yuntu_push.adapters.config_file import ConfigFile
        from yuntu_push.adapters.secrets.stores import FORCING_VARIABLES
        from yuntu_push.adapters.secrets.stores import SecretStores as Stores

        unforced = {k: v for k, v in self.environ.items() if k not in FORCING_VARIABLES}
        return Stores(
            config=self.config_file,
            unforced=ConfigFile(self.paths.config_file, unforced),
            environ=self.environ,
            folder=self.paths.secrets_dir,
            namespace=self._namespace(),
        )

    def _namespace(self) -> str:
        """Tells the keyring entries of a `--home` from those of the person's own home."""
        own = Paths.resolve({}, None, None).secrets_dir
        if self.paths.secrets_dir == own:
            return ""
        return hashlib.sha256(str(self.paths.secrets_dir).encode()).hexdigest()[:8]

    @property
    def secrets(self) -> SecretStore:
        """The chosen store."""
        return self.secret_stores.current()

    @functools.cached_property
    def oauth(self) -> OAuthApi:
        """The token calls."""
        from yuntu_push.adapters.ocean.oauth import OceanOAuth

        return OceanOAuth(self.settings.api, self.clock)

    @functools.cached_property
    def journal(self) -> RefreshJournal:
        """The sealed journal of refreshes."""
        from yuntu_push.adapters.secrets.journal import FileJournal

        return FileJournal(self.paths.state_dir / "journal")

    @functools.cached_property
    def tokens(self) -> "Tokens":
        """The tokens of all channels."""
        from yuntu_push.services.tokens import Tokens

        return Tokens(
            secrets=self.secrets,
            oauth=self.oauth,
            journal=self.journal,
            locks=self.locks,
            clock=self.clock,
            notice=self.notice,
        )

    @functools.cached_property
    def login(self) -> "Login":
        """Logs channels in."""
        from yuntu_push.services.login import Login

        return Login(
            tokens=self.tokens,
            oauth=self.oauth,
            accounts=self.directory,
            directory=self.directory_store,
            listen=self._listen,
        )

    def _listen(self, callback_url: str) -> AbstractContextManager[Callback]:
        from yuntu_push.adapters.callback import CallbackListener

        return CallbackListener(callback_url, clock=self.clock, notice=self.notice)

    @functools.cached_property
    def store_move(self) -> "StoreMove":
        """Moves secrets from one store to the other."""
        from yuntu_push.services.store_move import StoreMove

        return StoreMove(
            config=self.channel_store,
            stores=self.secret_stores,
            tokens=self.tokens,
            source_names=lambda: self.settings.sources,
        )

    # --- channels, accounts, brands ---------------------------------------------------------

    @functools.cached_property
    def channels(self) -> "Channels":
        """The channels of this home."""
        from yuntu_push.services.channels import Channels

        return Channels(
            config=self.channel_store,
            stores=self.secret_stores,
            tokens=lambda: self.tokens,
            directory=self.directory_store,
            clock=self.clock,
        )

    @functools.cached_property
    def directory_store(self) -> DirectoryStore:
        """Accounts and brands as last seen."""
        from yuntu_push.adapters.store.directory import DirectoryFile

        return DirectoryFile(self.database)

    @functools.cached_property
    def directory_api(self) -> DirectoryApi:
        """Reads of accounts and brands."""
        from yuntu_push.adapters.ocean.client import OceanDirectory

        client = OceanDirectory(self.tokens, self.settings.api, self.clock)
        self._opened.callback(client.close)
        return client

    @functools.cached_property
    def directory(self) -> "DirectoryService":
        """The directory of accounts and brands."""
        from yuntu_push.services.directory import DirectoryService

        return DirectoryService(
            config=self.channel_store,
            api=lambda: self.directory_api,
            store=self.directory_store,
            clock=self.clock,
            progress=self.progress,
        )

    # --- pushes -----------------------------------------------------------------------------

    @functools.cached_property
    def _apis(self) -> dict[Channel, AudienceApi]:
        return {}

    def audience_api(self, channel: Channel) -> AudienceApi:
        """The DMP calls of a channel."""
        from yuntu_push.adapters.ocean.client import OceanClient

        if channel not in self._apis:
            client = OceanClient(channel, self.tokens, self.settings.api, self.clock)
            self._opened.callback(client.close)
            self._apis[channel] = client
        return self._apis[channel]

    @functools.cached_property
    def push_store(self) -> "PushStore":
        """Pushes in the state file."""
        from yuntu_push.adapters.store.pushes import PushFile

        return PushFile(self.database)

    # --- checks and rehearsals --------------------------------------------------------------

    @functools.cached_property
    def doctor(self) -> "Doctor":
        """Checks what a push needs."""
        from yuntu_push.adapters.ocean.probe import OceanProbe
        from yuntu_push.services.doctor import Doctor

        def network() -> NetworkProbe:
            return OceanProbe(self.settings.api, self.clock)

        return Doctor(
            check_config=self.check_config,
            config=self.channel_store,
            stores=self.secret_stores,
            network=network,
            tokens=lambda: self.tokens,
            api=lambda: self.directory_api,
            directory=self.directory_store,
            quotas=lambda: self.quotas.uses(),
            free_bytes=self._free_bytes,
            clock=self.clock,
        )

    def _free_bytes(self) -> int:
        return shutil.disk_usage(private_dir(self.paths.segments_dir)).free

    def serve_sandbox(
        self, options: "SandboxOptions", announce: Callable[[dict[str, object]], None]
    ) -> None:
        """Serve the sandbox until stopped; `announce` gets its facts once it listens."""
        from yuntu_push.sandbox.server import serve_forever

        serve_forever(options, announce)

    def demo_world(self, rows: int) -> "AbstractContextManager[DemoWorld]":
        """A temporary home and a consenting sandbox for `demo`, with a sample of `rows` members."""
        from yuntu_push.sandbox.demo_world import demo_world

        return demo_world(rows, self.environ)
