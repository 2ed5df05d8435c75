"""Every adapter of one run, built at first use."""

import functools
import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from yuntu_push.adapters.system import FileLocks, Paths, SystemClock, open_browser, private_dir
from yuntu_push.domain.errors import TryLaterError
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import (
    Callback,
    ChannelStore,
    Clock,
    DirectoryStore,
    Locks,
    Notice,
    OAuthApi,
    Progress,
    RefreshJournal,
    SecretStore,
    SecretStores,
)

if TYPE_CHECKING:
    from yuntu_push.adapters.config_file import ConfigFile, LoadedConfig
    from yuntu_push.adapters.ocean.pace import Pacer
    from yuntu_push.adapters.secrets.part_seal import PartSeal
    from yuntu_push.adapters.sources.catalog import SourceCatalog
    from yuntu_push.adapters.store.database import Database
    from yuntu_push.domain.settings import Settings
    from yuntu_push.sandbox.demo_world import DemoWorld
    from yuntu_push.sandbox.options import SandboxOptions
    from yuntu_push.services.push.ports import EntryRuns, PushStore
    from yuntu_push.services.segment_ports import SegmentStore

EDIT_SECONDS = 10.0


class Outside:
    """The outside world of one run: config, state, secrets, platform, machine.

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
        self._places = (home, config)
        self.notice = notice
        self.warning = warning
        self.progress = progress
        self._opened = ExitStack()

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()

    @functools.cached_property
    def paths(self) -> Paths:
        """Where things live, or `ConfigError` when that cannot be told."""
        return Paths.resolve(self.environ, *self._places)

    @functools.cached_property
    def config_file(self) -> "ConfigFile":
        """The config file."""
        from yuntu_push.adapters.config_file import ConfigFile

        return ConfigFile(self.paths.config_file, self.environ, exclusive=self._config_alone)

    def _config_alone(self) -> AbstractContextManager[None]:
        """The lock under which the config file is edited: two edits at once would lose one."""

        def busy(holder: str) -> TryLaterError:
            return TryLaterError(
                "CONFIG_BUSY",
                msg("another process is changing the config file ({holder})", holder=holder),
                hint=msg("run this again when it is done"),
            )

        return self.locks.hold("config", wait_seconds=EDIT_SECONDS, busy=busy)

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
        """Keep a report of an error of ours in the log folder; its path."""
        stamp = self.clock.now().strftime("%Y%m%dT%H%M%S%f")
        path = private_dir(self.paths.log_dir) / f"bug-{stamp}.txt"
        path.touch(mode=0o600)
        path.write_text(report, "utf-8")
        return path

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

    def _listen(self, callback_url: str) -> AbstractContextManager[Callback]:
        from yuntu_push.adapters.callback import CallbackListener

        return CallbackListener(callback_url, clock=self.clock, notice=self.notice)

    @functools.cached_property
    def pace(self) -> "Pacer":
        """The pace that all calls of all processes with this state file keep together."""
        from yuntu_push.adapters.ocean.pace import Pacer
        from yuntu_push.adapters.store.pace import PaceFile

        lanes = PaceFile(lambda: self.database)
        self._opened.callback(lanes.close)
        return Pacer(self.settings.api.rate, self.clock, lanes)

    @functools.cached_property
    def directory_store(self) -> DirectoryStore:
        """Accounts and brands as last seen."""
        from yuntu_push.adapters.store.directory import DirectoryFile

        return DirectoryFile(self.database)

    @functools.cached_property
    def segment_store(self) -> "SegmentStore":
        """The segments on disk."""
        from yuntu_push.adapters.engine.shelf import SegmentShelf

        return SegmentShelf(
            private_dir(self.paths.segments_dir), self.locks, lambda: self._part_seal
        )

    @functools.cached_property
    def _part_seal(self) -> "PartSeal":
        from yuntu_push.adapters.secrets.part_seal import PartSeal

        return PartSeal(lambda: self.secrets, self.locks)

    @functools.cached_property
    def source_catalog(self) -> "SourceCatalog":
        """Files, SQL over files, and the databases of `sources:`."""
        from yuntu_push.adapters.sources.catalog import SourceCatalog

        return SourceCatalog(
            allow_paths=self.settings.sql.allow_paths,
            now=self.clock.now,
            urls=self.source_urls(),
            password=self._source_password,
        )

    def source_urls(self) -> dict[str, str]:
        """The databases of the config by name."""
        return {name: entry.url for name, entry in self.settings.sources.items()}

    def _source_password(self, name: str) -> str | None:
        from yuntu_push.services.sources import password_key

        stored = self.secrets.get(password_key(name))
        return stored.reveal() if stored is not None else None

    @functools.cached_property
    def push_store(self) -> "PushStore":
        """Pushes in the state file."""
        from yuntu_push.adapters.store.pushes import PushFile

        return PushFile(self.database)

    @functools.cached_property
    def entry_runs(self) -> "EntryRuns":
        """The latest run of each pushes entry."""
        from yuntu_push.adapters.store.entry_runs import EntryRunFile

        return EntryRunFile(self.database)

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
