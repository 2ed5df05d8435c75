"""The fast lanes of device and user ids."""

from functools import partial

import numpy as np

from yuntu_push.adapters.engine import hashing
from yuntu_push.adapters.engine.lane import Lane, Mask, clean_rows, read_hex, read_uuid
from yuntu_push.adapters.engine.shapes import MD5, UUID_LOWER, UUID_UPPER, Bytes, Shape
from yuntu_push.domain.identifiers import Form, IdType
from yuntu_push.domain.settings import IdSettings

_IMEI = Shape.ascii(15)
_OTHER_OAIDS = (16, 32, 64)  # hexadecimal digits of OAIDs that are no UUID
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], np.uint8)  # twice a digit, its digits added


def device_lanes(kind: IdType, form: Form, rules: IdSettings) -> list[Lane]:
    """The lanes of a column of device or user ids, in the order in which they are tried."""
    raw = form is not Form.HASHED
    hashed = form is not Form.RAW
    digests = [Lane(32, kind, MD5, True, read_hex)] if hashed else []
    match kind:
        case IdType.IMEI:
            return [Lane(15, kind, _IMEI, False, _read_imei, _wrong_check_digits)]
        case IdType.IMEI_MD5:
            imei = Lane(15, kind, MD5, False, _read_imei_md5, _wrong_check_digits)
            return [*digests, *([imei] if raw else [])]
        case IdType.IDFA:
            shape = UUID_UPPER if rules.idfa_case == "upper" else UUID_LOWER
            return [Lane(36, kind, shape, False, read_uuid), Lane(32, kind, shape, False, read_hex)]
        case IdType.IDFA_MD5:
            upper = Lane(36, kind, MD5, False, partial(_read_uuid_md5, case="upper"))
            return [*digests, *([upper] if raw else [])]
        case IdType.OAID:
            return [Lane(36, kind, UUID_LOWER, False, read_uuid), *_other_oaid_lanes(rules)]
        case IdType.OAID_MD5:
            uuid = Lane(36, kind, MD5, False, partial(_read_uuid_md5, case=rules.oaid_md5_case))
            return [*digests, *([uuid, *_oaid_md5_lanes(rules)] if raw else [])]
        case _:
            return [_uid_lane(length, raw=form is Form.RAW) for length in range(1, 21)]


def _other_oaid_lanes(rules: IdSettings) -> list[Lane]:
    if rules.oaid_other == "plain":
        return [
            Lane(length, IdType.OAID, Shape.hexadecimal(length), False, read_hex)
            for length in _OTHER_OAIDS
        ]
    return _oaid_md5_lanes(rules) if rules.oaid_other == "md5" else []


def _oaid_md5_lanes(rules: IdSettings) -> list[Lane]:
    read = partial(_read_hex_md5, case=rules.oaid_md5_case)
    return [Lane(length, IdType.OAID_MD5, MD5, False, read) for length in _OTHER_OAIDS]


def _read_hex_md5(values: Bytes, case: str) -> tuple[Mask, Bytes]:
    good, _ = read_hex(values)
    return good, hashing.md5(_cased(values[good], case))


def _read_uuid_md5(values: Bytes, case: str) -> tuple[Mask, Bytes]:
    good, _ = read_uuid(values)
    return good, hashing.md5(_cased(values[good], case))


def _cased(values: Bytes, case: str) -> Bytes:
    """Hexadecimal text in the case asked for."""
    if case == "given":
        return values
    first, last = (b"a", b"f") if case == "upper" else (b"A", b"F")
    turned = (values >= ord(first)) & (values <= ord(last))
    cased: Bytes = values ^ np.where(turned, np.uint8(32), np.uint8(0))
    return cased


def _digits(values: Bytes) -> Mask:
    """Which rows are of digits only, and not of zeros only."""
    good = clean_rows((values - 48) > 9)
    good &= (values != ord("0")).any(axis=1)
    return good


def _imeis(values: Bytes) -> Mask:
    # A number that begins with China's prefix may be a phone: that is for the rule to say.
    good = _digits(values)
    good &= ~(values[:, :4] == np.frombuffer(b"0086", np.uint8)).all(axis=1)
    return good


def _read_imei(values: Bytes) -> tuple[Mask, Bytes]:
    good = _imeis(values)
    return good, _padded(values[good], _IMEI)


def _read_imei_md5(values: Bytes) -> tuple[Mask, Bytes]:
    good = _imeis(values)
    return good, hashing.md5(values[good])


def _wrong_check_digits(values: Bytes) -> int:
    return int(np.count_nonzero(~_luhn_valid(values)))


def _luhn_valid(values: Bytes) -> Mask:
    """Which rows of digits end in the Luhn check digit of the others."""
    digits = values[:, ::-1] - 48
    total = digits[:, ::2].sum(axis=1) + _DOUBLED[digits[:, 1::2]].sum(axis=1)
    valid: Mask = total % 10 == 0
    return valid


def _padded(values: Bytes, shape: Shape) -> Bytes:
    records = np.zeros((len(values), shape.width), np.uint8)
    records[:, : shape.length] = values
    return records


def _uid_lane(length: int, *, raw: bool) -> Lane:
    shape = Shape.ascii(length)

    def read(values: Bytes) -> tuple[Mask, Bytes]:
        good = _digits(values)
        suspects = _maybe_identity_card(values)
        if not raw:
            suspects |= _maybe_phone(values)
            if good.all():
                suspects |= _maybe_bank_card(values)
            else:
                suspects[good] |= _maybe_bank_card(values[good])
        good &= ~suspects
        return good, _padded(values[good], shape)

    return Lane(length, IdType.UID, shape, False, read)


# What might be personal data is left to the rule, which looks more closely.


def _maybe_phone(values: Bytes) -> Mask:
    if not 11 <= values.shape[1] <= 16:
        return np.zeros(len(values), np.bool_)
    maybe: Mask = (values[:, -11] == ord("1")) & (values[:, -10] >= ord("3"))
    return maybe


def _maybe_identity_card(values: Bytes) -> Mask:
    if values.shape[1] != 18:
        return np.zeros(len(values), np.bool_)
    maybe: Mask = (values[:, 6] == ord("1")) & (values[:, 7] >= ord("8"))
    maybe |= (values[:, 6] == ord("2")) & (values[:, 7] == ord("0"))
    return maybe


def _maybe_bank_card(values: Bytes) -> Mask:
    if not 16 <= values.shape[1] <= 19:
        return np.zeros(len(values), np.bool_)
    return _luhn_valid(values)
