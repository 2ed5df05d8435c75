"""`push status|show|list`: where pushes stand."""

from typing import Annotated

import typer

from yuntu_push.cli.push_view import moment_of, push_data, push_table, pushes_table, show_push
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError, LoginError, RefusedError, TryLaterError
from yuntu_push.domain.push import Push, PushState
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.text import msg


def register(app: typer.Typer) -> None:
    """Add the commands to `push`."""
    app.command(epilog="Example: `yuntu-push push status k7q2m9 --watch`")(status)
    app.command("show", epilog="Example: `yuntu-push push show k7q2m9`")(status)
    app.command("list", epilog="Example: `yuntu-push push list --state waiting --json`")(list_)


def status(
    ctx: typer.Context,
    push: Annotated[
        str | None, typer.Argument(help="One push; the list by default.", metavar="[PUSH]")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the platform.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until it has ended.")] = False,
    state: Annotated[list[str] | None, typer.Option(help="Only pushes in this state.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only pushes of this channel.")] = None,
    brand: Annotated[str | None, typer.Option(help="Only pushes to this brand.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only pushes made since: 7d, 2026-11-01.", metavar="TIME")
    ] = None,
) -> None:
    """Show one push with present counts, or the list."""
    session: Session = ctx.obj
    if push is None:
        _list(session, state, channel, brand, since, watch=watch)
        return
    if state or channel or brand or since:
        raise ConfigError(
            "USAGE",
            msg("--state, --channel, --brand and --since choose among all pushes"),
            hint=msg("leave them out, or leave out the push"),
        )
    found = _looked_at(session, session.pushes.find(push), offline=offline)
    while watch and found.is_working:
        if not session.output.as_json:
            session.output.show({}, push_table(session, found))
        session.clock.sleep(session.settings.push.poll)
        found = _looked_at(session, session.pushes.find(found.push_id), offline=offline)
    show_push(session, found)


def _looked_at(session: Session, push: Push, *, offline: bool) -> Push:
    if offline:
        return push
    try:
        return session.pushes.with_present_counts(push)
    except (TryLaterError, LoginError, RefusedError) as error:
        session.messages.warning(
            msg("the counts are those last seen: {reason}", reason=error.message)
        )
        return push


def list_(
    ctx: typer.Context,
    state: Annotated[list[str] | None, typer.Option(help="Only pushes in this state.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only pushes of this channel.")] = None,
    brand: Annotated[str | None, typer.Option(help="Only pushes to this brand.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only pushes made since: 7d, 2026-11-01.", metavar="TIME")
    ] = None,
) -> None:
    """List the pushes, newest first."""
    _list(ctx.obj, state, channel, brand, since)


def _list(
    session: Session,
    state: list[str] | None,
    channel: str | None,
    brand: str | None,
    since: str | None,
    *,
    watch: bool = False,
) -> None:
    known = [each.value for each in PushState]
    for text in state or ():
        if text not in known:
            raise ConfigError(
                "STATE_UNKNOWN",
                msg("there is no state {name}; known: {known}", name=repr(text),
                    known=", ".join(known)),
                hint=msg("`yuntu-push push list --state waiting`, for example"),
            )  # fmt: skip
    moment = moment_of(since, session.clock.now()) if since else None
    if since and moment is None:
        raise ConfigError(
            "TIME_INVALID",
            msg("{text} is not a time", text=repr(since)),
            hint=msg("write 7d, 12h or 2026-11-01"),
        )
    wanted = PushFilter(
        states=[PushState(text) for text in state or ()],
        channel=channel,
        brand=brand,
        since=moment,
    )
    pushes = session.pushes.list(wanted)
    while watch and any(push.is_working for push in pushes):
        if not session.output.as_json:
            session.output.show({}, pushes_table(pushes))
        session.clock.sleep(session.settings.push.poll)
        pushes = session.pushes.list(wanted)
    session.output.show(
        {"pushes": [push_data(session, push) for push in pushes]}, pushes_table(pushes)
    )
