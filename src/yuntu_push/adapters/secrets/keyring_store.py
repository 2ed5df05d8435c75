"""Secrets in the system's keyring: only through backends known to encrypt, never without a limit.

`keyring` picks a backend by itself, and with some packages installed that is a plain-text file; so
the one it picked is checked against an allow-list. A locked Secret Service may block for ever; so
every call runs in a thread that is given up after the limit.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from yuntu_push.adapters.secrets.probing import PROBE_PREFIX, probe
from yuntu_push.domain.errors import ConfigError, TryLaterError, YuntuPushError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg

T = TypeVar("T")

ALLOWED = frozenset(
    {
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
    }
)
_CHAINER = "keyring.backends.chainer.ChainerBackend"
# These keep nothing; no setting can make them a store.
_NO_STORES = frozenset({"keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"})
_USER = "yuntu-push"


class Backend(Protocol):
    """What is used of a keyring backend."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def system_backend() -> Backend:
    """The backend that `keyring` chooses on this machine."""
    import keyring

    return keyring.get_keyring()


class KeyringStore:
    """The secret store in the system's keyring.

    Each secret is a service of its own: Windows renames an entry when two users share a service,
    which is two writes that a kill may part. `namespace` keeps the entries of another home apart.
    """

    name = "keyring"

    def __init__(
        self,
        *,
        namespace: str = "",
        allow: Sequence[str] = (),
        timeout: float = 3.0,
        choose: Callable[[], Backend] = system_backend,
    ) -> None:
        self._namespace = namespace
        self._allow = frozenset(allow)
        self._timeout = timeout
        self._choose = choose
        self._chosen: Backend | None = None

    def describe(self) -> Text:
        """Which keyring keeps the secrets."""
        return msg("system keyring ({backend})", backend=backend_name(self._backend()))

    def get(self, key: str) -> SecretText | None:
        """The secret under `key`, or None."""
        backend = self._backend()
        value = self._bounded(lambda: backend.get_password(self._service(key), _USER))
        return None if value is None else SecretText(value)

    def put(self, key: str, value: SecretText) -> None:
        """Store the secret."""
        backend = self._backend()
        self._bounded(lambda: backend.set_password(self._service(key), _USER, value.reveal()))

    def delete(self, key: str) -> None:
        """Forget the secret; nothing happens when there is none."""
        backend = self._backend()

        def forget() -> None:
            # Backends disagree on how they refuse to delete what is not there.
            if backend.get_password(self._service(key), _USER) is not None:
                backend.delete_password(self._service(key), _USER)

        self._bounded(forget)

    def probe(self) -> None:
        """Write, read back, compare and delete an entry of the size of a grant, or raise."""
        probe(self, f"{PROBE_PREFIX}-{secrets.token_hex(6)}")

    def _service(self, key: str) -> str:
        return ":".join(part for part in (_USER, self._namespace, key) if part)

    def _backend(self) -> Backend:
        if self._chosen is None:
            backend = self._bounded(self._choose)
            refused = self._refused(backend)
            if refused is not None:
                raise _refusal(refused)
            self._chosen = backend
        return self._chosen

    def _refused(self, backend: Backend) -> str | None:
        """The name of the first backend that may not keep secrets, else None."""
        name = backend_name(backend)
        if name == _CHAINER:
            members: Sequence[Backend] = self._bounded(lambda: list(backend.backends))  # type: ignore[attr-defined]
            return next((r for m in members if (r := self._refused(m)) is not None), None)
        allowed = name in ALLOWED or (name in self._allow and name not in _NO_STORES)
        return None if allowed else name

    def _bounded(self, call: Callable[[], T]) -> T:
        """The result of a call that may hang; after the limit, `TryLaterError`."""
        results: list[T] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                results.append(call())
            except BaseException as exc:  # noqa: BLE001 - handed to the caller's thread
                failures.append(exc)

        # A daemon: a call that never returns must not keep the process alive.
        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self._timeout)
        if failures:
            raise _translated(failures[0]) from failures[0]
        if not results:
            raise _locked(
                msg("the system keyring did not answer within {limit:g} s", limit=self._timeout)
            )
        return results[0]


def backend_name(backend: object) -> str:
    """The full name of a backend's class, as `secrets.allow_backends` takes it."""
    cls = type(backend)
    return f"{cls.__module__}.{cls.__qualname__}"


def _refusal(name: str) -> ConfigError:
    if name == "keyring.backends.fail.Keyring":
        message = msg("there is no system keyring in this session ({backend})", backend=name)
    else:
        message = msg(
            "the keyring backend {backend} is not allowed: it may keep secrets readable",
            backend=name,
        )
    return ConfigError(
        "SECRETS_BACKEND_REFUSED",
        message,
        hint=msg(
            "use the encrypted file: YUNTU_PUSH_SECRETS=file for a new set-up, "
            "`yuntu-push auth move CHANNEL --to file` where the keyring works"
        ),
    )


def _locked(message: Text) -> TryLaterError:
    return TryLaterError(
        "SECRETS_LOCKED",
        message,
        hint=msg(
            "unlock it (log in to the desktop), then run this again; "
            "for cron: `yuntu-push auth move CHANNEL --to file`"
        ),
    )


def _translated(exc: BaseException) -> BaseException:
    """The error of a keyring call without its values; what is no `Exception` passes through."""
    if isinstance(exc, YuntuPushError) or not isinstance(exc, Exception):
        return exc
    kind = type(exc).__name__
    if kind in {"KeyringLocked", "InitError", "LockedException", "PromptDismissedException"}:
        return _locked(msg("the system keyring is locked ({kind})", kind=kind))
    if kind == "NoKeyringError":
        return _refusal("keyring.backends.fail.Keyring")
    return TryLaterError(
        "SECRETS_UNAVAILABLE",
        msg("the system keyring failed ({kind})", kind=kind),
        hint=msg(
            "check that the keyring works (`python -m keyring diagnose`), then run this again"
        ),
    )
