"""The keyring: allowed backends only, never without a limit, nothing stored elsewhere instead."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from yuntu_push.adapters.secrets import keyring_store
from yuntu_push.adapters.secrets.keyring_store import ALLOWED, KeyringStore, backend_name
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.secret import SecretText

KEY = "channel/acme/app_secret"
CANARY = SecretText("canary-secret-value")


class Remembering:
    """A backend that notes what it is asked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def named(name: str, **members: object) -> Remembering:
    """A backend whose class has a full name of our choice."""
    module, _, cls = name.rpartition(".")
    made = type(cls, (Remembering,), {"__module__": module, **members})()
    assert backend_name(made) == name
    return made


def allowing(backend: Remembering, **options: object) -> KeyringStore:
    return KeyringStore(allow=[backend_name(backend)], choose=lambda: backend, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_the_systems_own_stores_are_allowed(name: str):
    backend = named(name)
    KeyringStore(choose=lambda: backend).put(KEY, CANARY)

    assert list(backend.kept.values()) == [CANARY.reveal()]


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.fail.Keyring",
        "keyring.backends.null.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "keyrings.alt.file.EncryptedKeyring",
        "keyrings.efile.keyring.EncryptedFilePinKeyring",
        "keyrings.cryptfile.cryptfile.CryptFileKeyring",
        "keyring.backends.SecretService.KeyringLookalike",
        "SecretService.Keyring",
    ],
)
def test_any_other_backend_is_refused_by_name_and_keeps_nothing(name: str):
    backend = named(name)
    store = KeyringStore(choose=lambda: backend)

    for action in (lambda: store.put(KEY, CANARY), store.probe, lambda: store.get(KEY)):
        with pytest.raises(ConfigError) as caught:
            action()
        assert caught.value.code == "SECRETS_BACKEND_REFUSED"
        assert name in str(caught.value.message)
    assert backend.kept == {}


def test_a_backend_can_be_allowed_by_name_by_people_who_know():
    backend = named("company.vault.Keyring")
    allowing(backend).put(KEY, CANARY)

    assert backend.kept


@pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_no_setting_makes_a_store_of_what_keeps_nothing(name: str):
    with pytest.raises(ConfigError):
        allowing(named(name)).put(KEY, CANARY)


def test_a_chain_is_allowed_only_when_all_its_members_are():
    good = named("keyring.backends.SecretService.Keyring")
    bad = named("keyrings.alt.file.PlaintextKeyring")
    chain = "keyring.backends.chainer.ChainerBackend"
    KeyringStore(choose=lambda: named(chain, backends=[good])).put(KEY, CANARY)

    with pytest.raises(ConfigError) as caught:
        KeyringStore(choose=lambda: named(chain, backends=[good, bad])).put(KEY, CANARY)

    assert "PlaintextKeyring" in str(caught.value.message)


def test_a_backend_that_forgets_is_found_by_the_probe():
    class Forgetful(Remembering):
        def get_password(self, service: str, username: str) -> str | None:
            return None

    with pytest.raises(ConfigError) as caught:
        allowing(Forgetful()).probe()

    assert caught.value.code == "SECRETS_UNRELIABLE"


def test_a_backend_with_the_windows_limit_holds_the_largest_grant():
    """2,560 bytes of UTF-16 are 1,280 characters."""

    class Small(Remembering):
        def set_password(self, service: str, username: str, password: str) -> None:
            if len(password.encode("utf-16-le")) > 2560:
                raise OSError(1783, "The stub received bad data")
            super().set_password(service, username, password)

    allowing(Small()).probe()


@pytest.mark.parametrize("call", ["get_password", "set_password"])
def test_a_store_that_hangs_is_given_up_at_its_limit(call: str):
    release = threading.Event()
    hanging = type("Hanging", (Remembering,), {call: lambda *_args: release.wait(60)})()

    with pytest.raises(TryLaterError) as caught:
        allowing(hanging, timeout=0.05).probe()

    assert caught.value.code == "SECRETS_LOCKED"
    assert "0.05 s" in str(caught.value.message)
    release.set()


def test_a_hanging_choice_of_backend_is_given_up_too():
    release = threading.Event()

    def choose() -> Remembering:
        release.wait(60)
        return Remembering()

    with pytest.raises(TryLaterError):
        KeyringStore(choose=choose, timeout=0.05).get(KEY)
    release.set()


def test_a_hanging_store_does_not_keep_the_process_alive(tmp_path: Path):
    script = (
        "import threading\n"
        "from yuntu_push.adapters.secrets.keyring_store import KeyringStore\n"
        "from yuntu_push.domain.errors import TryLaterError\n"
        "try:\n"
        "    KeyringStore(choose=lambda: threading.Event().wait(), timeout=0.05).get('k')\n"
        "except TryLaterError as exc:\n"
        "    print(exc.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, "SECRETS_LOCKED")


@pytest.mark.parametrize(
    ("failure", "error", "code"),
    [
        ("KeyringLocked", TryLaterError, "SECRETS_LOCKED"),
        ("InitError", TryLaterError, "SECRETS_LOCKED"),
        ("NoKeyringError", ConfigError, "SECRETS_BACKEND_REFUSED"),
        ("PasswordSetError", TryLaterError, "SECRETS_UNAVAILABLE"),
    ],
)
def test_failures_of_the_keyring_have_their_own_error(failure, error, code):
    from keyring import errors

    def fail(*_args: object) -> None:
        raise getattr(errors, failure)(f"{CANARY.reveal()} in a message")

    backend = type("Failing", (Remembering,), {"set_password": fail})()

    with pytest.raises(error) as caught:
        allowing(backend).put(KEY, CANARY)

    assert caught.value.code == code
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


def test_each_secret_is_a_service_of_its_own_and_homes_do_not_meet():
    backend = Remembering()
    here, there = (allowing(backend, namespace=name) for name in ("", "other-home"))
    here.put(KEY, SecretText("here"))
    here.put("channel/acme/grant_0", SecretText("grant"))
    there.put(KEY, SecretText("there"))

    services = [service for service, _user in backend.kept]
    assert len(set(services)) == len(services) == 3
    assert here.get(KEY) == SecretText("here")


def test_a_plain_text_plugin_that_keyring_would_choose_is_refused(tmp_path: Path):
    """A package is installed that claims the highest priority and writes plain text."""
    plugin = tmp_path / "plain_plugin.py"
    plugin.write_text(
        "from keyring.backend import KeyringBackend\n"
        "from pathlib import Path\n"
        "class Plain(KeyringBackend):\n"
        "    priority = 20\n"
        "    def set_password(self, s, u, p): Path(__file__).with_name('leak').write_text(p)\n"
        "    def get_password(self, s, u): return Path(__file__).with_name('leak').read_text()\n"
        "    def delete_password(self, s, u): pass\n"
    )
    script = (
        "from yuntu_push.adapters.secrets.keyring_store import KeyringStore\n"
        "from yuntu_push.domain.secret import SecretText\n"
        "from yuntu_push.domain.errors import ConfigError\n"
        "try:\n"
        "    KeyringStore(timeout=20).put('k', SecretText('canary'))\n"
        "except ConfigError as exc:\n"
        "    print(exc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tmp_path),
            "PYTHON_KEYRING_BACKEND": "plain_plugin.Plain",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "plain_plugin.Plain" in done.stdout, done.stderr
    assert not (tmp_path / "leak").exists()


def test_without_a_session_there_is_no_keyring_and_nothing_falls_back(tmp_path: Path):
    """The environment of cron: exit by name, no file anywhere."""
    script = (
        "from yuntu_push.adapters.secrets.keyring_store import KeyringStore\n"
        "from yuntu_push.domain.errors import ConfigError\n"
        "try:\n"
        "    KeyringStore(timeout=20).probe()\n"
        "except ConfigError as exc:\n"
        "    print(exc.code, exc.hint)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.startswith("SECRETS_BACKEND_REFUSED"), done.stderr
    assert "YUNTU_PUSH_SECRETS=file" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_real_library_is_only_asked_when_used(monkeypatch: pytest.MonkeyPatch):
    def never() -> Remembering:
        raise AssertionError("asked")

    monkeypatch.setattr(keyring_store, "system_backend", never)
    KeyringStore(choose=never)
