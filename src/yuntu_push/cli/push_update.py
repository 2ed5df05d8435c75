"""`push update|run|adopt`: new content for an audience that exists."""

from enum import StrEnum
from typing import Annotated

import typer

from yuntu_push.cli.push_places import PushArgument
from yuntu_push.cli.push_view import end_with, show_planned, show_push
from yuntu_push.cli.push_waiting import PollOption, TimeoutOption, WaitOption, patience
from yuntu_push.cli.session import Session
from yuntu_push.domain.guards import GuardName
from yuntu_push.domain.names import unknown
from yuntu_push.domain.push import Mode, Push, PushState
from yuntu_push.domain.text import msg
from yuntu_push.services.push.adoption import AdoptRequest
from yuntu_push.services.push.updates import UpdateRequest


class UpdateMode(StrEnum):
    """What becomes of the content that is there."""

    RESET = "reset"
    APPEND = "append"
    REMOVE = "remove"
    MIRROR = "mirror"


class CopyWhen(StrEnum):
    """When new content is copied into the Yuntu brands."""

    FIRST = "first"
    EACH = "each"
    WEEKLY = "weekly"
    MANUAL = "manual"


AllowOption = Annotated[
    list[GuardName] | None, typer.Option(help="Let this guard pass once; repeats.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `push`."""
    app.command(epilog="Example: `yuntu-push push update k7q2m9 --segment vip --wait`")(update)
    app.command(epilog="Example (cron): `yuntu-push push run vip_daily`")(run)
    app.command(
        epilog="Example: `yuntu-push push adopt --name 高价值会员 --data-source-id 672d29c4 "
        "--account 旗舰店 --brand 某品牌`"
    )(adopt)


def update(
    ctx: typer.Context,
    push: PushArgument,
    segment: Annotated[str, typer.Option(help="The segment.", metavar="NAME[@VERSION]")],
    mode: Annotated[
        UpdateMode, typer.Option(help="What becomes of the content that is there.")
    ] = UpdateMode.RESET,
    copy: Annotated[
        CopyWhen, typer.Option(help="When a brand gets a new copy; a copy is a snapshot.")
    ] = CopyWhen.FIRST,
    allow: AllowOption = None,
    again: Annotated[bool, typer.Option("--again", help="Even if nothing changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    poll: PollOption = None,
) -> None:
    """Bring new content into a push's data source; the audience's id stays."""
    session: Session = ctx.obj
    limits = patience(session, wait, timeout, poll)
    plan = session.push_updates.plan(
        session.pushes.find(push),
        UpdateRequest(
            segment=segment,
            mode=Mode(mode.value),
            copy=copy.value,
            passing=_names(allow),
            dry_run=dry_run,
        ),
    )
    if plan.note is not None:
        session.messages.notice(plan.note)
    if plan.warning is not None:
        session.messages.warning(plan.warning)
    if plan.same is not None and not again:
        session.messages.notice(
            msg("push {push} brought the same content; nothing to do", push=plan.same.push_id)
        )
        end_with(session, plan.same)
        return
    if dry_run:
        show_planned(session, plan.push)
        session.messages.notice(msg("nothing was sent: this was a dry run"))
        return
    made = session.push_updates.create(plan)
    end_with(session, session.push_runner.run(made.push_id, limits), waited=wait)


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="An entry of `pushes:`.", metavar="NAME")],
    allow: AllowOption = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    poll: PollOption = None,
) -> None:
    """Build and push an entry of the config: the first run creates, later runs update."""
    session: Session = ctx.obj
    limits = patience(session, wait, timeout, poll)
    prepared = session.push_entries.prepare(name, passing=_names(allow))
    push: Push = prepared.push
    if prepared.new or push.is_working or push.state is PushState.FAILED:
        push = session.push_runner.run(push.push_id, limits)
    end_with(session, push, waited=wait)


def adopt(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="推送任务名称, at most 16 characters.", metavar="TEXT")],
    data_source_id: Annotated[
        str, typer.Option(help="The data source, as the DMP pages show it.", metavar="ID")
    ],
    account: Annotated[
        str | None, typer.Option(help="推送账户: owns the data source.", metavar="ID|NAME")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="The channel; not needed when there is one.")
    ] = None,
    brand: Annotated[
        list[str] | None, typer.Option(help="A brand for later copies.", metavar="ID|NAME")
    ] = None,
    entry: Annotated[
        str | None, typer.Option(help="The `pushes:` entry that goes on with it.", metavar="NAME")
    ] = None,
) -> None:
    """Take over a data source that another tool or machine made; the platform is not changed."""
    session: Session = ctx.obj
    if entry is not None and entry not in session.settings.pushes:
        raise unknown(
            "pushes entry",
            entry,
            session.settings.pushes,
            hint=msg("add it to the config's `pushes:`"),
        )
    push = session.push_adoption.adopt(
        AdoptRequest(
            name=name,
            data_source_id=data_source_id,
            channel=channel,
            account=account,
            brands=tuple(brand or ()),
            entry=entry,
        )
    )
    show_push(session, push)


def _names(allow: list[GuardName] | None) -> tuple[str, ...]:
    return tuple(guard.value for guard in allow or ())
