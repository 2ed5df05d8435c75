"""Custom audiences (人群包) on the platform: list, look at, delete; and which push made them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from yuntu_push.domain.audience import (
    AudienceState,
    audience_state,
    created_at,
    expires_on,
    expires_soon,
)
from yuntu_push.domain.channel import Account, Channel
from yuntu_push.domain.errors import (
    ConfigError,
    GuardError,
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    TryLaterError,
)
from yuntu_push.domain.names import canonical, unknown
from yuntu_push.domain.platform import RemoteAudience, RemoteDataSource
from yuntu_push.domain.push import Push
from yuntu_push.domain.push_record import OnPlatform, PushFilter
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import AudienceApi, Clock
from yuntu_push.services.push.ports import Directory, PushStore


@dataclass(frozen=True)
class AudienceView:
    """An audience of an account, and what is known about it here.

    `pushes` are ours that brought content into it, newest first; `expires_on` is a day in Beijing.
    """

    account: Account
    audience: RemoteAudience
    state: AudienceState
    created_at: datetime | None
    expires_on: date | None
    expires_soon: bool
    pushes: tuple[Push, ...]


class Audiences:
    """The audiences that a channel's accounts have on the platform.

    `channel` gives the channel of a name, the only one for None.
    """

    def __init__(
        self,
        *,
        channel: Callable[[str | None], Channel],
        directory: Directory,
        api_for: Callable[[Channel], AudienceApi],
        store: PushStore,
        clock: Clock,
    ) -> None:
        self._channel = channel
        self._directory = directory
        self._api_for = api_for
        self._store = store
        self._clock = clock

    def of_account(
        self, channel: str | None = None, account: str | None = None
    ) -> list[AudienceView]:
        """The audiences created by or pushed to an account, as the platform orders them."""
        chosen = self._channel(channel)
        owner = self._directory.resolve_account(chosen.name, account)
        found = list(self._api_for(chosen).audiences(advertiser_id=owner.advertiser_id))
        return self._views(chosen, owner, found)

    def find(
        self, text: str, channel: str | None = None, account: str | None = None
    ) -> AudienceView:
        """The audience that an id or a name means, deleted ones by their id.

        Without an account, an id that a push of this home made is looked for where it was made.
        `ConfigError` when there is none, or several have the name.
        """
        chosen, owner = self._place(text, channel, account)
        api = self._api_for(chosen)
        wanted = canonical(text).strip()
        known: list[str] = []
        if _is_id(wanted):
            found = api.read_audiences(advertiser_id=owner.advertiser_id, ids=[int(wanted)])
        else:
            listed = list(api.audiences(advertiser_id=owner.advertiser_id))
            known = [each.name for each in listed]
            found = [each for each in listed if canonical(each.name).strip() == wanted]
        if not found:
            raise unknown("audience", text, known, hint=_LIST)
        if len(found) > 1:
            raise ConfigError(
                "AUDIENCE_AMBIGUOUS",
                msg(
                    "{count} audiences are called {name}: {candidates}",
                    count=len(found),
                    name=text,
                    candidates=", ".join(str(each.custom_audience_id) for each in found[:5]),
                ),
                hint=msg("use the id instead of the name"),
            )
        return self._views(chosen, owner, found)[0]

    def delete(self, view: AudienceView) -> AudienceView:
        """Delete an audience; nothing happens when it is gone already.

        `GuardError` while a push of ours is working on it, `RefusedError` `AUDIENCE_IN_USE` when an
        ad plan uses it.
        """
        if view.state is AudienceState.DELETED:
            return view
        working = next((push for push in view.pushes if push.is_working), None)
        if working is not None:
            raise GuardError(
                "AUDIENCE_UNDER_WAY",
                msg(
                    "push {push} is still working on audience {audience}",
                    push=working.push_id,
                    audience=view.audience.custom_audience_id,
                ),
                hint=msg(
                    "let it end, or give it up: `yuntu-push push cancel {push}`",
                    push=working.push_id,
                ),
            )
        api = self._api_for(self._channel(view.account.channel))
        wanted, owner = view.audience.custom_audience_id, view.account.advertiser_id
        try:
            api.delete_audience(advertiser_id=owner, custom_audience_id=wanted)
        except OutcomeUnknownError:
            if not _is_gone(api, owner, wanted):
                raise
        return replace(
            view, audience=replace(view.audience, deleted=True), state=AudienceState.DELETED
        )

    def _place(
        self, text: str, channel: str | None, account: str | None
    ) -> tuple[Channel, Account]:
        if account is None and _is_id(text.strip()):
            wanted = int(text)
            made = PushFilter(channel=channel, on=OnPlatform(audiences=[wanted]), most=1)
            for push in self._store.find(made):
                owner = self._directory.resolve_account(push.channel, str(push.advertiser_id))
                return self._channel(push.channel), owner
        chosen = self._channel(channel)
        return chosen, self._directory.resolve_account(chosen.name, account)

    def _views(
        self, channel: Channel, owner: Account, found: Iterable[RemoteAudience]
    ) -> list[AudienceView]:
        found = list(found)
        dated = self._dated(channel, owner, found)
        pushes = self._store.find(
            PushFilter(
                on=OnPlatform(
                    data_sources=[each.data_source_id for each in found if each.data_source_id],
                    audiences=[each.custom_audience_id for each in found],
                )
            )
        )
        near: dict[str | int, list[Push]] = {}
        for push in pushes:
            for key in (push.data_source_id, push.custom_audience_id):
                if key is not None:
                    near.setdefault(key, []).append(push)
        now = self._clock.now()
        return [
            AudienceView(
                account=owner,
                audience=audience,
                state=audience_state(audience),
                created_at=created_at(audience),
                expires_on=expires_on(audience),
                expires_soon=expires_soon(audience, now),
                pushes=tuple(
                    push
                    for push in near.get(audience.data_source_id or audience.custom_audience_id, ())
                    if _made(push, audience)
                ),
            )
            for audience in dated
        ]

    def _dated(
        self, channel: Channel, owner: Account, found: list[RemoteAudience]
    ) -> list[RemoteAudience]:
        """The audiences with the dates that only their data sources tell, where these are read."""
        wanted = [
            each.data_source_id for each in found if each.data_source_id and not each.expiry_date
        ]
        if not wanted:
            return found
        sources: dict[str, RemoteDataSource] = {}
        with suppress(RefusedError, LoginError, TryLaterError):  # dates are no reason to fail
            read = self._api_for(channel).data_sources(
                advertiser_id=owner.advertiser_id, ids=list(dict.fromkeys(wanted))
            )
            sources = {source.data_source_id: source for source in read}
        return [_with_dates(each, sources.get(each.data_source_id or "")) for each in found]


_LIST = msg("`yuntu-push audience list` shows those of an account")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _made(push: Push, audience: RemoteAudience) -> bool:
    if audience.data_source_id and push.data_source_id:
        return push.data_source_id == audience.data_source_id
    return push.custom_audience_id == audience.custom_audience_id


def _with_dates(audience: RemoteAudience, source: RemoteDataSource | None) -> RemoteAudience:
    told = source.audience if source is not None else None
    if told is None or told.custom_audience_id != audience.custom_audience_id:
        return audience
    return replace(
        audience,
        create_time=audience.create_time or told.create_time,
        expiry_date=audience.expiry_date or told.expiry_date,
    )


def _is_gone(api: AudienceApi, owner: int, wanted: int) -> bool:
    found = api.read_audiences(advertiser_id=owner, ids=[wanted])
    return not found or audience_state(found[0]) is AudienceState.DELETED
