"""Identifiers: which values are ids of which type, one readable rule per type.

The engine's vectorised version must agree with `identify` value for value.
"""

from collections.abc import Callable

from yuntu_push.domain import id_device, id_phone
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.id_types import (
    BLANK,
    STOPS_BUILD,
    Accepted,
    Blank,
    Form,
    IdType,
    IdWarning,
    Outcome,
    Rejected,
    RejectReason,
    cleaned,
    is_blank,
    masked,
)
from yuntu_push.domain.names import nearest
from yuntu_push.domain.settings import IdSettings
from yuntu_push.domain.text import msg

__all__ = [
    "BLANK",
    "IN_CLEAR",
    "RULES",
    "STOPS_BUILD",
    "Accepted",
    "Blank",
    "Form",
    "IdType",
    "IdWarning",
    "Outcome",
    "RejectReason",
    "Rejected",
    "id_type_named",
    "identify",
    "masked",
]

RULES: dict[IdType, Callable[[str, IdSettings, Form], Outcome]] = {
    IdType.IMEI: id_device.imei,
    IdType.IDFA: id_device.idfa,
    IdType.UID: id_device.uid,
    IdType.IMEI_MD5: id_device.imei_md5,
    IdType.IDFA_MD5: id_device.idfa_md5,
    IdType.MOBILE_HASH_SHA256: id_phone.phone,
    IdType.OAID: id_device.oaid,
    IdType.OAID_MD5: id_device.oaid_md5,
}
IN_CLEAR = frozenset({IdType.IMEI, IdType.IDFA, IdType.UID, IdType.OAID})
"""Types whose ids are sent unhashed."""

_ALIASES = {
    "phone": IdType.MOBILE_HASH_SHA256,
    "mobile": IdType.MOBILE_HASH_SHA256,
    "手机号": IdType.MOBILE_HASH_SHA256,
}


def identify(
    value: str | None, id_type: IdType, rules: IdSettings | None = None, form: Form = Form.AUTO
) -> Outcome:
    """What becomes of one value in a column of `id_type`: an id, nothing, or a reject."""
    text = cleaned(value or "")
    if is_blank(text):
        return BLANK
    return RULES[id_type](text, rules or IdSettings(), form)


def id_type_named(name: str) -> IdType:
    """The id type of a name or alias in any case, or `ConfigError` with the nearest names."""
    wanted = name.strip()
    alias = _ALIASES.get(wanted.lower())
    if alias is not None:
        return alias
    try:
        return IdType(wanted.upper().replace("-", "_"))
    except ValueError:
        known = [*IdType, *_ALIASES]
        close = nearest(wanted.upper(), known) or known
        raise ConfigError(
            "ID_TYPE_UNKNOWN",
            msg(
                "{name} is not an id type; known: {known}", name=repr(name), known=", ".join(close)
            ),
            hint=msg("pass --id TYPE=COLUMN, such as --id phone=mobile"),
        ) from None
