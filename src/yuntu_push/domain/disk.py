"""A disk that takes no more or fails: the same command works once that is over."""

import errno

from yuntu_push.domain.errors import TryLaterError
from yuntu_push.domain.text import msg

FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def disk_error(exc: OSError) -> TryLaterError | None:
    """The error for what the disk did; None when it was not the disk."""
    path = exc.filename
    if exc.errno in FULL:
        return TryLaterError(
            "DISK_FULL",
            msg("the disk is full: {path}", path=path) if path else msg("the disk is full"),
            hint=msg("free some space, then run the same command again"),
        )
    if exc.errno == errno.EFBIG:
        return TryLaterError(
            "FILE_LIMIT",
            msg("a file may not grow any further"),
            hint=msg("raise the limit (`ulimit -f`), then run the same command again"),
        )
    if exc.errno == errno.EIO:
        return TryLaterError(
            "DISK_FAILED",
            msg("the disk failed: {path}", path=path) if path else msg("the disk failed"),
            hint=msg("look at the disk, then run the same command again"),
        )
    return None
