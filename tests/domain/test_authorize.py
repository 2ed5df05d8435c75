"""The authorisation page's URL: the console's template, of which only the state is replaced."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.secrets import channel
from yuntu_push.domain.authorize import (
    Verdict,
    answer_in_query,
    answer_in_text,
    authorization_url,
    is_loopback,
    listens_here,
)
from yuntu_push.domain.channel import ChannelKind

CONSOLE = "https://open.oceanengine.com/audit/oauth.html"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            f"{CONSOLE}?app_id=1&state=your_custom_params&scope=%5B2%2C4%5D&rid=a%2Bb",
            f"{CONSOLE}?app_id=1&state=S&scope=%5B2%2C4%5D&rid=a%2Bb",
        ),
        (
            f"{CONSOLE}?app_id=1&state=x&material_auth=1&redirect_uri=https%3A%2F%2Fa.example%2Fcb",
            f"{CONSOLE}?app_id=1&state=S&material_auth=1&redirect_uri=https%3A%2F%2Fa.example%2Fcb",
        ),
        (
            f"{CONSOLE}?app_id=1&state=x",
            f"{CONSOLE}?app_id=1&state=S&redirect_uri=http%3A%2F%2F127.0.0.1%3A8787%2Foauth%2Fcallback",
        ),
        (f"{CONSOLE}?app_id=1&rid=r", f"{CONSOLE}?app_id=1&rid=r&state=S"),
        (f"{CONSOLE}?state=a&rid=r&state=b", f"{CONSOLE}?state=S&rid=r"),
        (f"{CONSOLE}?rid=r&state=#/part", f"{CONSOLE}?rid=r&state=S#/part"),
        (f"{CONSOLE}?rid=r&scope=[1,2]&中=文", f"{CONSOLE}?rid=r&scope=[1,2]&中=文&state=S"),
    ],
)
def test_only_the_state_is_replaced_and_the_rest_stays_byte_for_byte(template, expected):
    assert authorization_url(channel(auth_url=template), "S") == expected


@pytest.mark.parametrize("kind", list(ChannelKind))
def test_without_a_template_the_kinds_own_page_is_used(kind: ChannelKind):
    url = authorization_url(channel(kind=kind), "S")

    fields = parse_qs(urlsplit(url).query)
    assert url.startswith("https://")
    assert fields["app_id"] == ["1234567890123456"]
    assert fields["redirect_uri"] == ["http://127.0.0.1:8787/oauth/callback"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_any_state_comes_back_as_it_was_sent(state: str):
    query = urlsplit(authorization_url(channel(), state)).query

    assert answer_in_query(f"auth_code=c&{query}", state).verdict is Verdict.CODE


@given(st.text(max_size=300))
def test_any_pasted_text_is_judged_without_an_error(text: str):
    answer = answer_in_text(text, "the-state")

    assert answer.verdict in Verdict
    assert bool(answer.code) is (answer.verdict is Verdict.CODE)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("127.0.0.1.example.com", False),
        ("127.0.0", False),
        ("127.0.0.256", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost.example.com", False),
        (None, False),
    ],
)
def test_only_loopback_hosts_are_this_machine(host, here):
    assert is_loopback(host) is here


def test_an_https_callback_is_not_listened_for():
    assert listens_here("http://127.0.0.1:8787/cb")
    assert not listens_here("https://127.0.0.1:8787/cb")
    assert not listens_here("http://cdp.example.com/cb")
