"""The seal on what is kept of old segments: AES-256-GCM, its key in the secret store."""

import base64
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from yuntu_push.adapters.secrets.env_store import Store
from yuntu_push.adapters.secrets.sealing import KEY_BYTES, derived_key, opened, sealed
from yuntu_push.domain.errors import TryLaterError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.segment import PARTS_KEY
from yuntu_push.domain.text import msg

_PURPOSE = "parts of segments"
_WAIT_SECONDS = 30.0


class Locks(Protocol):
    """Kernel locks that vanish with their holder."""

    def hold(
        self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]
    ) -> AbstractContextManager[None]:
        """Hold the lock `name`; after `wait_seconds`, raise `busy(who holds it)`."""
        ...


class PartSeal:
    """Seals and opens parts; the key is made at the first seal.

    What the secret store refuses is raised as it is: `TryLaterError` for a locked one.
    """

    def __init__(self, store: Callable[[], Store], locks: Locks) -> None:
        self._store = store
        self._locks = locks
        self._known: bytes | None = None

    def seal(self, plain: bytes, *, bound_to: str) -> bytes:
        """The sealed part; it opens only with `bound_to`, such as its digest."""
        return sealed(self._key() or self._new_key(), plain, bound_to=bound_to.encode())

    def open(self, content: bytes, *, bound_to: str) -> bytes | None:
        """What was sealed; None when the key is gone or the content is not as it was sealed."""
        key = self._key()
        return opened(key, content, bound_to=bound_to.encode()) if key is not None else None

    def _key(self) -> bytes | None:
        if self._known is None and (stored := self._store().get(PARTS_KEY)):
            self._known = derived_key(stored.reveal().encode(), _PURPOSE)
        return self._known

    def _new_key(self) -> bytes:
        """The key of the first process that makes one."""
        with self._locks.hold(PARTS_KEY.replace("/", "-"), wait_seconds=_WAIT_SECONDS, busy=_busy):
            if self._key() is None:
                material = base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")
                self._store().put(PARTS_KEY, SecretText(material))
            made = self._key()
        if made is None:
            store = self._store().name
            raise TryLaterError(
                "SECRETS_UNRELIABLE",
                msg("the {store} store did not give back what was stored", store=store),
                hint=msg("run this again; if it repeats, `yuntu-push doctor`"),
            )
        return made


def _busy(holder: str) -> TryLaterError:
    return TryLaterError(
        "SEGMENT_BUSY",
        msg("the key of old segments is held by another run ({holder})", holder=holder),
        hint=msg("run it again when that one has ended"),
    )
