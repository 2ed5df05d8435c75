"""Present counts: one question per channel and owner, and never a failure of the look itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from support.push import OWNER, Bench, memory_folder
from yuntu_push.domain.channel import Channel, ChannelKind
from yuntu_push.domain.errors import LoginError, RefusedError, YuntuPushError
from yuntu_push.domain.platform import RemoteAudience
from yuntu_push.domain.push import Push
from yuntu_push.domain.text import msg
from yuntu_push.services.push.counts import PresentCounts


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


class Shown:
    """Calls that show every audience with `covered` people; `fails` is raised instead."""

    def __init__(self, covered: int, fails: YuntuPushError | None = None) -> None:
        self.covered = covered
        self.fails = fails
        self.asked: list[tuple[int, list[int]]] = []

    def read_audiences(self, *, advertiser_id: int, ids: list[int]) -> list[RemoteAudience]:
        self.asked.append((advertiser_id, list(ids)))
        if self.fails is not None:
            raise self.fails
        return [
            RemoteAudience(
                custom_audience_id=number, name="", data_source_id=None, status=2,
                delivery_status=None, upload_num=None, cover_num=self.covered,
            )
            for number in ids
        ]  # fmt: skip


class Channels:
    def __init__(self, *names: str) -> None:
        self.names = names

    def channels(self) -> dict[str, Channel]:
        return {name: Channel(name, ChannelKind.YUNTU, 1) for name in self.names}


def counts(bench: Bench, apis: dict[str, Shown]) -> PresentCounts:
    return PresentCounts(
        store=bench.store,
        channels=Channels(*apis),  # type: ignore[arg-type]
        api_for=lambda channel: apis[channel.name],  # type: ignore[arg-type,return-value]
        clock=bench.clock,
    )


def on(bench: Bench, push: Push, channel: str, owner: int = OWNER) -> Push:
    """The same push in another channel and account."""
    moved = replace(
        push, push_id=f"{channel}{owner % 100}", channel=channel, advertiser_id=owner,
        data_source_id=f"ds-{channel}-{owner}", audience_name=f"{channel}{owner}",
    )  # fmt: skip
    bench.store.add(moved, twin=moved.push_id, again=True)
    return moved


def test_an_owner_is_asked_once_for_all_pushes_that_have_an_audience(bench: Bench):
    done = [bench.run(bench.create(name=name)) for name in ("甲", "乙")]
    early = bench.create(name="丙")
    api = Shown(77)

    looked = counts(bench, {"acme": api}).of([early, *done])

    ids = sorted(push.custom_audience_id or 0 for push in done)
    assert api.asked == [(OWNER, ids)]
    assert [push.cover_num for push in looked.pushes] == [None, 77, 77]
    assert bench.tasks.find(done[0].push_id).cover_num == 77, "kept for the next look"


def test_nothing_is_asked_where_no_push_has_an_audience(bench: Bench):
    api = Shown(77)
    assert counts(bench, {"acme": api}).of([bench.create()]).problems == {}
    assert api.asked == []


def test_a_look_that_tells_nothing_new_changes_nothing(bench: Bench):
    push = bench.run(bench.create())
    bench.clock.advance(3600)
    looked = bench.counts.of([push])
    assert (looked.pushes, bench.tasks.find(push.push_id)) == ([push], push)


def test_an_earlier_push_of_an_audience_keeps_the_counts_of_its_content(bench: Bench):
    """While the later one waits to be published, the audience is still the earlier one's."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="new")
    second = bench.update(first)
    api = Shown(50)

    waiting = counts(bench, {"acme": api}).of([second, first])
    assert [push.cover_num for push in waiting.pushes] == [50, 50]

    bench.clock.advance(25 * 3600)
    done = bench.run(second)
    api.covered = 99
    looked = counts(bench, {"acme": api}).of([done, bench.tasks.find(first.push_id)])
    assert [push.cover_num for push in looked.pushes] == [99, 50]


def test_a_channel_that_fails_is_told_alone(bench: Bench):
    push = bench.run(bench.create())
    pushes = [on(bench, push, name) for name in ("gone", "refused", "well")]
    apis = {
        "refused": Shown(77, RefusedError("PLATFORM_REFUSED", msg("no"))),
        "well": Shown(77),
    }

    looked = counts(bench, apis).of(pushes)

    codes = {name: error.code for name, error in looked.problems.items()}
    assert codes == {"gone": "CHANNEL_UNKNOWN", "refused": "PLATFORM_REFUSED"}
    assert [each.cover_num for each in looked.pushes] == [push.cover_num, push.cover_num, 77]


def test_after_a_failure_a_channels_other_owners_are_not_asked(bench: Bench):
    push = bench.run(bench.create())
    pushes = [on(bench, push, "a", owner) for owner in (OWNER, OWNER + 1)]
    api = Shown(77, LoginError("AUTH_LOGIN_REQUIRED", msg("no")))
    assert list(counts(bench, {"a": api}).of(pushes).problems) == ["a"]
    assert len(api.asked) == 1


@pytest.mark.parametrize(("code", "asked"), [("PLATFORM_TIMEOUT", 0), ("PLATFORM_REFUSED", 1)])
def test_a_host_that_is_silent_is_waited_for_once(bench: Bench, code: str, asked: int):
    push = bench.run(bench.create())
    pushes = [on(bench, push, name) for name in ("a", "b")]
    apis = {"a": Shown(77, RefusedError(code, msg("no"))), "b": Shown(77)}
    looked = counts(bench, apis).of(pushes)
    assert len(apis["b"].asked) == asked
    assert len(looked.problems) == 2 - asked
