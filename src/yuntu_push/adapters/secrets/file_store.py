"""Secrets in encrypted files: for servers and cron, where no keyring is unlocked.

One file per secret: magic, fingerprint of the key, nonce, ciphertext. This protects backups and
copies of the folder; it does not protect against programs of the same user.
"""

import hashlib
import re
import secrets
from pathlib import Path

from yuntu_push.adapters.secrets.file_key import FileKey
from yuntu_push.adapters.secrets.private_files import (
    read_private,
    remove_private,
    replace_private,
    sweep_unfinished,
)
from yuntu_push.adapters.secrets.probing import PROBE_PREFIX, probe
from yuntu_push.adapters.secrets.sealing import derived_key, opened, sealed
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg

_MAGIC = b"YPS1"
_FINGERPRINT = 8
_SUFFIX = ".sealed"


class FileStore:
    """The secret store in `folder`, sealed with AES-256-GCM under the key of `key`."""

    name = "file"

    def __init__(self, folder: Path, key: FileKey) -> None:
        self._folder = folder
        self._key = key
        self._material: bytes | None = None

    def describe(self) -> Text:
        """Where the secrets lie, and where their key comes from."""
        return msg(
            "encrypted files in {folder}; key: {origin}",
            folder=str(self._folder),
            origin=self._key.place(),
        )

    def get(self, key: str) -> SecretText | None:
        """The secret under `key`, or None.

        `ConfigError` SECRETS_KEY_WRONG when it was sealed with another key, SECRET_DAMAGED when
        the file is torn or changed.
        """
        content = read_private(self._path(key))
        if content is None:
            return None
        material = self._materials(may_create=False)
        head = len(_MAGIC) + _FINGERPRINT
        if content[: len(_MAGIC)] == _MAGIC and content[len(_MAGIC) : head] != _print_of(material):
            raise ConfigError(
                "SECRETS_KEY_WRONG",
                msg("the secrets in {folder} are sealed with another key", folder=self._folder),
                hint=msg(
                    "use the key they were stored with; {origin} gives another one",
                    origin=self._key.place(),
                ),
            )
        plain = opened(derived_key(material, "store"), content[head:], bound_to=key.encode())
        if plain is None or not content.startswith(_MAGIC):
            raise ConfigError(
                "SECRET_DAMAGED",
                msg("the stored secret {key} is damaged", key=key),
                hint=msg("store it again: `channel set-secret`, `auth login` or `source login`"),
            )
        return SecretText(plain.decode())

    def put(self, key: str, value: SecretText) -> None:
        """Store the secret durably; a kill leaves the old value or the new one."""
        material = self._materials(may_create=not self._has_secrets())
        body = sealed(
            derived_key(material, "store"), value.reveal().encode(), bound_to=key.encode()
        )
        path = self._path(key)
        replace_private(path, _MAGIC + _print_of(material) + body)
        sweep_unfinished(self._folder, path, PROBE_PREFIX)

    def delete(self, key: str) -> None:
        """Forget the secret; nothing happens when there is none."""
        remove_private(self._path(key))

    def probe(self) -> None:
        """Write, read back, compare and delete an entry of the size of a grant, or raise."""
        probe(self, f"{PROBE_PREFIX}-{secrets.token_hex(6)}")

    def _materials(self, *, may_create: bool) -> bytes:
        if self._material is None:
            self._material = self._key.material(may_create=may_create)
        return self._material

    def _has_secrets(self) -> bool:
        """Whether something is sealed already: then a missing key is lost, not yet to be made."""
        return self._folder.is_dir() and any(self._folder.glob(f"*{_SUFFIX}"))

    def _path(self, key: str) -> Path:
        """A readable file name; the digest keeps apart what the readable part cannot."""
        readable = re.sub(r"[^A-Za-z0-9_.-]", ".", key)[:80]
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        return self._folder / f"{readable}-{digest}{_SUFFIX}"


def _print_of(material: bytes) -> bytes:
    """Tells a wrong key from a damaged file; derived apart, so it says nothing about the key."""
    return derived_key(material, "fingerprint")[:_FINGERPRINT]
