"""Channels are added and removed whole: config entry, Secret, login and accounts together."""

from pathlib import Path

import pytest

from support.secrets import (
    APP_SECRET,
    DAY,
    MemoryChannels,
    MemoryDirectory,
    MemoryStores,
    SetClock,
    TokenPlatform,
    channel,
)
from yuntu_push.adapters.secrets.journal import FileJournal
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.channel import Account, Channel
from yuntu_push.domain.channel_rules import callback_of
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.segment import PARTS_KEY
from yuntu_push.services.channels import Channels
from yuntu_push.services.grants import app_secret_key
from yuntu_push.services.store_move import StoreMove
from yuntu_push.services.tokens import Tokens

SECRET = SecretText(APP_SECRET)


class Setting:
    """An empty home with stores in memory."""

    def __init__(self, folder: Path) -> None:
        self.config = MemoryChannels()
        self.stores = MemoryStores()
        self.directory = MemoryDirectory()
        self.clock = SetClock()
        self.platform = TokenPlatform(folder / "platform.json")
        self._folder = folder
        self.channels = Channels(
            config=self.config,
            stores=self.stores,
            tokens=self.tokens,
            directory=self.directory,
            clock=self.clock,
        )

    def tokens(self) -> Tokens:
        return Tokens(
            secrets=self.stores.current(),
            oauth=self.platform,
            journal=FileJournal(self._folder / "journal"),
            locks=FileLocks(self._folder / "locks", SystemClock()),
            clock=self.clock,
            notice=lambda _text: None,
        )

    def log_in(self, made: Channel) -> None:
        self.tokens().accept(
            made, lambda secret: self.platform.exchange(made, secret, SecretText(made.name))
        )

    def mover(self) -> StoreMove:
        return StoreMove(
            config=self.config,
            stores=self.stores,
            tokens=self.tokens(),
            source_names=lambda: ["crm"],
        )

    @property
    def kept(self) -> dict[str, set[str]]:
        """The keys in each store that has some."""
        return {n: set(s.kept) for n, s in self.stores.stores.items() if s.kept}


@pytest.fixture
def here(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_adding_stores_the_secret_and_pins_the_store(here: Setting):
    view = here.channels.add(channel(), SECRET, store="keyring")

    assert view.secret_stored
    assert not view.authorized
    assert here.config.channels() == {"acme": channel()}
    assert here.stores.in_config == "keyring"
    assert here.kept == {"keyring": {app_secret_key(channel())}}
    assert here.stores.stores["keyring"].probes == 1


def test_a_pinned_store_stays_pinned_when_the_environment_forces_another(here: Setting):
    here.stores.in_config = "keyring"
    here.stores.in_environment = "file"

    here.channels.add(channel(), SECRET, store="file")

    assert here.stores.in_config == "keyring"


def test_a_store_that_fails_its_probe_leaves_nothing_anywhere(here: Setting):
    here.stores.stores["keyring"].locked = True

    with pytest.raises(TryLaterError):
        here.channels.add(channel(), SECRET, store="keyring")

    here.stores.stores["keyring"].locked = False
    assert (here.config.entries, here.kept, here.stores.in_config) == ({}, {}, None)


def test_a_config_that_cannot_be_written_takes_the_secret_back(here: Setting):
    here.config.broken = True

    with pytest.raises(ConfigError):
        here.channels.add(channel(), SECRET, store="file")

    assert here.config.entries == {}
    assert here.kept == {}


def test_a_name_that_is_taken_is_refused_and_its_secret_stays(here: Setting):
    """Also when it differs in case alone: file systems and stores may not tell them apart."""
    here.channels.add(channel(), SECRET, store="file")

    for name in ("acme", "ACME"):
        with pytest.raises(ConfigError) as caught:
            here.channels.add(channel(name), SecretText("other"), store="file")
        assert caught.value.code == "CHANNEL_EXISTS"
    assert here.stores.stores["file"].kept[app_secret_key(channel())] == SECRET


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "../x"}, "NAME_INVALID"),
        ({"name": "品牌"}, "NAME_INVALID"),
        ({"app_id": 0}, "APP_ID_INVALID"),
        ({"app_id": -5}, "APP_ID_INVALID"),
        ({"app_id": 2**63}, "APP_ID_INVALID"),
        ({"callback_url": "http://cdp.example.com/cb"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "http://0.0.0.0:8787/cb"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "ftp://127.0.0.1/cb"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "http://127.0.0.1:8787/cb?x=1"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "http://127.0.0.1:99999/cb"}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "127.0.0.1:8787"}, "CALLBACK_URL_INVALID"),
        ({"auth_url": "http://open.oceanengine.com/audit/oauth.html"}, "AUTH_URL_INVALID"),
        ({"auth_url": "open.oceanengine.com"}, "AUTH_URL_INVALID"),
        ({"auth_url": "https://o.example/?app_id=42&state=x"}, "AUTH_URL_MISMATCH"),
        ({"auth_url": "https://o.example/?redirect_uri=https%3A%2F%2Fa.b%2F"}, "AUTH_URL_MISMATCH"),
        ({"api_url": "http://api.oceanengine.com"}, "API_URL_INVALID"),
        ({"api_url": "api.oceanengine.com"}, "API_URL_INVALID"),
        ({"same_app_as": "nobody"}, "CHANNEL_UNKNOWN"),
    ],
)
def test_wrong_values_are_refused_before_anything_is_stored(here: Setting, changes, code):
    made = channel(**{"name": "acme", **changes})

    with pytest.raises(ConfigError) as caught:
        here.channels.add(made, SECRET, store="file")

    assert caught.value.code == code
    assert (here.config.entries, here.kept) == ({}, {})


@pytest.mark.parametrize(
    "changes",
    [
        {"callback_url": "https://cdp.example.com/callback/ocean"},
        {"callback_url": "http://localhost:9528/login/"},
        {"api_url": "http://127.0.0.1:8000"},
        {"api_url": "http://localhost:8000"},
        {"auth_url": "http://127.0.0.1:8000/audit/oauth.html?state=x"},
        {"auth_url": "https://o.example/?app_id=1234567890123456&rid=1"},
    ],
)
def test_real_consoles_and_the_sandbox_are_accepted(here: Setting, changes):
    here.channels.add(channel(**changes), SECRET, store="file")


def test_the_callback_of_a_console_link_is_recognised():
    link = "https://o.example/?app_id=1&redirect_uri=http%3A%2F%2F127.0.0.1%3A8787%2Fcb"

    assert callback_of(link) == "http://127.0.0.1:8787/cb"
    assert callback_of("https://o.example/?rid=1") is None


def test_channels_on_one_application_share_one_stored_secret(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.channels.add(channel("second", same_app_as="acme"), None, store="file")

    assert here.kept == {"file": {app_secret_key(channel())}}
    assert here.channels.show("second").secret_stored

    here.channels.set_secret("second", SecretText("renewed"))
    assert here.stores.stores["file"].kept == {app_secret_key(channel()): SecretText("renewed")}


def test_sharing_needs_the_owner_and_the_same_application(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.channels.add(channel("second", same_app_as="acme"), None, store="file")

    for changes in ({"same_app_as": "second"}, {"same_app_as": "acme", "app_id": 5}):
        with pytest.raises(ConfigError):
            here.channels.add(channel("third", **changes), None, store="file")


def test_without_a_secret_anywhere_nothing_is_added(here: Setting):
    with pytest.raises(ConfigError) as caught:
        here.channels.add(channel(), None, store="env")

    assert caught.value.code == "SECRET_MISSING"
    assert here.config.entries == {}


def test_an_unknown_name_shows_the_nearest_known_ones(here: Setting):
    here.channels.add(channel("acme-yuntu"), SECRET, store="file")

    with pytest.raises(ConfigError) as caught:
        here.channels.show("acme-yunto")

    assert "acme-yuntu" in str(caught.value.message)


def test_a_view_tells_secret_and_login_without_their_values(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.log_in(channel())

    (view,) = here.channels.list()

    assert view.secret_stored
    assert view.authorized
    assert view.access_token_expires_at is not None
    assert "canary" not in repr(view)

    here.clock.advance(31 * DAY)
    assert not here.channels.show("acme").authorized


def test_removing_forgets_login_secret_accounts_and_entry(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.log_in(channel())
    here.directory.seen["acme"] = [Account("acme", 1, "a", "ADVERTISER")]

    here.channels.remove("acme")

    assert here.kept == {}
    assert here.config.entries == {}
    assert here.directory.accounts() == []


def test_removing_one_of_two_keeps_the_shared_secret_and_the_owner_goes_last(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.channels.add(channel("second", same_app_as="acme"), None, store="file")

    with pytest.raises(ConfigError) as caught:
        here.channels.remove("acme")
    assert "second" in str(caught.value.message)

    here.channels.remove("second")
    assert here.kept == {"file": {app_secret_key(channel())}}
    here.channels.remove("acme")
    assert here.kept == {}


def test_a_locked_store_keeps_a_channel_whole(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.stores.stores["file"].locked = True

    with pytest.raises(TryLaterError):
        here.channels.remove("acme")

    assert "acme" in here.config.entries


def test_quiet_channels_are_kept_alive_and_one_that_failed_keeps_nobody_back(here: Setting):
    here.channels.add(channel(), SECRET, store="file")
    here.channels.add(channel("idle", same_app_as="acme"), None, store="file")
    here.channels.add(channel("new", same_app_as="acme"), None, store="file")
    here.log_in(channel())
    here.log_in(channel("idle", same_app_as="acme"))  # takes the platform's only login over
    here.clock.advance(DAY)

    problems = here.channels.keep_alive()

    assert [problem.code for problem in problems] == ["AUTH_LOGIN_REQUIRED"]
    assert not here.channels.show("acme").authorized
    assert here.channels.show("idle").authorized
    assert here.platform.refreshes == 1


# --- moving ---------------------------------------------------------------------------------------


def test_moving_takes_everything_along_and_leaves_nothing_behind(here: Setting):
    here.channels.add(channel(), SECRET, store="keyring")
    here.channels.add(channel("second", same_app_as="acme"), None, store="keyring")
    for made in (channel(), channel("second", same_app_as="acme")):
        here.log_in(made)
    here.stores.stores["keyring"].put("source/crm/password", SecretText("pw"))
    here.stores.stores["keyring"].put(PARTS_KEY, SecretText("key of old parts"))
    before = dict(here.stores.stores["keyring"].kept)
    here.stores.stores["file"].put("channel/acme/grant_0", SecretText("of an earlier stay"))

    moved = here.mover().move("file")

    assert moved.channels == ["acme", "second"]
    assert here.stores.in_config == "file"
    assert here.stores.stores["keyring"].kept == {}
    assert here.stores.stores["file"].kept == before
    assert here.channels.show("acme").authorized


def test_a_move_that_cannot_write_leaves_everything_in_place(here: Setting):
    here.channels.add(channel(), SECRET, store="keyring")
    here.log_in(channel())
    before = dict(here.stores.stores["keyring"].kept)
    here.stores.stores["file"].refuses_puts_of = lambda key: "grant" in key

    with pytest.raises(TryLaterError):
        here.mover().move("file")

    assert here.stores.in_config == "keyring"
    assert here.stores.stores["keyring"].kept == before


def test_moving_to_where_it_is_does_nothing(here: Setting):
    here.channels.add(channel(), SECRET, store="file")

    assert here.mover().move("file").channels == ()
    assert here.kept == {"file": {app_secret_key(channel())}}


def test_a_forced_or_unchosen_store_cannot_be_moved_from(here: Setting):
    with pytest.raises(ConfigError):
        here.mover().move("file")
    here.stores.in_config, here.stores.in_environment = "keyring", "env"
    with pytest.raises(ConfigError) as caught:
        here.mover().move("file")
    assert caught.value.code == "SECRETS_FORCED"


def test_what_a_killed_move_left_behind_is_erased_by_the_same_command(here: Setting):
    """The kill comes after the choice is written down and before the old store is empty."""
    here.stores.in_config = "file"
    here.config.add_channel(channel())
    for store in ("keyring", "file"):
        here.stores.stores[store].put(app_secret_key(channel()), SECRET)

    assert here.mover().move("file").channels == ()

    assert here.kept == {"file": {app_secret_key(channel())}}


def test_a_move_to_where_all_is_needs_no_other_store(here: Setting):
    here.stores.in_config = "file"
    here.config.add_channel(channel())
    here.stores.stores["keyring"].locked = True

    assert here.mover().move("file").channels == ()
