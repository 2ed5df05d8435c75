"""The one place that knows every concrete class: services and adapters, built at first use."""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from yuntu_push.adapters.system import FileLocks, Paths, SystemClock, private_dir
from yuntu_push.services.ports import Clock, Locks, Notice, Progress

if TYPE_CHECKING:
    from yuntu_push.adapters.config_file import ConfigFile, LoadedConfig
    from yuntu_push.adapters.store.database import Database
    from yuntu_push.domain.settings import Settings
    from yuntu_push.sandbox.demo_world import DemoWorld
    from yuntu_push.sandbox.options import SandboxOptions


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

    @functools.cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        return SystemClock()

    @functools.cached_property
    def locks(self) -> Locks:
        """Kernel locks in the state folder."""
        return FileLocks(self.paths.locks_dir, SystemClock())

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

    def check_config(self) -> None:
        """Raise `ConfigError` when the config file has a wrong key or value."""
        _ = self.loaded_config

    @functools.cached_property
    def database(self) -> "Database":
        """The state file."""
        from yuntu_push.adapters.store.database import Database

        private_dir(self.paths.state_dir)
        return Database(self.paths.database)

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

    def write_example_config(self) -> bool:
        """Write the commented example config; False when there is a config file already."""
        return self.config_file.write_example()

    def write_bug_report(self, report: str) -> Path:
        """Keep a scrubbed traceback in the log folder; its path."""
        stamp = self.clock.now().strftime("%Y%m%dT%H%M%S%f")
        path = private_dir(self.paths.log_dir) / f"bug-{stamp}.txt"
        path.touch(mode=0o600)
        path.write_text(report, "utf-8")
        return path

    def close(self) -> None:
        """Close what was opened."""
