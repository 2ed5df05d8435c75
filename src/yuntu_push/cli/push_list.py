"""`push status|show|list`: where pushes stand."""

from typing import Annotated

import typer

from yuntu_push.cli.push_view import moment_of, push_data, push_table, pushes_table, show_push
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.push import Push, PushState
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.text import msg


def register(app: typer.Typer) -> None:
    """Add the commands to `push`."""
    app.command(epilog="Example: `yuntu-push push status k7q2m9 --watch`")(status)
    app.command("show", epilog="Example: `yuntu-push push show k7q2m9`")(status)
    app.command("list", epilog="Example: `yuntu-push push list --state waiting --json`")(list_)


OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not ask the platform.")]
WatchOption = Annotated[bool, typer.Option("--watch", help="Look again until it has ended.")]
StateOption = Annotated[list[str] | None, typer.Option(help="Only pushes in this state.")]
ChannelOption = Annotated[str | None, typer.Option(help="Only pushes of this channel.")]
BrandOption = Annotated[str | None, typer.Option(help="Only pushes to this brand.")]
SinceOption = Annotated[
    str | None, typer.Option(help="Only pushes made since: 7d, 2026-11-01.", metavar="TIME")
]


def status(
    ctx: typer.Context,
    push: Annotated[
        str | None, typer.Argument(help="One push; the list by default.", metavar="[PUSH]")
    ] = None,
    offline: OfflineOption = False,
    watch: WatchOption = False,
    state: StateOption = None,
    channel: ChannelOption = None,
    brand: BrandOption = None,
    since: SinceOption = None,
) -> None:
    """Show one push with present counts, or the list."""
    session: Session = ctx.obj
    look = _Look(session, offline=offline)
    if push is None:
        _list(session, look, _filter(session, state, channel, brand, since), watch=watch)
        return
    if state or channel or brand or since:
        raise ConfigError(
            "USAGE",
            msg("--state, --channel, --brand and --since choose among all pushes"),
            hint=msg("leave them out, or leave out the push"),
        )
    [found] = look.at([session.pushes.find(push)])
    while watch and found.is_working:
        if not session.output.as_json:
            session.output.show({}, push_table(session, found))
        session.clock.sleep(session.settings.push.poll)
        [found] = look.at([session.pushes.find(found.push_id)])
    show_push(session, found)


def list_(
    ctx: typer.Context,
    offline: OfflineOption = False,
    watch: WatchOption = False,
    state: StateOption = None,
    channel: ChannelOption = None,
    brand: BrandOption = None,
    since: SinceOption = None,
) -> None:
    """List the pushes with present counts, newest first."""
    session: Session = ctx.obj
    wanted = _filter(session, state, channel, brand, since)
    _list(session, _Look(session, offline=offline), wanted, watch=watch)


class _Look:
    """Looks at pushes, at the platform unless `offline`; says once what is wrong with a channel."""

    def __init__(self, session: Session, *, offline: bool) -> None:
        self._session = session
        self._offline = offline
        self._told: set[tuple[str, str]] = set()

    def at(self, pushes: list[Push]) -> list[Push]:
        """The pushes with the counts of now, or with those last seen."""
        if self._offline:
            return pushes
        looked = self._session.present_counts.of(pushes)
        for channel, error in looked.problems.items():
            if (channel, error.code) not in self._told:
                self._told.add((channel, error.code))
                self._session.messages.warning(
                    msg(
                        "channel {channel}: the counts are those last seen: {reason}",
                        channel=channel,
                        reason=error.message,
                    )
                )
        return looked.pushes


def _list(session: Session, look: _Look, wanted: PushFilter, *, watch: bool) -> None:
    pushes = look.at(session.pushes.list(wanted))
    while watch and any(push.is_working for push in pushes):
        if not session.output.as_json:
            session.output.show({}, pushes_table(pushes))
        session.clock.sleep(session.settings.push.poll)
        pushes = look.at(session.pushes.list(wanted))
    session.output.show(
        {"pushes": [push_data(session, push) for push in pushes]}, pushes_table(pushes)
    )


def _filter(
    session: Session,
    state: list[str] | None,
    channel: str | None,
    brand: str | None,
    since: str | None,
) -> PushFilter:
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
    return PushFilter(
        states=[PushState(text) for text in state or ()],
        channel=channel,
        brand=brand,
        since=moment,
    )
