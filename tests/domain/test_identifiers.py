"""The rule of each id type, held to published vectors.

`tests/vectors/identifiers.csv` has a value, its outcome and the id expected; inputs are written
with JSON escapes. Outcomes: `raw` (hashed by us), `hashed` (was a digest), `clear`, `oaid_md5`
(sent as OAID_MD5), `blank`, or the reason of the reject. Expected digests were computed with
hashlib alone.
"""

import csv
import json
from pathlib import Path

import pytest

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.id_device import is_bank_card, is_identity_card, luhn_valid
from yuntu_push.domain.identifiers import (
    BLANK,
    IN_CLEAR,
    RULES,
    Accepted,
    Form,
    IdType,
    IdWarning,
    Outcome,
    Rejected,
    RejectReason,
    id_type_named,
    identify,
    masked,
)
from yuntu_push.domain.settings import IdSettings

VECTORS = Path(__file__).parent.parent / "vectors" / "identifiers.csv"


def _vectors() -> list[tuple[str, str, str, str]]:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return [(v["type"], json.loads(f'"{v["input"]}"'), v["outcome"], v["expected"]) for v in lines]


def _expected(kind: IdType, outcome: str, expected: str) -> Outcome:
    match outcome:
        case "blank":
            return BLANK
        case "oaid_md5":
            return Accepted(IdType.OAID_MD5, expected)
        case "raw" | "clear" | "hashed":
            assert (outcome == "clear") == (kind in IN_CLEAR)
            return Accepted(kind, expected, already_hashed=outcome == "hashed")
        case reason:
            return Rejected(RejectReason(reason))


@pytest.mark.parametrize(("kind", "value", "outcome", "expected"), _vectors())
def test_a_value_becomes_what_the_vectors_say(
    kind: str, value: str, outcome: str, expected: str
) -> None:
    actual = identify(value, IdType(kind))
    if isinstance(actual, Accepted):
        actual = Accepted(actual.id_type, actual.id, actual.already_hashed)
    assert actual == _expected(IdType(kind), outcome, expected)


def test_the_vectors_cover_every_type_and_reason() -> None:
    vectors = _vectors()
    assert len(vectors) >= 150
    assert {kind for kind, *_ in vectors} == set(IdType)
    reasons = {outcome for _, _, outcome, _ in vectors} & set(RejectReason)
    by_setting = {RejectReason.NOT_RAW, RejectReason.NOT_HASHED}
    assert reasons == set(RejectReason) - by_setting - {RejectReason.RAGGED_ROW}


def test_every_type_has_a_rule() -> None:
    assert set(RULES) == set(IdType)


@pytest.mark.parametrize(
    ("kind", "value", "form", "expected"),
    [
        ("MOBILE_HASH_SHA256", "13912345678", Form.HASHED, RejectReason.NOT_HASHED),
        ("MOBILE_HASH_SHA256", "a" * 64, Form.RAW, RejectReason.NOT_RAW),
        ("IMEI_MD5", "490154203237518", Form.HASHED, RejectReason.NOT_HASHED),
        ("IMEI_MD5", "a" * 32, Form.RAW, RejectReason.NOT_RAW),
        ("OAID_MD5", "1a2b3c4d5e6f7a8b", Form.HASHED, RejectReason.NOT_HASHED),
    ],
)
def test_a_declared_form_refuses_the_other(
    kind: str, value: str, form: Form, expected: RejectReason
) -> None:
    assert identify(value, IdType(kind), form=form) == Rejected(expected)


def test_thirty_two_hex_digits_are_a_digest_unless_declared_raw() -> None:
    value = "6d92078a82464ba4ae5b76104861e7dc"
    digest = identify(value, IdType.IDFA_MD5)
    assert digest == Accepted(IdType.IDFA_MD5, value, already_hashed=True)
    raw = identify(value, IdType.IDFA_MD5, form=Form.RAW)
    assert raw == identify("6D92078A-8246-4BA4-AE5B-76104861E7DC", IdType.IDFA_MD5)


@pytest.mark.parametrize(
    ("settings", "kind", "value", "expected"),
    [
        ({"idfa_case": "lower"}, "IDFA", "A" * 32, "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"),
        ({"oaid_other": "plain"}, "OAID", "1A2B3C4D5E6F7A8B", "1a2b3c4d5e6f7a8b"),
    ],
)
def test_open_shapes_follow_the_settings(
    settings: dict[str, str], kind: str, value: str, expected: str
) -> None:
    outcome = identify(value, IdType(kind), IdSettings(**settings))  # type: ignore[arg-type]
    assert outcome == Accepted(IdType(kind), expected)


def test_other_oaids_can_be_rejected() -> None:
    settings = IdSettings(oaid_other="reject")
    assert identify("1a2b3c4d5e6f7a8b", IdType.OAID, settings) == Rejected(RejectReason.OAID_SHAPE)


def test_odd_values_are_accepted_with_a_warning() -> None:
    for value, kind, warning in (
        ("13800138000", IdType.MOBILE_HASH_SHA256, IdWarning.PLACEHOLDER),
        ("490154203237517", IdType.IMEI, IdWarning.BAD_LUHN),
    ):
        outcome = identify(value, kind)
        assert isinstance(outcome, Accepted)
        assert outcome.warning is warning


def test_user_ids_that_look_like_phones_must_be_declared() -> None:
    assert identify("13912345678", IdType.UID, form=Form.RAW) == Accepted(IdType.UID, "13912345678")
    card = identify("11010519491231002X", IdType.UID, form=Form.RAW)
    assert card == Rejected(RejectReason.IDENTITY_CARD)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13800000000", "138****0000"),
        ("+8613800000000", "+86****0000"),
        ("a6942f9771d67f34034d2f1926988ed3fad3bf1b4e7cedb9a31f31398dea43bc", "a694****"),
        ("12345678", "12****"),
        ("1234", "1****"),
        ("", "****"),
    ],
)
def test_masking_hides_the_middle(value: str, shown: str) -> None:
    assert masked(value) == shown


@pytest.mark.parametrize("name", ["phone", "Mobile", "手机号", "mobile_hash_sha256"])
def test_types_have_aliases_in_any_case(name: str) -> None:
    assert id_type_named(name) is IdType.MOBILE_HASH_SHA256


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="IMEI"):
        id_type_named("IMEY")


def test_check_digits() -> None:
    assert luhn_valid("490154203237518")
    assert not luhn_valid("490154203237517")
    assert is_identity_card("11010519491231002X")
    assert not is_identity_card("110105194912310021")
    assert is_bank_card("4111111111111111")
    assert not is_bank_card("4111111111111112")
