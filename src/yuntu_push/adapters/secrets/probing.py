"""The proof that a secret store keeps what it is given, before anything depends on it."""

import secrets
from typing import Protocol

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.grant_envelope import MAX_ENVELOPE
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg

PROBE_PREFIX = "probe"


class _Store(Protocol):
    @property
    def name(self) -> str: ...
    def get(self, key: str) -> SecretText | None: ...
    def put(self, key: str, value: SecretText) -> None: ...
    def delete(self, key: str) -> None: ...


def probe(store: _Store, key: str) -> None:
    """Write, read back, compare and delete an entry of the largest size a grant may have.

    A store that takes the value and gives back another one, or none, is `ConfigError`.
    """
    value = SecretText(secrets.token_hex(MAX_ENVELOPE // 2))
    store.put(key, value)  # a store that fails here is not asked again: each call may take seconds
    back = store.get(key)
    store.delete(key)
    if back != value:
        raise ConfigError(
            "SECRETS_UNRELIABLE",
            msg("the {store} store did not give back what was stored", store=store.name),
            hint=msg("choose another store: `YUNTU_PUSH_SECRETS=file yuntu-push channel add …`"),
        )
