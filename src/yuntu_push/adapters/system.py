"""The real clock, the real folders, the real locks and the real browser."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from yuntu_push.domain.disk import FULL
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.quota import BEIJING
from yuntu_push.domain.text import msg


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True)
class Paths:
    """Where things live; every folder is made private when it is first used."""

    config_file: Path
    state_dir: Path
    segments_dir: Path
    log_dir: Path
    secrets_dir: Path

    @property
    def database(self) -> Path:
        """The state file."""
        return self.state_dir / "state.db"

    @property
    def locks_dir(self) -> Path:
        """Kernel lock files; empty, and harmless when left over."""
        return self.state_dir / "locks"

    @classmethod
    def resolve(cls, environ: Mapping[str, str], home: str | None, config: str | None) -> "Paths":
        """The folders under `--home`, else the platform's config, state and data folders."""
        home = home or environ.get("YUNTU_PUSH_HOME") or None
        config = config or environ.get("YUNTU_PUSH_CONFIG") or None
        if home:
            root = _absolute(home)
            config_file, state, data = root / "config.yaml", root / "state", root
            logs = root / "logs"
        else:
            from platformdirs import PlatformDirs

            dirs = PlatformDirs("yuntu-push", appauthor=False)
            config_file = Path(dirs.user_config_dir) / "config.yaml"
            state, data, logs = (
                Path(dirs.user_state_dir),
                Path(dirs.user_data_dir),
                Path(dirs.user_log_dir),
            )
        return cls(
            config_file=_absolute(config) if config else config_file,
            state_dir=state,
            segments_dir=data / "segments",
            log_dir=logs,
            secrets_dir=data / "secrets",
        )


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError) as exc:  # no such user; the current folder is gone
        reason = exc.strerror if isinstance(exc, OSError) else None
        raise _unusable(text, reason or "~") from exc


def private_dir(path: Path) -> Path:
    """The folder `path`, made with mode 0700 when missing, or `ConfigError`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        if exc.errno in FULL:
            raise
        raise _unusable(str(path), exc.strerror or type(exc).__name__) from exc
    return path


def _unusable(path: str, reason: str) -> ConfigError:
    return ConfigError(
        "FOLDER_UNUSABLE",
        msg("the folder {path} cannot be used: {reason}", path=path, reason=reason),
        hint=msg("check the path and its permissions, or use another --home"),
    )


_HOLDER_LOOKS, _HOLDER_PAUSE = 25, 0.02  # half a second


class FileLocks:
    """Kernel locks on files in a private folder; they vanish with the process that holds them."""

    def __init__(self, folder: Path, clock: SystemClock) -> None:
        self._folder = folder
        self._clock = clock

    @contextlib.contextmanager
    def hold(
        self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]
    ) -> Iterator[None]:
        """Hold the lock `name`; after `wait_seconds`, raise `busy(who holds it)`."""
        from filelock import FileLock, Timeout

        folder = private_dir(self._folder)
        lock = FileLock(folder / f"{name}.lock", mode=0o600, thread_local=False)
        holder = folder / f"{name}.holder"
        try:
            lock.acquire(timeout=wait_seconds, poll_interval=0.02)
        except Timeout:
            raise busy(_holder_text(holder)) from None
        try:
            with contextlib.suppress(OSError):  # who holds it is a courtesy, never a reason to fail
                since = self._clock.now().astimezone(BEIJING)
                stamp = since.strftime("%Y-%m-%d %H:%M:%S +08:00")
                holder.write_text(f"pid {os.getpid()}, {stamp}", "utf-8")
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows: somebody is reading it
                holder.unlink()
            lock.release()


def _holder_text(holder: Path) -> str:
    """Who holds a lock; whoever has just taken it is given a moment to say so."""
    for _ in range(_HOLDER_LOOKS):
        with contextlib.suppress(OSError):
            if text := holder.read_text("utf-8"):
                return text
        time.sleep(_HOLDER_PAUSE)
    return "?"


def open_browser(url: str) -> bool:
    """Open the person's browser; False when there is none."""
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")
    )
    if headless:
        return False
    import webbrowser

    result: list[bool] = []
    # webbrowser may block while a text browser runs; the listener must not wait for that.
    thread = threading.Thread(target=lambda: result.append(webbrowser.open(url)), daemon=True)
    with _stdout_on_stderr():
        thread.start()
        thread.join(timeout=5)
    return result[0] if result else True


@contextlib.contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """Programs started here print to stderr: stdout is for our result, and browsers are chatty."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
