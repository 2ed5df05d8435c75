"""The rules of device and user ids: IMEI, IDFA, OAID, their MD5, and UID."""

import hashlib
import re

from yuntu_push.domain.id_nothing import DIGESTS_OF_NOTHING, ZERO_UUID
from yuntu_push.domain.id_phone import mainland_mobile
from yuntu_push.domain.id_types import (
    Accepted,
    Form,
    IdType,
    IdWarning,
    Outcome,
    Rejected,
    RejectReason,
    is_digits,
    is_hex,
    is_masked,
    is_scientific,
)
from yuntu_push.domain.settings import IdSettings

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CARD = re.compile(
    r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]{4}[0-9Xx]"
)


def imei(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of IMEIs, which travel in clear."""
    del rules, form
    outcome = _imei(text)
    if isinstance(outcome, RejectReason):
        return Rejected(_personal(text) or outcome)
    if text.startswith("0086") and mainland_mobile(text):
        return Rejected(RejectReason.PHONE_IN_CLEAR)
    return Accepted(IdType.IMEI, text, warning=outcome)


def imei_md5(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of IMEIs or their MD5."""
    del rules
    if is_hex(text, 32):
        return _digest(IdType.IMEI_MD5, text, form)
    outcome = _imei(text)
    if isinstance(outcome, RejectReason):
        return Rejected(outcome)
    return _hashed(IdType.IMEI_MD5, text, form, outcome)


def idfa(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of IDFAs, which travel in clear."""
    del form
    uuid = _uuid(text)
    if uuid is None:
        return Rejected(_personal(text) or _not_uuid(text))
    if uuid == ZERO_UUID:
        return Rejected(RejectReason.NULL_DEVICE)
    return Accepted(IdType.IDFA, uuid.upper() if rules.idfa_case == "upper" else uuid)


def idfa_md5(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of IDFAs or their MD5."""
    del rules
    if is_hex(text, 32) and form is not Form.RAW:
        return _digest(IdType.IDFA_MD5, text, form)
    uuid = _uuid(text)
    if uuid is None:
        return Rejected(_not_uuid(text))
    if uuid == ZERO_UUID:
        return Rejected(RejectReason.NULL_DEVICE)
    return _hashed(IdType.IDFA_MD5, uuid.upper(), form, None)


def oaid(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of OAIDs; other shapes become OAID_MD5."""
    del form
    if _UUID.fullmatch(text):
        uuid = text.lower()
        if uuid == ZERO_UUID:
            return Rejected(RejectReason.NULL_DEVICE)
        return Accepted(IdType.OAID, uuid)
    if not is_hex(text, 16, 32, 64):
        return Rejected(_personal(text) or _not_oaid(text))
    nothing = _nothing(text)
    if nothing:
        return Rejected(nothing)
    match rules.oaid_other:
        case "reject":
            return Rejected(RejectReason.OAID_SHAPE)
        case "plain":
            return Accepted(IdType.OAID, text.lower())
        case "md5":
            return _hashed(IdType.OAID_MD5, _oaid_case(text, rules), Form.AUTO, None)


def oaid_md5(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of OAIDs or their MD5."""
    if is_hex(text, 32) and form is not Form.RAW:
        return _digest(IdType.OAID_MD5, text, form)
    if not (_UUID.fullmatch(text) or is_hex(text, 16, 32, 64)):
        return Rejected(_not_oaid(text))
    nothing = _nothing(text)
    if nothing:
        return Rejected(nothing)
    return _hashed(IdType.OAID_MD5, _oaid_case(text, rules), form, None)


def uid(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of the platform's user ids (in clear).

    A phone, identity card or bank card among them ends the build; `:raw` says that numbers of those
    shapes are user ids all the same (identity cards never are).
    """
    del rules
    personal = _personal(text)
    if personal and not (form is Form.RAW and personal is not RejectReason.IDENTITY_CARD):
        return Rejected(personal)
    if not is_digits(text):
        return Rejected(_unreadable(text) or RejectReason.LETTERS)
    if len(text) > 20:
        return Rejected(RejectReason.TOO_LONG)
    if not text.strip("0"):
        return Rejected(RejectReason.NULL_DEVICE)
    return Accepted(IdType.UID, text)


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = int(char) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def is_identity_card(text: str) -> bool:
    """Whether the text is an 18-place mainland identity card number with a right check digit."""
    if not _IDENTITY_CARD.fullmatch(text):
        return False
    total = sum(int(d) * w for d, w in zip(text, _IDENTITY_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def is_bank_card(text: str) -> bool:
    """Whether the text has the length, first digit and check digit of a bank card number."""
    return is_digits(text) and 16 <= len(text) <= 19 and text[0] in "34569" and luhn_valid(text)


def _personal(text: str) -> RejectReason | None:
    # Digits that begin with 860 and merely end like a phone are more likely an id.
    if mainland_mobile(text) and not (is_digits(text) and text.startswith("860")):
        return RejectReason.PHONE_IN_CLEAR
    if is_identity_card(text):
        return RejectReason.IDENTITY_CARD
    return RejectReason.BANK_CARD if is_bank_card(text) else None


def _imei(text: str) -> IdWarning | RejectReason | None:
    """The warning about a valid IMEI, or why it is none."""
    if not is_digits(text):
        if is_hex(text, 14):
            return RejectReason.MEID
        return _unreadable(text) or RejectReason.LETTERS
    if not text.strip("0"):
        return RejectReason.NULL_DEVICE
    if len(text) == 14:
        return RejectReason.IMEI_14_DIGITS
    if len(text) != 15:
        return RejectReason.TOO_SHORT if len(text) < 15 else RejectReason.TOO_LONG
    return None if luhn_valid(text) else IdWarning.BAD_LUHN


def _uuid(text: str) -> str | None:
    """The lower-case hyphenated UUID, given with or without hyphens."""
    if _UUID.fullmatch(text):
        return text.lower()
    if is_hex(text, 32):
        low = text.lower()
        return f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"
    return None


def _nothing(text: str) -> RejectReason | None:
    if not text.replace("-", "").strip("0"):
        return RejectReason.NULL_DEVICE
    return RejectReason.DIGEST_OF_NOTHING if text.lower() in DIGESTS_OF_NOTHING else None


def _unreadable(text: str) -> RejectReason | None:
    if is_scientific(text):
        return RejectReason.SCIENTIFIC_NOTATION
    if is_masked(text):
        return RejectReason.MASKED
    return RejectReason.MULTIPLE_VALUES if re.search(r"[,;|/、]", text) else None


def _not_uuid(text: str) -> RejectReason:
    return _unreadable(text) or RejectReason.NOT_UUID


def _not_oaid(text: str) -> RejectReason:
    return _unreadable(text) or RejectReason.OAID_SHAPE


def _oaid_case(text: str, rules: IdSettings) -> str:
    match rules.oaid_md5_case:
        case "given":
            return text
        case "lower":
            return text.lower()
        case "upper":
            return text.upper()


def _digest(id_type: IdType, text: str, form: Form) -> Outcome:
    digest = text.lower()
    if form is Form.RAW:
        return Rejected(RejectReason.NOT_RAW)
    if digest in DIGESTS_OF_NOTHING:
        return Rejected(RejectReason.DIGEST_OF_NOTHING)
    return Accepted(id_type, digest, already_hashed=True)


def _hashed(id_type: IdType, text: str, form: Form, warning: IdWarning | None) -> Outcome:
    if form is Form.HASHED:
        return Rejected(RejectReason.NOT_HASHED)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return Accepted(id_type, digest, warning=warning)
