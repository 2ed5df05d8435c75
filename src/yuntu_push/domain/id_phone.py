"""The rule of mobile numbers: eleven digits, sent as SHA-256."""

import hashlib
import re
from collections.abc import Callable

from yuntu_push.domain.id_nothing import DIGESTS_OF_NOTHING
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

PLACEHOLDERS = ("13800138000", "18888888888")
"""Numbers that people type when a form insists; counted and warned about, not rejected."""

_PREFIX = r"(?:(?:\(\+86\)|\+86|0086|86)[ -]?)?0?"
_NUMBER = re.compile(
    rf"{_PREFIX}([0-9]{{11}}|[0-9]{{3}}[ -][0-9]{{4}}[ -][0-9]{{4}})(?:\.0{{1,2}})?"
)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_EXTENSION = re.compile(
    rf"{_PREFIX}1[3-9][0-9]{{9}} ?(?:-|_|,|#|p|P|x|X|转|分机|ext\.?) ?[0-9]{{1,6}}"
)
_SEPARATORS = re.compile(r"[/,;|、]")
_LANDLINE = re.compile(
    r"(?:(?:\+86|0086|86)[ -]?)?(?:\(?0[0-9]{2,3}\)?[ -]?[0-9]{7,8}(?:[ -][0-9]{1,6})?"
    r"|[48]00[ -]?[0-9]{3,4}[ -]?[0-9]{3,4})"
)
_FOREIGN = re.compile(
    r"(?:(?:\+|00)(?!86)[1-9][0-9 -]{6,17}|(?:852|853)[ -]?[0-9]{8}|886[ -]?0?9[0-9]{8})"
)
_CIPHERTEXT = re.compile(r"[$~#].{10,}[$~#]?|(?=.*[A-Za-z])[A-Za-z0-9+/_-]{20,}={0,2}", re.DOTALL)
_PHONE_SIGNS = re.compile(r"[0-9 ()+.-]+")


def phone(text: str, rules: IdSettings, form: Form) -> Outcome:
    """The outcome of a cleaned value in a column of mobile numbers."""
    del rules
    if is_hex(text, 64):
        if form is Form.RAW:
            return Rejected(RejectReason.NOT_RAW)
        return _sent(text.lower(), already_hashed=True)
    number = mainland_mobile(text)
    if number is None:
        return Rejected(_why_not(text))
    if form is Form.HASHED:
        return Rejected(RejectReason.NOT_HASHED)
    return _sent(hashlib.sha256(number.encode()).hexdigest(), already_hashed=False)


def mainland_mobile(text: str) -> str | None:
    """The eleven digits of a mainland mobile number, written in one of the accepted ways."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = match[1].replace(" ", "").replace("-", "")
    return number if _MOBILE.fullmatch(number) else None


_PLACEHOLDER_DIGESTS = frozenset(hashlib.sha256(p.encode()).hexdigest() for p in PLACEHOLDERS)


def _sent(digest: str, *, already_hashed: bool) -> Outcome:
    if digest in DIGESTS_OF_NOTHING:
        return Rejected(RejectReason.DIGEST_OF_NOTHING)
    warning = IdWarning.PLACEHOLDER if digest in _PLACEHOLDER_DIGESTS else None
    return Accepted(IdType.MOBILE_HASH_SHA256, digest, already_hashed, warning)


# In this order: the first that applies names the fix.
_WHY_NOT: tuple[tuple[Callable[[str], object], RejectReason], ...] = (
    (lambda text: is_hex(text, 32, 40) and not is_digits(text), RejectReason.WRONG_HASH),
    (is_scientific, RejectReason.SCIENTIFIC_NOTATION),
    (_EXTENSION.fullmatch, RejectReason.VIRTUAL_NUMBER),
    (_CIPHERTEXT.fullmatch, RejectReason.CIPHERTEXT),
    (is_masked, RejectReason.MASKED),
    (_SEPARATORS.search, RejectReason.MULTIPLE_VALUES),
    (_LANDLINE.fullmatch, RejectReason.LANDLINE_OR_400),
    (_FOREIGN.fullmatch, RejectReason.NON_MAINLAND),
    (lambda text: _PHONE_SIGNS.fullmatch(text) is None, RejectReason.LETTERS),
)


def _why_not(text: str) -> RejectReason:
    return next((reason for applies, reason in _WHY_NOT if applies(text)), None) or _by_length(text)


def _by_length(text: str) -> RejectReason:
    digits = re.sub(r"[^0-9]", "", re.sub(r"\.0{1,2}$", "", text))
    national = re.sub(r"^(?:0086|86)?0?(?=[0-9]{11}$)", "", digits)
    if len(national) < 11:
        return RejectReason.TOO_SHORT
    if len(national) > 11:
        return RejectReason.TOO_LONG
    return RejectReason.BAD_GROUPING if _MOBILE.fullmatch(national) else RejectReason.NOT_MOBILE
