"""What a command finds in `ctx.obj`: the application's services and the ways to talk to people."""

import os
import sys
from collections.abc import Mapping

from yuntu_push.bootstrap import AppContext
from yuntu_push.cli.errors import Messages
from yuntu_push.cli.hoist import GlobalOptions
from yuntu_push.cli.i18n import Translator, choose_language
from yuntu_push.cli.output import Output
from yuntu_push.cli.progress import ProgressBars
from yuntu_push.cli.prompts import Prompts
from yuntu_push.cli.verbose import follow


class Session(AppContext):
    """One run of the command line."""

    def __init__(self, options: GlobalOptions, environ: Mapping[str, str]) -> None:
        self.options = options
        translator = Translator(choose_language(options.lang, environ))
        color_out = not options.no_color and sys.stdout is not None and sys.stdout.isatty()
        color_err = not options.no_color and sys.stderr is not None and sys.stderr.isatty()
        self.translator = translator
        self.messages = Messages(
            translator, quiet=options.quiet, verbose=options.verbose, color=color_err
        )
        self.output = Output(
            translator=translator, as_json=options.json, quiet=options.quiet, color=color_out
        )
        self.prompts = Prompts(self.messages, no_input=options.no_input, yes=options.yes)
        self.bars = ProgressBars(translator, enabled=color_err and not options.quiet)
        self._followed = follow(self.messages) if options.verbose else None
        super().__init__(
            environ=environ,
            home=options.home,
            config=options.config,
            notice=self.messages.notice,
            warning=self.messages.warning,
            progress=self.bars,
        )

    def close(self) -> None:
        """Close what was opened."""
        if self._followed is not None:
            self._followed()
        super().close()

    @classmethod
    def from_options(cls, options: GlobalOptions) -> "Session":
        """The session of this process."""
        return cls(options.with_environment(os.environ), os.environ)
