"""What a person may call things, and how a refusal points at the place."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.names import NOUNS, channel_name, local_name, push_name, unknown


@pytest.mark.parametrize("name", ["高价值会员", "a" * 16, "VIP_2026", "会员_双11", "々〇"])
def test_push_names_of_the_product(name: str):
    assert push_name(name) == name


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("a" * 17, " " * 16 + "^"),
        ("vip-2026", "   ^"),
        ("高价 值", "    ^"),  # Chinese characters are two cells wide
        ("", "^"),
        ("会员🎉", "    ^"),
        ("vip\uff11", "   ^"),  # full-width digits are no digits
    ],
)
def test_a_violation_points_at_the_character(name: str, pointer: str):
    with pytest.raises(ConfigError) as caught:
        push_name(name)

    assert caught.value.code == "PUSH_NAME_INVALID"
    assert str(caught.value.message).splitlines()[-1] == "    " + pointer


@given(st.text(max_size=30))
def test_an_accepted_push_name_obeys_the_rule(name: str):
    try:
        accepted = push_name(name)
    except ConfigError:
        return
    assert 1 <= len(accepted) <= 16
    assert not set(accepted) & set(" -./\\\n\t\"'")


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "", "-x", "a" * 65, "a b", "a.b", "x\n"])
def test_local_names_are_never_paths(name: str):
    with pytest.raises(ConfigError):
        local_name(name, what="segment")


def test_local_names_are_compared_in_nfc():
    assert local_name("cafe\u0301", what="segment") == "caf\u00e9"


@pytest.mark.parametrize("name", ["acme", "a-b_1", "9x"])
def test_channel_names(name: str):
    assert channel_name(name) == name


@pytest.mark.parametrize("name", ["品牌", "", "-a", "a b", "a" * 65, "a\n"])
def test_channel_names_are_ascii(name: str):
    with pytest.raises(ConfigError):
        channel_name(name)


def test_an_unknown_name_comes_with_the_nearest_known_ones():
    error = unknown("channel", "acmee", ["acme", "zeta"])

    assert error.code == "CHANNEL_UNKNOWN"
    assert "acme" in str(error.message)
    assert "zeta" not in str(error.message)


def test_whatever_can_be_unknown_has_a_noun_to_translate():
    """Otherwise its English name would stand in a Chinese sentence."""
    source = Path(__file__).resolve().parents[2] / "src"
    named = {
        what
        for file in source.rglob("*.py")
        for what in re.findall(r"\bunknown\(\s*\"([^\"]+)\"", file.read_text("utf-8"))
    }
    assert len(named) > 5
    assert named <= NOUNS.keys()
