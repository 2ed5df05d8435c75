"""What the reasons of rejects are called: in English by their codes, elsewhere by words."""

from collections.abc import Iterable, Mapping

from yuntu_push.domain.id_types import RejectReason
from yuntu_push.domain.text import Text, msg

WORDS: Mapping[RejectReason, Text] = {
    RejectReason.SCIENTIFIC_NOTATION: msg("scientific_notation"),
    RejectReason.MASKED: msg("masked"),
    RejectReason.VIRTUAL_NUMBER: msg("virtual_number"),
    RejectReason.LANDLINE_OR_400: msg("landline_or_400"),
    RejectReason.NON_MAINLAND: msg("non_mainland"),
    RejectReason.NOT_MOBILE: msg("not_mobile"),
    RejectReason.MULTIPLE_VALUES: msg("multiple_values"),
    RejectReason.CIPHERTEXT: msg("ciphertext"),
    RejectReason.BAD_GROUPING: msg("bad_grouping"),
    RejectReason.TOO_SHORT: msg("too_short"),
    RejectReason.TOO_LONG: msg("too_long"),
    RejectReason.LETTERS: msg("letters"),
    RejectReason.WRONG_HASH: msg("wrong_hash"),
    RejectReason.NOT_HASHED: msg("not_hashed"),
    RejectReason.NOT_RAW: msg("not_raw"),
    RejectReason.IMEI_14_DIGITS: msg("imei_14_digits"),
    RejectReason.MEID: msg("meid"),
    RejectReason.NOT_UUID: msg("not_uuid"),
    RejectReason.OAID_SHAPE: msg("oaid_shape"),
    RejectReason.NULL_DEVICE: msg("null_device"),
    RejectReason.DIGEST_OF_NOTHING: msg("digest_of_nothing"),
    RejectReason.PHONE_IN_CLEAR: msg("phone_in_clear"),
    RejectReason.IDENTITY_CARD: msg("identity_card"),
    RejectReason.BANK_CARD: msg("bank_card"),
    RejectReason.RAGGED_ROW: msg("ragged_row"),
}


def counted(reasons: Iterable[tuple[RejectReason, int]]) -> Text:
    """`masked 12, letters 3`, in the reader's language."""
    shown, facts = [], dict[str, object]()
    for place, (reason, count) in enumerate(reasons):
        shown.append(f"{{r{place}}} {{n{place}}}")
        facts |= {f"r{place}": WORDS[reason], f"n{place}": count}
    return Text(", ".join(shown), facts)
