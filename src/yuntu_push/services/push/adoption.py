"""`push adopt`: a data source that another tool or machine made becomes a push of this home."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import GuardError, RefusedError, TryLaterError
from yuntu_push.domain.names import push_name
from yuntu_push.domain.platform import RemoteAudience, RemoteDataSource
from yuntu_push.domain.push import (
    BrandState,
    Mode,
    Push,
    PushBrand,
    PushState,
    PushStep,
    PushTarget,
    StepState,
    TargetState,
    steps_of,
)
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import AudienceApi, Clock
from yuntu_push.services.push.planning import PushPlanner
from yuntu_push.services.push.ports import PushStore
from yuntu_push.services.push.presence import audience_gone


@dataclass(frozen=True)
class AdoptRequest:
    """What to adopt. `entry` makes it the audience of a `pushes:` entry."""

    name: str
    data_source_id: str
    channel: str | None = None
    account: str | None = None
    brands: Sequence[str] = ()
    entry: str | None = None


class PushAdoption:
    """Adopts data sources; writes to the state file only."""

    def __init__(
        self,
        *,
        store: PushStore,
        planner: PushPlanner,
        api_for: Callable[[Channel], AudienceApi],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._planner = planner
        self._api_for = api_for
        self._clock = clock
        self._new_id = new_id

    def adopt(self, request: AdoptRequest) -> Push:
        """The push that stands for the data source from now on; `push update` works on it.

        `RefusedError` when the account has no such data source, `TryLaterError` while it is being
        parsed, `GuardError` when a push of this home has it already.
        """
        name = push_name(request.name)
        known = self._store.on_data_source(request.data_source_id)
        if known:
            raise _known(known[0])
        channel = self._planner.channel(request.channel)
        account = self._planner.directory.resolve_account(channel.name, request.account)
        brands = self._planner.directory.resolve_brands(account, request.brands)
        source, audience = self._read(channel, account.advertiser_id, request.data_source_id)
        now = self._clock.now()
        push = Push(
            push_id=self._new_id(),
            name=name,
            audience_name=source.name,
            channel=channel.name,
            channel_kind=channel.kind.value,
            client=channel.client,
            segment="",
            segment_version=0,
            fingerprint="",
            ids_total=source.upload_num or 0,
            audience_type="private",
            description="",
            source_type="",
            id_types=(),
            advertiser_id=account.advertiser_id,
            account_name=account.name,
            company=account.company,
            mode=Mode.CREATE,
            state=PushState.SUCCEEDED,
            position=len(steps_of(Mode.CREATE)),
            created_at=now,
            updated_at=now,
            progress_at=now,
            parts=(),
            brands=tuple(
                PushBrand(b.brand_id, b.brand_name, b.virtual_adv_id, state=BrandState.NOT_DUE)
                for b in brands
            ),
            targets=(PushTarget(account.advertiser_id, owner=True, state=TargetState.SHARED),),
            steps=tuple(
                PushStep(step, state=StepState.SUCCEEDED) for step in steps_of(Mode.CREATE)
            ),
            entry=request.entry,
            data_source_id=source.data_source_id,
            custom_audience_id=audience.custom_audience_id,
        )
        in_the_way = self._store.add(push, twin=push.push_id, again=True)
        if in_the_way is not None:
            raise _known(in_the_way)
        return push

    def _read(
        self, channel: Channel, advertiser_id: int, data_source_id: str
    ) -> tuple[RemoteDataSource, RemoteAudience]:
        found = self._api_for(channel).data_sources(
            advertiser_id=advertiser_id, ids=[data_source_id]
        )
        source = next((s for s in found if s.data_source_id == data_source_id), None)
        if source is None:
            raise RefusedError(
                "DATA_SOURCE_GONE",
                msg("account {account} has no data source {source}", account=str(advertiser_id),
                    source=data_source_id),
                hint=msg("check the id and the account in the DMP pages"),
            )  # fmt: skip
        if source.audience is None:
            raise TryLaterError(
                "DATA_SOURCE_PARSING",
                msg("data source {source} is still being parsed", source=data_source_id),
                hint=msg("try again when it has an audience"),
            )
        gone = audience_gone(source)
        if gone is not None:
            raise gone
        return source, source.audience


def _known(push: Push) -> GuardError:
    return GuardError(
        "DATA_SOURCE_KNOWN",
        msg("push {push} has data source {source} already", push=push.push_id,
            source=push.data_source_id),
        hint=msg("update it: `yuntu-push push update {push} --segment …`", push=push.push_id),
    )  # fmt: skip
