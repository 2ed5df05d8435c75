"""Account information and the account tree: workbenches, agents, shops."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from yuntu_push.sandbox.answers import wrong_parameter
from yuntu_push.sandbox.records import Account, Kind, Platform
from yuntu_push.sandbox.seed import COMPANY_IDS
from yuntu_push.sandbox.world import Call

Item = TypeVar("Item")
_MOST_ROWS = 10_000
_ENTERPRISE_TYPES = {
    Platform.AD: "AD_NORMAL",
    Platform.QIANCHUAN: "QIANCHUAN",
    Platform.LOCAL: "LOCAL",
}
_UNSAID = (
    "address",
    "brand",
    "industry",
    "license_city",
    "license_no",
    "license_province",
    "license_url",
    "note",
    "promotion_area",
    "promotion_center_city",
    "promotion_center_province",
    "reason",
)
"""Declared fields of `advertiser/info` of which nothing is invented here."""


def page_of(
    call: Call, rows: Sequence[Item], default_size: int = 10
) -> tuple[Sequence[Item], dict[str, int]]:
    """The page that was asked for, and its `page_info`."""
    page, size = call.fields.get("page", 1), call.fields.get("page_size", default_size)
    if page * size > _MOST_ROWS:
        raise wrong_parameter(f"page 与 page_size 的乘积不能超过 {_MOST_ROWS}")
    info = {
        "page": page,
        "page_size": size,
        "total_number": len(rows),
        "total_page": -(-len(rows) // size),
    }
    return rows[(page - 1) * size : page * size], info


def info(call: Call) -> list[dict[str, Any]]:
    """What the platform knows of one's own advertisers; one foreign id spoils the call."""
    wanted = call.fields.get("fields")
    items = []
    for number in call.fields["advertiser_ids"]:
        account = call.own_account(number)
        item = {
            "id": account.id,
            "name": account.name,
            "company": account.company,
            "role": "ROLE_ADVERTISER" if account.kind is Kind.ADVERTISER else "ROLE_AGENT",
            "status": "STATUS_ENABLE",
            **dict.fromkeys(_UNSAID, ""),
            "first_industry_name": "快速消费品",
            "second_industry_name": "食品饮料",
            "create_time": "2023-03-01 10:00:00",
        }
        if wanted is not None:
            item = {key: item[key] for key in item if key in {*wanted, "id"}}
        items.append(item)
    return items


def public_info(call: Call) -> list[dict[str, Any]]:
    """What everybody may know of advertisers; ids that do not exist are left out."""
    accounts = call.world.state.accounts
    return [
        {
            "id": account.id,
            "name": account.name,
            "company": account.company,
            "first_industry_name": "快速消费品",
            "second_industry_name": "食品饮料",
        }
        for account in map(accounts.get, call.fields["advertiser_ids"])
        if account is not None
    ]


def _named(accounts: Iterable[Account], name: str | None) -> list[Account]:
    return [each for each in accounts if each.valid and (not name or name in each.name)]


def workbench_accounts(call: Call) -> dict[str, Any]:
    """The accounts of a workbench (工作台), of one platform."""
    home = call.own_account(call.fields["account_id"], Kind.WORKBENCH)
    asked = call.fields["filter"]
    rows = [
        each
        for each in _named(call.world.children(home.id), asked.get("account_name"))
        if each.platform.value == asked["account_type"]
        and ("account_ids" not in asked or each.id in asked["account_ids"])
    ]
    page, page_info = page_of(call, rows)
    items = [
        {"account_id": each.id, "account_name": each.name, "account_type": each.platform.value}
        for each in page
    ]
    return {"accounts": items, "page_info": page_info}


def workbench_advertisers(call: Call) -> dict[str, Any]:
    """The accounts of a workbench by the older interface."""
    home = call.own_account(call.fields["cc_account_id"], Kind.WORKBENCH)
    asked = call.fields.get("account_source", "AD")
    name = call.fields.get("filtering", {}).get("account_name")
    rows = [
        each for each in _named(call.world.children(home.id), name) if each.platform.value == asked
    ]
    page, page_info = page_of(call, rows)
    items = [
        {
            "account_id": str(each.id),
            "account_name": each.name,
            "account_type": each.platform.value,
            "advertiser_id": each.id,
            "advertiser_name": each.name,
            "advertiser_type": "NORMAL",
            "e_douyin_id": "",
            "e_douyin_name": "",
        }
        for each in page
    ]
    return {"list": items, "page_info": page_info}


def agent_advertisers(call: Call) -> dict[str, Any]:
    """The advertisers of an agent (代理商), by page or by cursor."""
    agent = call.own_account(call.fields["advertiser_id"], Kind.AGENT, Kind.CHILD_AGENT)
    wanted = call.fields.get("filtering", {}).get("advertiser_ids")
    companies = call.fields.get("company_ids")
    rows = [
        each.id
        for each in call.world.children(agent.id)
        if each.kind is Kind.ADVERTISER
        and (wanted is None or each.id in wanted)
        and (not companies or COMPANY_IDS.get(each.company) in companies)
    ]
    answer: dict[str, Any] = {"account_source": Platform.AD.value}
    if "cursor" in call.fields or "count" in call.fields:
        start, count = call.fields.get("cursor", 0), call.fields.get("count", 100)
        ids = rows[start : start + count]
        answer["cursor_page_info"] = {
            "count": len(ids),
            "cursor": start + len(ids),
            "has_more": start + count < len(rows),
            "total_number": len(rows),
        }
    else:
        page, answer["page_info"] = page_of(call, rows, default_size=100)
        ids = list(page)
    return {**answer, "list": ids, "advertiser_ids": ids}


def child_agents(call: Call) -> dict[str, Any]:
    """The second-tier agents (二级代理商) of an agent."""
    agent = call.own_account(call.fields["advertiser_id"], Kind.AGENT)
    rows = [each.id for each in call.world.children(agent.id) if each.kind is Kind.CHILD_AGENT]
    page, page_info = page_of(call, rows, default_size=100)
    return {"list": list(page), "child_agent_ids": list(page), "page_info": page_info}


def enterprise_accounts(call: Call) -> dict[str, Any]:
    """The accounts of an upgraded workbench (升级版工作台)."""
    home = call.own_account(call.fields["enterprise_organization_id"], Kind.ENTERPRISE)
    asked = call.fields["account_source"]
    name = call.fields.get("filtering", {}).get("account_name")
    rows = [
        each for each in _named(call.world.children(home.id), name) if each.platform.value == asked
    ]
    page, page_info = page_of(call, rows)
    items = [
        {
            "account_id": each.id,
            "account_name": each.name,
            "account_type": _ENTERPRISE_TYPES[each.platform],
        }
        for each in page
    ]
    return {"account_list": items, "page_info": page_info}


def shop_advertisers(call: Call) -> dict[str, Any]:
    """The Qianchuan advertisers of a shop."""
    shop = call.own_account(call.fields["shop_id"], Kind.SHOP)
    rows = [each.id for each in call.world.children(shop.id)]
    page, page_info = page_of(call, rows)
    extra = list(call.fields.get("permission", []))
    return {
        "list": list(page),
        "adv_id_list": [{"adv_id": number, "extra_permission": extra} for number in page],
        "page_info": page_info,
    }


def qianchuan_types(call: Call) -> dict[str, Any]:
    """What kind of Qianchuan account each advertiser is."""
    items = []
    for number in call.fields["advertiser_ids"]:
        account = call.own_advertiser(number, Platform.QIANCHUAN)
        items.append(
            {
                "advertiser_id": account.id,
                "ecp_type": "SHOP",
                "shop_business_type": "SHOP_RETAIL",
            }
        )
    return {"list": items}
