"""Words about identifiers: types, outcomes, reasons, cleaning and masking."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class IdType(StrEnum):
    """The platform's id types, in the order of their numbers in the upload schema."""

    IMEI = "IMEI"
    IDFA = "IDFA"
    UID = "UID"
    IMEI_MD5 = "IMEI_MD5"
    IDFA_MD5 = "IDFA_MD5"
    MOBILE_HASH_SHA256 = "MOBILE_HASH_SHA256"
    OAID = "OAID"
    OAID_MD5 = "OAID_MD5"


class Form(StrEnum):
    """What a column holds, as far as its owner says so."""

    AUTO = "auto"  # each value is recognised by itself
    RAW = "raw"
    HASHED = "hashed"


class RejectReason(StrEnum):
    """Why a value is no id of the type named; a reason of its own where the fix differs."""

    SCIENTIFIC_NOTATION = "scientific_notation"  # a spreadsheet wrote 1.38E+10
    MASKED = "masked"  # 138****8000
    VIRTUAL_NUMBER = "virtual_number"  # 隐私号 with an extension
    LANDLINE_OR_400 = "landline_or_400"
    NON_MAINLAND = "non_mainland"  # +852, 853, 886 …
    NOT_MOBILE = "not_mobile"  # eleven digits that no mobile number begins with
    MULTIPLE_VALUES = "multiple_values"
    CIPHERTEXT = "ciphertext"  # a shop platform's encrypted order field
    BAD_GROUPING = "bad_grouping"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LETTERS = "letters"  # letters or signs that the type does not have
    WRONG_HASH = "wrong_hash"  # MD5 or SHA-1 where SHA-256 is taken
    NOT_HASHED = "not_hashed"  # a raw value in a column declared `:hashed`
    NOT_RAW = "not_raw"  # a digest in a column declared `:raw`
    IMEI_14_DIGITS = "imei_14_digits"
    MEID = "meid"
    NOT_UUID = "not_uuid"
    OAID_SHAPE = "oaid_shape"
    NULL_DEVICE = "null_device"  # all zeros
    DIGEST_OF_NOTHING = "digest_of_nothing"  # the digest of an empty or placeholder value
    PHONE_IN_CLEAR = "phone_in_clear"
    IDENTITY_CARD = "identity_card"
    BANK_CARD = "bank_card"
    RAGGED_ROW = "ragged_row"  # the row has another number of cells than the header


STOPS_BUILD = frozenset(
    {RejectReason.PHONE_IN_CLEAR, RejectReason.IDENTITY_CARD, RejectReason.BANK_CARD}
)
"""Reasons that end a build: such values stand in a column whose ids travel in clear."""


class IdWarning(StrEnum):
    """What is odd about an accepted value."""

    PLACEHOLDER = "placeholder"  # 13800138000, 18888888888
    BAD_LUHN = "bad_luhn"  # an IMEI whose check digit is wrong


@dataclass(frozen=True)
class Accepted:
    """An id as it is sent. `id_type` may differ from the one asked for (OAID of other shapes)."""

    id_type: IdType
    id: str
    already_hashed: bool = False
    warning: IdWarning | None = None


@dataclass(frozen=True)
class Blank:
    """There is no value."""


@dataclass(frozen=True)
class Rejected:
    """A value that is no id of the type named."""

    reason: RejectReason


Outcome = Accepted | Blank | Rejected
BLANK = Blank()

_BLANKS = frozenset({"", "null", "NULL", "\\N", "N/A", "-", "无"})
# Zero-width characters, marks of writing direction (phones copied from contacts carry them), BOM.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,3}")
_MASKED = re.compile(r".*(?:\*|[•●■×]|[xX]{3,}).*", re.DOTALL)
_HEX = re.compile(r"[0-9a-fA-F]+")


def cleaned(value: str) -> str:
    """The value in NFKC, without invisible characters, outer white space and a pair of quotes."""
    text = value if value.isascii() else _INVISIBLE.sub("", unicodedata.normalize("NFKC", value))
    text = text.strip()
    if len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1].strip()
    if text.startswith("'"):  # a spreadsheet's mark for text
        return text[1:].strip()
    return text


def is_blank(text: str) -> bool:
    """Whether a cleaned value says that there is none."""
    return text in _BLANKS


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet wrote a long number as `1.38E+10`."""
    return _SCIENTIFIC.fullmatch(text) is not None


def is_masked(text: str) -> bool:
    """Whether part of the value is hidden."""
    return _MASKED.fullmatch(text) is not None


def is_hex(text: str, *lengths: int) -> bool:
    """Whether the text is hexadecimal, in either case, and of one of the lengths."""
    return len(text) in lengths and _HEX.fullmatch(text) is not None


def is_digits(text: str) -> bool:
    """Whether the text is of ASCII digits only (`str.isdigit` also takes other scripts')."""
    return text.isascii() and text.isdigit()


def masked(value: str) -> str:
    """The value with its middle hidden: `138****0000`, first 4 of a hash."""
    text = cleaned(value)
    if is_hex(text, 16, 32, 40, 64) or len(text) > 24:
        return f"{text[:4]}****"
    if len(text) >= 11:
        return f"{text[:3]}****{text[-4:]}"
    if len(text) >= 7:
        return f"{text[:2]}****"
    return f"{text[:1]}****"
