"""`audience list|show|delete`: custom audiences (人群包) as the platform has them."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from yuntu_push.cli.output import Table, details
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import iso
from yuntu_push.domain.audience import AudienceState, expiry_warning
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg, term
from yuntu_push.services.audiences import AudienceView

app = typer.Typer(help="Custom audiences (人群包) on the platform.")

STATES = {
    AudienceState.USABLE: msg("usable"),
    AudienceState.NEEDS_SHARE: msg("published, not pushed"),
    AudienceState.NEEDS_PUBLISH: msg("pushed, not published"),
    AudienceState.WORKING: msg("the platform is working on it"),
    AudienceState.NOT_READY: msg("neither pushed nor published"),
    AudienceState.TOO_SMALL: msg("too few people covered"),
    AudienceState.FAILED: msg("failed"),
    AudienceState.BLOCKED: msg("blocked: a tag was withdrawn"),
    AudienceState.EXPIRED: msg("expired"),
    AudienceState.DELETED: msg("deleted"),
    AudienceState.UNKNOWN: msg("unknown"),
}
SOURCE = term("audience", "source")  # how it was made; `sources:` are something else
ChannelOption = Annotated[
    str | None, typer.Option(help="The channel; not needed when there is one.")
]
AccountOption = Annotated[
    str | None, typer.Option(help="推送账户, or another advertiser.", metavar="ID|NAME")
]
AudienceArgument = Annotated[
    str, typer.Argument(help="An audience: its id or its name.", metavar="AUDIENCE")
]


@app.command("list", epilog="Example: `yuntu-push audience list --account 旗舰店`")
def list_(ctx: typer.Context, channel: ChannelOption = None, account: AccountOption = None) -> None:
    """List the audiences created by or pushed to an account."""
    session: Session = ctx.obj
    views = session.audiences.of_account(channel, account)
    session.output.show({"audiences": [_data(view) for view in views]}, _list_table(views))
    _warn(session, views)


@app.command(epilog="Example: `yuntu-push audience show 512000042`")
def show(
    ctx: typer.Context,
    audience: AudienceArgument,
    channel: ChannelOption = None,
    account: AccountOption = None,
) -> None:
    """Show one audience and the pushes that made it."""
    session: Session = ctx.obj
    view = session.audiences.find(audience, channel, account)
    session.output.show(_data(view), _table(view))
    _warn(session, [view])


@app.command(epilog="Example: `yuntu-push audience delete 512000042 --yes`")
def delete(
    ctx: typer.Context,
    audience: AudienceArgument,
    channel: ChannelOption = None,
    account: AccountOption = None,
) -> None:
    """Delete an audience; copies in Yuntu brands stay."""
    session: Session = ctx.obj
    view = session.audiences.find(audience, channel, account)
    if view.state is not AudienceState.DELETED:
        _ask(session, view)
    gone = session.audiences.delete(view)
    session.output.show(_data(gone), _table(gone))
    entries = sorted({push.entry for push in view.pushes if push.entry})
    if entries:
        session.messages.warning(
            msg(
                "the next runs of {entries} cannot update it any more; let them make a new one "
                "under another entry name",
                entries=", ".join(entries),
            )
        )


def _ask(session: Session, view: AudienceView) -> None:
    question = msg(
        "delete audience {name} ({id}) of account {account}? its id is gone for good",
        name=view.audience.name,
        id=view.audience.custom_audience_id,
        account=view.account.name or view.account.advertiser_id,
    )
    if not session.prompts.confirm(question):
        raise ConfigError(
            "NOT_CONFIRMED",
            msg("audience {name} was not deleted", name=view.audience.name),
            hint=msg("confirm with --yes"),
        )


def _warn(session: Session, views: Sequence[AudienceView]) -> None:
    for view in views:
        if view.expires_soon:
            session.messages.warning(expiry_warning(view.audience))


def _data(view: AudienceView) -> dict[str, Any]:
    audience = view.audience
    return {
        "channel": view.account.channel,
        "advertiser_id": str(view.account.advertiser_id),
        "custom_audience_id": str(audience.custom_audience_id),
        "name": audience.name,
        "source": audience.source,
        "state": view.state.value,
        "delivery_status": audience.delivery_status.value if audience.delivery_status else None,
        "upload_num": audience.upload_num,
        "cover_num": audience.cover_num,
        "data_source_id": audience.data_source_id,
        "created_at": iso(view.created_at),
        "expires_on": str(view.expires_on) if view.expires_on else None,
        "expires_soon": view.expires_soon,
        "pushes": [push.push_id for push in view.pushes],
    }


def _table(view: AudienceView) -> Table:
    shown = {**_data(view), "state": STATES[view.state], "expires_soon": view.expires_soon}
    return details(
        [
            (SOURCE if name == "source" else name, "-" if value in (None, "", []) else value)
            for name, value in shown.items()
        ]
    )


def _list_table(views: Sequence[AudienceView]) -> Table:
    return Table(
        columns=(
            "custom_audience_id", "name", SOURCE, "state", "upload_num", "cover_num",
            "expires_on", "push_id",
        ),
        rows=[
            (
                view.audience.custom_audience_id,
                view.audience.name,
                view.audience.source or "-",
                STATES[view.state],
                _count(view.audience.upload_num),
                _count(view.audience.cover_num),
                view.expires_on or "-",
                view.pushes[0].push_id if view.pushes else "-",
            )
            for view in views
        ],
        spare=(2, 4, 5),
    )  # fmt: skip


def _count(value: int | None) -> object:
    return "-" if value is None else value
