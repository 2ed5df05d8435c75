"""The account tree: containers, paging, subjects, and what a token covers."""

import pytest

from support.sandbox import (
    AGENT,
    CHILD_AGENT,
    ENTERPRISE,
    INVALID,
    OTHER_SUBJECT,
    OWNER,
    QIANCHUAN,
    SHOP,
    UNBOUND,
    WORKBENCH,
    WORKBENCH_SIZE,
    Sandbox,
)

WORKBENCH_LIST = "v3.0/customer_center/account/list/"


def test_a_workbench_is_read_page_by_page(sb: Sandbox, token: str):
    seen: list[int] = []
    for page in (1, 2):
        query = {
            "account_id": WORKBENCH,
            "filter": {"account_type": "AD"},
            "page": page,
            "page_size": 100,
        }
        data = sb.get(WORKBENCH_LIST, query, token)["data"]
        assert data["page_info"]["total_number"] == WORKBENCH_SIZE
        assert data["page_info"]["total_page"] == 2
        seen += [each["account_id"] for each in data["accounts"]]
    assert len(set(seen)) == WORKBENCH_SIZE


@pytest.mark.parametrize("kind", ["QIANCHUAN", "LOCAL"])
def test_a_workbench_keeps_the_platforms_apart(sb: Sandbox, token: str, kind: str):
    query = {"account_id": WORKBENCH, "filter": {"account_type": kind}}
    accounts = sb.get(WORKBENCH_LIST, query, token)["data"]["accounts"]
    assert [each["account_type"] for each in accounts] == [kind]


def test_ten_thousand_rows_are_the_most(sb: Sandbox, token: str):
    query = {
        "account_id": WORKBENCH,
        "filter": {"account_type": "AD"},
        "page": 101,
        "page_size": 100,
    }
    answer = sb.get(WORKBENCH_LIST, query, token)
    assert answer["code"] == 40001
    assert "page_size" in answer["message"]


def test_the_older_workbench_interface_gives_ids_as_text_too(sb: Sandbox, token: str):
    query = {"cc_account_id": WORKBENCH, "filtering": {"account_name": "门店007"}}
    listed = sb.get("2/customer_center/advertiser/list/", query, token)["data"]["list"]
    assert [each["account_id"] for each in listed] == [
        str(each["advertiser_id"]) for each in listed
    ]
    assert len(listed) == 1


def test_agents_lead_to_child_agents_and_their_advertisers(sb: Sandbox, token: str):
    children = sb.get("2/agent/child_agent/select/", {"advertiser_id": AGENT}, token)["data"]
    assert children["child_agent_ids"] == [CHILD_AGENT]
    paged = sb.get("2/agent/advertiser/select/", {"advertiser_id": CHILD_AGENT}, token)["data"]
    assert len(paged["list"]) == 3


def test_an_agents_advertisers_by_cursor(sb: Sandbox, token: str):
    seen: list[int] = []
    cursor, more = 0, True
    while more:
        query = {"advertiser_id": AGENT, "cursor": cursor, "count": 2}
        data = sb.get("2/agent/advertiser/select/", query, token)["data"]
        seen += data["list"]
        cursor, more = data["cursor_page_info"]["cursor"], data["cursor_page_info"]["has_more"]
    assert len(seen) == len(set(seen)) == 5


def test_an_upgraded_workbench_and_a_shop(sb: Sandbox, token: str):
    query = {"enterprise_organization_id": ENTERPRISE, "account_source": "AD", "page_size": 5}
    data = sb.get("2/ebp/advertiser/list/", query, token)["data"]
    assert len(data["account_list"]) == 5
    assert {each["account_type"] for each in data["account_list"]} == {"AD_NORMAL"}
    shop = sb.get("v1.0/qianchuan/shop/advertiser/list/", {"shop_id": SHOP}, token)["data"]
    assert (
        shop["list"]
        == [each["adv_id"] for each in shop["adv_id_list"]]
        == [QIANCHUAN, 1 + QIANCHUAN]
    )


def test_the_legal_subject_is_public(sb: Sandbox, token: str):
    query = {"advertiser_ids": [OWNER, OTHER_SUBJECT, 12345]}
    items = sb.get("2/advertiser/public_info/", query, token)["data"]
    assert len(items) == 2
    assert items[0]["company"] != items[1]["company"]


def test_one_foreign_advertiser_spoils_the_whole_info_call(sb: Sandbox):
    token = sb.authorize(OWNER).access
    assert sb.get("2/advertiser/info/", {"advertiser_ids": [OWNER]}, token)["code"] == 0
    answer = sb.get("2/advertiser/info/", {"advertiser_ids": [OWNER, UNBOUND]}, token)
    assert answer["code"] == 40002


def test_info_can_be_narrowed_to_fields(sb: Sandbox, token: str):
    query = {"advertiser_ids": [OWNER], "fields": ["name"]}
    assert sb.get("2/advertiser/info/", query, token)["data"][0].keys() == {"id", "name"}


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (OWNER, 0),
        (WORKBENCH + 1, 0),
        (CHILD_AGENT + 21, 0),
        (ENTERPRISE + 1, 0),
        (INVALID, 40002),
        (WORKBENCH, 40002),
        (AGENT, 40002),
        (QIANCHUAN, 40002),
        (99, 40002),
    ],
)
def test_what_a_token_covers(sb: Sandbox, token: str, account: int, code: int):
    """Ticked advertisers, and those below ticked containers; neither containers nor Qianchuan."""
    assert sb.get("2/dmp/brand/get/", {"advertiser_id": account}, token)["code"] == code


def test_an_account_that_was_not_ticked_is_foreign(sb: Sandbox):
    token = sb.authorize(OWNER).access
    assert sb.get("2/dmp/brand/get/", {"advertiser_id": UNBOUND}, token)["code"] == 40002


def test_brands_follow_the_binding(sb: Sandbox, token: str):
    def brands(account: int) -> list[str]:
        data = sb.get("2/dmp/brand/get/", {"advertiser_id": account}, token)["data"]
        return [each["brand_name"] for each in data["brand_info"]]

    assert brands(UNBOUND) == []
    sb.bind(10250004, UNBOUND)
    assert brands(UNBOUND) == ["青禾护理"]
    sb.unbind(10250004, UNBOUND)
    assert brands(UNBOUND) == []


def test_user_info_says_what_the_token_may_call(sb: Sandbox, token: str):
    data = sb.get("2/user/info/", token=token)["data"]
    assert data["app_id"] == sb.app_id
    assert "/open_api/2/dmp/data_source/create/" in data["token_api_list"]


def test_service_providers_endpoints_refuse_an_ordinary_brand(sb: Sandbox, token: str):
    query = {"yuntu_brand_id": 10250001, "service_provider_id": 1}
    assert sb.get("v3.0/yuntu/brand_info/get/", query, token)["code"] == 40118


def test_an_agents_advertisers_of_one_company(sb: Sandbox, token: str):
    def count(*companies: int) -> int:
        query = {"advertiser_id": AGENT, "company_ids": list(companies)}
        return len(sb.get("2/agent/advertiser/select/", query, token)["data"]["list"])

    assert (count(), count(88100002), count(88100001), count(1)) == (5, 5, 0, 0)
