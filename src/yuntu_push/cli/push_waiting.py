"""The options that say how long a push may be waited for."""

from typing import Annotated

import typer

from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.settings import seconds
from yuntu_push.domain.text import msg
from yuntu_push.services.push.turns import Patience

WaitOption = Annotated[bool, typer.Option("--wait", help="Stay until the push has ended.")]
TimeoutOption = Annotated[
    str | None, typer.Option(help="With --wait: at most so long (default 3h).", metavar="TIME")
]
PollOption = Annotated[
    str | None,
    typer.Option(help="With --wait: the first pause between two looks (60s).", metavar="TIME"),
]


def patience(session: Session, wait: bool, timeout: str | None, poll: str | None) -> Patience:
    settings = session.settings.push
    return Patience(
        wait=wait,
        timeout=_seconds("--timeout", timeout, settings.timeout),
        poll=_seconds("--poll", poll, settings.poll),
    )


def _seconds(option: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        return seconds(text)
    except ValueError:
        raise ConfigError(
            "TIME_INVALID",
            msg("{option}: {text} is not a duration", option=option, text=repr(text)),
            hint=msg("write 90, 90s, 3m or 3h"),
        ) from None
