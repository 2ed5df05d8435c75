"""Workbenches, agents and shops are read to the limits of their paging."""

import json
from typing import Any

import httpx
import pytest
import respx

from support.ocean import API, a_channel, a_directory, answer
from yuntu_push.adapters.ocean import accounts
from yuntu_push.adapters.ocean.accounts import MOST_REFUSALS
from yuntu_push.domain.channel import ChannelKind
from yuntu_push.domain.errors import LoginError
from yuntu_push.domain.platform import AuthorizedAccount, Expansion

HOME, FIRST = 1700000000000100, 1700000000010000


def _expand(kind: str, *, channel: ChannelKind = ChannelKind.YUNTU, **more: Any) -> Expansion:
    account = AuthorizedAccount(HOME, "容器", kind, True, **more)
    return a_directory().expand(a_channel(kind=channel), account)


def _params(request: httpx.Request) -> dict[str, Any]:
    """The parameters of a request, those that travel as JSON decoded."""
    return {
        name: json.loads(value) if value[:1] in "{[0123456789" else value
        for name, value in request.url.params.items()
    }


def _paged(rows: list[Any], name: str, request: httpx.Request) -> httpx.Response:
    """What the platform answers, its bound on page × size included."""
    asked = _params(request)
    page, size = asked["page"], asked["page_size"]
    if page * size > 10_000 or not 1 <= size <= 100:
        return httpx.Response(200, json=answer(code=40001, message="page 过大"))
    info = {"page": page, "page_size": size, "total_number": len(rows)}
    data = {name: rows[(page - 1) * size : page * size], "page_info": info}
    return httpx.Response(200, json=answer(data))


def _public(request: httpx.Request) -> httpx.Response:
    items = [
        {"id": n, "name": f"客户{n}", "company": "某公司"}
        for n in _params(request)["advertiser_ids"]
    ]
    return httpx.Response(200, json=answer(items))


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250, 10_000])
@respx.mock
def test_a_workbench_is_read_to_its_last_page(size: int) -> None:
    """Every account, once, whatever the number falls on."""
    rows = [{"account_id": FIRST + n, "account_name": f"账户{n}"} for n in range(size)]
    route = respx.get(f"{API}{accounts.WORKBENCH}").mock(
        side_effect=lambda request: _paged(rows, "accounts", request)
    )

    found = _expand("CUSTOMER_ADMIN")

    assert [FIRST + n for n in range(size)] == [a.advertiser_id for a in found.accounts]
    assert found.total == size
    assert all((a.parent_id, a.account_type) == (HOME, "AD") for a in found.accounts)
    asked = _params(route.calls[0].request)
    assert (asked["account_id"], asked["filter"]) == (HOME, {"account_type": "AD"})


@respx.mock
def test_a_workbench_beyond_the_paging_is_told_so() -> None:
    """The platform lets 10,000 be read; how many there are is said."""
    rows = [{"account_id": FIRST + n, "account_name": "x"} for n in range(10_050)]
    respx.get(f"{API}{accounts.WORKBENCH}").mock(
        side_effect=lambda request: _paged(rows, "accounts", request)
    )

    found = _expand("CUSTOMER_OPERATOR")

    assert (len(found.accounts), found.total) == (10_000, 10_050)


@respx.mock
def test_a_refused_workbench_is_read_the_older_way() -> None:
    """Applications with the old permission only."""
    respx.get(f"{API}{accounts.WORKBENCH}").respond(json=answer(code=40002, message="无权限"))
    rows = [{"account_id": str(FIRST), "advertiser_id": FIRST, "advertiser_name": "旧"}]
    route = respx.get(f"{API}{accounts.OLD_WORKBENCH}").mock(
        side_effect=lambda request: httpx.Response(200, json=answer({"list": rows}))
    )

    [account] = _expand("CUSTOMER_ADMIN").accounts

    assert (account.advertiser_id, account.name) == (FIRST, "旧")
    assert route.calls[0].request.url.params["cc_account_id"] == str(HOME)


@respx.mock
def test_a_workbench_refused_both_ways_says_what_the_present_interface_said() -> None:
    """Its words are the ones to go by."""
    respx.get(f"{API}{accounts.WORKBENCH}").respond(json=answer(code=40002, message="新的原因"))
    respx.get(f"{API}{accounts.OLD_WORKBENCH}").respond(json=answer(code=40001, message="旧"))

    with pytest.raises(LoginError) as caught:
        _expand("CUSTOMER_ADMIN")

    assert "新的原因" in str(caught.value.message)


@respx.mock
def test_a_qianchuan_channel_sees_both_kinds() -> None:
    """Marketing and Qianchuan accounts of the workbench."""
    kinds: list[str] = []

    def page(request: httpx.Request) -> httpx.Response:
        kind = _params(request)["filter"]["account_type"]
        kinds.append(kind)
        row = {"account_id": FIRST + len(kinds), "account_name": "x", "account_type": kind}
        return httpx.Response(200, json=answer({"accounts": [row]}))

    respx.get(f"{API}{accounts.WORKBENCH}").mock(side_effect=page)

    found = _expand("CUSTOMER_ADMIN", channel=ChannelKind.QIANCHUAN)

    assert kinds == ["AD", "QIANCHUAN"]
    assert [account.account_type for account in found.accounts] == ["AD", "QIANCHUAN"]


class Agency:
    """An agent's lists, by page below 10,000 rows and by cursor beyond."""

    def __init__(self, own: int, child: int = 0) -> None:
        self.own = [FIRST + n for n in range(own)]
        self.below = [FIRST + 500_000 + n for n in range(child)]
        self.by_cursor = 0

    def advertisers(self, request: httpx.Request) -> httpx.Response:
        """`agent/advertiser/select`."""
        asked = _params(request)
        rows = self.own if asked["advertiser_id"] == HOME else self.below
        if "cursor" in asked:
            self.by_cursor += 1
            start = asked["cursor"]
            ids = rows[start : start + asked["count"]]
            info = {"cursor": start + len(ids), "has_more": start + len(ids) < len(rows)}
            return httpx.Response(200, json=answer({"list": ids, "cursor_page_info": info}))
        return _paged(rows, "list", request)

    def children(self, request: httpx.Request) -> httpx.Response:
        """`agent/child_agent/select`."""
        return _paged([HOME + 1] if self.below else [], "list", request)

    def serve(self) -> None:
        """Answer for this agent from now on."""
        respx.get(f"{API}{accounts.AGENT}").mock(side_effect=self.advertisers)
        respx.get(f"{API}{accounts.CHILD_AGENTS}").mock(side_effect=self.children)
        respx.get(f"{API}{accounts.PUBLIC_INFO}").mock(side_effect=_public)


@pytest.mark.parametrize("size", [0, 5, 100, 101, 350])
@respx.mock
def test_an_agent_is_read_with_its_second_tier(size: int) -> None:
    """Ids come without names; these are looked up."""
    agency = Agency(size, child=120)
    agency.serve()

    found = _expand("AGENT")

    assert agency.own + agency.below == [account.advertiser_id for account in found.accounts]
    assert found.total == size + 120
    assert all(account.name.startswith("客户") for account in found.accounts)
    assert {HOME, HOME + 1} >= {account.parent_id for account in found.accounts}


@pytest.mark.parametrize("size", [0, 5, 100, 101, 250])
@respx.mock
def test_lists_without_a_total_are_read_to_their_end(size: int) -> None:
    """A page that is not full is the last one, where the platform states no total."""
    rows = [FIRST + n for n in range(size)]

    def page(request: httpx.Request) -> httpx.Response:
        asked = _params(request)
        start = (asked["page"] - 1) * asked["page_size"]
        ids = rows[start : start + asked["page_size"]]
        if "filter" in asked:
            items = [{"account_id": number, "account_name": "x"} for number in ids]
            return httpx.Response(200, json=answer({"accounts": items}))
        return httpx.Response(200, json=answer({"list": ids}))

    respx.get(f"{API}{accounts.WORKBENCH}").mock(side_effect=page)
    respx.get(f"{API}{accounts.AGENT}").mock(side_effect=page)
    respx.get(f"{API}{accounts.PUBLIC_INFO}").mock(side_effect=_public)

    for kind in ("CUSTOMER_ADMIN", "CHILD_AGENT"):
        found = _expand(kind)
        assert rows == [account.advertiser_id for account in found.accounts]
        assert found.total == size


@respx.mock
def test_a_large_agent_is_read_by_cursor() -> None:
    """Pages end at 10,000 rows, cursors go on."""
    agency = Agency(10_150)
    agency.serve()

    found = _expand("AGENT")

    assert agency.own == [account.advertiser_id for account in found.accounts]
    assert agency.by_cursor == 102


@respx.mock
def test_a_cursor_that_stands_still_ends() -> None:
    """A platform that repeats itself does not keep us for ever."""
    info = {"cursor": 0, "has_more": True}
    first = {"list": [FIRST], "page_info": {"total_number": 20_000}, "cursor_page_info": info}
    route = respx.get(f"{API}{accounts.AGENT}").respond(json=answer(first))
    respx.get(f"{API}{accounts.PUBLIC_INFO}").mock(side_effect=_public)

    found = _expand("CHILD_AGENT")

    assert (len(found.accounts), found.total, route.call_count) == (1, 20_000, 2)


@respx.mock
def test_only_the_companies_that_were_granted_are_asked_for() -> None:
    """A login may cover some of an agent's companies; none named means all."""
    agency = Agency(1)
    agency.serve()

    _expand("AGENT", company_ids=(7, 8))

    assert respx.calls[0].request.url.params["company_ids"] == "[7,8]"


@respx.mock
def test_an_upgraded_workbench_and_a_shop_are_read() -> None:
    """Their rows have other names, their accounts the platform's own types."""
    rows = [{"account_id": FIRST, "account_name": "升级", "account_type": "AD_NORMAL"}]
    respx.get(f"{API}{accounts.ENTERPRISE}").mock(
        side_effect=lambda request: _paged(rows, "account_list", request)
    )
    respx.get(f"{API}{accounts.SHOP}").mock(
        side_effect=lambda request: _paged([FIRST + 1], "list", request)
    )
    respx.get(f"{API}{accounts.PUBLIC_INFO}").mock(side_effect=_public)

    [enterprise] = _expand("PLATFORM_ROLE_ENTERPRISE_BP_OPERATOR").accounts
    [shop] = _expand("PLATFORM_ROLE_SHOP_ACCOUNT").accounts

    assert (enterprise.account_type, enterprise.is_advertiser) == ("AD_NORMAL", True)
    assert (shop.account_type, shop.company) == ("QIANCHUAN", "某公司")


@pytest.mark.parametrize("kind", ["ADVERTISER", "PLATFORM_ROLE_STAR", "SOMETHING_NEW", ""])
def test_what_is_no_container_is_not_asked_for(kind: str) -> None:
    """No call at all, for known and for unknown types."""
    assert _expand(kind) == Expansion((), 0)


@respx.mock
def test_one_unreadable_advertiser_hides_no_other() -> None:
    """A call is refused as a whole for one id; the others are found by halving."""
    bad = FIRST + 37

    def guarded(request: httpx.Request) -> httpx.Response:
        if bad in _params(request)["advertiser_ids"]:
            return httpx.Response(200, json=answer(code=40002, message="无权限"))
        return _public(request)

    respx.get(f"{API}{accounts.PUBLIC_INFO}").mock(side_effect=guarded)
    wanted = [FIRST + n for n in range(250)]

    found = a_directory().companies(a_channel(), wanted)

    assert set(wanted) - {bad} == set(found)


@respx.mock
def test_a_missing_right_costs_few_calls() -> None:
    """After some refusals it is clear that nothing can be read."""
    route = respx.get(f"{API}{accounts.PUBLIC_INFO}").respond(json=answer(code=40118))

    assert a_directory().companies(a_channel(), [FIRST + n for n in range(5000)]) == {}
    assert route.call_count == MOST_REFUSALS
