"""`push create|resume`: audiences on their way; the other commands of `push` stand beside."""

from typing import Annotated

import typer

from yuntu_push.cli import push_list, push_places, push_update
from yuntu_push.cli.errors import as_json, exit_code_for
from yuntu_push.cli.output import Status
from yuntu_push.cli.push_view import (
    end_with,
    push_data,
    pushes_table,
    show_planned,
)
from yuntu_push.cli.push_waiting import PollOption, TimeoutOption, WaitOption
from yuntu_push.cli.push_waiting import patience as patience_of
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.push import WORKING, Push
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.text import msg
from yuntu_push.services.push.ending import ending
from yuntu_push.services.push.planning import PushPlan, PushRequest
from yuntu_push.services.push.runner import Ran

app = typer.Typer(help="Push segments to Yuntu brands and advertisers.")

_ANY_WORKING = PushFilter(states=sorted(WORKING), most=1)
# What `resume --all` ends with: the first of these that occurred.
WORST_FIRST = (1, 4, 6, 7, 5, 3, 2, 8)


@app.command(
    epilog="Example: `yuntu-push push create --name 高价值会员 --segment vip --account 旗舰店 "
    "--brand 某品牌 --wait`"
)
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="推送任务名称, at most 16 characters.", metavar="TEXT")],
    segment: Annotated[str, typer.Option(help="The segment.", metavar="NAME[@VERSION]")],
    channel: Annotated[
        str | None, typer.Option(help="The channel; not needed when there is one.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="推送账户: owns the data source.", metavar="ID|NAME")
    ] = None,
    brand: Annotated[
        list[str] | None, typer.Option(help="A Yuntu brand; repeats.", metavar="ID|NAME")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="投放账户: an advertiser to share with; repeats.", metavar="ADVERTISER"),
    ] = None,
    id_type: Annotated[
        list[str] | None, typer.Option(help="Only ids of this type; repeats.", metavar="TYPE")
    ] = None,
    audience_name: Annotated[
        str | None,
        typer.Option(help="Name on the platform, from {name} {date} {id}.", metavar="TEMPLATE"),
    ] = None,
    audience_type: Annotated[str, typer.Option(help="The kind of audience.")] = "private",
    description: Annotated[str, typer.Option(help="Kept with the data source.")] = "",
    again: Annotated[bool, typer.Option("--again", help="Also when it was pushed before.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    poll: PollOption = None,
) -> None:
    """Push a segment to Yuntu brands (巨量云图) and advertisers (巨量引擎)."""
    session: Session = ctx.obj
    patience = patience_of(session, wait, timeout, poll)
    plan = session.pushes.plan(
        PushRequest(
            name=name,
            segment=segment,
            channel=channel,
            account=account,
            brands=tuple(brand or ()),
            targets=tuple(target or ()),
            id_types=tuple(id_type or ()),
            audience_name=audience_name,
            audience_type=audience_type,
            description=description,
        )
    )
    if dry_run:
        _show_plan(session, plan)
        return
    asked = _ask_about_new_brands(session, plan)
    again = again or _ask_about_twin(session, plan)
    push = session.pushes.create(plan, again=again, asked=asked)
    session.messages.notice(
        msg("push {push}: audience {name}", push=push.push_id, name=push.audience_name)
    )
    end_with(session, session.push_runner.run(push.push_id, patience), waited=wait)


def _show_plan(session: Session, plan: PushPlan) -> None:
    show_planned(session, plan.push)
    if plan.earlier is not None:
        session.messages.warning(
            msg("push {push} brought the same to the same places", push=plan.earlier.push_id)
        )
    session.messages.notice(msg("nothing was sent: this was a dry run"))


def _ask_about_new_brands(session: Session, plan: PushPlan) -> str:
    """Show what a first push to a brand means; who let it pass: `person`, `yes` or `script`."""
    if not plan.new_brands:
        return ""
    push = plan.push
    first = msg(
        "first push from account {account} (主体 {company}) to {brands}: {ids} ids",
        account=f"{push.account_name} ({push.advertiser_id})",
        company=push.company or "?",
        brands=", ".join(brand.brand_name for brand in plan.new_brands),
        ids=push.ids_total,
    )
    if session.prompts.yes or not session.prompts.interactive:
        session.messages.notice(first)
        return "yes" if session.prompts.yes else "script"
    question = msg("{first}; go on?", first=first)
    if not session.prompts.confirm(question):
        raise ConfigError(
            "PUSH_DECLINED",
            msg("nothing was pushed"),
            hint=msg("choose another --account or --brand"),
        )
    return "person"


def _ask_about_twin(session: Session, plan: PushPlan) -> bool:
    if plan.earlier is None:
        return False
    return session.prompts.confirm(
        msg(
            "push {push} brought the same to the same places; push it once more?",
            push=plan.earlier.push_id,
        )
    )


@app.command(epilog="Example (cron): `yuntu-push push resume --all`")
def resume(
    ctx: typer.Context,
    push: Annotated[str | None, typer.Argument(help="One push.", metavar="[PUSH]")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every push that is due.")] = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = None,
    poll: PollOption = None,
) -> None:
    """Do whatever is due now; what failed is tried again, what is done is not."""
    session: Session = ctx.obj
    patience = patience_of(session, wait, timeout, poll)
    if all_ == (push is not None):
        raise ConfigError(
            "USAGE",
            msg("name one push, or pass --all"),
            hint=msg("`yuntu-push push list` shows the pushes"),
        )
    if push is None:
        unprepared = session.push_entries.prepare_due()
        ran = session.push_runner.run_due(patience)
        for problem in session.channels.keep_alive():
            session.messages.warning(problem.message)
        session.segments.forget_old()
        _end_with_all(session, ran, unprepared, waited=wait)
        return
    found = session.pushes.find(push)
    end_with(session, session.push_runner.run(found.push_id, patience), waited=wait)


def _end_with_all(
    session: Session, ran: list[Ran], unprepared: list[Exception], *, waited: bool
) -> None:
    """Show what was worked on; what merely waits is no error.

    `unprepared` are the errors of entries whose run was tried once more and ended for good.
    """
    session.bars.close()
    news: list[Push] = []  # cron sends whatever is written as a mail: what merely waits is none
    errors: list[YuntuPushError] = []
    for each in ran:
        error = each.stopped or ending(each.push, waited=waited)
        grave = error and (each.stopped or exit_code_for(_ours(error)) in WORST_FIRST)
        if error and grave:
            errors.append(_ours(error))
        if grave or not each.push.is_working:
            news.append(each.push)
    errors += [_ours(error) for error in unprepared]
    codes = {exit_code_for(error) for error in errors}
    code = next((code for code in WORST_FIRST if code in codes), 0)
    pushes = [each.push for each in ran]
    shown = pushes if session.output.is_terminal else news
    session.output.show(
        {"pushes": [push_data(session, push) for push in pushes]},
        table=pushes_table(shown) if shown else None,
        status=_status_of_all(code, going_on=bool(session.pushes.list(_ANY_WORKING))),
        exit_code=code,
        errors=[as_json(error, session.translator) for error in errors],
    )
    if not session.output.as_json:
        for error in errors:
            session.messages.error(error)
    if not pushes and session.output.is_terminal:
        session.messages.notice(msg("nothing is due"))


def _ours(error: Exception) -> YuntuPushError:
    """The error to tell; anything else that stopped a run is a bug, and raised."""
    if isinstance(error, YuntuPushError):
        return error
    raise error


def _status_of_all(code: int, *, going_on: bool) -> Status:
    """`going_on` is whether a push waits or is under way, here or elsewhere."""
    match code:
        case 0 | 8:
            return "pending" if going_on else "ok"
        case 7:
            return "partial"
        case _:
            return "error"


push_list.register(app)
push_update.register(app)
push_places.register(app)
