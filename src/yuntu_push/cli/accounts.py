"""`accounts refresh|list`: what a channel's login reaches."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from yuntu_push.cli.errors import as_json
from yuntu_push.cli.output import Table
from yuntu_push.domain.channel import Account
from yuntu_push.domain.text import Text, msg

app = typer.Typer(help="Accounts of a channel, and the Yuntu brands bound to them.")


@app.command(epilog="Example: `yuntu-push accounts refresh acme`")
def refresh(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="The channel.", metavar="CHANNEL")],
) -> None:
    """Read the accounts from the platform anew; says whether 巨量云图 is bound."""
    session = ctx.obj
    result = session.directory.refresh(channel)
    session.bars.close()
    for problem in result.problems:
        session.messages.warning(problem.message)
    for note in result.notes:
        session.messages.warning(note)
    session.output.show(
        {"accounts": accounts_data(result.accounts)},
        accounts_table(result.accounts),
        status="partial" if result.problems else "ok",
        errors=[as_json(problem, session.translator) for problem in result.problems],
    )
    for account in result.lost:
        session.messages.notice(
            msg("no longer there: {name} ({id})", name=account.name, id=account.advertiser_id)
        )
    session.messages.notice(result.statement)


@app.command("list", epilog="Example: `yuntu-push accounts list acme --json`")
def list_accounts(
    ctx: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(help="One channel; all by default.", metavar="[CHANNEL]")
    ] = None,
) -> None:
    """List the accounts as they were last read."""
    session = ctx.obj
    accounts = session.directory.list(channel)
    session.output.show({"accounts": accounts_data(accounts)}, accounts_table(accounts))
    if not accounts:
        session.messages.notice(
            msg("no account is known yet: `yuntu-push accounts refresh CHANNEL` reads them")
        )


def accounts_data(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """Accounts as the envelope shows them; ids are strings."""
    return [
        {
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
        for account in accounts
    ]


def accounts_table(accounts: Iterable[Account], *, most: int | None = None) -> Table:
    """Accounts as people read them, those bound to a brand first; a terminal shows `most`."""
    accounts = sorted(accounts, key=lambda account: not account.brands)
    return Table(
        columns=(
            Text("channel"),
            Text("account"),
            Text("name"),
            Text("type"),
            Text("legal subject"),
            Text("valid"),
            Text("brands"),
        ),
        rows=[
            (
                account.channel,
                account.advertiser_id,
                account.name,
                account.account_type,
                account.company or "-",
                account.valid,
                [brand.brand_name for brand in account.brands] or "-",
            )
            for account in accounts
        ],
        most=most,
        spare=(4, 3, 0),
    )
