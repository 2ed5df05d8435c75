"""Logging in: nothing changes before the tokens are stored, and every way out says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from support.secrets import (
    APP_SECRET,
    MemoryDirectory,
    MemoryStore,
    SetClock,
    TokenPlatform,
    channel,
)
from yuntu_push.adapters.secrets.journal import FileJournal
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.authorize import Answer, Verdict
from yuntu_push.domain.channel import Account
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    OutcomeUnknownError,
    TryLaterError,
)
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.grants import Grants, app_secret_key
from yuntu_push.services.login import Login
from yuntu_push.services.tokens import Tokens

STATE = "the-state"


class FakeCallback:
    """A listener that answers as it is told."""

    def __init__(self, answer: Answer | None) -> None:
        self.url = "http://127.0.0.1:4711/oauth/callback"
        self.answer = answer
        self.finished: list[bool] = []
        self.closed = False
        self.state = ""

    def wait(self, state: str, seconds: float) -> Answer | None:
        self.state = state
        return self.answer

    def finish(self, *, succeeded: bool) -> None:
        self.finished.append(succeeded)


class Setting:
    """A channel with a Secret that is not logged in."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.platform = TokenPlatform(folder / "platform.json")
        self.directory = MemoryDirectory()
        self.channel = channel()
        self.store.put(app_secret_key(self.channel), SecretText(APP_SECRET))
        self.shown: list[str] = []
        self.told: list[Text] = []
        self.tokens = Tokens(
            secrets=self.store,
            oauth=self.platform,
            journal=FileJournal(folder / "journal"),
            locks=FileLocks(folder / "locks", SystemClock()),
            clock=SetClock(),
            notice=lambda _text: None,
        )
        self.callback = FakeCallback(Answer(Verdict.CODE, SecretText("code-1")))

    def login(self) -> Login:
        @contextmanager
        def listen(_url: str) -> Iterator[FakeCallback]:
            yield self.callback
            self.callback.closed = True

        return Login(
            tokens=self.tokens,
            oauth=self.platform,
            accounts=self.directory,
            listen=listen,
            notice=self.told.append,
            random_state=lambda: STATE,
        )

    def by_browser(self):
        return self.login().by_browser(self.channel, seconds=300, show=self.shown.append)

    def by_paste(self, text: str):
        return self.login().by_paste(self.channel, show=self.shown.append, read=lambda: text)

    @property
    def grant(self):
        return Grants(self.store).read(self.channel)


@pytest.fixture
def here(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def account(advertiser_id: int) -> Account:
    return Account("acme", advertiser_id, f"account {advertiser_id}", "ADVERTISER")


def test_a_login_stores_the_tokens_and_names_the_accounts_that_came_and_went(here: Setting):
    here.directory.seen["acme"] = [account(1), account(2)]
    here.directory.platform = [account(2), account(3)]

    result = here.by_browser()

    assert here.grant.access_token.reveal() == here.platform.current[0]
    assert [a.advertiser_id for a in result.directory.accounts] == [2, 3]
    assert [a.advertiser_id for a in result.directory.gained] == [3]
    assert [a.advertiser_id for a in result.directory.lost] == [1]
    assert here.callback.finished == [True]
    assert here.callback.closed


def test_the_login_is_told_before_its_accounts_are_read(here: Setting, monkeypatch):
    """The reading may take minutes; where it fails, the next step is no second login."""
    told_before: list[str] = []

    def refresh(_channel: object) -> None:
        told_before.extend(map(str, here.told))
        raise OutcomeUnknownError("PLATFORM_TIMEOUT", msg("slow"), hint=msg("the same again"))

    monkeypatch.setattr(here.directory, "refresh", refresh)
    with pytest.raises(TryLaterError) as caught:
        here.by_browser()

    assert here.grant is not None
    assert [text for text in told_before if "authorised" in text]
    assert "accounts refresh acme" in str(caught.value.hint)


def test_the_page_carries_our_state_and_the_port_that_is_listened_on(here: Setting):
    here.by_browser()

    (url,) = here.shown
    fields = parse_qs(urlsplit(url).query)
    assert fields["state"] == [STATE] == [here.callback.state]
    assert fields["redirect_uri"] == [here.callback.url]
    assert fields["app_id"] == [str(here.channel.app_id)]


def test_each_login_has_a_state_of_its_own_with_256_random_bits(here: Setting):
    states = set()
    login = Login(
        tokens=here.tokens,
        oauth=here.platform,
        accounts=here.directory,
        listen=None,  # type: ignore[arg-type]
        notice=here.told.append,
    )
    for _ in range(100):
        states.add(login._random_state())

    assert len(states) == 100
    assert all(len(state) >= 43 for state in states)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(None, "AUTH_LOGIN_TIMEOUT"), (Answer(Verdict.REFUSED), "AUTH_REFUSED")],
)
def test_no_answer_and_a_refusal_end_with_4_and_change_nothing(here: Setting, answer, code):
    here.callback.answer = answer

    with pytest.raises(LoginError) as caught:
        here.by_browser()

    assert caught.value.code == code
    assert "auth login" in str(caught.value.hint)
    assert here.callback.finished == [False]
    assert here.grant is None


def test_a_wrong_secret_is_shown_in_the_browser_too(here: Setting):
    here.store.put(app_secret_key(here.channel), SecretText("wrong"))

    with pytest.raises(LoginError):
        here.by_browser()

    assert here.callback.finished == [False]
    assert here.grant is None


def test_a_lost_answer_to_the_exchange_ends_in_log_in_again(here: Setting, monkeypatch):
    def lost(*_args: object) -> None:
        raise OutcomeUnknownError("PLATFORM_SILENT", msg("silence"), hint=msg("again"))

    monkeypatch.setattr(here.platform, "exchange", lost)

    with pytest.raises(LoginError) as caught:
        here.by_browser()

    assert caught.value.code == "AUTH_ANSWER_LOST"


def test_a_failed_login_leaves_the_earlier_one_in_use(here: Setting):
    here.by_browser()
    before = here.grant
    here.callback.answer = None

    with pytest.raises(LoginError):
        here.by_browser()

    assert here.grant == before


def test_a_second_login_replaces_the_first_and_its_tokens_are_gone(here: Setting):
    here.by_browser()
    first = here.grant
    here.callback.answer = Answer(Verdict.CODE, SecretText("code-2"))
    here.by_browser()

    assert here.grant.generation == first.generation + 1
    assert not any(first.refresh_token.reveal() in v.reveal() for v in here.store.kept.values())


def test_a_missing_secret_and_a_locked_store_are_met_before_the_page_is_opened(here: Setting):
    here.store.delete(app_secret_key(here.channel))
    with pytest.raises(ConfigError):
        here.by_browser()
    here.store.put(app_secret_key(here.channel), SecretText(APP_SECRET))
    here.store.refuses_puts_of = lambda _key: True
    with pytest.raises(TryLaterError):
        here.by_browser()

    assert here.shown == []


def test_a_callback_elsewhere_needs_paste(here: Setting):
    here.channel = channel(callback_url="https://cdp.example.com/callback")

    with pytest.raises(ConfigError) as caught:
        here.by_browser()

    assert "--paste" in str(caught.value.hint)
    assert not here.login().can_listen(here.channel)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8787/oauth/callback?auth_code=abc&state=the-state",
        "https://cdp.example.com/cb?state=the-state&uid=1&auth_code=abc&scope=%5B1%5D#x",
        '  "http://127.0.0.1:8787/oauth/callback?auth_code=abc&state=the-state" \r\n',
        "?auth_code=abc&state=the-state",
        "auth_code=abc&state=the-state",
        "abc",
        " abc\n",
        "abc==",
    ],
)
def test_a_pasted_address_or_bare_code_logs_in(here: Setting, text: str):
    here.by_paste(text)

    assert here.grant.access_token.reveal() == here.platform.current[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "AUTH_NOTHING_PASTED"),
        ("two words", "AUTH_NOTHING_PASTED"),
        ("http://127.0.0.1:8787/oauth/callback", "AUTH_STATE_WRONG"),
        ("http://127.0.0.1:8787/oauth/callback?auth_code=abc", "AUTH_STATE_WRONG"),
        ("http://127.0.0.1:8787/cb?auth_code=abc&state=other", "AUTH_STATE_WRONG"),
        ("http://127.0.0.1:8787/cb?auth_code=a&auth_code=b&state=the-state", "AUTH_STATE_WRONG"),
        ("auth_code=abc&state=other", "AUTH_STATE_WRONG"),
        ("http://127.0.0.1:8787/cb?error=denied&state=the-state", "AUTH_REFUSED"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_next_step(here: Setting, text, code):
    with pytest.raises(LoginError) as caught:
        here.by_paste(text)

    assert caught.value.code == code
    assert caught.value.hint
    assert here.grant is None


def test_a_code_that_was_used_before_is_refused(here: Setting):
    here.by_paste("abc")

    with pytest.raises(LoginError):
        here.by_paste("abc")
