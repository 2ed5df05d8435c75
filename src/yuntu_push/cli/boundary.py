"""The error boundary: one place where every way a run can end becomes an exit code."""

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TextIO

import typer

from yuntu_push import __version__
from yuntu_push.cli import errors
from yuntu_push.cli.session import Session
from yuntu_push.cli.usage import usage_error
from yuntu_push.domain.disk import disk_error
from yuntu_push.domain.errors import ConfigError, StoppedError, YuntuPushError
from yuntu_push.domain.text import msg


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt, not to be caught on the way."""


def private_process() -> None:
    """Make what this process writes private, and keep its memory out of core files."""
    _fill_closed_streams()
    os.umask(0o077)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fill_closed_streams() -> None:
    """Put the null device where a caller closed stdin, stdout or stderr.

    Otherwise the next file that is opened gets the number, and what is said lands in it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            stream = open(descriptor, "w" if descriptor else "r", encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, stream)


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into exceptions, so that what is open is closed and state is saved.

    A SIGINT that is ignored stays ignored: so a shell starts what it puts into the background.
    """

    def terminate(_signum: int, _frame: FrameType | None) -> None:
        raise Terminated

    interruptible = signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread: a test runner's business
        yield
        return
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def guarded(session: Session, command: str, body: Callable[[], Any]) -> int:
    """Run `body` and give the exit code of however it ended; every failure is shown once."""
    session.output.command = command
    try:
        with signals_as_exceptions():
            body()
            return session.output.exit_code
    except typer.Exit as exc:
        return int(exc.exit_code)
    except YuntuPushError as exc:
        return _failed(session, exc)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(session, errors.EXIT_INTERRUPTED)
    except Terminated:
        return _interrupted(session, errors.EXIT_TERMINATED)
    except BrokenPipeError:
        # The reader went away: not our failure, but nothing more can be written.
        _give_up(sys.stdout)
        return session.output.exit_code
    except typer.TyperException as exc:
        return _failed(session, usage_error(exc))
    except OSError as exc:
        return _failed(session, _from_os(exc) or _bug(session, exc))
    except Exception as exc:  # noqa: BLE001 - the top boundary
        return _failed(session, _bug(session, exc))
    finally:
        session.bars.close()
        session.close()
        _leave_nothing_unwritten()


def _failed(session: Session, error: YuntuPushError) -> int:
    code = errors.exit_code_for(error)
    session.bars.close()
    return _told(session, error, code)


def _interrupted(session: Session, code: int) -> int:
    error = StoppedError(
        "INTERRUPTED",
        msg("interrupted; what was done so far is saved"),
        # A push that `push create` has stored is not to be created once more.
        hint=msg("a push goes on with `yuntu-push push resume --all`; run anything else again"),
    )
    return _told(session, error, code)


def _told(session: Session, error: YuntuPushError, code: int) -> int:
    """Tell how the run ended; the exit code stands whether or not that can be written."""
    try:
        if session.output.as_json:
            items = [errors.as_json(item, session.translator) for item in (error, *error.also)]
            session.output.envelope(
                getattr(error, "data", {}), status="error", exit_code=code, errors=items
            )
        else:
            session.messages.error(error)
    except OSError as exc:  # nobody reads, or the disk under stdout is full
        _give_up(session.output.stream if session.output.as_json else session.messages.stream)
        if session.output.as_json and not isinstance(exc, BrokenPipeError):
            with contextlib.suppress(OSError):
                session.messages.error(error)
    return code


def _leave_nothing_unwritten() -> None:
    """Else the interpreter tries once more to write what failed, and ends with its own code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Send what a stream still holds nowhere, so that the end of the process is quiet."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _from_os(exc: OSError) -> YuntuPushError | None:
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ConfigError(
            "NO_PERMISSION",
            msg("no permission for {path}", path=exc.filename or "?"),
            hint=msg("check the owner and mode of that path, or use another --home"),
        )
    return disk_error(exc)


def bug_report(exc: BaseException) -> str:
    """What went wrong and where, without a single value.

    An exception's message may quote an id, a Secret or a token in any form, so none is kept: the
    types, error numbers and lines of code of the whole chain are.
    """
    import platform

    system = f"{platform.system()} {platform.release()}"
    parts = [f"yuntu-push {__version__}, Python {platform.python_version()}, {system}\n"]
    link: BaseException | None = exc
    known: set[int] = set()
    while link is not None and id(link) not in known:
        known.add(id(link))
        number = getattr(link, "errno", None)
        errno_text = f" [errno {number}]" if isinstance(number, int) else ""
        parts.append(f"\n{type(link).__module__}.{type(link).__qualname__}{errno_text}\n")
        parts += traceback.format_tb(link.__traceback__)
        shown_context = None if link.__suppress_context__ else link.__context__
        link = link.__cause__ or shown_context
        if link is not None:
            parts.append("\ncaused by, or met while handling:\n")
    return "".join(parts)


def _bug(session: Session, exc: Exception) -> YuntuPushError:
    """An error of ours, with a report file that tells where it happened."""
    try:
        place = str(session.write_bug_report(bug_report(exc)))
    except (OSError, YuntuPushError):
        place = "-"
    return YuntuPushError(
        "INTERNAL",
        msg("unexpected error ({kind}); this is a bug in yuntu-push", kind=type(exc).__name__),
        hint=msg("report it with the file {path}", path=place),
    )
