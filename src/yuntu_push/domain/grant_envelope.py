"""How a grant is written into the secret store: one small JSON text.

The limit comes from the smallest store: a Windows credential holds 2,560 bytes, and keyring writes
UTF-16 there, which leaves 1,280 characters.
"""

import hashlib
import json
from datetime import UTC, datetime

from yuntu_push.domain.channel import Grant
from yuntu_push.domain.secret import SecretText

MAX_ENVELOPE = 1200
_VERSION = 1


def envelope(grant: Grant, app_id: int) -> SecretText:
    """The text of a grant that the application `app_id` obtained."""
    fields = {
        "v": _VERSION,
        "gen": grant.generation,
        "access": grant.access_token.reveal(),
        "access_exp": _stamp(grant.access_expires_at),
        "refresh": grant.refresh_token.reveal(),
        "refresh_exp": _stamp(grant.refresh_expires_at),
        "obtained_at": _stamp(grant.obtained_at),
        "client_id_hash": _client(app_id),
    }
    return SecretText(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))


def grant_of(text: SecretText, app_id: int) -> Grant | None:
    """The grant in a text; None when it is torn, or of another application."""
    try:
        fields = json.loads(text.reveal())
        if fields["v"] != _VERSION or fields["client_id_hash"] != _client(app_id):
            return None
        return Grant(
            access_token=SecretText(str(fields["access"])),
            access_expires_at=datetime.fromtimestamp(fields["access_exp"], UTC),
            refresh_token=SecretText(str(fields["refresh"])),
            refresh_expires_at=datetime.fromtimestamp(fields["refresh_exp"], UTC),
            obtained_at=datetime.fromtimestamp(fields["obtained_at"], UTC),
            generation=int(fields["gen"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def _client(app_id: int) -> str:
    return hashlib.sha256(str(app_id).encode()).hexdigest()[:16]
