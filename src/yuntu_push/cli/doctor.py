"""`doctor`: is everything there that a push needs?"""

from typing import Annotated, Any

import typer

from yuntu_push.cli.errors import as_json, exit_code_for
from yuntu_push.cli.output import Table
from yuntu_push.domain.text import Text

# The exit code is that of the first of these that occurred: what only a person can mend comes
# before what goes away by itself.
WORST_FIRST = (1, 2, 4, 6, 5, 3, 7, 8, 75)

NAMES = {
    "config": Text("config"),
    "state": Text("state file"),
    "disk": Text("disk"),
    "secrets": Text("secret store"),
    "network": Text("network"),
    "clock": Text("clock"),
    "login": Text("login"),
    "rights": Text("rights"),
    "brands": Text("brands"),
    "quota": Text("quota"),
    "channel": Text("channel"),
    "run": Text("run"),
}
STATES = {
    "ok": Text("ok"),
    "warning": Text("warning"),
    "failed": Text("failed"),
    "skipped": Text("skipped"),
}


def register(root: typer.Typer) -> None:
    """Add `doctor` to the root."""
    root.command(epilog="Example: `yuntu-push doctor acme`")(doctor)


def doctor(
    ctx: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(help="One channel; all by default.", metavar="[CHANNEL]")
    ] = None,
    stale: Annotated[
        bool,
        typer.Option("--stale", help="Only: was each entry of `pushes:` run as often as it says?"),
    ] = False,
) -> None:
    """Check config, secrets, network, clock, login, rights, brands, quotas, disk and schedules."""
    session = ctx.obj
    checks = list(session.doctor.stale() if stale else session.doctor.examine(channel))
    failures = [check.error for check in checks if check.error is not None]
    codes = {exit_code_for(error) for error in failures}
    exit_code = next((code for code in WORST_FIRST if code in codes), 0)
    session.output.show(
        {"checks": [_data(check) for check in checks]},
        Table(
            columns=(Text("check"), Text("channel"), Text("state"), Text("finding"), Text("fix")),
            rows=[
                (
                    NAMES[check.name],
                    check.channel or "-",
                    STATES[check.state.value],
                    check.message,
                    check.hint or "-",
                )
                for check in checks
            ],
        ),
        status="error" if failures else "ok",
        exit_code=exit_code,
        errors=[as_json(error, session.translator) for error in failures],
    )


def _data(check: Any) -> dict[str, Any]:
    return {
        "name": check.name,
        "channel": check.channel,
        "entry": check.entry,
        "state": check.state.value,
        "message": check.message,
        "hint": check.hint,
        "code": check.error.code if check.error else None,
    }
