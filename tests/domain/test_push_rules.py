"""States, names, quotas and waits of a push: the pure rules."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuntu_push.domain.audience_name import ID_ALPHABET, MAX_AUDIENCE_NAME, audience_name
from yuntu_push.domain.errors import (
    ConfigError,
    GuardError,
    LoginError,
    PartialError,
    RefusedError,
    ThrottledError,
    TryLaterError,
)
from yuntu_push.domain.failure import Failure, failure_from_json, failure_to_json
from yuntu_push.domain.push import MOVES, Mode, PushState, StepName, may_move, steps_of
from yuntu_push.domain.quota import (
    PUBLISH_MARGIN,
    QuotaKind,
    midnight,
    next_midnight,
    next_time_of_day,
    usage,
)
from yuntu_push.domain.retry import Backoff, PollSchedule, hinted
from yuntu_push.domain.text import msg

AT = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)  # a second before midnight in Beijing


def named(template: str | None = None, **changes: object) -> str:
    facts: dict[str, object] = {
        "name": "高价值会员", "push_id": "k7q2m9", "segment": "vip", "version": 3, "at": AT,
        **changes,
    }  # fmt: skip
    return audience_name(template, **facts)  # type: ignore[arg-type]


def test_the_audience_is_called_by_name_date_and_id():
    """The date is Beijing's: a second later it is the next day's."""
    assert named() == "高价值会员_1123_k7q2m9"
    assert named(at=AT + timedelta(seconds=1)) == "高价值会员_1124_k7q2m9"


def test_the_longest_name_fits():
    assert len(named(name="高" * 16)) <= MAX_AUDIENCE_NAME


def test_a_template_without_the_id_gets_it():
    """It is the only key by which a lost create is found again."""
    assert named("{segment}-{version}") == "vip-3_k7q2m9"
    assert named("{id}{name}") == "k7q2m9高价值会员"


@pytest.mark.parametrize("template", ["{name}" * 6, "{who}", "{name.__class__}", "{name", "{0}"])
def test_a_template_that_cannot_be_a_name_is_refused(template: str):
    with pytest.raises(ConfigError) as caught:
        named(template)
    assert caught.value.hint is not None


def test_a_byte_limit_shortens_the_name_never_the_id():
    text = named(name="高" * 16, byte_limit=30)
    assert len(text.encode()) <= 30
    assert text.startswith("高")
    assert text.endswith("_1123_k7q2m9")


def test_the_alphabet_of_ids_spells_no_words():
    assert not set(ID_ALPHABET) & set("aeiouly01")


@pytest.mark.parametrize("state", PushState)
def test_every_state_has_its_moves(state: PushState):
    assert may_move(state, state)
    assert state in MOVES


def test_ended_pushes_do_not_come_back():
    for state in (PushState.CANCELLED, PushState.SUPERSEDED, PushState.SUCCEEDED):
        assert not MOVES[state]


@pytest.mark.parametrize("mode", Mode)
def test_steps_differ_only_in_how_content_is_handed_over(mode: Mode):
    steps = steps_of(mode)
    assert len(steps) == 8
    assert (StepName.CREATE_DATA_SOURCE in steps) is (mode is Mode.CREATE)
    assert (StepName.UPDATE_DATA_SOURCE in steps) is (mode is not Mode.CREATE)


def test_a_day_of_quota_is_a_beijing_day():
    assert midnight(AT) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert next_midnight(AT) == datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_creates_open_again_at_midnight():
    uses = [AT - timedelta(minutes=n) for n in range(100)]
    full = usage(QuotaKind.CREATE, "1", AT, uses)
    assert (full.left, full.opens_at) == (0, next_midnight(AT))
    assert usage(QuotaKind.CREATE, "1", AT + timedelta(seconds=1), uses).left == 100


def test_a_publish_opens_a_day_after_the_last():
    use = usage(QuotaKind.PUBLISH, "1", AT, [AT - timedelta(hours=23)])
    assert use.opens_at == AT + timedelta(hours=1) + PUBLISH_MARGIN
    long_ago = AT - timedelta(hours=24) - PUBLISH_MARGIN
    assert usage(QuotaKind.PUBLISH, "1", AT, [long_ago]).opens_at is None


def test_a_publish_leaves_the_platform_three_seconds():
    """It notes ours a moment later than we do, and tells its time in whole seconds."""
    day = timedelta(hours=24)
    use = usage(QuotaKind.PUBLISH, "1", AT, [AT - day - timedelta(seconds=2)])
    assert (use.left, use.opens_at) == (0, AT + timedelta(seconds=1))
    assert usage(QuotaKind.PUBLISH, "1", AT, [AT - day - timedelta(seconds=4)]).left == 1


@given(st.lists(st.integers(0, 200_000), max_size=130), st.sampled_from(QuotaKind))
def test_a_quota_is_never_overrun(ages: list[int], kind: QuotaKind):
    """What is left plus what counts is the limit, and a full one says when it opens."""
    use = usage(kind, "1", AT, [AT - timedelta(seconds=age) for age in ages])
    assert use.left == max(0, use.limit - use.used)
    assert (use.opens_at is None) == (use.left > 0)
    if use.opens_at is not None and use.used == use.limit:
        assert use.opens_at > AT


def test_a_time_of_day_is_beijings():
    due = next_time_of_day(AT, time(3, 30))
    assert due == datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    assert next_time_of_day(due, time(3, 30)) == due
    assert next_time_of_day(due + timedelta(seconds=1), time(3, 30)) == due + timedelta(days=1)


@given(st.integers(0, 1000), st.floats(0, 0.999))
def test_backoff_stays_within_its_bound(failures: int, chance: float):
    backoff = Backoff(base=1, cap=60)
    delay = backoff.delay(failures, lambda: chance)
    assert 0 < delay <= min(60.0, 2.0 ** min(max(failures - 1, 0), 20))


@given(st.integers(0, 1000), st.floats(0, 0.999))
def test_polls_grow_from_the_first_pause_to_the_cap(looks: int, chance: float):
    schedule = PollSchedule(first=60, cap=300)
    assert 48 <= schedule.delay(looks, lambda: chance) <= 360
    assert PollSchedule(first=1).delay(0, lambda: chance) <= 1.2


def test_the_platforms_hint_wins():
    assert hinted(7.0, 60.0) == 7.0
    assert hinted(None, 60.0) == 60.0


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("A", msg("refused {x}", x=1), platform_code=40001, request_id="r"),
        ThrottledError("B", msg("slow"), retry_in=3, hint=msg("wait"), next_at=AT),
        GuardError("C", msg("guard: {inner}", inner=msg("because {n}", n="x"))),
        LoginError("D", msg("login")),
        PartialError("E", msg("partial")),
        TryLaterError("F", msg("later")),
    ],
)
def test_a_stored_failure_becomes_the_same_error(error: Exception):
    """Kind (hence exit code), code, sentence, hint and the platform's facts survive."""
    assert isinstance(error, Exception)
    failure = Failure.of(error)  # type: ignore[arg-type]
    again = failure_from_json(failure_to_json(failure))
    assert again == failure
    assert type(again.error()) is type(error)
    assert str(again.error()) == str(error)
