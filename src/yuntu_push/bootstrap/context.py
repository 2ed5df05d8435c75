"""Every service of one run, built at first use from the adapters."""

import functools
import secrets as randomness
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yuntu_push.domain.audience_name import ID_ALPHABET, ID_LENGTH
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.push import PushState
from yuntu_push.services.ports import (
    AudienceApi,
    DirectoryApi,
    NetworkProbe,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yuntu_push.domain.entry_run import EntryFreshness
    from yuntu_push.services.audiences import Audiences
    from yuntu_push.services.channels import Channels
    from yuntu_push.services.directory import DirectoryService
    from yuntu_push.services.directory_lookup import DirectoryLookup
    from yuntu_push.services.doctor import Doctor
    from yuntu_push.services.login import Login
    from yuntu_push.services.push.adoption import PushAdoption
    from yuntu_push.services.push.copies import PushCopies
    from yuntu_push.services.push.entries import PushEntries
    from yuntu_push.services.push.planning import PushPlanner
    from yuntu_push.services.push.runner import PushRunner
    from yuntu_push.services.push.schedule_watch import ScheduleWatch
    from yuntu_push.services.push.tasks import PushTasks
    from yuntu_push.services.push.updates import PushUpdates
    from yuntu_push.services.quota import Quotas
    from yuntu_push.services.segment_ports import SegmentEngine
    from yuntu_push.services.segments import SegmentService
    from yuntu_push.services.setup_move import SetupMove
    from yuntu_push.services.sources import SourceService
    from yuntu_push.services.store_move import StoreMove
    from yuntu_push.services.tokens import Tokens

from yuntu_push.bootstrap.outside import Outside


def _new_push_id() -> str:
    return "".join(randomness.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


@dataclass(frozen=True)
class Milestones:
    """How far this home is on the way to its first push; see `guide`."""

    config: bool
    channel: bool
    login: bool | None  # None: the secret store could not be read
    bound: bool
    segment: bool
    push: bool


class AppContext(Outside):
    """The application of one run."""

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
            listen=self._listen,
            notice=self.notice,
        )

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
    def directory_api(self) -> DirectoryApi:
        """Reads of accounts and brands."""
        from yuntu_push.adapters.ocean.client import OceanDirectory

        client = OceanDirectory(self.tokens, self.settings.api, self.clock, pace=self.pace)
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
    def segments(self) -> "SegmentService":
        """Builds and keeps segments."""
        from yuntu_push.services.segments import SegmentService

        def engine() -> "SegmentEngine":
            from yuntu_push.adapters.engine.vector_engine import VectorEngine

            return VectorEngine()

        return SegmentService(
            engine=engine,
            store=self.segment_store,
            sources=self.source_catalog,
            clock=self.clock,
            progress=self.progress,
            ids=self.settings.ids,
            settings=self.settings.segments,
        )

    @functools.cached_property
    def _apis(self) -> dict[Channel, AudienceApi]:
        return {}

    def audience_api(self, channel: Channel) -> AudienceApi:
        """The DMP calls of a channel."""
        from yuntu_push.adapters.ocean.client import OceanClient

        if channel not in self._apis:
            client = OceanClient(
                channel, self.tokens, self.settings.api, self.clock, pace=self.pace
            )
            self._opened.callback(client.close)
            self._apis[channel] = client
        return self._apis[channel]

    @functools.cached_property
    def lookup(self) -> "DirectoryLookup":
        """Accounts and brands by what people call them."""
        from yuntu_push.services.directory_lookup import DirectoryLookup

        return DirectoryLookup(
            config=self.channel_store,
            api=lambda: self.directory_api,
            store=self.directory_store,
            clock=self.clock,
        )

    @functools.cached_property
    def push_runner(self) -> "PushRunner":
        """Takes pushes through their steps."""
        from yuntu_push.services.push.runner import PushRunner

        return PushRunner(
            store=self.push_store,
            channels=self.channel_store,
            api_for=self.audience_api,
            locks=self.locks,
            clock=self.clock,
            settings=self.settings.push,
            notice=self.notice,
            progress=self.progress,
        )

    @functools.cached_property
    def _planner(self) -> "PushPlanner":
        from yuntu_push.services.push.planning import PushPlanner

        return PushPlanner(
            store=self.push_store,
            channels=self.channel_store,
            directory=self.lookup,
            segments=self.segment_store,
            clock=self.clock,
            api=self.settings.api,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def pushes(self) -> "PushTasks":
        """The pushes of this home."""
        from yuntu_push.services.push.tasks import PushTasks

        return PushTasks(
            store=self.push_store,
            planner=self._planner,
            runner=self.push_runner,
            channels=self.channel_store,
            api_for=self.audience_api,
            clock=self.clock,
        )

    @functools.cached_property
    def push_updates(self) -> "PushUpdates":
        """New content into data sources that are there."""
        from yuntu_push.services.push.updates import PushUpdates

        return PushUpdates(
            store=self.push_store,
            planner=self._planner,
            runner=self.push_runner,
            channels=self.channel_store,
            segments=lambda: self.segments,
            clock=self.clock,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def push_entries(self) -> "PushEntries":
        """The `pushes:` entries of the config."""
        from yuntu_push.services.push.entries import PushEntries

        return PushEntries(
            entries=self.settings.pushes,
            store=self.push_store,
            tasks=self.pushes,
            updates=self.push_updates,
            channels=self.channel_store,
            segments=lambda: self.segments,
            settings=self.settings.segments,
            locks=self.locks,
            notice=self.notice,
            runs=self.entry_runs,
            clock=self.clock,
        )

    @functools.cached_property
    def schedule_watch(self) -> "ScheduleWatch":
        """Compares schedules with what was done."""
        from yuntu_push.services.push.schedule_watch import ScheduleWatch

        return ScheduleWatch(
            entries=self.settings.pushes,
            runs=self.entry_runs,
            store=self.push_store,
            clock=self.clock,
        )

    @functools.cached_property
    def push_adoption(self) -> "PushAdoption":
        """Takes over data sources that another tool or machine made."""
        from yuntu_push.services.push.adoption import PushAdoption

        return PushAdoption(
            store=self.push_store,
            planner=self._planner,
            api_for=self.audience_api,
            clock=self.clock,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def push_copies(self) -> "PushCopies":
        """Copies into one brand, on demand."""
        from yuntu_push.services.push.copies import PushCopies

        return PushCopies(
            store=self.push_store,
            runner=self.push_runner,
            channels=self.channel_store,
            directory=self.lookup,
            api_for=self.audience_api,
            clock=self.clock,
            settings=self.settings.push,
            progress=self.progress,
        )

    @functools.cached_property
    def audiences(self) -> "Audiences":
        """The audiences that are on the platform."""
        from yuntu_push.services.audiences import Audiences

        return Audiences(
            channel=self._planner.channel,
            directory=self.lookup,
            api_for=self.audience_api,
            store=self.push_store,
            clock=self.clock,
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
            push=any(push.state is PushState.SUCCEEDED for push in self.pushes.list()),
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
