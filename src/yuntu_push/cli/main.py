"""The root command: global options, command groups, the one way in."""

import contextlib
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from yuntu_push import __version__
from yuntu_push.cli import (
    accounts,
    audience,
    auth,
    channel,
    completion,
    config,
    demo,
    doctor,
    explain,
    guide,
    push,
    quota,
    sandbox,
    schedule,
    schema,
    segment,
    source,
    state,
)
from yuntu_push.cli.boundary import guarded, private_process
from yuntu_push.cli.errors import EXIT_INTERRUPTED, EXIT_TERMINATED
from yuntu_push.cli.help import translate_help
from yuntu_push.cli.hoist import Line, hoist
from yuntu_push.cli.session import Session
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

PLURALS = {
    "account": "accounts",
    "channels": "channel",
    "segments": "segment",
    "pushes": "push",
    "sources": "source",
    "audiences": "audience",
    "states": "state",
    "configs": "config",
    "sandboxes": "sandbox",
    "schedules": "schedule",
    "quotas": "quota",
}
# These work without a readable config file.
_WITHOUT_CONFIG = {
    "init", "guide", "config", "schema", "explain", "completion", "sandbox", "demo", "doctor"
}  # fmt: skip


class RootGroup(TyperGroup):
    """Takes global options wherever they stand and ends every run through one boundary."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; groups answer to singular and plural."""
        return super().get_command(ctx, cmd_name) or super().get_command(
            ctx, PLURALS.get(cmd_name, "")
        )

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - help always says yuntu-push
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,  # noqa: ARG002 - shells expand; greedy options take it
        **extra: Any,
    ) -> Any:
        """Run a line and exit with its code."""
        private_process()
        completion.answer_shell(self, complete_var)
        line = hoist(sys.argv[1:] if args is None else args, self)
        session = Session.from_options(line.options)
        translate_help(self, session.translator)
        code = guarded(session, " ".join(line.command), lambda: self._run(line, session, extra))
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, line: Line, session: Session, extra: Mapping[str, Any]) -> None:
        if line.error is not None:
            raise line.error
        if line.options.version:
            if line.options.json:
                session.output.show({"version": __version__})
            else:
                session.output.line(f"yuntu-push {__version__}")
            return
        if not line.rest and line.options.json:
            raise ConfigError(
                "USAGE", msg("a command is needed"), hint=msg("see `yuntu-push --help`")
            )
        wants_help = not line.rest or {"-h", "--help"} & set(line.rest)
        if not wants_help and line.command[:1] and line.command[0] not in _WITHOUT_CONFIG:
            session.check_config()
            session.messages.detail(msg("config file: {path}", path=session.paths.config_file))
        extra = {**extra, "obj": session}
        with self.make_context("yuntu-push", line.rest or ["--help"], **extra) as ctx:
            self.invoke(ctx)


app = typer.Typer(
    name="yuntu-push",
    cls=RootGroup,
    help="Build first-party audience segments and push them to 巨量云图 (Ocean Engine Yuntu).",
    epilog="Start with `yuntu-push guide`, or see it all at work with `yuntu-push demo`.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 100},
)


@app.callback()
def root(
    home: Annotated[
        str | None, typer.Option(help="One folder for everything (env YUNTU_PUSH_HOME).")
    ] = None,
    config_path: Annotated[
        str | None, typer.Option("--config", help="Another config file (env YUNTU_PUSH_CONFIG).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout (env YUNTU_PUSH_JSON=1).")
    ] = False,
    lang: Annotated[
        str | None, typer.Option(help="zh or en (env YUNTU_PUSH_LANG).", metavar="zh|en")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Less on stderr.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="More on stderr.")] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="Plain output (env NO_COLOR).")
    ] = False,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Never prompt (env YUNTU_PUSH_NO_INPUT=1).")
    ] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Answer yes to confirmations.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Declared for `--help`; `hoist` has read them before the line was parsed."""
    del home, config_path, as_json, lang, quiet, verbose, no_color, no_input, yes, version


for name, group in {
    "channel": channel.app,
    "auth": auth.app,
    "accounts": accounts.app,
    "segment": segment.app,
    "source": source.app,
    "push": push.app,
    "audience": audience.app,
    "state": state.app,
    "config": config.app,
    "sandbox": sandbox.app,
    "schedule": schedule.app,
}.items():
    app.add_typer(group, name=name)
for module in (config, guide, doctor, quota, explain, schema, completion, demo):
    module.register(app)


def _threads_left() -> bool:
    return any(thread.daemon for thread in threading.enumerate())


def run() -> NoReturn:
    """The console script."""
    try:
        app()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
        if code in (EXIT_INTERRUPTED, EXIT_TERMINATED) or _threads_left():
            # All is closed and saved. Leaving by the front door could still end in SIGINT's own
            # way: CPython remembers a KeyboardInterrupt that passed through an extension module.
            # And it could abort: a thread that was given up (a keyring that hangs) and wakes
            # inside an extension module while the interpreter is taken down.
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)
        raise
    raise AssertionError("the root command exits")
