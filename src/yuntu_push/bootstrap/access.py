"""Logins, accounts and the calls of each channel, built at first use."""

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from yuntu_push.bootstrap.outside import Outside
from yuntu_push.domain.channel import Channel
from yuntu_push.services.ports import AudienceApi, DirectoryApi

if TYPE_CHECKING:
    from yuntu_push.services.channels import Channels
    from yuntu_push.services.directory import DirectoryService
    from yuntu_push.services.directory_lookup import DirectoryLookup
    from yuntu_push.services.login import Login
    from yuntu_push.services.store_move import StoreMove
    from yuntu_push.services.tokens import Tokens

BRIEF_SECONDS = 5.0


class Access(Outside):
    """What this home may use on the platform."""

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
    def _brief_apis(self) -> dict[Channel, AudienceApi]:
        return {}

    def brief_api(self, channel: Channel) -> AudienceApi:
        """The same for a look that nobody should have to wait for: one try, `BRIEF_SECONDS`."""
        from yuntu_push.adapters.ocean.client import OceanClient
        from yuntu_push.services.tokens import StoredTokens

        if channel not in self._brief_apis:
            usual = self.settings.api
            brief = replace(
                usual,
                connect_timeout=min(usual.connect_timeout, BRIEF_SECONDS),
                timeout=min(usual.timeout, BRIEF_SECONDS),
            )
            tokens = StoredTokens(self.tokens)
            client = OceanClient(channel, tokens, brief, self.clock, pace=self.pace, tries=1)
            self._opened.callback(client.close)
            self._brief_apis[channel] = client
        return self._brief_apis[channel]
