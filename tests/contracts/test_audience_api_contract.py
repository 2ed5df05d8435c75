"""The client keeps the promises of its ports against an imitation that shares no code with it."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from support.ocean import QUICK, FixedTokens
from support.sandbox import (
    AGENT,
    BRAND,
    ENTERPRISE,
    INVALID,
    OTHER_BRAND,
    OTHER_SUBJECT,
    OWNER,
    SECOND_OWNER,
    SHOP,
    UNBOUND,
    WORKBENCH,
    WORKBENCH_SIZE,
    Sandbox,
    phone_zip,
    running_sandbox,
)
from yuntu_push.adapters.ocean.client import OceanClient, OceanDirectory
from yuntu_push.adapters.ocean.oauth import OceanOAuth
from yuntu_push.adapters.ocean.probe import OceanProbe
from yuntu_push.adapters.system import SystemClock
from yuntu_push.domain.channel import Channel, ChannelKind
from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.platform import DeliveryStatus, Operation, RemoteAudience
from yuntu_push.domain.secret import SecretText
from yuntu_push.services.ports import AudienceApi, DirectoryApi, NetworkProbe, OAuthApi

CLOCK = SystemClock()
Found = TypeVar("Found")


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One imitation for this module."""
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    """The imitation, as seeded."""
    shared.reset()
    shared.clear_faults()
    return shared


@pytest.fixture
def channel(sandbox: Sandbox) -> Channel:
    """A channel on its application."""
    return Channel("acme", ChannelKind.YUNTU, sandbox.app_id, api_url=sandbox.url)


@pytest.fixture
def tokens(sandbox: Sandbox) -> FixedTokens:
    """A login that covers everything."""
    return FixedTokens(sandbox.authorize().access)


@pytest.fixture
def api(channel: Channel, tokens: FixedTokens) -> Iterator[AudienceApi]:
    """The client under test."""
    with contextlib.closing(OceanClient(channel, tokens, QUICK, CLOCK)) as client:
        yield client


@pytest.fixture
def directory(channel: Channel, tokens: FixedTokens) -> DirectoryApi:
    """Its account reads."""
    return OceanDirectory(tokens, QUICK, CLOCK)


@pytest.fixture
def part(tmp_path: Path) -> tuple[Path, str]:
    """A part of 3000 phones, and its MD5."""
    path = tmp_path / "part-0001.zip"
    path.write_bytes(phone_zip(0, 3000))
    return path, hashlib.md5(path.read_bytes()).hexdigest()


def _soon(look: Callable[[], Found | None]) -> Found:
    """What `look` finds after a while."""
    for _ in range(200):
        found = look()
        if found is not None:
            return found
        CLOCK.sleep(0.01)
    raise AssertionError("the platform never got there")


def _created(api: AudienceApi, part: tuple[Path, str], name: str = "高价值会员_1123_ab") -> str:
    file_path = api.upload(advertiser_id=OWNER, path=part[0], md5=part[1])
    return api.create_data_source(
        advertiser_id=OWNER,
        name=name,
        description="",
        file_paths=[file_path],
        source_type="UID",
    )


def _parsed(api: AudienceApi, source_id: str) -> RemoteAudience:
    def look() -> RemoteAudience | None:
        [source] = api.data_sources(advertiser_id=OWNER, ids=[source_id])
        return source.audience if source.status == 2 else None

    return _soon(look)


def test_an_audience_goes_the_whole_way(
    sandbox: Sandbox, api: AudienceApi, part: tuple[Path, str]
) -> None:
    """Upload, create, parse, share, publish, copy: and the platform has exactly that."""
    source_id = _created(api, part)
    audience = _parsed(api, source_id)
    number = audience.custom_audience_id
    assert (audience.upload_num, audience.data_source_id) == (3000, source_id)

    api.push(advertiser_id=OWNER, custom_audience_id=number, targets=[OWNER, SECOND_OWNER])
    api.publish(advertiser_id=OWNER, custom_audience_id=number)

    def available() -> RemoteAudience | None:
        [seen] = api.read_audiences(advertiser_id=OWNER, ids=[number])
        return seen if seen.delivery_status is DeliveryStatus.AVAILABLE else None

    _soon(available)
    api.copy(advertiser_id=OWNER, custom_audience_id=number, virtual_adv_id=BRAND)

    [listed] = api.audiences(advertiser_id=SECOND_OWNER)
    assert (listed.custom_audience_id, listed.name) == (number, audience.name)
    assert len(sandbox.state()["copies"]) == 1

    api.delete_audience(advertiser_id=OWNER, custom_audience_id=number)
    [gone] = api.read_audiences(advertiser_id=OWNER, ids=[number])
    assert gone.deleted


def test_an_update_keeps_the_audience(
    sandbox: Sandbox, api: AudienceApi, part: tuple[Path, str]
) -> None:
    """Reset puts other content into the same data source and audience."""
    source_id = _created(api, part)
    before = _parsed(api, source_id)
    part[0].write_bytes(phone_zip(9000, 50))
    md5 = hashlib.md5(part[0].read_bytes()).hexdigest()
    file_path = api.upload(advertiser_id=OWNER, path=part[0], md5=md5)

    api.update_data_source(
        advertiser_id=OWNER,
        data_source_id=source_id,
        operation=Operation.RESET,
        file_paths=[file_path],
    )

    def updated() -> RemoteAudience | None:
        [source] = api.data_sources(advertiser_id=OWNER, ids=[source_id])
        done = source.change_logs[-1].status == 2 and len(source.change_logs) == 2
        return source.audience if done else None

    after = _soon(updated)
    assert after.custom_audience_id == before.custom_audience_id
    assert after.upload_num == 50


def test_business_refusals_have_names(
    sandbox: Sandbox, api: AudienceApi, part: tuple[Path, str]
) -> None:
    """Each rule of the platform is told from the others."""
    source_id = _created(api, part)
    number = _parsed(api, source_id).custom_audience_id
    api.publish(advertiser_id=OWNER, custom_audience_id=number)

    def refused(act: Callable[[], object]) -> tuple[str, type[YuntuPushError]]:
        with pytest.raises(YuntuPushError) as caught:
            act()
        assert caught.value.request_id
        return caught.value.code, type(caught.value)

    own = {"advertiser_id": OWNER, "custom_audience_id": number}
    assert refused(lambda: api.publish(**own)) == ("PUBLISH_WINDOW", TryLaterError)
    assert refused(lambda: api.push(**own, targets=[OTHER_SUBJECT])) == (
        "OTHER_SUBJECT", RefusedError,
    )  # fmt: skip
    assert refused(lambda: api.copy(**own, virtual_adv_id=OTHER_BRAND)) == (
        "YUNTU_NOT_BOUND", LoginError,
    )  # fmt: skip
    assert refused(lambda: _created(api, part, name="长" * 31)) == ("NAME_TOO_LONG", RefusedError)
    assert refused(lambda: api.upload(advertiser_id=INVALID, path=part[0], md5=part[1]))[0] in {
        "AUTH_RIGHT_MISSING",
        "ACCOUNT_BLOCKED",
        "PLATFORM_REFUSED",
    }


def test_the_days_creations_end(sandbox: Sandbox, api: AudienceApi, part: tuple[Path, str]) -> None:
    """The 101st is for tomorrow, Beijing time."""
    now = api.server_now()
    file_path = api.upload(advertiser_id=OWNER, path=part[0], md5=part[1])

    def create(name: str) -> None:
        api.create_data_source(
            advertiser_id=OWNER,
            name=name,
            description="",
            file_paths=[file_path],
            source_type="UID",
        )

    for number in range(100):
        create(f"n{number}")
    with pytest.raises(TryLaterError) as caught:
        create("one too many")

    assert caught.value.code == "CREATE_QUOTA"
    assert caught.value.next_at is not None
    assert caught.value.next_at.astimezone(UTC).hour == 16
    assert now < caught.value.next_at <= now + timedelta(days=1)


@pytest.mark.parametrize(
    "effect", ["drop_before", "drop_after", "http", "html", "half_json", "empty"]
)
def test_a_spoiled_write_is_unknown_and_made_once(
    effect: str, sandbox: Sandbox, api: AudienceApi, part: tuple[Path, str]
) -> None:
    """The platform may have acted; the client asks no second time."""
    file_path = api.upload(advertiser_id=OWNER, path=part[0], md5=part[1])
    sandbox.fault("data_source/create", effect)

    with pytest.raises(OutcomeUnknownError):
        api.create_data_source(
            advertiser_id=OWNER,
            name="n",
            description="",
            file_paths=[file_path],
            source_type="UID",
        )

    assert len(sandbox.requests("data_source/create")) == 1


@pytest.mark.parametrize(
    "effect", ["drop_before", "drop_after", "http", "html", "half_json", "empty"]
)
def test_a_spoiled_read_is_repeated(
    effect: str, sandbox: Sandbox, directory: DirectoryApi, channel: Channel
) -> None:
    """The first answer is spoiled, the second one is taken."""
    sandbox.fault("dmp/brand/get", effect, nth=1)

    assert len(directory.brands(channel, OWNER)) == 2


def test_a_throttled_call_carries_the_hint(sandbox: Sandbox, api: AudienceApi) -> None:
    """`X-RateLimit-RetryIn` comes up with the error."""
    sandbox.fault("custom_audience/publish", "refuse", code=40110, retry_in="300")

    with pytest.raises(ThrottledError) as caught:
        api.publish(advertiser_id=OWNER, custom_audience_id=1)

    assert caught.value.retry_in == 300


def test_an_expired_token_is_replaced(
    sandbox: Sandbox, tokens: FixedTokens, directory: DirectoryApi, channel: Channel
) -> None:
    """The platform's day goes by; the next call asks for another token and goes on."""
    fresh = sandbox.authorize()

    class Renewing(FixedTokens):
        def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText:
            super().replace_refused(channel, refused)
            self.token = fresh.access
            return SecretText(fresh.access)

    renewing = Renewing("an-old-token")

    found = OceanDirectory(renewing, QUICK, CLOCK).brands(channel, OWNER)

    assert found
    assert renewing.replaced == ["an-old-token"]


def test_the_account_tree_is_read(directory: DirectoryApi, channel: Channel) -> None:
    """Workbench, agent, enterprise workbench and shop, each to its end."""
    authorised = {a.account_id: a for a in directory.authorized_accounts(channel)}

    sizes = {
        number: len(directory.expand(channel, authorised[number]).accounts)
        for number in (OWNER, WORKBENCH, AGENT, ENTERPRISE, SHOP)
    }

    assert sizes[OWNER] == 0
    assert sizes[WORKBENCH] == WORKBENCH_SIZE
    assert min(sizes[AGENT], sizes[ENTERPRISE], sizes[SHOP]) > 0
    assert not authorised[INVALID].valid
    assert [b.virtual_adv_id for b in directory.brands(channel, SECOND_OWNER)] == [BRAND]
    assert directory.brands(channel, UNBOUND) == []
    companies = directory.companies(channel, [OWNER, SECOND_OWNER, OTHER_SUBJECT])
    assert companies[OWNER] == companies[SECOND_OWNER] != companies[OTHER_SUBJECT]


def test_codes_and_tokens_work_once(sandbox: Sandbox, channel: Channel) -> None:
    """The second use of a code or a refresh token asks for a login; a wrong Secret says so."""
    oauth: OAuthApi = OceanOAuth(QUICK, CLOCK)
    secret, code = SecretText(sandbox.secret), SecretText(sandbox.auth_code())
    kept: list[bytes] = []

    answer = oauth.exchange(channel, secret, code)
    with pytest.raises(LoginError):
        oauth.exchange(channel, secret, code)
    old = SecretText(answer.refresh_token)
    with pytest.raises(LoginError) as wrong:
        oauth.refresh(channel, SecretText("wrong"), old, on_answer=kept.append)
    assert wrong.value.code == "APP_REFUSED"
    renewed = oauth.refresh(channel, secret, old, on_answer=kept.append)
    with pytest.raises(LoginError) as refused:
        oauth.refresh(channel, secret, old, on_answer=kept.append)

    assert refused.value.code == "AUTH_LOGIN_REQUIRED"
    assert renewed == oauth.parse(kept[1])
    assert renewed.refresh_token != answer.refresh_token


def test_the_clock_is_the_platforms(sandbox: Sandbox, api: AudienceApi) -> None:
    """A stepped platform clock is noticed with the next answer."""
    sandbox.advance(days=3)
    with contextlib.suppress(YuntuPushError):
        api.publish(advertiser_id=OWNER, custom_audience_id=1)

    ahead = api.server_now() - CLOCK.now()

    assert timedelta(days=2, hours=23) < ahead < timedelta(days=3, hours=1)


def test_the_probe_sees_a_genuine_platform(sandbox: Sandbox) -> None:
    """Without any login, without effect."""
    probe: NetworkProbe = OceanProbe(QUICK, CLOCK)

    facts = probe.look(sandbox.url)

    assert facts.genuine
    assert facts.server_time is not None
    assert facts.proxy is None


def test_the_probe_tells_an_impostor(sandbox: Sandbox) -> None:
    """A login page of the network answers in the platform's place."""
    sandbox.fault("user/info", "html")

    assert not OceanProbe(QUICK, CLOCK).look(sandbox.url).genuine
