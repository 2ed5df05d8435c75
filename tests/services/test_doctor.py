"""The doctor names each part that is wrong, and its fix; one failure hides no other."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from support.directory import (
    OWN,
    STAR,
    WORKBENCH,
    Config,
    MemoryStore,
    Platform,
    an_account,
    ticked,
)
from support.ocean import START, FakeClock
from yuntu_push.domain.channel import Channel, ChannelKind, Grant
from yuntu_push.domain.entry_run import EntryFreshness
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    TryLaterError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.platform import NetworkFacts
from yuntu_push.domain.quota import QuotaKind, QuotaUse
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.checks import Check, CheckState
from yuntu_push.services.doctor import Doctor

FACTS = NetworkFacts("api.oceanengine.com", None, None, START, True, 0.1)


@dataclass
class Patient:
    """Everything that the doctor looks at, healthy at first."""

    config_error: YuntuPushError | None = None
    secrets_error: YuntuPushError | None = None
    chosen: str | None = "file"
    facts: NetworkFacts | YuntuPushError = FACTS
    login_error: YuntuPushError | None = None
    login_left: timedelta = timedelta(days=29)
    platform: Platform = field(default_factory=lambda: Platform(authorized=[ticked(OWN)]))
    store: MemoryStore = field(
        default_factory=lambda: MemoryStore({"acme": [an_account(OWN, brands=[STAR])]})
    )
    free: int = 10**12
    quotas: list[QuotaUse] = field(default_factory=list)
    schedules: list[EntryFreshness] = field(default_factory=list)
    channels: dict[str, Channel] = field(
        default_factory=lambda: {"acme": Channel("acme", ChannelKind.YUNTU, 1)}
    )
    looked_at: list[str] = field(default_factory=list)

    # The doctor's parts, one object for all of them.

    def check_config(self) -> None:
        if self.config_error:
            raise self.config_error

    def look(self, api_url: str) -> NetworkFacts:
        self.looked_at.append(api_url)
        if isinstance(self.facts, YuntuPushError):
            raise self.facts
        return self.facts

    def access_token(self, channel: Channel) -> SecretText:
        if self.login_error:
            raise self.login_error
        return SecretText("t")

    def grant(self, channel: Channel) -> Grant:
        secret, ends = SecretText("t"), START + self.login_left
        return Grant(secret, ends, secret, ends, START)

    def current(self) -> "Patient":
        return self

    name = "file"

    def probe(self) -> None:
        if self.secrets_error:
            raise self.secrets_error

    def describe(self) -> Text:
        return msg("a store")

    def stores(self) -> Any:
        @dataclass
        class Stores:
            patient: Patient

            def chosen(self) -> str | None:
                return self.patient.chosen

            def current(self) -> Patient:
                return self.patient

        return Stores(self)

    def examine(self, channel: str | None = None) -> list[Check]:
        """What the doctor finds."""
        this: Any = self
        doctor = Doctor(
            check_config=self.check_config,
            config=Config(self.channels),
            stores=self.stores(),
            network=lambda: this,
            tokens=lambda: this,
            api=lambda: self.platform,
            directory=self.store,
            schedules=lambda: self.schedules,
            quotas=lambda: self.quotas,
            free_bytes=lambda: self.free,
            clock=FakeClock(),
        )
        return list(doctor.examine(channel))

    def found(self, name: str, channel: str | None = None) -> Check:
        """One check."""
        return next(check for check in self.examine(channel) if check.name == name)


def test_a_healthy_set_up_is_all_well() -> None:
    """Every part is looked at once."""
    checks = Patient().examine()

    assert {CheckState.OK} == {check.state for check in checks}
    assert [check.name for check in checks] == [
        "config", "state", "disk", "secrets",
        "network", "clock", "login", "rights", "brands", "quota",
    ]  # fmt: skip
    assert [check.channel for check in checks if check.channel] == ["acme"] * 5


def _with(**changes: Any) -> Callable[[], Patient]:
    return lambda: replace(Patient(), **changes)


ERROR = TryLaterError("SECRETS_LOCKED", msg("locked"), hint=msg("unlock it"))
OVER = LoginError("AUTH_LOGIN_REQUIRED", msg("over"), hint=msg("log in"))
NO_RIGHT = LoginError("AUTH_RIGHT_MISSING", msg("no right"), hint=msg("grant it"))
DOWN = UnreachableError("PLATFORM_UNREACHABLE", msg("down"), hint=msg("check"))


@pytest.mark.parametrize(
    ("patient", "name", "code"),
    [
        (_with(config_error=ConfigError("CONFIG_INVALID", msg("x"), hint=msg("y"))),
         "config", "CONFIG_INVALID"),
        (_with(secrets_error=ERROR), "secrets", "SECRETS_LOCKED"),
        (_with(free=1000), "disk", "DISK_FULL"),
        (_with(facts=DOWN), "network", "PLATFORM_UNREACHABLE"),
        (_with(facts=replace(FACTS, genuine=False)), "network", "PLATFORM_ANSWER_UNREADABLE"),
        (_with(facts=replace(FACTS, server_time=START + timedelta(days=1))),
         "clock", "CLOCK_WRONG"),
        (_with(login_error=OVER), "login", "AUTH_LOGIN_REQUIRED"),
        (_with(platform=Platform(authorized=[ticked(OWN)], failing={"brands": NO_RIGHT})),
         "rights", "AUTH_RIGHT_MISSING"),
        (_with(platform=Platform(authorized=[ticked(OWN, valid=False)])),
         "rights", "ACCOUNT_NONE"),
        (_with(store=MemoryStore({"acme": [an_account(OWN)]})), "brands", "YUNTU_NOT_BOUND"),
    ],
)  # fmt: skip
def test_each_failure_is_named_with_its_fix(
    patient: Callable[[], Patient], name: str, code: str
) -> None:
    """State, code and hint."""
    check = patient().found(name)

    assert (check.state, check.error and check.error.code) == (CheckState.FAILED, code)
    assert check.hint is not None


@pytest.mark.parametrize(
    ("patient", "name"),
    [
        (_with(free=10**9), "disk"),
        (_with(facts=replace(FACTS, server_time=START - timedelta(minutes=3))), "clock"),
        (_with(login_left=timedelta(days=6)), "login"),
        (_with(quotas=[QuotaUse(QuotaKind.CREATE, "1", 100, 100, None)]), "quota"),
    ],
)
def test_what_will_fail_soon_is_a_warning(patient: Callable[[], Patient], name: str) -> None:
    """Nothing is wrong yet; the fix is named all the same."""
    check = patient().found(name)

    assert (check.state, check.error) == (CheckState.WARNING, None)
    assert check.hint is not None


@pytest.mark.parametrize(
    ("patient", "skipped"),
    [
        (_with(facts=DOWN), {"clock", "login", "rights", "brands"}),
        (_with(login_error=OVER), {"rights", "brands"}),
        (_with(chosen=None), {"secrets"}),
        (_with(facts=replace(FACTS, server_time=None)), {"clock"}),
        (_with(store=MemoryStore({"acme": [an_account(WORKBENCH, kind="AGENT", brands=[STAR])]})),
         {"rights"}),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_skipped(
    patient: Callable[[], Patient], skipped: set[str]
) -> None:
    """It is said so, not called well."""
    checks = patient().examine()

    assert skipped == {check.name for check in checks if check.state is CheckState.SKIPPED}


def test_a_wrong_config_leaves_the_machine_to_look_at() -> None:
    """Without channels nothing more can be known."""
    patient = Patient(config_error=ConfigError("CONFIG_INVALID", msg("x")))

    assert [check.name for check in patient.examine()] == ["config", "state", "disk"]


def test_without_a_channel_the_network_is_looked_at_all_the_same() -> None:
    """Proxy and TLS can be set right before the first channel."""
    patient = Patient(channels={})

    checks = {check.name: check.state for check in patient.examine()}

    assert patient.looked_at == ["https://api.oceanengine.com"]
    assert (checks["network"], checks["channel"]) == (CheckState.OK, CheckState.SKIPPED)


def test_one_channel_can_be_asked_for() -> None:
    """The others are left alone; an unknown one is an error."""
    patient = Patient()
    patient.channels["other"] = Channel("other", ChannelKind.OCEANENGINE, 2, api_url="https://x")

    assert {None, "acme"} == {check.channel for check in patient.examine("acme")}
    assert "https://x" not in patient.looked_at
    with pytest.raises(ConfigError):
        patient.examine("nobody")


def test_only_yuntu_channels_need_a_brand() -> None:
    """An advertiser's channel pushes to advertisers."""
    patient = Patient(channels={"acme": Channel("acme", ChannelKind.OCEANENGINE, 1)})
    patient.store = MemoryStore({"acme": [an_account(OWN)]})

    assert patient.found("brands").state is CheckState.SKIPPED
