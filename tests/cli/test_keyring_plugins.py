"""Commands where a keyring plugin is installed that keeps secrets readable, or that hangs."""

import sys
import time
from pathlib import Path

import pytest

from support.cli import Run, yuntu_json

SECRET = "canary-secret-0123456789"
PLAIN = """
from pathlib import Path
from keyring.backend import KeyringBackend

LEAK = Path(__file__).parent.parent / "leak"


class {name}(KeyringBackend):
    priority = {priority}

    def set_password(self, service, username, password):
        LEAK.write_text(password)

    def get_password(self, service, username):
        return LEAK.read_text() if LEAK.exists() else None

    def delete_password(self, service, username):
        LEAK.unlink()
"""
HANGING = """
import threading
from keyring.backend import KeyringBackend


class Vault(KeyringBackend):
    priority = 5

    def set_password(self, service, username, password):
        threading.Event().wait()

    def get_password(self, service, username):
        threading.Event().wait()

    def delete_password(self, service, username):
        threading.Event().wait()
"""


@pytest.fixture(autouse=True)
def keyring_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable names the backend: the library picks the one with the highest priority."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")


def install(folder: Path, module: str, source: str) -> dict[str, str]:
    """A plugin as pip would leave it, and the environment of a session that has nothing else."""
    packages = folder / "packages"
    path = packages.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    info = packages / f"{module.rsplit('.', maxsplit=1)[-1]}_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[keyring.backends]\nplugin = {module}\n")
    return session(folder, PYTHONPATH=str(packages))


def session(folder: Path, **more: str) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "DBUS_SESSION_BUS_ADDRESS": "",
        "YUNTU_PUSH_SECRETS": "keyring",
        **more,
    }


def add_channel(folder: Path, env: dict[str, str]) -> Run:
    return yuntu_json(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", "1", "--secret-stdin",
        home=folder / "home", stdin=SECRET, env=env,
    )  # fmt: skip


def files_with_the_secret(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("kind", ["keyrings.alt", "keyrings.efile", "null", "fail"])
def test_a_backend_that_keeps_secrets_readable_or_nowhere_is_refused(tmp_path: Path, kind: str):
    """Although `keyring` would choose it: exit 2 by name, and the Secret is in no file."""
    match kind:
        case "keyrings.alt":
            source = PLAIN.format(name="PlaintextKeyring", priority=0.5)
            env = install(tmp_path, "keyrings.alt.file", source)
            named = "keyrings.alt.file.PlaintextKeyring"
        case "keyrings.efile":
            source = PLAIN.format(name="EncryptedFilePinKeyring", priority=20)
            env = install(tmp_path, "keyrings.efile.keyring", source)
            named = "keyrings.efile.keyring.EncryptedFilePinKeyring"
        case _:
            named = f"keyring.backends.{kind}.Keyring"
            env = session(tmp_path, PYTHON_KEYRING_BACKEND=named)

    run = add_channel(tmp_path, env)

    assert (run.code, run.error_code) == (2, "SECRETS_BACKEND_REFUSED"), run.stdout
    assert named in run.envelope["errors"][0]["message"]
    assert "YUNTU_PUSH_SECRETS=file" in run.envelope["errors"][0]["hint"]
    assert files_with_the_secret(tmp_path) == []


def test_a_keyring_that_hangs_ends_every_command_with_75(tmp_path: Path):
    """After the limit of its first call, with nothing stored elsewhere instead."""
    env = install(tmp_path, "company_vault", HANGING)
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.yaml").write_text(
        "secrets: {backend: keyring, allow_backends: [company_vault.Vault]}\n"
        "channels: {acme: {kind: yuntu, app_id: 1}}\n"
    )
    began = time.monotonic()
    run = yuntu_json("auth", "status", home=home, stdin=SECRET, env=env, timeout=45)
    took = time.monotonic() - began
    assert "3 s" in run.envelope["errors"][0]["message"]
    for words in (
        ("auth", "status"), ("auth", "refresh", "acme"), ("accounts", "refresh", "acme"),
        ("channel", "show", "acme"), ("channel", "set-secret", "acme", "--secret-stdin"),
    ):  # fmt: skip
        hasty = {**env, "YUNTU_PUSH_SECRETS_TIMEOUT": "0.2"}
        run = yuntu_json(*words, home=home, stdin=SECRET, env=hasty, timeout=45)
        assert (run.code, run.error_code) == (75, "SECRETS_LOCKED"), (words, run.stdout)
    sys.stdout.write(f"a hanging keyring was given up after {took:.1f} s\n")
    assert files_with_the_secret(tmp_path) == []
