"""`sandbox serve`: an imitation of Ocean Engine to learn with and to rehearse on."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.text import msg

app = typer.Typer(help="An imitation of Ocean Engine to learn with and to rehearse on.")


@app.callback()
def sandbox() -> None:
    """An imitation of Ocean Engine to learn with and to rehearse on."""


@app.command(epilog="Example: `yuntu-push sandbox serve --port 8900 --state-file world.json`")
def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    speed: Annotated[
        float,
        typer.Option(
            help="How many times faster than the platform it parses, publishes and pushes."
        ),
    ] = 600.0,
    state_file: Annotated[
        Path | None, typer.Option(help="Keep the world in this file over restarts.")
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(
            help="Plan of faults, a list in JSON or YAML: route (the end of a path, or *), the "
            "calls that are meant (nth, every, from, to) and an effect: refuse, http_NNN, html, "
            "half_json, empty, drop_before, drop_after, delay, slow, fail_parse, list_lag, "
            "clock_jump."
        ),
    ] = None,
    auto_consent: Annotated[
        bool, typer.Option("--auto-consent", help="Authorise all accounts without asking.")
    ] = False,
    callback_url: Annotated[
        str | None, typer.Option(help="The application's callback; default: any loopback address.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the invented world.")] = 20,
    switch: Annotated[
        list[str] | None,
        typer.Option(
            "--switch",
            metavar="NAME=VALUE",
            help="Set a doubtful point of the platform: copy_to=scalar|list, "
            "self_push=needed|implicit|refused, copy_needs=available|published|parsed, "
            "copy_again=duplicate|replace|refuse, copy_answer=audience|advertiser|nothing, "
            "after_update=need_publish|available, "
            "publish_after_push=true|false, publish_refused_code=N, list_lag=SECONDS, "
            "bad_ids=parse_fails|refuse|skip, upload_limit=SECONDS, "
            "slow_upload=gateway|refuse|drop, name_unit=characters|bytes|wide, "
            "duplicate_names=true|false, brand_readable=true|false, strict_fields=true|false, "
            "get_body=ignored|read, quota_code=N, state_code=N, subject_code=N, "
            "permission_code=N, revoked_code=N, token_grace=SECONDS, min_cover=N, qps=N. "
            "Repeat for more.",
        ),
    ] = None,
) -> None:
    """Serve the sandbox until stopped; one JSON line on stdout says where and with what keys."""
    from yuntu_push.sandbox.options import SandboxOptions, read_switches

    session: Session = ctx.obj

    def announce(facts: dict[str, object]) -> None:
        session.output.line(json.dumps(facts))
        if session.output.is_terminal:
            session.messages.notice(
                msg("open {url} in a browser; Ctrl+C ends it", url=facts["console_url"])
            )

    given: dict[str, Any] = {
        "port": port, "host": host, "speed": speed, "state_file": state_file, "faults": faults,
        "auto_consent": auto_consent, "callback_url": callback_url, "seed": seed,
    }  # fmt: skip
    try:
        options = SandboxOptions(**given, **read_switches(switch or []))
        session.serve_sandbox(options, announce)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(
            "SANDBOX_OPTION_INVALID",
            msg("the sandbox cannot start: {reason}", reason=str(error)),
            hint=msg("`yuntu-push sandbox serve --help` lists the options"),
        ) from error
    except ValueError as error:
        raise ConfigError(
            "SANDBOX_OPTION_INVALID",
            msg("the sandbox cannot start: {reason}", reason=str(error)),
            hint=msg("`yuntu-push sandbox serve --help` lists the options"),
        ) from error
    except OSError as error:
        raise TryLaterError(
            "SANDBOX_CANNOT_LISTEN",
            msg(
                "the sandbox cannot listen on {host}:{port}: {reason}",
                host=host,
                port=port,
                reason=error.strerror or str(error),
            ),
            hint=msg("choose another --port"),
        ) from error
