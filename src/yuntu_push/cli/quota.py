"""`quota`: what is left of the platform's daily quotas, and when windows open."""

from typing import Any

import typer

from yuntu_push.cli.output import Table
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import iso, shown
from yuntu_push.domain.quota import QuotaKind, QuotaUse
from yuntu_push.domain.text import msg

KINDS = {
    QuotaKind.CREATE: msg("data source creations of the account, per day"),
    QuotaKind.UPDATE: msg("updates of the data source, per day"),
    QuotaKind.PUBLISH: msg("publishes of the audience, per 24 hours"),
}


def register(root: typer.Typer) -> None:
    """Add `quota` to the root."""
    root.command(epilog="Example: `yuntu-push quota --json | jq '.data.quotas'`")(quota)


def quota(ctx: typer.Context) -> None:
    """Show creates, updates and publish windows that are left; counts this tool's own use."""
    session: Session = ctx.obj
    uses = session.quotas.uses()
    session.output.show({"quotas": [_data(use) for use in uses]}, _table(uses))
    session.messages.notice(msg("days are Beijing days; what other tools used is not counted here"))


def _data(use: QuotaUse) -> dict[str, Any]:
    return {
        "kind": use.kind.value,
        "subject": use.subject,
        "used": use.used,
        "limit": use.limit,
        "left": use.left,
        "opens_at": iso(use.opens_at),
    }


def _table(uses: list[QuotaUse]) -> Table:
    return Table(
        columns=("quota", "of", "used", "limit", "left", "opens_at"),
        rows=[
            (KINDS[use.kind], use.subject, use.used, use.limit, use.left, shown(use.opens_at))
            for use in uses
        ],
    )
