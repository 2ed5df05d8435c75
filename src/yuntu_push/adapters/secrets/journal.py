"""The sealed record of a refresh in flight, so that a kill after the answer loses nothing.

The file is opened and made durable before the call; the answer is kept with one `write()`. It is
sealed under a key derived from the refresh token that is being spent, which the secret store holds
anyway: the record needs no key of its own and says nothing to someone without the store.
"""

import contextlib
import os
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from yuntu_push.adapters.secrets.private_files import (
    make_private_folder,
    read_private,
    remove_private,
    sync_folder,
    translated,
)
from yuntu_push.domain.journal import RefreshRecord
from yuntu_push.domain.secret import SecretText

_MAGIC = b"YPJ1"
_HEADER = struct.Struct(">4sQd")  # magic, generation, Unix seconds
_LENGTH = struct.Struct(">I")
# Room that is written before the call, so that a full disk is met before the token is spent.
_ROOM = 16_384
_PURPOSE = "refresh journal"


class FileJournal:
    """One record per channel in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def left_over(self, channel: str, key: SecretText) -> RefreshRecord | None:
        """The record of an unfinished refresh; its answer is None when not whole."""
        content = read_private(self._path(channel))
        if content is None or len(content) < _HEADER.size:
            return None  # the header is durable before the call, so none was made
        header, body = content[: _HEADER.size], _body(content[_HEADER.size :])
        magic, generation, started = _HEADER.unpack(header)
        if magic != _MAGIC:
            return None
        from yuntu_push.adapters.secrets.sealing import derived_key, opened

        answer = (
            opened(derived_key(key.reveal().encode(), _PURPOSE), body, bound_to=header)
            if body
            else None
        )
        return RefreshRecord(generation, datetime.fromtimestamp(started, UTC), answer)

    @contextlib.contextmanager
    def begin(
        self, channel: str, key: SecretText, *, generation: int, started_at: datetime
    ) -> Iterator[Callable[[bytes], None]]:
        """Note durably that a call starts; what it gives keeps the raw answer durably."""
        from yuntu_push.adapters.secrets.sealing import derived_key, sealed

        path = self._path(channel)
        header = _HEADER.pack(_MAGIC, generation, started_at.timestamp())
        seal_key = derived_key(key.reveal().encode(), _PURPOSE)
        remove_private(path)
        try:
            descriptor = _created(path, header)
        except OSError as exc:
            raise translated(path, exc) from exc

        def keep(answer: bytes) -> None:
            try:
                body = sealed(seal_key, answer, bound_to=header)
                os.lseek(descriptor, _HEADER.size, os.SEEK_SET)
                os.write(descriptor, _LENGTH.pack(len(body)) + body)
                os.fsync(descriptor)
            except OSError as exc:
                raise translated(path, exc) from exc

        try:
            yield keep
        finally:
            os.close(descriptor)

    def discard(self, channel: str) -> None:
        """Forget the record; nothing happens when there is none."""
        remove_private(self._path(channel))

    def _path(self, channel: str) -> Path:
        return self._folder / f"{channel}.refresh"


def _body(room: bytes) -> bytes:
    """What was kept in the room after the header; empty when nothing was."""
    length = int.from_bytes(room[: _LENGTH.size], "big")
    return room[_LENGTH.size : _LENGTH.size + length]


def _created(path: Path, header: bytes) -> int:
    make_private_folder(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, header.ljust(_ROOM, b"\0"))
        os.fsync(descriptor)
        sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
