"""`auth login|status|refresh|logout|move`: the logins (授权) of the channels."""

import math
import sys
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from yuntu_push.cli.accounts import accounts_data, accounts_table
from yuntu_push.cli.channel_questions import REPLACES_EARLIER
from yuntu_push.cli.errors import as_json
from yuntu_push.cli.output import Table
from yuntu_push.cli.prompts import piped_line
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import iso, shown
from yuntu_push.domain.channel import Account, Channel
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.settings import seconds
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.channels import ChannelView
from yuntu_push.services.login import LoggedIn
from yuntu_push.services.login_errors import login_needed

app = typer.Typer(help="Logins (授权): authorise, look, renew, forget.")

ChannelArgument = Annotated[str, typer.Argument(help="The channel.", metavar="CHANNEL")]
WARN_DAYS = 7
MOST_SHOWN = 12  # `accounts list` shows all of them
NAMED = 20  # accounts named in one line
_EXIT_LOGIN = 4


class StoreName(StrEnum):
    """The stores that a session can live in."""

    KEYRING = "keyring"
    FILE = "file"


@app.command(epilog="Example: `yuntu-push auth login acme --no-browser`")
def login(
    ctx: typer.Context,
    name: ChannelArgument,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the URL instead of opening it.")
    ] = False,
    paste: Annotated[
        bool, typer.Option("--paste", help="Read the redirected URL, or the code, from stdin.")
    ] = False,
    timeout: Annotated[
        str, typer.Option(help="How long to wait for the answer.", metavar="DURATION")
    ] = "300",
) -> None:
    """Authorise the ad accounts of a channel, then read its accounts and brands."""
    session: Session = ctx.obj
    channel = session.channels.get(name)
    limit = _duration(timeout)
    session.messages.warning(REPLACES_EARLIER)
    if paste or not session.login.can_listen(channel):
        result = session.login.by_paste(
            channel, show=lambda url: _show_url(session, url), read=lambda: _pasted(session)
        )
    else:
        result = session.login.by_browser(
            channel,
            seconds=limit,
            show=lambda url: _open(session, url, quiet=no_browser, limit=limit),
        )
    _show_login(session, channel, result)


@app.command(epilog="Example: `yuntu-push auth status --json || yuntu-push auth login acme`")
def status(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[CHANNEL]")] = None,
) -> None:
    """Say whether logins are valid, until when, and where they are kept; exit 4 when one is not."""
    session: Session = ctx.obj
    views = session.channels.list() if name is None else [session.channels.show(name)]
    needed = [login_needed(view.channel) for view in views if not view.authorized]
    store = session.secrets
    session.output.show(
        {
            "channels": [_status_data(session, view) for view in views],
            "store": {"name": store.name, "description": store.describe()},
        },
        _status_table(session, views),
        status="error" if needed else "ok",
        exit_code=_EXIT_LOGIN if needed else 0,
        errors=[as_json(error, session.translator) for error in needed],
    )
    session.messages.notice(msg("secrets: {place}", place=store.describe()))
    for view in views:
        left = _days_left(session, view)
        if view.authorized and left is not None and left <= WARN_DAYS:
            session.messages.warning(
                msg(
                    "{days} days left for {channel}: `yuntu-push auth refresh {channel}` renews it",
                    channel=view.channel.name,
                    days=left,
                )
            )
    if not session.output.as_json:
        for error in needed:
            session.messages.error(error)


@app.command(epilog="Example: `yuntu-push auth refresh acme`")
def refresh(ctx: typer.Context, name: ChannelArgument) -> None:
    """Renew a login now; both its lives begin anew."""
    session: Session = ctx.obj
    channel = session.channels.get(name)
    session.tokens.refresh(channel)
    view = session.channels.show(name)
    session.output.show(_status_data(session, view), _status_table(session, [view]))


@app.command(epilog="Example: `yuntu-push auth logout acme`")
def logout(ctx: typer.Context, name: ChannelArgument) -> None:
    """Forget a login here; the platform's side is ended in its console."""
    session: Session = ctx.obj
    channel = session.channels.get(name)
    session.tokens.forget(channel)
    session.output.show(
        {"name": name, "authorized": False},
        Table(columns=(Text("name"), Text("authorised")), rows=[(name, False)]),
    )


@app.command(epilog="Example: `yuntu-push auth move acme --to file`")
def move(
    ctx: typer.Context,
    name: ChannelArgument,
    to: Annotated[StoreName, typer.Option("--to", help="Where secrets shall live.")],
) -> None:
    """Move logins and Secrets to the other store and erase them here."""
    session: Session = ctx.obj
    session.channels.get(name)
    others = session.store_move.others(name)
    if others and not session.prompts.confirm(
        msg("channels {others} move along; go on?", others=", ".join(others))
    ):
        raise ConfigError(
            "NOT_CONFIRMED",
            msg(
                "all channels share one store: {others} would move along", others=", ".join(others)
            ),
            hint=msg("confirm with --yes"),
        )
    moved = session.store_move.move(to.value)
    session.output.show(
        {"from": moved.source, "to": moved.target, "channels": list(moved.channels)},
        Table(
            columns=(Text("from"), Text("to"), Text("channels")),
            rows=[(moved.source, moved.target, list(moved.channels))],
        ),
    )
    if not moved.channels:
        session.messages.notice(msg("they are there already; nothing changed"))


def _duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as exc:
        raise ConfigError(
            "USAGE",
            msg("--timeout takes a duration such as 90, 90s, 3m or 3h, not {value}", value=text),
            hint=msg("`yuntu-push auth login --help`"),
        ) from exc


def _show_url(session: Session, url: str) -> None:
    session.messages.notice(msg("open this page, log in with the ad account and authorise:"))
    session.messages.bare(url)


def _open(session: Session, url: str, *, quiet: bool, limit: float) -> None:
    if quiet or not session.open_browser(url):
        _show_url(session, url)
    else:
        session.messages.notice(msg("the browser shows the authorisation page"))
    session.messages.notice(msg("waiting for the answer, at most {limit:g} s", limit=limit))


def _pasted(session: Session) -> str:
    """What the person pastes, unseen; from a script, the first line of stdin."""
    question = msg("paste the address the browser ended on (nothing is shown)")
    if session.prompts.interactive or sys.stdin is None or sys.stdin.isatty():
        return session.prompts.secret(question, option="--paste with the URL on stdin").reveal()
    return piped_line()


def _show_login(session: Session, channel: Channel, result: LoggedIn) -> None:
    session.bars.close()
    session.messages.notice(
        msg(
            "channel {channel} is authorised until {end}; it is renewed by itself",
            channel=channel.name,
            end=shown(result.grant.refresh_expires_at),
        )
    )
    found = result.directory
    for warning in (*(problem.message for problem in found.problems), *found.notes):
        session.messages.warning(warning)
    session.output.show(
        {
            "accounts": accounts_data(found.accounts),
            "gained": accounts_data(found.gained),
            "lost": accounts_data(found.lost),
        },
        accounts_table(found.accounts, most=MOST_SHOWN),
        status="partial" if found.problems else "ok",
        errors=[as_json(problem, session.translator) for problem in found.problems],
    )
    if found.gained:
        session.messages.notice(msg("gained: {accounts}", accounts=_named(found.gained)))
    if found.lost:
        session.messages.warning(msg("lost: {accounts}", accounts=_named(found.lost)))
    session.messages.notice(found.statement)


def _named(accounts: Sequence[Account]) -> str:
    """The first of some accounts by name, and how many more there are."""
    names = [f"{account.name} ({account.advertiser_id})" for account in accounts]
    more = [f"+{len(names) - NAMED}"] if len(names) > NAMED else []
    return ", ".join(names[:NAMED] + more)


def _days_left(session: Session, view: ChannelView) -> int | None:
    if view.refresh_token_expires_at is None:
        return None
    left = view.refresh_token_expires_at - session.clock.now()
    return max(0, math.ceil(left / timedelta(days=1)))


def _status_data(session: Session, view: ChannelView) -> dict[str, Any]:
    return {
        "name": view.channel.name,
        "secret_stored": view.secret_stored,
        "authorized": view.authorized,
        "access_token_expires_at": iso(view.access_token_expires_at),
        "refresh_token_expires_at": iso(view.refresh_token_expires_at),
        "days_left": _days_left(session, view),
    }


def _status_table(session: Session, views: list[ChannelView]) -> Table:
    return Table(
        columns=(
            Text("name"),
            Text("authorised"),
            Text("access token until"),
            Text("login until"),
            Text("days left"),
        ),
        rows=[
            (
                view.channel.name,
                view.authorized,
                shown(view.access_token_expires_at),
                shown(view.refresh_token_expires_at),
                "-" if (left := _days_left(session, view)) is None else left,
            )
            for view in views
        ],
    )
