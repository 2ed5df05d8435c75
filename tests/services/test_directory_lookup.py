"""Accounts and brands are found by id and by name; what is unclear is asked back."""

from collections.abc import Sequence

import pytest

from support.directory import (
    BELOW,
    GREEN,
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
)
from support.ocean import FakeClock
from yuntu_push.domain.channel import Account
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    RefusedError,
    TryLaterError,
    UnreachableError,
)
from yuntu_push.domain.text import msg
from yuntu_push.services.directory_lookup import DirectoryLookup

ACCOUNTS = [
    an_account(OWN, "星野食品-品牌广告", company="甲公司", brands=[STAR, LIGHT]),
    an_account(SECOND, "Second", company="甲公司", brands=[STAR]),
    an_account(OTHER, "青禾美妆", company="乙公司", brands=[GREEN]),
    an_account(UNBOUND, "新品试投", company="甲公司"),
    an_account(BELOW, "门店", "AD", parent=WORKBENCH),
    an_account(BELOW + 1, "门店", "AD", parent=WORKBENCH),
    an_account(BELOW + 2, "失效", valid=False),
    an_account(WORKBENCH, "工作台", "CUSTOMER_ADMIN"),
]


def _lookup(
    accounts: Sequence[Account] = ACCOUNTS, platform: Platform | None = None
) -> DirectoryLookup:
    api = platform or Platform()
    return DirectoryLookup(
        config=Config(),
        api=lambda: api,
        store=MemoryStore({"acme": list(accounts)}),
        clock=FakeClock(),
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (str(OWN), OWN),
        ("星野食品-品牌广告", OWN),
        ("  星野食品-品牌广告 ", OWN),
        ("second", SECOND),
        (str(BELOW + 1), BELOW + 1),
    ],
)
def test_an_account_is_found_by_id_or_name(text: str, number: int) -> None:
    """Spaces and case are forgiven."""
    assert _lookup().resolve_account("acme", text).advertiser_id == number


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("星野食品-品牌广", "ACCOUNT_UNKNOWN", "星野食品-品牌广告"),
        ("1700000000000009", "ACCOUNT_UNKNOWN", str(UNBOUND)),
        ("门店", "ACCOUNT_AMBIGUOUS", str(BELOW + 1)),
        ("失效", "ACCOUNT_INVALID", "auth login acme"),
        ("工作台", "ACCOUNT_NOT_ADVERTISER", "门店"),
        (str(WORKBENCH), "ACCOUNT_NOT_ADVERTISER", "CUSTOMER_ADMIN"),
    ],
)
def test_an_account_that_cannot_be_used_is_explained(text: str, code: str, shown: str) -> None:
    """With the nearest names, the candidates, or what to do."""
    with pytest.raises(ConfigError) as caught:
        _lookup().resolve_account("acme", text)

    assert caught.value.code == code
    assert shown in f"{caught.value.message} {caught.value.hint}"


def test_a_name_shared_with_a_container_means_the_advertiser() -> None:
    """Workbenches are often called as the company is."""
    accounts = [an_account(WORKBENCH, "同名", "CUSTOMER_ADMIN"), an_account(OWN, "同名")]

    assert _lookup(accounts).resolve_account("acme", "同名").advertiser_id == OWN


def test_a_name_of_digits_is_found_when_no_id_matches() -> None:
    """Some accounts are called by a number."""
    assert _lookup([an_account(OWN, "12345")]).resolve_account("acme", "12345").name == "12345"


def test_the_only_account_is_the_default() -> None:
    """Containers and invalid ones do not count."""
    accounts = [ACCOUNTS[0], ACCOUNTS[6], ACCOUNTS[7]]

    assert _lookup(accounts).resolve_account("acme", None).advertiser_id == OWN


@pytest.mark.parametrize(
    ("accounts", "code"),
    [
        ([], "ACCOUNTS_UNREAD"),
        (ACCOUNTS, "ACCOUNT_NEEDED"),
        ([ACCOUNTS[6], ACCOUNTS[7]], "ACCOUNT_NONE"),
    ],
)
def test_without_one_account_there_is_no_default(accounts: list[Account], code: str) -> None:
    """What is missing is said."""
    with pytest.raises(ConfigError) as caught:
        _lookup(accounts).resolve_account("acme", None)

    assert caught.value.code == code


@pytest.mark.parametrize("text", ["星野食品", str(STAR.brand_id), str(STAR.virtual_adv_id)])
def test_a_brand_is_found_by_name_or_id(text: str) -> None:
    """Its own id or that of its virtual advertiser, without asking the platform."""
    platform = Platform()

    assert _lookup(platform=platform).resolve_brand(ACCOUNTS[0], text) == STAR
    assert platform.calls == []


def test_brands_are_taken_once_each() -> None:
    """Named twice, copied once."""
    found = _lookup().resolve_brands(ACCOUNTS[0], ["星野食品", str(STAR.brand_id), "星野轻食"])

    assert found == [STAR, LIGHT]


def test_a_brand_bound_since_is_found_on_the_platform() -> None:
    """One look, and what it found is kept."""
    platform = Platform(bound={UNBOUND: [GREEN]})
    lookup = _lookup(platform=platform)

    assert lookup.resolve_brand(ACCOUNTS[3], "青禾美妆") == GREEN
    assert lookup.resolve_account("acme", str(UNBOUND)).brands == (GREEN,)


@pytest.mark.parametrize(
    ("account", "text", "kind", "code", "shown"),
    [
        (UNBOUND, "随便", LoginError, "YUNTU_NOT_BOUND", "accounts refresh acme"),
        (OWN, "青禾美妆", LoginError, "YUNTU_NOT_BOUND", str(OTHER)),
        (OWN, "星野食", ConfigError, "BRAND_UNKNOWN", "星野食品"),
    ],
)
def test_a_brand_that_is_not_there_is_explained(
    account: int, text: str, kind: type[Exception], code: str, shown: str
) -> None:
    """Not bound at all, bound to another account, or misspelled."""
    known = {a.advertiser_id: a for a in ACCOUNTS}
    platform = Platform(bound={n: list(a.brands) for n, a in known.items()})

    with pytest.raises(kind) as caught:
        _lookup(platform=platform).resolve_brand(known[account], text)

    error = caught.value
    assert isinstance(error, ConfigError | LoginError)
    assert error.code == code
    assert shown in f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    "failure",
    [UnreachableError("PLATFORM_UNREACHABLE", msg("x")), TryLaterError("X", msg("x"))],
)
def test_without_a_network_the_known_names_answer(failure: Exception) -> None:
    """A misspelled brand is a misspelled brand, offline too."""
    platform = Platform(failing={"brands": failure})  # type: ignore[dict-item]

    with pytest.raises(ConfigError) as caught:
        _lookup(platform=platform).resolve_brand(ACCOUNTS[0], "星野食")

    assert caught.value.code == "BRAND_UNKNOWN"


def test_targets_are_found_once_and_without_the_owner() -> None:
    """Names, ids, and ids that only the platform knows."""
    targets = _lookup().resolve_targets(
        ACCOUNTS[0], ["Second", str(SECOND), str(OWN), "1799999999999999", "新品试投"]
    )

    assert [target.advertiser_id for target in targets] == [SECOND, 1799999999999999, UNBOUND]


def test_a_target_of_another_subject_is_refused_before_anything_runs() -> None:
    """The platform would refuse it after the upload."""
    with pytest.raises(RefusedError) as caught:
        _lookup().resolve_targets(ACCOUNTS[0], ["青禾美妆"])

    assert caught.value.code == "OTHER_SUBJECT"
    assert "乙公司" in str(caught.value.message)


def test_an_unknown_target_name_is_explained() -> None:
    """Only ids are taken on trust."""
    with pytest.raises(ConfigError) as caught:
        _lookup().resolve_targets(ACCOUNTS[0], ["Secnd"])

    assert "Second" in str(caught.value.message)
