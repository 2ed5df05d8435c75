"""`guide`: the way from developer certification to the first push, with what is done already."""

from dataclasses import dataclass

import typer

from yuntu_push.cli.output import Table
from yuntu_push.cli.session import Session
from yuntu_push.domain.text import Text, msg


@dataclass(frozen=True)
class Step:
    """One step of the way; `done` is None where only the person can know."""

    name: str
    what: Text
    how: Text
    done: bool | None


def register(app: typer.Typer) -> None:
    """Add `guide` to the root."""
    app.command(epilog="Example: `yuntu-push guide --lang zh`")(guide)


def guide(ctx: typer.Context) -> None:
    """Show the way from developer certification to the first push, and how far you are."""
    session: Session = ctx.obj
    steps = _steps(session)
    session.output.show(
        {
            "steps": [
                {
                    "name": step.name,
                    "what": session.translator.render(step.what),
                    "how": session.translator.render(step.how),
                    "done": step.done,
                }
                for step in steps
            ]
        },
        Table(
            columns=(Text("done"), Text("step"), Text("how")),
            rows=[(_mark(step.done), step.what, step.how) for step in steps],
        ),
    )
    following = next((step for step in steps if step.done is False), None)
    if following is not None:
        session.messages.notice(msg("next: {how}", how=following.how))


def _mark(done: bool | None) -> str:
    return {True: "✓", False: "·", None: "?"}[done]


def _steps(session: Session) -> list[Step]:
    """The steps of the hosted product's own page, in order."""
    here = session.progress_so_far()
    return [
        Step(
            "certify",
            msg("certify as a developer on the open platform (开发者认证)"),
            msg("open.oceanengine.com: 企业信息, 主体资质认证, 对公验证, CA 签章"),
            None,
        ),
        Step(
            "application",
            msg("make an application under 应用管理 › 巨量广告 (千川: 应用管理 › 巨量千川)"),
            msg("ask for the rights 账号服务, 广告投放, DMP人群管理, 工具"),
            None,
        ),
        Step(
            "config",
            msg("write a config file"),
            msg("`yuntu-push init`"),
            here.config,
        ),
        Step(
            "channel",
            msg("add the application as a channel (APP_ID, Secret, callback URL, 授权URL)"),
            msg("`yuntu-push channel add NAME --kind yuntu`"),
            here.channel,
        ),
        Step(
            "login",
            msg("authorise the ad accounts (授权)"),
            msg("`yuntu-push auth login CHANNEL`"),
            here.login,
        ),
        Step(
            "bind",
            msg("bind the developer account to the brand in Yuntu's back office (绑定)"),
            msg("云图后台 › 账户管理, then `yuntu-push accounts refresh CHANNEL`"),
            here.bound,
        ),
        Step(
            "segment",
            msg("build a segment (分群)"),
            msg("`yuntu-push segment build NAME members.csv --id phone=COLUMN`"),
            here.segment,
        ),
        Step(
            "push",
            msg("push it to the brand"),
            msg("`yuntu-push push create --name NAME --segment NAME --brand BRAND`"),
            here.push,
        ),
    ]
