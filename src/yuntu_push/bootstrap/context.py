"""Every service of one run, built at first use from the adapters."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yuntu_push.bootstrap.pushing import Pushing
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.push import PushState
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.services.ports import NetworkProbe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yuntu_push.domain.entry_run import EntryFreshness
    from yuntu_push.services.doctor import Doctor
    from yuntu_push.services.quota import Quotas
    from yuntu_push.services.setup_move import SetupMove
    from yuntu_push.services.sources import SourceService


@dataclass(frozen=True)
class Milestones:
    """How far this home is on the way to its first push; see `guide`."""

    config: bool
    channel: bool
    login: bool | None  # None: the secret store could not be read
    bound: bool
    segment: bool
    push: bool


class AppContext(Pushing):
    """The application of one run."""

    @functools.cached_property
    def sources(self) -> "SourceService":
        """The databases that segments are built from."""
        from yuntu_push.services.sources import SourceService

        return SourceService(
            config=self.config_file,
            urls=self.source_urls,
            secrets=lambda: self.secrets,
            probe=self.source_catalog,
        )

    @functools.cached_property
    def setup_move(self) -> "SetupMove":
        """Moves this home's setup to another machine."""
        from yuntu_push import __version__
        from yuntu_push.adapters.config_file import ConfigFile
        from yuntu_push.adapters.setup_files import ConfigTextFile, JsonFiles
        from yuntu_push.adapters.store.setup import StateFileTables
        from yuntu_push.services.setup_move import SetupMove

        return SetupMove(
            state=StateFileTables(self.database),
            config=ConfigTextFile(
                self.paths.config_file, load=lambda path: ConfigFile(path, {}).load()
            ),
            files=JsonFiles(),
            source_urls=self.source_urls,
            kept_in=self.paths.state_dir,
            version=__version__,
            clock=self.clock,
        )

    @functools.cached_property
    def quotas(self) -> "Quotas":
        """What is left of the platform's quotas."""
        from yuntu_push.adapters.store.quota import QuotaFile
        from yuntu_push.services.quota import Quotas

        return Quotas(ledger=QuotaFile(self.database), clock=self.clock)

    def progress_so_far(self) -> Milestones:
        """How far this home is on the way to its first push, without asking the platform."""
        if not self.paths.config_file.exists():
            return Milestones(*[False] * 6)
        accounts = self.directory_store.accounts()
        return Milestones(
            config=True,
            channel=bool(self.channels.names()),
            login=self._any_login(),
            bound=any(account.brands for account in accounts),
            segment=bool(self.segments.latest()),
            push=bool(self.pushes.list(PushFilter(states=[PushState.SUCCEEDED], most=1))),
        )

    def _any_login(self) -> bool | None:
        """Whether a channel is logged in; None while the secret store cannot be read."""
        try:
            return any(view.authorized for view in self.channels.list())
        except YuntuPushError:
            return None

    def _freshness(self) -> "Sequence[EntryFreshness]":
        # Built here, not before: the config may be what the doctor finds wrong.
        return self.schedule_watch.look()

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
            quotas=self.quotas.uses,
            schedules=self._freshness,
            free_bytes=self._free_bytes,
            clock=self.clock,
        )
