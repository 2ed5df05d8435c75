"""The counts that audiences show now, for whoever looks at pushes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.names import unknown
from yuntu_push.domain.platform import RemoteAudience
from yuntu_push.domain.push import Facts, Push, StepName, StepState
from yuntu_push.domain.push_record import OnPlatform, PushFilter
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import AudienceApi, ChannelStore, Clock
from yuntu_push.services.push.ports import PushStore
from yuntu_push.services.push.view import audience_facts

# Failures of the host, not of one channel on it: whoever asks it next would wait as long.
_HOST_FAILS = {"PLATFORM_UNREACHABLE", "PLATFORM_TIMEOUT", "PLATFORM_DROPPED", "PLATFORM_PAUSED"}


@dataclass(frozen=True)
class Looked:
    """Pushes with present counts; those of a channel in `problems` with the counts last seen."""

    pushes: list[Push]
    problems: Mapping[str, YuntuPushError]


class PresentCounts:
    """Asks the platform once per channel and owner; `api_for` gives calls that never wait long."""

    def __init__(
        self,
        *,
        store: PushStore,
        channels: ChannelStore,
        api_for: Callable[[Channel], AudienceApi],
        clock: Clock,
    ) -> None:
        self._store = store
        self._channels = channels
        self._api_for = api_for
        self._clock = clock

    def of(self, pushes: Sequence[Push]) -> Looked:
        """The pushes, in their order, with the counts that their audiences show now.

        An earlier push of an audience keeps its own once a later one has taken effect. Never an
        error: what went wrong with a channel is among the `problems`.
        """
        seen: dict[str, Push] = {}
        problems: dict[str, YuntuPushError] = {}
        silent: dict[str, YuntuPushError] = {}
        asked = sorted(self._present(pushes), key=lambda push: push.channel)
        for name, of_channel in groupby(asked, key=lambda push: push.channel):
            group = list(of_channel)
            try:
                seen |= {p.push_id: p for p in self._asked(self._channel(name, silent), group)}
            except YuntuPushError as error:
                problems[name] = error
                channel = self._channels.channels().get(name)
                if channel is not None and error.code in _HOST_FAILS:
                    silent[channel.api_url] = error
        return Looked([seen.get(push.push_id, push) for push in pushes], problems)

    def _channel(self, name: str, silent: Mapping[str, YuntuPushError]) -> Channel:
        known = self._channels.channels()
        channel = known.get(name)
        if channel is None:
            raise unknown(
                "channel", name, known, hint=msg("`yuntu-push channel add` brings it back")
            )
        if channel.api_url in silent:
            raise silent[channel.api_url]
        return channel

    def _asked(self, channel: Channel, pushes: Sequence[Push]) -> list[Push]:
        """The pushes of one channel as they are stored once the platform has answered."""
        api = self._api_for(channel)
        shown: dict[tuple[int, int], RemoteAudience] = {}
        for owner in dict.fromkeys(push.advertiser_id for push in pushes):
            ids = {p.custom_audience_id for p in pushes if p.advertiser_id == owner} - {None}
            wanted = sorted(number for number in ids if number is not None)
            for audience in api.read_audiences(advertiser_id=owner, ids=wanted):
                shown[owner, audience.custom_audience_id] = audience
        return [
            self._learned(push, shown.get((push.advertiser_id, push.custom_audience_id or 0)))
            for push in pushes
        ]

    def _learned(self, push: Push, audience: RemoteAudience | None) -> Push:
        facts = Facts() if audience is None else audience_facts(audience)
        if not _tells_more(facts, push):
            return push  # a look alone changes nothing, not even when the push was last updated
        return self._store.learn(push.push_id, facts, self._clock.now())

    def _present(self, pushes: Sequence[Push]) -> list[Push]:
        """Those that have an audience whose content is theirs, or is to be."""
        sources = {push.data_source_id for push in pushes if push.data_source_id is not None}
        chains: dict[str | None, list[Push]] = {}
        for push in self._store.find(PushFilter(on=OnPlatform(data_sources=sources))):
            chains.setdefault(push.data_source_id, []).append(push)
        present = {
            push.push_id for chain in chains.values() for push in _up_to_the_effective(chain)
        }
        return [
            push
            for push in pushes
            if push.custom_audience_id is not None
            and (push.data_source_id is None or push.push_id in present)
        ]


def _up_to_the_effective(chain: Iterable[Push]) -> Iterator[Push]:
    """The pushes into a data source, newest first, to the one whose content is in force."""
    for push in chain:
        yield push
        if any(s.name is StepName.ACTIVATE and s.state is StepState.SUCCEEDED for s in push.steps):
            return


def _tells_more(facts: Facts, push: Push) -> bool:
    return any(
        new is not None and new != old
        for new, old in (
            (facts.delivery_status, push.delivery_status),
            (facts.upload_num, push.upload_num),
            (facts.cover_num, push.cover_num),
        )
    )
