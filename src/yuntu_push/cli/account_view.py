"""Accounts and brands as commands show them."""

from collections.abc import Sequence
from typing import Any

from yuntu_push.cli.output import Table
from yuntu_push.domain.channel import Account
from yuntu_push.domain.text import Text


def account_data(account: Account) -> dict[str, Any]:
    """An account as JSON data."""
    return {
        "channel": account.channel,
        "advertiser_id": str(account.advertiser_id),
        "name": account.name,
        "account_type": account.account_type,
        "parent_id": None if account.parent_id is None else str(account.parent_id),
        "valid": account.valid,
        "company": account.company,
        "brands": [
            {
                "brand_id": str(brand.brand_id),
                "brand_name": brand.brand_name,
                "virtual_adv_id": str(brand.virtual_adv_id),
            }
            for brand in account.brands
        ],
    }


def accounts_table(accounts: Sequence[Account], *, title: Text | None = None) -> Table:
    """A row for each account."""
    return Table(
        columns=("channel", "advertiser_id", "name", "account_type", "valid", "company", "brands"),
        rows=[
            (
                account.channel,
                account.advertiser_id,
                account.name,
                account.account_type,
                account.valid,
                account.company,
                [brand.brand_name for brand in account.brands],
            )
            for account in accounts
        ],
        title=title,
    )
