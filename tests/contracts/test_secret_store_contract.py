"""Every secret store keeps the same promises: the encrypted file, the keyring, both under the
environment, and the real Secret Service."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.keyring_session import keyring_session, run_promises
from support.store_promises import PROMISES
from yuntu_push.adapters.secrets.env_store import EnvironmentOver
from yuntu_push.adapters.secrets.file_key import FileKey
from yuntu_push.adapters.secrets.file_store import FileStore
from yuntu_push.adapters.secrets.keyring_store import KeyringStore


class DictBackend:
    """A keyring backend in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


ALLOW_DICT = [f"{DictBackend.__module__}.{DictBackend.__qualname__}"]


def file_store(folder: Path) -> FileStore:
    key = FileKey(environ={}, command=(), beside=folder / "secrets.key")
    return FileStore(folder / "secrets", key)


def memory_keyring(_folder: Path) -> KeyringStore:
    backend = DictBackend()
    return KeyringStore(allow=ALLOW_DICT, choose=lambda: backend)


STORES: list[Callable[[Path], Any]] = [
    file_store,
    memory_keyring,
    lambda folder: EnvironmentOver({}, file_store(folder)),
    lambda folder: EnvironmentOver({}, memory_keyring(folder)),
]


@pytest.mark.parametrize("make", STORES, ids=["file", "keyring", "env-file", "env-keyring"])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_store_keeps_its_promise(tmp_path: Path, make, promise):
    promise(make(tmp_path))


@pytest.mark.server
def test_the_unlocked_secret_service_keeps_every_promise(tmp_path: Path):
    """A real gnome-keyring in a D-Bus session of its own."""
    with keyring_session(tmp_path, password="pw") as run:
        results = run_promises(run)

    assert results == {promise.__name__: "ok" for promise in PROMISES}


@pytest.mark.server
def test_the_locked_secret_service_is_tried_later_and_nothing_is_stored_elsewhere(tmp_path: Path):
    """75 for each call, within the limit, and no file appears in place of the keyring."""
    with keyring_session(tmp_path, password="pw") as run:
        run_promises(run)
    before = sorted(str(p) for p in tmp_path.rglob("*") if p.is_file())
    with keyring_session(tmp_path, password=None) as run:
        results = run_promises(run)

    assert set(results) == {promise.__name__ for promise in PROMISES}
    locked = {name: end for name, end in results.items() if name != "says_where_it_keeps_things"}
    assert all("SECRETS_LOCKED" in end for end in locked.values()), results
    assert sorted(str(p) for p in tmp_path.rglob("*") if p.is_file()) == before
