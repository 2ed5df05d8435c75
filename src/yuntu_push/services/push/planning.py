"""From what a person asks for to a push that can be stored: looked up, checked, nothing written."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yuntu_push.domain.audience_name import audience_name
from yuntu_push.domain.channel import Account, Brand, Channel, ChannelKind
from yuntu_push.domain.errors import ConfigError, GuardError, SourceError
from yuntu_push.domain.identifiers import IdType, id_type_named
from yuntu_push.domain.names import push_name, unknown
from yuntu_push.domain.push import (
    Mode,
    Push,
    PushBrand,
    PushPart,
    PushState,
    PushStep,
    PushTarget,
    steps_of,
)
from yuntu_push.domain.segment import Segment, parse_ref
from yuntu_push.domain.settings import ApiSettings
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import ChannelStore, Clock
from yuntu_push.services.push.ports import Directory, PushStore, SegmentShelf
from yuntu_push.services.push.uploading import check_part

MAX_DESCRIPTION = 256  # the platform's limit
MAX_PARTS = 1000  # files that one create or update may name
AUDIENCE_TYPES = ("private",)


@dataclass(frozen=True)
class PushRequest:
    """What a person asks to push; None means the only one there is."""

    name: str
    segment: str
    channel: str | None = None
    account: str | None = None
    brands: Sequence[str] = ()
    targets: Sequence[str] = ()
    id_types: Sequence[str] = ()
    audience_name: str | None = None
    audience_type: str = "private"
    description: str = ""
    entry: str | None = None
    publish_at: str | None = None


@dataclass(frozen=True)
class PushPlan:
    """A push that would be made. `twin` identifies its content and places, `earlier` is a push of
    the same; `new_brands` were never pushed to from this account."""

    push: Push
    twin: str
    earlier: Push | None
    new_brands: tuple[PushBrand, ...]


class PushPlanner:
    """Makes plans; reads the directory, the segments and the store, writes nothing."""

    def __init__(
        self,
        *,
        store: PushStore,
        channels: ChannelStore,
        directory: Directory,
        segments: SegmentShelf,
        clock: Clock,
        api: ApiSettings,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._channels = channels
        self.directory = directory
        self._segments = segments
        self._clock = clock
        self._api = api
        self._new_id = new_id

    def plan(self, request: PushRequest) -> PushPlan:
        """The push that a request means, or the error that stands in its way."""
        name = push_name(request.name)
        _check_words(request)
        channel = self.channel(request.channel)
        segment = self.segment(request.segment)
        check_client(channel, segment)
        parts = chosen_parts(segment, [id_type_named(text) for text in request.id_types])
        account = self.directory.resolve_account(channel.name, request.account)
        brands = self.directory.resolve_brands(account, request.brands)
        targets = self.directory.resolve_targets(account, request.targets)
        push_id, now = self._new_id(), self._clock.now()
        return self._planned(
            Push(
                push_id=push_id,
                name=name,
                audience_name=audience_name(
                    request.audience_name,
                    name=name,
                    push_id=push_id,
                    segment=segment.name,
                    version=segment.version,
                    at=now,
                    byte_limit=self._api.name_byte_limit,
                ),
                channel=channel.name,
                channel_kind=channel.kind.value,
                client=channel.client or segment.client,
                segment=segment.name,
                segment_version=segment.version,
                fingerprint=segment.fingerprint,
                ids_total=sum(part.ids for part in parts),
                audience_type=request.audience_type,
                description=request.description or f"{name} {segment.ref}",
                source_type=self._api.data_source_type,
                id_types=tuple(dict.fromkeys(part.id_type for part in parts)),
                advertiser_id=account.advertiser_id,
                account_name=account.name,
                company=account.company,
                mode=Mode.CREATE,
                entry=request.entry,
                publish_at=request.publish_at,
                state=PushState.PENDING,
                position=0,
                created_at=now,
                updated_at=now,
                progress_at=now,
                parts=parts,
                brands=tuple(_brand(brand) for brand in brands),
                targets=_targets(account, targets),
                steps=tuple(PushStep(step) for step in steps_of(Mode.CREATE)),
            )
        )

    def _planned(self, push: Push) -> PushPlan:
        known = self._store.known_pairs()
        twin = twin_key(push)
        return PushPlan(
            push=push,
            twin=twin,
            earlier=self._store.twin_of(twin),
            new_brands=tuple(
                b for b in push.brands if (push.advertiser_id, b.brand_id) not in known
            ),
        )

    def segment(self, text: str) -> Segment:
        """The segment that `NAME` or `NAME@VERSION` means; `SourceError` when it is empty."""
        ref = parse_ref(text)
        segment = self._segments.open(ref.name, ref.version)
        if not segment.ids_total or not segment.parts:
            raise SourceError(
                "SEGMENT_EMPTY",
                msg("segment {segment} has no ids", segment=segment.ref),
                hint=msg("`yuntu-push segment show {segment}` says why", segment=segment.name),
            )
        return segment

    def channel(self, name: str | None) -> Channel:
        """The channel of a name, the only one for None, or `ConfigError`."""
        known = self._channels.channels()
        if name is None and len(known) == 1:
            found = next(iter(known.values()))
        elif name is None:
            raise ConfigError(
                "CHANNEL_NEEDED",
                msg("which channel? known: {known}", known=", ".join(sorted(known)) or "-"),
                hint=msg("choose one with --channel, or add one with `yuntu-push channel add`"),
            )
        elif name not in known:
            raise unknown("channel", name, known, hint=msg("`yuntu-push channel list`"))
        else:
            found = known[name]
        if found.kind is ChannelKind.QIANCHUAN:
            raise ConfigError(
                "CHANNEL_KIND",
                msg("channel {channel} is a qianchuan one; pushes need yuntu or oceanengine",
                    channel=found.name),
                hint=msg("`yuntu-push channel add` one of kind yuntu or oceanengine"),
            )  # fmt: skip
        return found


def _check_words(request: PushRequest) -> None:
    if not request.brands and not request.targets:
        raise ConfigError(
            "PLACE_NEEDED",
            msg("a push needs a brand or a target"),
            hint=msg("name a Yuntu brand with --brand, or an advertiser with --target"),
        )
    if request.audience_type not in AUDIENCE_TYPES:
        raise unknown(
            "audience type",
            request.audience_type,
            AUDIENCE_TYPES,
            hint=msg("leave --audience-type out, or pass one of these"),
        )
    if len(request.description) > MAX_DESCRIPTION:
        raise ConfigError(
            "DESCRIPTION_TOO_LONG",
            msg("the description has {count} characters", count=len(request.description)),
            hint=msg("use at most {limit} characters", limit=MAX_DESCRIPTION),
        )


def check_client(channel: Channel, segment: Segment) -> None:
    """`GuardError` when a segment was built for another client than the channel's."""
    if channel.client and segment.client and channel.client != segment.client:
        raise GuardError(
            "CLIENT_MISMATCH",
            msg(
                "segment {segment} belongs to client {theirs}, channel {channel} to {ours}",
                segment=segment.ref,
                theirs=segment.client,
                channel=channel.name,
                ours=channel.client,
            ),
            hint=msg("push it through a channel of its own client"),
        )


def chosen_parts(segment: Segment, id_types: Sequence[IdType]) -> tuple[PushPart, ...]:
    """The parts of the wanted id types (all by default), proved to be what was built."""
    absent = [t for t in id_types if t not in segment.id_types]
    if absent:
        raise unknown(
            "id type",
            str(absent[0]),
            segment.id_types,
            hint=msg("see `yuntu-push segment show {name}`", name=segment.name),
        )
    chosen = [part for part in segment.parts if not id_types or part.id_type in id_types]
    if len(chosen) > MAX_PARTS:
        raise SourceError(
            "TOO_MANY_PARTS",
            msg("segment {segment} has {count} parts", segment=segment.ref, count=len(chosen)),
            hint=msg("build it with a larger --part-size; {limit} parts can be sent",
                     limit=MAX_PARTS),
        )  # fmt: skip
    for part in chosen:
        again = msg("build it again: `yuntu-push segment build {segment} …`", segment=segment.name)
        check_part(part.path, part.md5, segment.name, hint=again)
    return tuple(
        PushPart(
            position=place,
            path=part.path,
            id_type=part.id_type,
            size=part.size,
            ids=part.ids,
            md5=part.md5,
        )
        for place, part in enumerate(chosen)
    )


def _targets(account: Account, targets: Sequence[Account]) -> tuple[PushTarget, ...]:
    """The owner first: an audience may have to be shared with it before it can be used."""
    owner = PushTarget(account.advertiser_id, owner=True)
    return (owner, *(PushTarget(target.advertiser_id) for target in targets))


def _brand(brand: Brand) -> PushBrand:
    return PushBrand(brand.brand_id, brand.brand_name, brand.virtual_adv_id)


def twin_key(push: Push) -> str:
    """A hash of what is pushed and where to: the same content to the same places has the same."""
    places = sorted(b.brand_id for b in push.brands) or sorted(
        t.advertiser_id for t in push.targets if not t.owner
    )
    facts = [push.fingerprint, sorted(push.id_types), push.advertiser_id, places, push.mode.value]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
