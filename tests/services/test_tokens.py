"""Tokens are current, refreshed once, and never lost by a failure of ours."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from support.secrets import (
    APP_SECRET,
    DAY,
    MemoryStore,
    SetClock,
    TokenPlatform,
    channel,
    logged_in,
)
from yuntu_push.adapters.secrets.journal import FileJournal
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    OutcomeUnknownError,
    TryLaterError,
    UnreachableError,
)
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.grants import Grants, app_secret_key, grant_key
from yuntu_push.services.tokens import StoredTokens, Tokens


class Setting:
    """One channel that is logged in, and everything around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock()
        self.store = MemoryStore()
        self.platform = TokenPlatform(folder / "platform.json")
        self.journal = FileJournal(folder / "journal")
        self.said: list[Text] = []
        self.tokens = self.another_process()
        self.channel: Channel = logged_in(self.tokens, self.store, self.platform)

    def another_process(self) -> Tokens:
        """The same state seen by a process that remembers nothing."""
        return Tokens(
            secrets=self.store,
            oauth=self.platform,
            journal=self.journal,
            locks=FileLocks(self.folder / "locks", SystemClock()),
            clock=self.clock,
            notice=self.said.append,
        )

    def left_over(self) -> list[Path]:
        """The records of refreshes that were not finished."""
        return list((self.folder / "journal").glob("*"))


@pytest.fixture
def here(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_a_token_with_more_than_ten_minutes_left_is_used_as_it_is(here: Setting):
    here.clock.advance(DAY - 601)

    token = here.tokens.access_token(here.channel)

    assert token.reveal() == here.platform.current[0]
    assert here.platform.refreshes == 0


def test_a_token_near_its_end_is_refreshed_once_and_both_are_stored(here: Setting):
    here.clock.advance(DAY - 599)

    first = here.tokens.access_token(here.channel)
    second = here.another_process().access_token(here.channel)

    assert first == second
    assert first.reveal() == here.platform.current[0]
    assert here.platform.refreshes == 1
    assert here.left_over() == []


def test_a_brief_look_renews_only_what_the_platform_refused(here: Setting):
    """Renewing first would wait for a platform that does not answer."""
    here.clock.advance(2 * DAY)
    brief = StoredTokens(here.another_process())

    stored = brief.access_token(here.channel)

    assert (stored.reveal(), here.platform.refreshes) == (here.platform.current[0], 0)
    renewed = brief.replace_refused(here.channel, stored)
    assert (renewed.reveal(), here.platform.refreshes) == (here.platform.current[0], 1)
    assert renewed != stored
    here.tokens.forget(here.channel)
    with pytest.raises(LoginError):
        brief.access_token(here.channel)


def test_a_refused_token_is_replaced_though_its_time_is_not_over(here: Setting):
    """Valid means unexpired and not the very token that was refused."""
    refused = here.tokens.access_token(here.channel)

    other = here.tokens.replace_refused(here.channel, refused)

    assert other != refused
    assert here.tokens.access_token(here.channel) == other
    assert here.platform.refreshes == 1


def test_a_token_that_another_process_already_replaced_costs_no_refresh(here: Setting):
    refused = here.tokens.access_token(here.channel)
    renewed = here.another_process().replace_refused(here.channel, refused)

    assert here.tokens.replace_refused(here.channel, refused) == renewed
    assert here.platform.refreshes == 1


def test_a_channel_without_a_login_says_how_to_log_in(here: Setting):
    with pytest.raises(LoginError) as caught:
        here.tokens.access_token(channel("other"))

    assert caught.value.code == "AUTH_LOGIN_REQUIRED"
    assert "auth login other" in str(caught.value.hint)


def test_a_grant_of_another_application_is_no_login(here: Setting):
    """A channel made anew with another APP_ID does not take over the old one's tokens."""
    with pytest.raises(LoginError):
        here.tokens.access_token(channel(app_id=99))


@pytest.mark.parametrize(("hours_passed", "renewed"), [(11, False), (13, True)])
def test_keep_alive_renews_after_half_of_the_life(here: Setting, hours_passed, renewed):
    here.clock.advance(hours_passed * 3600)

    assert here.tokens.keep_alive(here.channel) is renewed
    assert here.platform.refreshes == int(renewed)


def test_keep_alive_leaves_a_channel_without_a_login_alone(here: Setting):
    assert here.tokens.keep_alive(channel("other")) is False


def test_the_login_survives_a_year_when_kept_alive(here: Setting):
    for _ in range(52):
        here.clock.advance(7 * DAY)
        here.tokens.keep_alive(here.channel)

    assert here.another_process().access_token(here.channel).reveal() == here.platform.current[0]


def test_an_asked_for_refresh_is_made_though_the_token_is_fresh(here: Setting):
    grant = here.tokens.refresh(here.channel)

    assert grant.access_token.reveal() == here.platform.current[0]
    assert grant.generation == 2


def test_lives_count_from_before_the_call(here: Setting):
    grant = here.tokens.refresh(here.channel)

    assert grant.access_expires_at == here.clock.now() + timedelta(days=1)
    assert grant.refresh_expires_at == here.clock.now() + timedelta(days=30)


# --- the store is proven first ---------------------------------------------------------------


def test_a_locked_store_is_met_before_the_refresh_token_is_spent(here: Setting):
    here.clock.advance(DAY)
    here.store.refuses_puts_of = lambda _key: True

    with pytest.raises(TryLaterError):
        here.tokens.access_token(here.channel)

    assert here.platform.refreshes == 0
    here.store.refuses_puts_of = lambda _key: False
    assert here.tokens.access_token(here.channel).reveal() == here.platform.current[0]


def test_a_store_too_small_for_a_grant_is_met_before_the_refresh_token_is_spent(here: Setting):
    here.clock.advance(DAY)
    here.store.limit = 600

    with pytest.raises(TryLaterError):
        here.tokens.access_token(here.channel)

    assert here.platform.refreshes == 0


def test_tokens_too_long_for_the_smallest_store_are_met_before_any_call(here: Setting):
    grant = here.tokens.grant(here.channel)
    assert grant is not None
    long = grant.successor(
        access_token=SecretText("a" * 1200),
        access_expires_at=grant.access_expires_at,
        refresh_token=grant.refresh_token,
        refresh_expires_at=grant.refresh_expires_at,
        obtained_at=grant.obtained_at,
    )
    Grants(here.store).save(here.channel, long)

    with pytest.raises(ConfigError) as caught:
        here.tokens.refresh(here.channel)

    assert caught.value.code == "SECRET_TOO_LONG"
    assert here.platform.refreshes == 0


def test_a_missing_secret_is_met_before_any_call(here: Setting):
    here.store.delete(app_secret_key(here.channel))

    with pytest.raises(ConfigError) as caught:
        here.tokens.refresh(here.channel)

    assert caught.value.code == "SECRET_MISSING"
    assert here.left_over() == []


def test_a_full_disk_under_the_journal_is_met_before_any_call(here: Setting, monkeypatch):
    from yuntu_push.adapters.secrets import journal

    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_created", full)

    with pytest.raises(TryLaterError):
        here.tokens.refresh(here.channel)

    assert here.platform.refreshes == 0


# --- lost answers -----------------------------------------------------------------------------


def test_a_lost_answer_ends_in_log_in_again(here: Setting):
    """The platform acted, its answer was lost: the stored token is tried once, then exit 4."""
    here.platform.drop = ["after"]

    with pytest.raises(LoginError) as caught:
        here.tokens.refresh(here.channel)

    assert caught.value.code == "AUTH_LOGIN_REQUIRED"
    assert "auth login acme" in str(caught.value.hint)
    assert (here.platform.refreshes, here.platform.refused) == (1, 1)


def test_an_answer_lost_before_the_platform_acted_costs_nothing(here: Setting):
    here.platform.drop = ["before"]

    grant = here.tokens.refresh(here.channel)

    assert grant.access_token.reveal() == here.platform.current[0]
    assert here.platform.refreshes == 1


def test_a_platform_that_stays_silent_is_tried_later_and_then_tells(here: Setting):
    """Two lost answers in a row are an outage: 75; the next run learns what became of them."""
    here.platform.drop = ["after", "before"]

    with pytest.raises(OutcomeUnknownError):
        here.tokens.refresh(here.channel)
    assert here.left_over() != []
    with pytest.raises(LoginError) as caught:
        here.another_process().refresh(here.channel)

    assert "lost" in str(caught.value.message)
    assert here.left_over() == []


def test_an_unsent_request_leaves_the_login_as_it_was(here: Setting, monkeypatch):
    def unreachable(*_args: object, **_more: object) -> object:
        raise UnreachableError("PLATFORM_UNREACHABLE", msg("no route"), hint=msg("again"))

    with monkeypatch.context() as patched:
        patched.setattr(here.platform, "refresh", unreachable)
        with pytest.raises(UnreachableError):
            here.tokens.refresh(here.channel)

    assert here.left_over() == []
    assert here.tokens.refresh(here.channel).access_token.reveal() == here.platform.current[0]


def test_a_refresh_token_that_has_ended_is_offered_only_once(here: Setting):
    """40107: log in again; later runs say so without another call."""
    here.platform.rotate_elsewhere()

    for _ in range(3):
        with pytest.raises(LoginError) as caught:
            here.another_process().refresh(here.channel)
        assert caught.value.code == "AUTH_LOGIN_REQUIRED"

    assert here.platform.refused == 1


def test_the_access_token_is_used_to_its_end_after_the_login_was_lost(here: Setting):
    before = here.tokens.access_token(here.channel)
    here.platform.rotate_elsewhere()
    with pytest.raises(LoginError):
        here.tokens.refresh(here.channel)

    assert here.another_process().access_token(here.channel) == before


def test_a_refusal_for_another_reason_keeps_the_refresh_token(here: Setting):
    """A wrong Secret is no ended login: with the right one the same token works."""
    here.platform.refused_code = 40002
    here.platform.rotate_elsewhere()
    with pytest.raises(LoginError):
        here.tokens.refresh(here.channel)

    grant = here.tokens.grant(here.channel)
    assert grant is not None
    assert grant.refresh_token


# --- what a kill leaves behind ------------------------------------------------------------------


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it but closing what the kernel closes."""


def killed_at(here: Setting, monkeypatch: pytest.MonkeyPatch, name: str, owner: object) -> None:
    """Refresh and die where `owner.name` is called."""

    def die(*_args: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(Killed):
            here.tokens.refresh(here.channel)


def test_a_kill_after_the_answer_was_kept_loses_nothing(here: Setting, monkeypatch):
    """The record is published by the next run, without another call."""
    refused = here.tokens.access_token(here.channel)
    killed_at(here, monkeypatch, "save", Grants)

    assert here.left_over() != []
    token = here.another_process().replace_refused(here.channel, refused)

    assert token.reveal() == here.platform.current[0]
    assert (here.platform.refreshes, here.platform.refused) == (1, 0)
    assert here.left_over() == []


def test_a_kill_between_slot_and_journal_is_no_second_grant(here: Setting, monkeypatch):
    killed_at(here, monkeypatch, "discard", FileJournal)
    published = here.tokens.grant(here.channel)

    assert here.left_over() != []
    assert published is not None
    assert published.generation == 2
    grant = here.another_process().refresh(here.channel)
    assert grant.generation == 3
    assert grant.access_token.reveal() == here.platform.current[0]
    assert here.left_over() == []


def test_a_kill_while_the_platform_answers_is_found_out_by_the_next_run(here: Setting, monkeypatch):
    """The one window that cannot be closed: it ends in `log in again`, never in a traceback."""
    original = here.platform.refresh

    def die_receiving(*args: object, on_answer: Callable[[bytes], None], **more: object) -> object:
        original(*args, on_answer=lambda _body: None, **more)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(here.platform, "refresh", die_receiving)
        with pytest.raises(Killed):
            here.tokens.refresh(here.channel)

    with pytest.raises(LoginError) as caught:
        here.another_process().refresh(here.channel)
    assert "lost" in str(caught.value.message)


def test_a_torn_slot_leaves_the_previous_grant_readable(here: Setting):
    here.tokens.refresh(here.channel)
    newest = here.store.kept[grant_key(here.channel, 2)].reveal()
    here.store.kept[grant_key(here.channel, 2)] = SecretText(newest[: len(newest) // 2])

    grant = here.another_process().grant(here.channel)

    assert grant is not None
    assert grant.generation == 1


def test_a_new_login_forgets_the_record_of_an_interrupted_refresh(here: Setting):
    here.platform.drop = ["after", "before"]
    with pytest.raises(OutcomeUnknownError):
        here.tokens.refresh(here.channel)

    logged_in(here.tokens, here.store, here.platform)

    assert here.left_over() == []
    assert here.tokens.refresh(here.channel).access_token.reveal() == here.platform.current[0]


def test_logging_out_forgets_tokens_and_record_and_keeps_the_secret(here: Setting):
    here.tokens.forget(here.channel)

    assert list(here.store.kept) == [app_secret_key(here.channel)]
    assert here.left_over() == []


# --- one at a time --------------------------------------------------------------------------------


def test_one_of_many_threads_refreshes_and_all_get_its_token(here: Setting):
    here.clock.advance(DAY)
    found: list[SecretText] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(here.another_process().access_token(here.channel))
        )
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {token.reveal() for token in found} == {here.platform.current[0]}
    assert here.platform.refreshes == 1
    assert here.platform.refused == 0


def test_waiting_for_another_process_is_said_and_ends(here: Setting):
    """A message after three seconds, `try later` after sixty; with what holds it."""
    waits: list[float] = []

    class Held:
        def hold(self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]):
            waits.append(wait_seconds)
            raise busy("pid 7, 12:00")

    here.tokens._locks = Held()

    with pytest.raises(TryLaterError) as caught:
        here.tokens.refresh(here.channel)

    assert sum(waits) == 60
    assert waits[0] == 3
    assert "pid 7" in str(here.said[0])
    assert "pid 7" in str(caught.value.message)


def test_nothing_secret_is_in_the_journal_or_in_what_is_said(here: Setting):
    here.platform.drop = ["after", "before"]
    with pytest.raises(OutcomeUnknownError):
        here.tokens.refresh(here.channel)

    written = b"".join(p.read_bytes() for p in (here.folder / "journal").rglob("*") if p.is_file())
    told = " ".join(str(text) for text in here.said)
    assert b"canary" not in written
    assert "canary" not in told
    assert APP_SECRET not in repr(here.tokens.grant(here.channel))
    assert "canary" not in repr(here.tokens.grant(here.channel))
