"""The Ocean Engine client as the services know it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from yuntu_push.adapters.ocean import accounts, audiences, brands, data_sources
from yuntu_push.adapters.ocean.caller import READ_TRIES, Caller
from yuntu_push.adapters.ocean.needs import Clock, Pace, Tokens
from yuntu_push.domain.channel import Brand, Channel
from yuntu_push.domain.platform import (
    AuthorizedAccount,
    Expansion,
    Operation,
    RemoteAudience,
    RemoteDataSource,
)
from yuntu_push.domain.settings import ApiSettings


class OceanClient:
    """The DMP calls of one channel: what can be done to its data sources and audiences."""

    def __init__(
        self,
        channel: Channel,
        tokens: Tokens,
        api: ApiSettings,
        clock: Clock,
        *,
        pace: Pace | None = None,
        tries: int = READ_TRIES,
    ) -> None:
        self._caller = Caller(channel, tokens, api, clock, pace=pace, tries=tries)

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def upload(self, *, advertiser_id: int, path: Path, md5: str) -> str:
        """Upload one part; the platform's file path, good for 14 days."""
        return data_sources.upload(self._caller, advertiser_id=advertiser_id, path=path, md5=md5)

    def create_data_source(
        self,
        *,
        advertiser_id: int,
        name: str,
        description: str,
        file_paths: Sequence[str],
        source_type: str,
    ) -> str:
        """Create a data source; its id."""
        return data_sources.create(
            self._caller,
            advertiser_id=advertiser_id,
            name=name,
            description=description,
            file_paths=file_paths,
            source_type=source_type,
        )

    def update_data_source(
        self,
        *,
        advertiser_id: int,
        data_source_id: str,
        operation: Operation,
        file_paths: Sequence[str],
    ) -> None:
        """Add, delete or replace the content of a data source."""
        data_sources.update(
            self._caller,
            advertiser_id=advertiser_id,
            data_source_id=data_source_id,
            operation=operation,
            file_paths=file_paths,
        )

    def data_sources(self, *, advertiser_id: int, ids: Sequence[str]) -> list[RemoteDataSource]:
        """Data sources by id."""
        return data_sources.read(self._caller, advertiser_id=advertiser_id, ids=ids)

    def audiences(self, *, advertiser_id: int) -> Iterator[RemoteAudience]:
        """All audiences created by or pushed to an advertiser, page by page."""
        return audiences.select(self._caller, advertiser_id=advertiser_id)

    def read_audiences(self, *, advertiser_id: int, ids: Sequence[int]) -> list[RemoteAudience]:
        """Audiences by id."""
        return audiences.read(self._caller, advertiser_id=advertiser_id, ids=ids)

    def publish(self, *, advertiser_id: int, custom_audience_id: int) -> None:
        """Put an audience's present content in force."""
        audiences.publish(
            self._caller, advertiser_id=advertiser_id, custom_audience_id=custom_audience_id
        )

    def push(self, *, advertiser_id: int, custom_audience_id: int, targets: Sequence[int]) -> None:
        """Share an audience with advertisers."""
        audiences.push(
            self._caller,
            advertiser_id=advertiser_id,
            custom_audience_id=custom_audience_id,
            targets=targets,
        )

    def copy(
        self, *, advertiser_id: int, custom_audience_id: int, virtual_adv_id: int
    ) -> int | None:
        """Copy an audience into a Yuntu brand; the id in the answer, of uncertain meaning."""
        return audiences.copy(
            self._caller,
            advertiser_id=advertiser_id,
            custom_audience_id=custom_audience_id,
            virtual_adv_id=virtual_adv_id,
        )

    def delete_audience(self, *, advertiser_id: int, custom_audience_id: int) -> None:
        """Delete an audience."""
        audiences.delete(
            self._caller, advertiser_id=advertiser_id, custom_audience_id=custom_audience_id
        )

    def server_now(self) -> datetime:
        """The platform's clock as last announced, aware UTC."""
        return self._caller.server_now()


class OceanDirectory:
    """Reads of accounts and brands with the grants of several channels."""

    def __init__(
        self, tokens: Tokens, api: ApiSettings, clock: Clock, *, pace: Pace | None = None
    ) -> None:
        self._tokens = tokens
        self._api = api
        self._clock = clock
        self._pace = pace
        self._callers: dict[Channel, Caller] = {}

    def close(self) -> None:
        """Close the connections."""
        for caller in self._callers.values():
            caller.close()

    def authorized_accounts(self, channel: Channel) -> list[AuthorizedAccount]:
        """The accounts that the channel's login authorised."""
        return accounts.authorized(self._caller(channel))

    def expand(self, channel: Channel, account: AuthorizedAccount) -> Expansion:
        """The advertisers under a workbench, agent, enterprise workbench or shop."""
        return accounts.expand(self._caller(channel), account)

    def brands(self, channel: Channel, advertiser_id: int) -> list[Brand]:
        """The Yuntu brands bound to an advertiser."""
        return brands.of_advertiser(self._caller(channel), advertiser_id)

    def companies(self, channel: Channel, advertiser_ids: Sequence[int]) -> dict[int, str]:
        """The legal subject (主体) of each advertiser, as far as it can be read."""
        found = accounts.public_info(self._caller(channel), advertiser_ids)
        return {number: info.company for number, info in found.items() if info.company}

    def _caller(self, channel: Channel) -> Caller:
        if channel not in self._callers:
            self._callers[channel] = Caller(
                channel, self._tokens, self._api, self._clock, pace=self._pace
            )
        return self._callers[channel]
