"""The key of the encrypted file store, from the first place that has one.

A systemd credential, a command, a key file named by the environment, else a key file made beside
the store. The last one protects copies of the store's folder and nothing more.
"""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from yuntu_push.adapters.secrets.private_files import (
    read_private,
    remove_private,
    replace_private,
)
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.text import Text, msg

CREDENTIAL_NAME = "yuntu-push-key"
KEY_FILE_VARIABLE = "YUNTU_PUSH_KEY_FILE"
_MIN_BYTES = 32  # of text; `openssl rand -base64 32` gives 44
_COMMAND_SECONDS = 10.0


class FileKey:
    """Reads the key material; makes a key file only when no other place is configured."""

    def __init__(self, *, environ: Mapping[str, str], command: Sequence[str], beside: Path) -> None:
        self._environ = environ
        self._command = tuple(command)
        self._beside = beside

    def place(self) -> Text:
        """Where the key comes from, without reading it."""
        credential = self._credential()
        if credential is not None:
            return msg("systemd credential {path}", path=str(credential))
        if self._command:
            return msg("key command {command}", command=self._command[0])
        named = self._environ.get(KEY_FILE_VARIABLE)
        if named:
            return msg("key file {path}", path=named)
        return msg("key file {path} beside the store, the weakest choice", path=str(self._beside))

    def material(self, *, may_create: bool) -> bytes:
        """The key material, at least 32 bytes, or `ConfigError` that says what is missing."""
        credential = self._credential()
        if credential is not None:
            return _checked(_credential_content(credential), self.place())
        if self._command:
            return _checked(_output_of(self._command, self._environ), self.place())
        named = self._environ.get(KEY_FILE_VARIABLE)
        if named:
            content = read_private(Path(named).expanduser().absolute(), any_folder=True)
            if content is None:
                raise _missing(named)
            return _checked(content, self.place())
        content = read_private(self._beside, any_folder=True)
        if content is None:
            if not may_create:
                raise _missing(str(self._beside))
            content = self._made()
        return _checked(content, self.place())

    def _credential(self) -> Path | None:
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        path = Path(folder) / CREDENTIAL_NAME if folder else None
        return path if path is not None and path.exists() else None

    def _made(self) -> bytes:
        """A new key file; of two processes that make one at once, both get the same."""
        fresh = self._beside.with_name(f"{self._beside.name}.{secrets.token_hex(6)}")
        replace_private(fresh, secrets.token_urlsafe(48).encode() + b"\n", any_folder=True)
        try:
            # A link, unlike a rename, fails when another process was first.
            with contextlib.suppress(FileExistsError):
                os.link(fresh, self._beside)
        except OSError as exc:
            raise ConfigError(
                "SECRETS_KEY_FILE",
                msg("the key file {path} cannot be made here", path=str(self._beside)),
                hint=msg(
                    "make one with `openssl rand -base64 32` and name it in YUNTU_PUSH_KEY_FILE"
                ),
            ) from exc
        finally:
            remove_private(fresh)
        content = read_private(self._beside, any_folder=True)
        if content is None:
            raise _missing(str(self._beside))
        return content


def _credential_content(path: Path) -> bytes:
    """The credential as the service manager gave it; it may belong to root and be read-only."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigError(
            "SECRETS_KEY_FILE",
            msg("the systemd credential {path} cannot be read", path=str(path)),
            hint=msg("check LoadCredential= of the unit"),
        ) from exc


def _output_of(command: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """What the command prints; the Secrets of our environment are not handed on to it."""
    try:
        result = subprocess.run(
            list(command),
            env={k: v for k, v in environ.items() if not k.startswith("YUNTU_PUSH_SECRET_")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise TryLaterError(
            "SECRETS_KEY_COMMAND",
            msg("the key command {command} gave no key in time", command=command[0]),
            hint=msg("check secrets.key_command in the config, then run this again"),
        ) from exc
    except OSError as exc:
        raise ConfigError(
            "SECRETS_KEY_COMMAND",
            msg("the key command {command} cannot be started", command=command[0]),
            hint=msg("check secrets.key_command in the config: a list of program and arguments"),
        ) from exc
    if result.returncode:
        raise ConfigError(
            "SECRETS_KEY_COMMAND",
            msg(
                "the key command {command} ended with exit code {code}",
                command=command[0],
                code=result.returncode,
            ),
            hint=msg("run it by hand; it has to print the key and end with 0"),
        )
    return result.stdout


def _checked(content: bytes, place: Text) -> bytes:
    material = content.strip()
    if len(material) < _MIN_BYTES:
        raise ConfigError(
            "SECRETS_KEY_WEAK",
            msg("the key from {origin} is too short", origin=place),
            hint=msg("make one with `openssl rand -base64 32`"),
        )
    return material


def _missing(path: str) -> ConfigError:
    return ConfigError(
        "SECRETS_KEY_MISSING",
        msg("the key file {path} is not there", path=path),
        hint=msg(
            "put it back; without it, remove the secrets folder, "
            "then set the Secrets and log in again"
        ),
    )
