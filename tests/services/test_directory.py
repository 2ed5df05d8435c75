"""Reading the directory: what can be read is kept, what cannot is told."""

from dataclasses import replace

import pytest

from support.directory import (
    BELOW,
    LIGHT,
    OTHER,
    OWN,
    SECOND,
    STAR,
    UNBOUND,
    WORKBENCH,
    Config,
    MemoryStore,
    Platform,
    an_account,
    no_progress,
    ticked,
)
from support.ocean import FakeClock
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    RefusedError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.text import msg
from yuntu_push.services import directory_reading
from yuntu_push.services.directory import DirectoryRefresh, DirectoryService

NO_RIGHT = LoginError("AUTH_RIGHT_MISSING", msg("no right"), platform_code=40002)


@pytest.fixture
def platform() -> Platform:
    """Two advertisers, a workbench with one more, one that is no longer valid."""
    return Platform(
        authorized=[
            ticked(OWN, "自有"),
            ticked(UNBOUND, "未绑定"),
            ticked(OTHER, "失效", valid=False),
            ticked(WORKBENCH, "工作台", "CUSTOMER_ADMIN"),
        ],
        below={WORKBENCH: [an_account(BELOW, "门店", "AD", parent=WORKBENCH)]},
        bound={OWN: [STAR, LIGHT], BELOW: [STAR]},
        subjects={OWN: "甲公司", UNBOUND: "甲公司", BELOW: "乙公司"},
    )


@pytest.fixture
def store() -> MemoryStore:
    """Nothing known yet."""
    return MemoryStore()


def _service(platform: Platform, store: MemoryStore) -> DirectoryService:
    return DirectoryService(
        config=Config(),
        api=lambda: platform,
        store=store,
        clock=FakeClock(),
        progress=no_progress,
    )


def _refresh(platform: Platform, store: MemoryStore) -> DirectoryRefresh:
    return _service(platform, store).refresh("acme")


def test_accounts_are_read_with_subjects_and_brands(platform: Platform, store: MemoryStore) -> None:
    """Containers are shown and expanded, invalid ones shown and left alone."""
    result = _refresh(platform, store)

    assert list(result.accounts) == [
        an_account(OWN, "自有", company="甲公司", brands=[STAR, LIGHT]),
        an_account(UNBOUND, "未绑定", company="甲公司"),
        an_account(OTHER, "失效", valid=False),
        an_account(WORKBENCH, "工作台", "CUSTOMER_ADMIN"),
        an_account(BELOW, "门店", "AD", parent=WORKBENCH, company="乙公司", brands=[STAR]),
    ]
    assert store.accounts("acme") == list(result.accounts)
    assert result.gained == result.accounts
    assert (result.lost, result.problems, result.notes) == ((), (), ())
    assert f"brands {OTHER}" not in platform.calls
    assert f"brands {WORKBENCH}" not in platform.calls


def test_one_line_says_that_yuntu_is_bound(platform: Platform, store: MemoryStore) -> None:
    """With the number of brands and accounts."""
    result = _refresh(platform, store)

    assert result.bound is True
    assert str(result.statement) == "巨量云图 is bound: 2 brands on 2 accounts"


def test_one_line_says_what_to_do_when_it_is_not(platform: Platform, store: MemoryStore) -> None:
    """Who has to do what where, and what to run then."""
    platform.bound = {}

    result = _refresh(platform, store)

    assert result.bound is False
    assert "not bound" in str(result.statement)
    assert "`yuntu-push accounts refresh acme`" in str(result.statement)


def test_gained_and_lost_accounts_are_named(platform: Platform, store: MemoryStore) -> None:
    """Against what was known before."""
    _refresh(platform, store)
    platform.authorized = [ticked(OWN, "自有"), ticked(SECOND, "新的")]

    result = _refresh(platform, store)

    assert [account.advertiser_id for account in result.gained] == [SECOND]
    assert {UNBOUND, OTHER, WORKBENCH, BELOW} == {a.advertiser_id for a in result.lost}


def test_an_account_found_twice_is_listed_once(platform: Platform, store: MemoryStore) -> None:
    """Ticked by itself and under a workbench: its own entry stays."""
    platform.below[WORKBENCH].append(an_account(OWN, "同一个", "AD", parent=WORKBENCH))

    found = [a for a in _refresh(platform, store).accounts if a.advertiser_id == OWN]

    assert [(account.parent_id, account.name) for account in found] == [(None, "自有")]


def test_a_workbench_that_fails_keeps_what_was_known(
    platform: Platform, store: MemoryStore
) -> None:
    """Its accounts are not "lost", and the failure is told."""
    before = _refresh(platform, store)
    platform.failing[f"expand {WORKBENCH}"] = NO_RIGHT

    result = _refresh(platform, store)

    assert result.lost == ()
    assert result.problems == (NO_RIGHT,)
    assert set(result.accounts) == set(before.accounts)


def test_an_agent_that_fails_keeps_what_was_known_of_its_second_tier(
    platform: Platform, store: MemoryStore
) -> None:
    """Accounts of a second-tier agent have a parent that is no account itself."""
    agent, second_tier, below = WORKBENCH + 1, WORKBENCH + 2, BELOW + 1
    platform.authorized.append(ticked(agent, "代理商", "AGENT"))
    platform.below[agent] = [an_account(below, "客户", parent=second_tier)]
    before = _refresh(platform, store)
    platform.failing[f"expand {agent}"] = NO_RIGHT

    result = _refresh(platform, store)

    assert below in {account.advertiser_id for account in before.accounts}
    assert set(result.accounts) == set(before.accounts)
    del platform.failing[f"expand {agent}"]
    platform.below[agent] = []
    assert [account.advertiser_id for account in _refresh(platform, store).lost] == [below]


def test_brands_that_cannot_be_read_keep_what_was_known(
    platform: Platform, store: MemoryStore
) -> None:
    """One advertiser's refusal is no unbinding."""
    _refresh(platform, store)
    refusal = RefusedError("PLATFORM_REFUSED", msg("no"))
    platform.failing[f"brands {OWN}"] = refusal

    result = _refresh(platform, store)

    assert result.accounts[0].brands == (STAR, LIGHT)
    assert (result.bound, result.problems) == (True, (refusal,))


def test_a_missing_right_is_asked_for_three_times_at_most(
    platform: Platform, store: MemoryStore
) -> None:
    """After three refusals in a row the fourth would be the same; the statement owns up."""
    platform.below[WORKBENCH] = [an_account(BELOW + n, f"店{n}", "AD") for n in range(50)]
    platform.failing["brands"] = NO_RIGHT

    result = _refresh(platform, store)

    assert platform.calls.count("brands") == directory_reading.ENOUGH_FAILURES
    assert result.bound is None
    assert "could not be read" in str(result.statement)
    assert len(result.problems) == directory_reading.ENOUGH_FAILURES
    assert len(result.notes) == 1


@pytest.mark.parametrize(
    "error",
    [
        LoginError("AUTH_LOGIN_REQUIRED", msg("over")),
        UnreachableError("PLATFORM_UNREACHABLE", msg("no network")),
        ConfigError("PROXY_INVALID", msg("no proxy")),
    ],
)
@pytest.mark.parametrize("call", ["authorized", f"expand {WORKBENCH}", "companies", "brands"])
def test_what_fails_everything_changes_nothing(
    error: YuntuPushError, call: str, platform: Platform, store: MemoryStore
) -> None:
    """A login that is over or a network that is down is the answer; the directory stays."""
    _refresh(platform, store)
    kept = store.accounts("acme")
    store.kept["acme"] = [replace(account, company="") for account in kept]
    before = store.accounts("acme")
    platform.failing[call] = error

    with pytest.raises(type(error)) as caught:
        _refresh(platform, store)

    assert caught.value is error
    assert store.accounts("acme") == before


def test_a_list_that_is_not_whole_says_so(platform: Platform, store: MemoryStore) -> None:
    """The platform's paging ends before its list does."""
    platform.totals[WORKBENCH] = 20_000

    [note] = _refresh(platform, store).notes

    assert "20000" in str(note)


def test_reading_brands_is_bounded(
    platform: Platform, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call for each account: beyond the bound, an account is read when it is used."""
    monkeypatch.setattr(directory_reading, "MOST_BRAND_READS", 2)
    platform.below[WORKBENCH] = [an_account(BELOW + n, f"店{n}", "AD") for n in range(5)]

    result = _refresh(platform, store)

    assert platform.calls.count("brands") == 2
    assert "5" in str(result.notes[0])


def test_known_subjects_are_not_asked_for_again(platform: Platform, store: MemoryStore) -> None:
    """They do not change."""
    _refresh(platform, store)
    platform.calls.clear()

    _refresh(platform, store)

    assert "companies" not in platform.calls


def test_progress_reaches_its_end(platform: Platform, store: MemoryStore) -> None:
    """Accounts first, then brands."""
    seen: list[tuple[str, int, int | None]] = []
    service = DirectoryService(
        config=Config(),
        api=lambda: platform,
        store=store,
        clock=FakeClock(),
        progress=lambda label, done, total: seen.append((str(label), done, total)),
    )

    service.refresh("acme")

    assert ("reading accounts", 4, 4) in seen
    assert ("reading Yuntu brands", 3, 3) in seen


def test_listing_asks_nobody(platform: Platform, store: MemoryStore) -> None:
    """Offline, for one channel or all."""
    service = _service(platform, store)
    service.refresh("acme")
    platform.calls.clear()

    assert service.list("acme") == service.list()
    assert service.list("other") == []
    assert platform.calls == []


def test_an_unknown_channel_is_named_with_its_likes(platform: Platform, store: MemoryStore) -> None:
    """Before anything is asked."""
    with pytest.raises(ConfigError) as caught:
        _service(platform, store).refresh("acne")

    assert caught.value.code == "CHANNEL_UNKNOWN"
    assert "acme" in str(caught.value.message)
    assert platform.calls == []
