"""The encrypted file store: sealed, private, and honest about its key."""

import os
import stat
import sys
from pathlib import Path

import pytest

from yuntu_push.adapters.secrets import private_files
from yuntu_push.adapters.secrets.file_key import FileKey
from yuntu_push.adapters.secrets.file_store import FileStore
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.secret import SecretText

KEY = "channel/acme/app_secret"
CANARY = SecretText("canary-secret-value")
MATERIAL = "k" * 44


def store(folder: Path, *, environ: dict[str, str] | None = None, command: tuple[str, ...] = ()):
    key = FileKey(environ=environ or {}, command=command, beside=folder / "secrets.key")
    return FileStore(folder / "secrets", key)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def private(path: Path, content: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def refused(action, *args: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        action(*args)
    assert caught.value.hint
    return caught.value


def test_nothing_readable_is_on_disk(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)

    assert all(b"canary" not in path.read_bytes() for path in files(tmp_path))
    assert store(tmp_path).get(KEY) == CANARY


def test_files_are_0600_and_folders_0700_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        store(tmp_path / "home").put(KEY, CANARY)
    finally:
        os.umask(before)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").rglob("*")
    }
    assert modes.pop("secrets") == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int):
    store(tmp_path).put(KEY, CANARY)
    sealed = next((tmp_path / "secrets").iterdir())
    sealed.chmod(mode)

    error = refused(store(tmp_path).get, KEY)

    assert error.code == "SECRETS_FILE_UNSAFE"
    assert "chmod 600" in str(error.hint)


def test_a_folder_that_others_may_use_is_refused_for_reading_and_writing(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)
    (tmp_path / "secrets").chmod(0o750)

    for action in (lambda: store(tmp_path).get(KEY), lambda: store(tmp_path).put(KEY, CANARY)):
        assert refused(action).code == "SECRETS_FILE_UNSAFE"


def test_symlinks_are_refused(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)
    sealed = next((tmp_path / "secrets").iterdir())
    moved = sealed.rename(tmp_path / "elsewhere")
    sealed.symlink_to(moved)
    assert refused(store(tmp_path).get, KEY).code == "SECRETS_FILE_UNSAFE"

    sealed.unlink()
    (tmp_path / "secrets").rename(tmp_path / "real")
    (tmp_path / "secrets").symlink_to(tmp_path / "real")
    assert refused(store(tmp_path).get, KEY).code == "SECRETS_FILE_UNSAFE"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root to chown")
def test_files_of_another_user_are_refused(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)
    sealed = next((tmp_path / "secrets").iterdir())
    os.chown(sealed, 12345, 12345)

    assert refused(store(tmp_path).get, KEY).code == "SECRETS_FILE_UNSAFE"


def test_a_changed_or_torn_file_is_damage_not_another_secret(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)
    sealed = next((tmp_path / "secrets").iterdir())
    whole = sealed.read_bytes()

    for damaged in (whole[:-1], whole[:20], whole[:12], b"", b"junk" + whole[4:],
                    whole[:-1] + bytes([whole[-1] ^ 1])):  # fmt: skip
        sealed.write_bytes(damaged)
        assert refused(store(tmp_path).get, KEY).code in {"SECRET_DAMAGED", "SECRETS_KEY_WRONG"}


def test_a_secret_under_another_name_does_not_open(tmp_path: Path):
    """Swapping two files does not swap two secrets."""
    one = store(tmp_path)
    one.put("channel/a/app_secret", SecretText("a"))
    one.put("channel/b/app_secret", SecretText("b"))
    first, second = sorted((tmp_path / "secrets").iterdir())
    first.write_bytes(second.read_bytes())

    assert refused(store(tmp_path).get, "channel/a/app_secret").code == "SECRET_DAMAGED"


def test_a_write_that_is_broken_off_leaves_the_old_secret(tmp_path: Path, monkeypatch):
    """A full disk or a kill before the rename changes nothing and leaves no readable rest."""
    store(tmp_path).put(KEY, CANARY)
    with monkeypatch.context() as patched:

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(private_files.os, "fsync", full)
        with pytest.raises(TryLaterError) as caught:
            store(tmp_path).put(KEY, SecretText("new"))

    assert caught.value.code == "SECRETS_UNAVAILABLE"
    assert store(tmp_path).get(KEY) == CANARY
    assert len(list((tmp_path / "secrets").iterdir())) == 1


def test_rests_of_killed_processes_are_swept_when_old(tmp_path: Path):
    one = store(tmp_path)
    one.put(KEY, CANARY)
    rests = [tmp_path / "secrets" / name for name in ("x.abc.unfinished", "probe-abc.sealed")]
    for rest in rests:
        rest.write_bytes(b"rest")
        os.utime(rest, (1, 1))
    young = tmp_path / "secrets" / "y.def.unfinished"
    young.write_bytes(b"at work")

    one.put(KEY, CANARY)

    assert not any(rest.exists() for rest in rests)
    assert young.exists()


# --- the key -------------------------------------------------------------------------------------


def test_a_key_file_is_made_beside_the_store_and_called_the_weakest_choice(tmp_path: Path):
    one = store(tmp_path)
    one.put(KEY, CANARY)

    assert (tmp_path / "secrets.key").exists()
    assert "weakest" in str(one.describe())


def test_a_home_that_others_may_look_into_is_fine(tmp_path: Path):
    """What matters is the key file and the store's folder, both ours alone."""
    tmp_path.chmod(0o755)
    store(tmp_path).put(KEY, CANARY)
    assert store(tmp_path).get(KEY) == CANARY

    (tmp_path / "secrets.key").chmod(0o640)
    assert refused(store(tmp_path).get, KEY).code == "SECRETS_FILE_UNSAFE"


def test_two_processes_that_make_the_key_at_once_get_the_same(tmp_path: Path):
    one, two = (FileKey(environ={}, command=(), beside=tmp_path / "secrets.key") for _ in range(2))
    first = one._made()
    second = two._made()

    assert first == second
    assert [path.name for path in files(tmp_path)] == ["secrets.key"]


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path):
    """With a new key nothing old would open: the loss is said instead."""
    store(tmp_path).put(KEY, CANARY)
    (tmp_path / "secrets.key").unlink()

    assert refused(store(tmp_path).get, KEY).code == "SECRETS_KEY_MISSING"
    assert refused(store(tmp_path).put, KEY, CANARY).code == "SECRETS_KEY_MISSING"


def test_another_key_is_told_from_damage(tmp_path: Path):
    store(tmp_path).put(KEY, CANARY)
    (tmp_path / "secrets.key").write_text("z" * 44)

    assert refused(store(tmp_path).get, KEY).code == "SECRETS_KEY_WRONG"


def test_reading_an_empty_store_makes_nothing(tmp_path: Path):
    assert store(tmp_path / "home").get(KEY) is None
    assert not (tmp_path / "home").exists()


def test_the_systemd_credential_goes_before_all_others(tmp_path: Path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "yuntu-push-key").write_text(MATERIAL)
    named = private(tmp_path / "named.key", "n" * 44)
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "YUNTU_PUSH_KEY_FILE": str(named)}
    one = store(tmp_path / "home", environ=environ, command=("false",))

    one.put(KEY, CANARY)

    assert "systemd" in str(one.describe())
    assert not (tmp_path / "home" / "secrets.key").exists()
    other = store(tmp_path / "home", environ={"YUNTU_PUSH_KEY_FILE": str(named)})
    assert refused(other.get, KEY).code == "SECRETS_KEY_WRONG"


def test_the_key_command_goes_before_the_named_file(tmp_path: Path):
    named = private(tmp_path / "named.key", "n" * 44)
    environ = {"YUNTU_PUSH_KEY_FILE": str(named)}
    command = (sys.executable, "-c", f"print('{MATERIAL}')")

    store(tmp_path, environ=environ, command=command).put(KEY, CANARY)

    assert store(tmp_path, command=command).get(KEY) == CANARY
    assert refused(store(tmp_path, environ=environ).get, KEY).code == "SECRETS_KEY_WRONG"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("false",), "SECRETS_KEY_COMMAND"),
        (("no-such-program-here",), "SECRETS_KEY_COMMAND"),
        (("true",), "SECRETS_KEY_WEAK"),
        (("echo", "short"), "SECRETS_KEY_WEAK"),
    ],
)
def test_a_key_command_without_a_key_is_an_error_and_stores_nothing(tmp_path: Path, command, code):
    """Nothing falls back to another key by itself."""
    assert refused(store(tmp_path, command=command).put, KEY, CANARY).code == code
    assert files(tmp_path) == []


def test_the_key_command_does_not_see_the_secrets_of_our_environment(tmp_path: Path):
    environ = {"YUNTU_PUSH_SECRET_ACME_APP_SECRET": "s" * 44, "OTHER": "o" * 44}
    printed = "import os; print(os.environ.get('YUNTU_PUSH_SECRET_ACME_APP_SECRET', ''))"
    blind = (sys.executable, "-c", printed)
    seeing = (sys.executable, "-c", "import os; print(os.environ['OTHER'])")

    assert refused(store(tmp_path, environ=environ, command=blind).put, KEY, CANARY).code == (
        "SECRETS_KEY_WEAK"
    )
    store(tmp_path, environ=environ, command=seeing).put(KEY, CANARY)


def test_a_named_key_file_has_to_be_there_and_private(tmp_path: Path):
    environ = {"YUNTU_PUSH_KEY_FILE": str(tmp_path / "named.key")}
    home = tmp_path / "home"
    assert refused(store(home, environ=environ).put, KEY, CANARY).code == "SECRETS_KEY_MISSING"

    private(tmp_path / "named.key", MATERIAL).chmod(0o644)
    assert refused(store(home, environ=environ).put, KEY, CANARY).code == "SECRETS_FILE_UNSAFE"
    assert not home.exists()
