"""`channel add|list|show|set-secret|remove`: the developer applications (渠道应用)."""

from typing import Annotated, Any

import typer

from yuntu_push.cli.channel_questions import (
    REPLACES_EARLIER,
    Draft,
    ask_for_rest,
    ask_secret,
    choose_store,
    read_secret,
)
from yuntu_push.cli.output import Table, details
from yuntu_push.cli.prompts import secret_from_stdin
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import iso, shown
from yuntu_push.domain.channel import ChannelKind
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.channels import ChannelView

app = typer.Typer(help="The developer applications (渠道应用) that logins belong to.")

NameArgument = Annotated[str, typer.Argument(help="The channel's name.", metavar="NAME")]
_SECRET_STDIN = "--secret-stdin"  # noqa: S105 - an option's name


@app.command(
    epilog="Example: `pass show acme/secret | yuntu-push channel add acme --kind yuntu "
    "--app-id 1234567890123456 --secret-stdin`"
)
def add(
    ctx: typer.Context,
    name: NameArgument,
    kind: Annotated[
        ChannelKind | None, typer.Option(help="Which platform the application belongs to.")
    ] = None,
    app_id: Annotated[
        int | None, typer.Option(help="APP_ID of the application's page.", metavar="N")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="The 回调地址 registered in the console.", metavar="URL")
    ] = None,
    auth_url: Annotated[
        str | None, typer.Option(help="The console's 授权URL, kept as a template.", metavar="URL")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="Another API host.", metavar="URL")] = None,
    client: Annotated[
        str | None, typer.Option(help="Whose data this channel may push.", metavar="TEXT")
    ] = None,
    secret_stdin: Annotated[
        bool, typer.Option(_SECRET_STDIN, help="Read the Secret from stdin.")
    ] = False,
    same_app_as: Annotated[
        str | None,
        typer.Option(help="Use the application and Secret of this channel.", metavar="CHANNEL"),
    ] = None,
) -> None:
    """Add a channel: one login on one developer application.

    What is left out is asked for on a terminal, with what to copy from which page of the console.
    """
    session: Session = ctx.obj
    if secret_stdin and same_app_as is not None:
        raise ConfigError(
            "USAGE",
            msg("--secret-stdin and --same-app-as exclude each other"),
            hint=msg(
                "channels of one application share one Secret: "
                "`yuntu-push channel set-secret {channel}`",
                channel=same_app_as,
            ),
        )
    draft = Draft(name, kind, app_id, callback_url, auth_url, api_url, client, same_app_as)
    channel = ask_for_rest(session, draft)
    session.channels.check_new(channel)
    store = choose_store(session)
    secret = read_secret(session, channel, store=store, from_stdin=secret_stdin)
    view = session.channels.add(channel, secret, store=store)
    session.output.show(channel_data(view), _table(view))
    session.messages.warning(REPLACES_EARLIER)
    session.messages.notice(msg("next: `yuntu-push auth login {channel}`", channel=name))


@app.command("list", epilog="Example: `yuntu-push channel list --json | jq '.data.channels'`")
def list_(ctx: typer.Context) -> None:
    """List the channels with their Secrets and logins."""
    session: Session = ctx.obj
    views = session.channels.list()
    session.output.show(
        {"channels": [channel_data(view) for view in views]},
        Table(
            columns=(
                Text("name"),
                Text("kind"),
                Text("APP_ID"),
                Text("Secret stored"),
                Text("authorised"),
                Text("login until"),
            ),
            rows=[
                (
                    view.channel.name,
                    view.channel.kind,
                    view.channel.app_id,
                    view.secret_stored,
                    view.authorized,
                    shown(view.refresh_token_expires_at),
                )
                for view in views
            ],
        ),
    )
    if not views:
        session.messages.notice(msg("no channels yet; next: `yuntu-push channel add NAME`"))


@app.command(epilog="Example: `yuntu-push channel show acme`")
def show(ctx: typer.Context, name: NameArgument) -> None:
    """Show one channel; its Secret is never shown."""
    session: Session = ctx.obj
    view = session.channels.show(name)
    session.output.show(channel_data(view), _table(view))


@app.command(
    "set-secret",
    epilog="Example: `pass show acme/secret | yuntu-push channel set-secret acme --secret-stdin`",
)
def set_secret(
    ctx: typer.Context,
    name: NameArgument,
    secret_stdin: Annotated[
        bool, typer.Option(_SECRET_STDIN, help="Read the Secret from stdin.")
    ] = False,
) -> None:
    """Store another Secret for the channel's application."""
    session: Session = ctx.obj
    session.channels.get(name)
    secret = (
        secret_from_stdin(_SECRET_STDIN) if secret_stdin else ask_secret(session, msg("Secret"))
    )
    owner = session.channels.set_secret(name, secret)
    view = session.channels.show(name)
    session.output.show(channel_data(view), _table(view))
    if owner.name != name:
        session.messages.notice(
            msg("the Secret belongs to channel {owner}; it is stored there", owner=owner.name)
        )


@app.command(epilog="Example: `yuntu-push channel remove acme --yes`")
def remove(ctx: typer.Context, name: NameArgument) -> None:
    """Forget a channel: its login, its Secret, its accounts and its config entry."""
    session: Session = ctx.obj
    session.channels.get(name)
    question = msg("forget channel {name} with its login and Secret?", name=name)
    if not session.prompts.confirm(question):
        raise ConfigError(
            "NOT_CONFIRMED",
            msg("channel {name} was not removed", name=name),
            hint=msg("confirm with --yes"),
        )
    removed = session.channels.remove(name)
    session.output.show(
        {"name": removed.name, "removed": True},
        Table(columns=(Text("name"), Text("removed")), rows=[(removed.name, True)]),
    )


def channel_data(view: ChannelView) -> dict[str, Any]:
    """A channel as JSON data."""
    return {
        "name": view.channel.name,
        "kind": view.channel.kind.value,
        "app_id": str(view.channel.app_id),
        "callback_url": view.channel.callback_url,
        "auth_url": view.channel.auth_url,
        "api_url": view.channel.api_url,
        "secret_stored": view.secret_stored,
        "authorized": view.authorized,
        "access_token_expires_at": iso(view.access_token_expires_at),
        "refresh_token_expires_at": iso(view.refresh_token_expires_at),
    }


def _table(view: ChannelView) -> Table:
    pairs: list[tuple[str, object]] = []
    for name, value in channel_data(view).items():
        pairs.append((name, "-" if value in (None, "") else value))
    return details(pairs)
