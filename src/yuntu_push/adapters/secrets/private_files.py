"""Files that only their owner may read, written so that a kill leaves the old or the new one."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from yuntu_push.domain.errors import ConfigError, TryLaterError, YuntuPushError
from yuntu_push.domain.text import Text, msg

_STALE_SECONDS = 3600.0
_UNFINISHED = ".unfinished"
_POSIX = hasattr(os, "geteuid")  # Windows keeps a user's profile private by its own rules
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NOW_OR_NEVER = {errno.EACCES, errno.EPERM, errno.EROFS}


def read_private(path: Path, *, any_folder: bool = False) -> bytes | None:
    """The content of a file that nobody else can read; None when there is none.

    `ConfigError` when the file or its folder is a symlink, belongs to someone else, or is open to
    group or others; `TryLaterError` when the disk fails. `any_folder` looks at the file alone.
    """
    try:
        if not any_folder:
            check_folder(path.parent)
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _BINARY)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise translated(path, exc) from exc
    try:
        _check(path, os.fstat(descriptor), folder=False)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read()
    except OSError as exc:
        raise translated(path, exc) from exc
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes, *, any_folder: bool = False) -> None:
    """Put `content` at `path` (0600) in one step that survives a power loss; errors as above."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any_folder:
            check_folder(path.parent)
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(6)}{_UNFINISHED}")
        descriptor = os.open(
            unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, 0o600
        )
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(descriptor)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as exc:
        raise translated(path, exc) from exc


def remove_private(path: Path) -> None:
    """Forget the file; nothing happens when there is none."""
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as exc:
        raise translated(path, exc) from exc


def sweep_unfinished(folder: Path, newest: Path, prefix: str) -> None:
    """Remove what killed processes left: unfinished files, and files that start with `prefix`.

    "Old" is measured against the file system's own time, that of the `newest` file.
    """
    with contextlib.suppress(OSError):
        now = newest.stat().st_mtime
        for path in folder.iterdir():
            left_over = path.name.endswith(_UNFINISHED) or path.name.startswith(prefix)
            if left_over and now - path.lstat().st_mtime > _STALE_SECONDS:
                path.unlink(missing_ok=True)


def make_private_folder(folder: Path) -> None:
    """The folder with mode 0700, made when missing, refused when others can look into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_folder(folder)


def check_folder(folder: Path) -> None:
    """Raise `ConfigError` unless the folder is ours alone; `FileNotFoundError` when missing."""
    _check(folder, folder.lstat(), folder=True)


def sync_folder(folder: Path) -> None:
    """Make a rename or unlink in the folder durable, where the system can."""
    if not _POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(path: Path, found: os.stat_result, *, folder: bool) -> None:
    mode = "700" if folder else "600"
    if stat.S_ISLNK(found.st_mode):
        raise _unsafe(path, msg("it is a symbolic link"), msg("put the real thing in its place"))
    right_kind = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode)
    if not right_kind:
        raise _unsafe(path, msg("it is no plain file or folder"), msg("move it out of the way"))
    if not _POSIX:
        return
    if found.st_uid != os.geteuid():
        raise _unsafe(
            path, msg("it belongs to another user"), msg("run as the user who owns it, or chown it")
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise _unsafe(
            path,
            msg("other users may read it"),
            msg(
                "run `chmod {mode} {path}`, and renew the Secret if others had access",
                mode=mode,
                path=str(path),
            ),
        )


def _unsafe(path: Path, reason: Text, hint: Text) -> ConfigError:
    return ConfigError(
        "SECRETS_FILE_UNSAFE",
        msg("{path} is not used for secrets: {reason}", path=str(path), reason=reason),
        hint=hint,
    )


def translated(path: Path, exc: OSError) -> YuntuPushError:
    """The error for a file of the secret store that the system refused."""
    if exc.errno == errno.ELOOP:
        return _unsafe(path, msg("it is a symbolic link"), msg("put the real thing in its place"))
    message = msg(
        "the secret store cannot use {path}: {reason}",
        path=str(path),
        reason=exc.strerror or type(exc).__name__,
    )
    if exc.errno in _NOW_OR_NEVER:
        return ConfigError(
            "SECRETS_NO_PERMISSION",
            message,
            hint=msg("check the owner and mode of that path, or use another --home"),
        )
    return TryLaterError(
        "SECRETS_UNAVAILABLE",
        message,
        hint=msg("free some disk space or check the disk, then run this again"),
    )
