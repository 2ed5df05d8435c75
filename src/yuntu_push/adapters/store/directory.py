"""The accounts and brands last seen on the platform, in the state file."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.channel import Account, Brand

Key = tuple[str, int]


class DirectoryFile:
    """Accounts per channel, in the order in which the platform gave them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, channel: str, accounts: Sequence[Account], seen_at: datetime) -> None:
        """Make `accounts` all that is known of a channel, in one transaction."""
        named = statements("directory")
        with self._database.write() as connection:
            connection.execute(named["forget"], {"channel": channel})
            connection.executemany(
                named["insert_account"], _account_rows(channel, accounts, seen_at)
            )
            connection.executemany(named["insert_brand"], _brand_rows(channel, accounts))

    def accounts(self, channel: str | None = None) -> list[Account]:
        """The known accounts of a channel, or of all, with their brands."""
        named, key = statements("directory"), {"channel": channel}
        with self._database.read() as connection:
            brands = _brands(connection.execute(named["brands"], key))
            return [_account(row, brands) for row in connection.execute(named["accounts"], key)]

    def forget(self, channel: str) -> None:
        """Forget a channel's accounts."""
        with self._database.write() as connection:
            connection.execute(statements("directory")["forget"], {"channel": channel})


def _account_rows(
    channel: str, accounts: Sequence[Account], seen_at: datetime
) -> Iterator[dict[str, object]]:
    for position, account in enumerate(accounts):
        yield {
            "channel": channel,
            "advertiser_id": account.advertiser_id,
            "position": position,
            "name": account.name,
            "account_type": account.account_type,
            "parent_id": account.parent_id,
            "valid": int(account.valid),
            "company": account.company,
            "seen_at": seen_at.isoformat(),
        }


def _brand_rows(channel: str, accounts: Sequence[Account]) -> Iterator[dict[str, object]]:
    for account in accounts:
        for position, brand in enumerate(account.brands):
            yield {
                "channel": channel,
                "advertiser_id": account.advertiser_id,
                "brand_id": brand.brand_id,
                "position": position,
                "brand_name": brand.brand_name,
                "virtual_adv_id": brand.virtual_adv_id,
            }


def _brands(rows: Iterable[sqlite3.Row]) -> dict[Key, list[Brand]]:
    found: dict[Key, list[Brand]] = defaultdict(list)
    for row in rows:
        brand = Brand(row["brand_id"], row["brand_name"], row["virtual_adv_id"])
        found[row["channel"], row["advertiser_id"]].append(brand)
    return found


def _account(row: sqlite3.Row, brands: dict[Key, list[Brand]]) -> Account:
    return Account(
        channel=row["channel"],
        advertiser_id=row["advertiser_id"],
        name=row["name"],
        account_type=row["account_type"],
        parent_id=row["parent_id"],
        valid=bool(row["valid"]),
        company=row["company"],
        brands=tuple(brands.get((row["channel"], row["advertiser_id"]), ())),
    )
