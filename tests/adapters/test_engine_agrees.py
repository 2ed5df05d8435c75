"""The vectorised engine agrees with the rule of the domain, value for value.

The strategies speak the grammar of real columns: clean values, every accepted way of writing them,
near misses of those ways, and noise.
"""

import csv
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuntu_push.adapters.engine.classify import Classifier
from yuntu_push.adapters.engine.shapes import texts_of
from yuntu_push.adapters.engine.texts import Texts
from yuntu_push.domain.identifiers import (
    Accepted,
    Blank,
    Form,
    IdType,
    IdWarning,
    Rejected,
    identify,
    masked,
)
from yuntu_push.domain.segment_build import IdColumn
from yuntu_push.domain.segment_rows import TextColumn
from yuntu_push.domain.settings import IdSettings

EXAMPLES = int(os.environ.get("YUNTU_PUSH_TEST_VALUES", "2000")) // 40

digits = st.text("0123456789", min_size=1, max_size=22)
mobile = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
prefix = st.sampled_from(
    [
        "",
        "+86",
        "0086",
        "86",
        "(+86)",
        "+86 ",
        "+86-",
        "86 ",
        "0",
        "+860",
        "'",
        '"',
        " ",
        "\t",
        "(86)",
    ]
)
suffix = st.sampled_from(["", ".0", ".00", ".000", " ", "\n", "-1234", "转12", '"', "\u200b", "\0"])
separator = st.sampled_from(["", " ", "-", "  ", ".", "\u00a0", "－"])
hexadecimal = st.sampled_from([14, 16, 31, 32, 33, 36, 40, 63, 64, 65]).flatmap(
    lambda size: st.text("0123456789abcdefABCDEF", min_size=size, max_size=size)
)
uuid = st.uuids().flatmap(
    lambda u: st.sampled_from(
        [str(u), str(u).upper(), u.hex, u.hex.upper(), f"{{{u}}}", str(u)[:-1]]
    )
)

_CARDS = (
    "11010519491231002X", "110105194912310021", "6222021234567890128", "4111111111111111",
    "340000000000009", "622202123456789012", "3530111333300000", "6011111111111117",
)  # fmt: skip
card = st.one_of(
    st.sampled_from(_CARDS),
    st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9X]", fullmatch=True),
    st.from_regex(r"[34569][0-9]{15,18}", fullmatch=True),
)
imei = st.from_regex(r"[0-9]{14,16}", fullmatch=True)
special = st.sampled_from(
    [
        "", "null", "NULL", "\\N", "N/A", "-", "无", "0", "1.38E+10", "1.38001E+10", "138****8000",
        "13800138000", "18888888888", "001000000", "400123456", "800123456", "0" * 15, "0" * 32,
        "0" * 64, "１３９１２３４５６７８",
        "00000000-0000-0000-0000-000000000000",
        "d41d8cd98f00b204e9800998ecf8427e", "9f89c84a559f573636a47ff8daed0d33",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a6942f9771d67f34034d2f1926988ed3fad3bf1b4e7cedb9a31f31398dea43bc",
    ]
)  # fmt: skip


@st.composite
def written(draw: st.DrawFn) -> str:
    """A mobile number as people write it, or nearly so."""
    number = draw(mobile)
    mark = draw(separator)
    second = draw(st.sampled_from([mark, mark, "", " ", "-"]))
    return f"{draw(prefix)}{number[:3]}{mark}{number[3:7]}{second}{number[7:]}{draw(suffix)}"


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good value with one character changed, dropped or added."""
    value = draw(st.one_of(mobile, written(), uuid, hexadecimal, imei))
    if not value:
        return value
    place = draw(st.integers(0, len(value) - 1))
    char = draw(st.sampled_from(list("0189afgAFG-+ .*/xX'\"，٣\u200b")))
    edit = draw(st.integers(0, 2))
    return value[:place] + ("" if edit == 1 else char) + value[place + (edit != 2) :]


values = st.lists(
    st.one_of(
        mobile,
        written(),
        hexadecimal,
        uuid,
        imei,
        card,
        special,
        mutated(),
        digits,
        st.text(max_size=12),
    ),
    min_size=1,
    max_size=80,
)
columns = st.builds(
    IdSettings,
    idfa_case=st.sampled_from(["upper", "lower"]),
    oaid_other=st.sampled_from(["md5", "reject", "plain"]),
    oaid_md5_case=st.sampled_from(["given", "lower", "upper"]),
)


@pytest.mark.parametrize("kind", IdType)
def test_the_engine_and_the_rule_agree(kind: IdType) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values=values, rules=columns, form=st.sampled_from(Form))
    def agree(values: list[str], rules: IdSettings, form: Form) -> None:
        _check(kind, [_storable(value) for value in values], rules, form)

    agree()


def _storable(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _check(kind: IdType, values: list[str], rules: IdSettings, form: Form) -> None:
    result = Classifier(IdColumn(kind, "c", form), rules).classify(
        Texts.of(TextColumn.of(values)), guess=True
    )
    found = {
        int(row): (found.id_type, bytes(text).decode())
        for found in result.found
        for row, text in zip(found.rows, texts_of(found.shape, found.records), strict=True)
    }
    refused = {row: (reason, shown) for row, reason, shown in result.rejects}
    blank = hashed = 0
    warned = Counter[IdWarning]()
    for row, value in enumerate(values):
        match identify(value, kind, rules, form):
            case Accepted(id_type, text, already_hashed, warning):
                assert found.pop(row) == (id_type, text), value
                if warning and warning is not IdWarning.PLACEHOLDER:  # counted by the spool
                    warned[warning] += 1
                hashed += already_hashed
            case Blank():
                blank += 1
            case Rejected(reason):
                assert refused.pop(row) == (reason, masked(value)), value
    assert not found
    assert not refused
    assert result.blank == blank
    assert result.values == len(values) - blank
    assert result.already_hashed.total() == hashed
    assert result.warnings == warned


@pytest.mark.parametrize("kind", IdType)
def test_long_columns_agree_as_well(kind: IdType) -> None:
    """Over several blocks, with every shape in every place."""
    draw = np.random.default_rng(5)
    kinds = [
        lambda: f"1{draw.integers(3, 10)}{draw.integers(0, 10**9):09d}",
        lambda: f"+861{draw.integers(3, 10)}{draw.integers(0, 10**9):09d}",
        lambda: draw.bytes(32).hex(),
        lambda: draw.bytes(16).hex(),
        lambda: draw.bytes(8).hex().upper(),
        lambda: f"{draw.integers(0, 10**15):015d}",
        lambda: f"{draw.integers(0, 10**18)}",
        lambda: "",
    ]
    values = [kinds[n]() for n in draw.integers(0, len(kinds), 70_000)]
    _check(kind, values, IdSettings(), Form.AUTO)


def test_the_published_vectors_hold_for_whole_columns() -> None:
    """Each type's vectors as one column, and every type's values in every other type's column."""
    vectors = Path(__file__).parent.parent / "vectors" / "identifiers.csv"
    with vectors.open(encoding="utf-8", newline="") as file:
        every = [json.loads(f'"{line["input"]}"') for line in csv.DictReader(file)]
    for kind in IdType:
        for form in Form:
            _check(kind, every, IdSettings(), form)
