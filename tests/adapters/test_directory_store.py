"""The directory in the state file gives back what it was given."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.directory import DirectoryFile
from yuntu_push.domain.channel import Account, Brand
from yuntu_push.services.ports import DirectoryStore

SEEN = datetime(2026, 11, 23, tzinfo=UTC)
BRANDS = (Brand(2, "第二", 1760000000000002), Brand(1, "第一", 1760000000000001))
ADVERTISER = Account(
    "acme", 9_007_199_254_740_993, "某账户", "ADVERTISER", 77, True, "某公司", BRANDS
)
WORKBENCH = Account("acme", 77, "工作台", "CUSTOMER_ADMIN", valid=False)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """A directory in a new state file."""
    return DirectoryFile(Database(tmp_path / "state.db"))


def test_accounts_come_back_whole_and_in_order(store: DirectoryStore) -> None:
    """Large ids, missing parents, brands in their order."""
    store.replace("acme", [ADVERTISER, WORKBENCH], SEEN)

    assert store.accounts("acme") == [ADVERTISER, WORKBENCH]


def test_replacing_forgets_what_is_gone(store: DirectoryStore) -> None:
    """Accounts and brands of an earlier look do not stay."""
    store.replace("acme", [ADVERTISER, WORKBENCH], SEEN)

    store.replace("acme", [replace(ADVERTISER, brands=BRANDS[:1])], SEEN)

    assert store.accounts("acme") == [replace(ADVERTISER, brands=BRANDS[:1])]


def test_channels_are_apart(store: DirectoryStore) -> None:
    """The same advertiser may be reached through two logins."""
    other = replace(ADVERTISER, channel="other", brands=())
    store.replace("acme", [ADVERTISER], SEEN)
    store.replace("other", [other], SEEN)

    store.forget("acme")

    assert store.accounts("acme") == []
    assert store.accounts() == [other]


def test_all_channels_are_listed_together(store: DirectoryStore) -> None:
    """In the order of their names."""
    store.replace("b", [replace(ADVERTISER, channel="b")], SEEN)
    store.replace("a", [replace(ADVERTISER, channel="a")], SEEN)

    assert [account.channel for account in store.accounts()] == ["a", "b"]


def test_a_failed_replacement_changes_nothing(store: DirectoryStore) -> None:
    """One transaction: the earlier look stays whole."""
    store.replace("acme", [ADVERTISER], SEEN)

    with pytest.raises(Exception, match="UNIQUE"):
        store.replace("acme", [WORKBENCH, WORKBENCH], SEEN)

    assert store.accounts("acme") == [ADVERTISER]


def test_names_are_data(store: DirectoryStore) -> None:
    """Whatever an account is called."""
    odd = replace(ADVERTISER, name="'; DROP TABLE account; --\u0000\n\U0001f600")
    store.replace("acme", [odd], SEEN)

    assert store.accounts("acme") == [odd]
