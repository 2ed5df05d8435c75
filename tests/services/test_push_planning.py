"""What a push is made of, and what stands in its way before anything is sent."""

from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from support.push import START, Bench, memory_folder
from yuntu_push.domain.audience_name import audience_name
from yuntu_push.domain.errors import (
    ConfigError,
    GuardError,
    SourceError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.push import PushState
from yuntu_push.domain.segment import SegmentRef
from yuntu_push.domain.text import msg
from yuntu_push.services.push import uploading
from yuntu_push.services.push.ending import ending


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def test_a_plan_writes_nothing(bench: Bench):
    plan = bench.tasks.plan(bench.request())
    assert bench.store.get(plan.push.push_id) is None
    assert bench.platform.calls == {}
    assert plan.push.audience_name == f"高价值会员_1123_{plan.push.push_id}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "一" * 17}, "PUSH_NAME_INVALID"),
        ({"name": "a b"}, "PUSH_NAME_INVALID"),
        ({"brands": ()}, "PLACE_NEEDED"),
        ({"channel": "acne"}, "CHANNEL_UNKNOWN"),
        ({"id_types": ("OAID",)}, "ID_TYPE_UNKNOWN"),
        ({"id_types": ("nonsense",)}, "ID_TYPE_UNKNOWN"),
        ({"audience_name": "{name}{name}{name}{name}{name}{name}"}, "AUDIENCE_NAME_TOO_LONG"),
        ({"audience_type": "public"}, "AUDIENCE_TYPE_UNKNOWN"),
        ({"description": "x" * 257}, "DESCRIPTION_TOO_LONG"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_runs(bench: Bench, changes, code: str):
    with pytest.raises(ConfigError) as caught:
        bench.tasks.plan(bench.request(**changes))
    assert caught.value.code == code


def test_bytes_are_a_limit_of_a_name_where_one_is_set():
    def hint(byte_limit: int | None) -> str:
        with pytest.raises(ConfigError) as caught:
            audience_name("{name}" * 9, name="高价值", push_id="k7q2m9", segment="vip", version=1,
                          at=START, byte_limit=byte_limit)  # fmt: skip
        return str(caught.value.hint)

    assert hint(None) == "at most 30 characters"
    assert hint(60) == "at most 30 characters and 60 bytes"


def test_the_same_push_twice_names_the_first(bench: Bench):
    first = bench.tasks.create(bench.tasks.plan(bench.request()))
    plan = bench.tasks.plan(bench.request(name="另一个名字"))
    assert plan.earlier is not None
    with pytest.raises(GuardError) as caught:
        bench.tasks.create(plan)
    assert first.push_id in str(caught.value)
    bench.tasks.create(plan, again=True)


def test_other_content_or_places_are_another_push(bench: Bench):
    bench.tasks.create(bench.tasks.plan(bench.request()))
    bench.tasks.create(bench.tasks.plan(bench.request(brands=("别品牌",))))
    bench.segment("vip", seed="new")
    bench.tasks.create(bench.tasks.plan(bench.request()))


def test_a_cancelled_or_failed_push_is_no_twin(bench: Bench):
    push = bench.tasks.create(bench.tasks.plan(bench.request()))
    bench.tasks.cancel(push)
    bench.tasks.create(bench.tasks.plan(bench.request()))


def test_another_clients_segment_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.segment("theirs", client="别家")
    monkeypatch.setattr("support.push.CLIENT", "自家")
    with pytest.raises(GuardError) as caught:
        bench.tasks.plan(bench.request(segment="theirs"))
    assert caught.value.code == "CLIENT_MISMATCH"


def test_an_empty_segment_is_refused(bench: Bench):
    bench.segment("none", parts=0)
    with pytest.raises(SourceError):
        bench.tasks.plan(bench.request(segment="none"))


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_parts_that_are_not_what_was_built_are_refused(bench: Bench, damage: str):
    path = bench.segments.open("vip").parts[0].path
    push = bench.create()
    path.unlink() if damage == "gone" else path.write_bytes(b"other")
    with pytest.raises(SourceError) as caught:
        bench.tasks.plan(bench.request())
    assert "segment build vip" in str(caught.value.hint)
    # The same when it happens between creation and upload.
    push = bench.run(push)
    assert push.state is PushState.FAILED
    failure = ending(push)
    assert isinstance(failure, SourceError)
    assert "push cancel" in str(failure.hint)  # only now is there one
    assert "create" not in bench.platform.calls


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TryLaterError("SECRETS_LOCKED", msg("locked")), PushState.WAITING),
        (ConfigError("SEGMENT_SEALED", msg("sealed")), PushState.FAILED),
        (ConfigError("SEGMENT_UNKNOWN", msg("erased")), PushState.SUCCEEDED),
    ],
)
def test_content_that_was_sealed_is_opened_before_it_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: YuntuPushError, state: PushState
):
    """A locked store is waited for; a lost key names a way that helps; the rest is looked at."""
    push = bench.create()
    monkeypatch.setattr(uploading, "segment_of", lambda _: SegmentRef("vip", 1))
    with monkeypatch.context() as patched:
        patched.setattr(bench.segments, "open", Mock(side_effect=error))
        push = bench.runner().run(push.push_id)
    if state is PushState.FAILED:
        assert "create the push anew" in str(ending(push).hint)
    assert ("upload" in bench.platform.calls) == (state is PushState.SUCCEEDED)
    if state is not PushState.SUCCEEDED:
        assert push.state is state
    assert bench.run(push).state is PushState.SUCCEEDED, "it can be opened again"


def test_a_first_push_to_a_brand_is_told_apart(bench: Bench):
    plan = bench.tasks.plan(bench.request())
    assert [b.brand_name for b in plan.new_brands] == ["某品牌"]
    push = bench.tasks.create(plan, asked="person")
    assert bench.store.get(push.push_id).asked == "person"
    assert bench.tasks.plan(bench.request()).new_brands == ()


def test_a_push_is_found_by_id_prefix_and_name(bench: Bench):
    one = bench.create(name="一号")
    two = bench.create(name="二号", brands=("别品牌",))
    find = bench.tasks.find
    assert find(one.push_id).push_id == one.push_id
    assert find("二号").push_id == two.push_id
    assert find(two.audience_name).push_id == two.push_id
    with pytest.raises(ConfigError) as caught:
        find(one.push_id[:4])
    assert caught.value.code == "PUSH_AMBIGUOUS"
    with pytest.raises(ConfigError) as caught:
        find("三号")
    assert caught.value.code == "PUSH_UNKNOWN"


def test_a_qianchuan_channel_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Its audiences go another way; better a sentence than the platform's refusal."""
    from yuntu_push.domain.channel import ChannelKind

    monkeypatch.setattr("support.push.KIND", ChannelKind.QIANCHUAN)
    with pytest.raises(ConfigError) as caught:
        bench.tasks.plan(bench.request())
    assert caught.value.code == "CHANNEL_KIND"
