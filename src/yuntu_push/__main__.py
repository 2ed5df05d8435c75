"""The way in: the `yuntu-push` script and `python -m yuntu_push`."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line."""
    # Loading takes a moment in which nothing is open yet. Ctrl-C then ends the process at once and
    # in silence; `boundary.guarded` turns it into an exception while there is something to save.
    # A handler that is not Python's own says that whoever started us wants SIGINT ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from yuntu_push.cli.main import run

    run()


if __name__ == "__main__":
    main()
