"""`push cancel|copy|confirm`: what a person decides about a push and its brands."""

from typing import Annotated

import typer

from yuntu_push.cli.push_view import end_with, show_push
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg
from yuntu_push.services.push.copies import CopyDecision

PushArgument = Annotated[
    str, typer.Argument(help="A push: its id, the beginning of one, or its name.", metavar="PUSH")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `push`."""
    app.command(epilog="Example: `yuntu-push push cancel k7q2m9`")(cancel)
    app.command(epilog="Example: `yuntu-push push copy k7q2m9 --brand 某品牌 --done`")(copy)
    app.command(epilog="Example: `yuntu-push push confirm k7q2m9 --brand 某品牌`")(confirm)


def cancel(ctx: typer.Context, push: PushArgument) -> None:
    """Give a push up; what it made on the platform stays there."""
    session: Session = ctx.obj
    done = session.pushes.cancel(session.pushes.find(push))
    remains = [session.translator.render(sentence) for sentence in done.remains]
    show_push(session, done.push, more={"remains": remains})
    for sentence in done.remains:
        session.messages.notice(sentence)


def copy(
    ctx: typer.Context,
    push: PushArgument,
    brand: Annotated[str, typer.Option(help="A Yuntu brand.", metavar="ID|NAME")],
    again: Annotated[bool, typer.Option("--again", help="Copy, whatever is there.")] = False,
    done: Annotated[bool, typer.Option("--done", help="It was seen in Yuntu.")] = False,
) -> None:
    """Copy the audience into a brand, or settle a copy whose answer was lost."""
    session: Session = ctx.obj
    if again and done:
        raise ConfigError(
            "USAGE", msg("--again and --done exclude each other"), hint=msg("pass one of them")
        )
    decision = CopyDecision.MAKE
    if again or done:
        decision = CopyDecision.AGAIN if again else CopyDecision.DONE
    end_with(session, session.push_copies.copy(session.pushes.find(push), brand, decision))


def confirm(
    ctx: typer.Context,
    push: PushArgument,
    brand: Annotated[str, typer.Option(help="A Yuntu brand.", metavar="ID|NAME")],
) -> None:
    """Note that a person saw the audience in Yuntu (自定义分析)."""
    session: Session = ctx.obj
    show_push(session, session.pushes.confirm(session.pushes.find(push), brand))
