"""Authorisation: codes, token pairs, lifetimes, replacement, and the consent page's redirect."""

from urllib.parse import parse_qs, urlsplit

import pytest

from support.sandbox import INVALID, OWNER, QIANCHUAN, Sandbox, local_sandbox

CALLBACK = "http://127.0.0.1:8787/oauth/callback"


def exchange(sb: Sandbox, code: str, **changed: object) -> dict:
    body = {"app_id": sb.app_id, "secret": sb.secret, "auth_code": code, **changed}
    return sb.post("oauth2/access_token/", body)


def refresh(sb: Sandbox, token: str) -> dict:
    body = {"app_id": sb.app_id, "secret": sb.secret, "refresh_token": token}
    return sb.post("oauth2/refresh_token/", body)


def ping(sb: Sandbox, token: str | None) -> int:
    return sb.get("2/user/info/", token=token)["code"]


def test_a_code_becomes_a_pair_with_the_documented_lives(sb: Sandbox):
    answer = exchange(sb, sb.auth_code(OWNER))

    assert answer["code"] == 0
    assert answer["data"]["expires_in"] == 86399
    assert answer["data"]["refresh_token_expires_in"] == 2591999
    assert answer["data"]["advertiser_ids"] == [OWNER]


def test_the_retired_grant_type_is_still_taken(sb: Sandbox):
    assert exchange(sb, sb.auth_code(), grant_type="auth_code")["code"] == 0
    assert exchange(sb, sb.auth_code(), grant_type="refresh_token")["code"] == 40108


def test_a_code_works_once(sb: Sandbox):
    code = sb.auth_code()
    assert exchange(sb, code)["code"] == 0

    again = exchange(sb, code)

    assert again["code"] == 40002
    assert "已被使用" in again["message"]


def test_a_code_lives_ten_minutes(sb: Sandbox):
    code, late = sb.auth_code(), sb.auth_code()
    sb.advance(minutes=9)
    assert exchange(sb, code)["code"] == 0
    sb.advance(minutes=2)
    assert "过期" in exchange(sb, late)["message"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "wrong"}, 40001),
        ({"app_id": 1}, 40101),
        ({"auth_code": "made-up"}, 40002),
        ({"app_id": "no number"}, 40001),
    ],
)
def test_wrong_keys_are_refused(sb: Sandbox, changed: dict, code: int):
    assert exchange(sb, sb.auth_code(), **changed)["code"] == code


def test_a_missing_and_a_wrong_token_have_their_own_codes(sb: Sandbox):
    assert ping(sb, None) == 40104
    assert ping(sb, "made-up") == 40105


def test_an_access_token_lives_a_day(sb: Sandbox):
    tokens = sb.authorize()
    sb.advance(hours=23)
    assert ping(sb, tokens.access) == 0
    sb.advance(hours=2)
    assert ping(sb, tokens.access) == 40102


def test_refreshing_gives_a_new_pair_and_kills_the_old_one(sb: Sandbox):
    old = sb.authorize()

    new = refresh(sb, old.refresh)["data"]

    assert ping(sb, new["access_token"]) == 0
    assert ping(sb, old.access) == 40105
    assert refresh(sb, old.refresh)["code"] == 40107
    assert refresh(sb, new["refresh_token"])["code"] == 0


def test_how_long_a_replaced_access_token_works_on_is_a_switch():
    with local_sandbox(token_grace=600) as sb:
        old = sb.authorize()
        new = refresh(sb, old.refresh)["data"]
        assert (ping(sb, old.access), ping(sb, new["access_token"])) == (0, 0)
        assert refresh(sb, old.refresh)["code"] == 40107
        sb.advance(minutes=11)
        assert (ping(sb, old.access), ping(sb, new["access_token"])) == (40105, 0)
        again = sb.authorize()
        assert (ping(sb, new["access_token"]), ping(sb, again.access)) == (40105, 0)


def test_a_refresh_token_lives_thirty_days_and_each_refresh_starts_them_anew(sb: Sandbox):
    tokens = sb.authorize()
    sb.advance(days=29)
    newer = refresh(sb, tokens.refresh)["data"]["refresh_token"]
    sb.advance(days=29)
    newest = refresh(sb, newer)["data"]["refresh_token"]
    sb.advance(days=31)
    assert refresh(sb, newest)["code"] == 40103


def test_authorising_again_replaces_the_earlier_grant(sb: Sandbox):
    first = sb.authorize()
    second = sb.authorize(OWNER)

    assert ping(sb, first.access) == 40105
    assert refresh(sb, first.refresh)["code"] == 40107
    listed = sb.get("oauth2/advertiser/get/", {"access_token": second.access})
    assert [each["account_id"] for each in listed["data"]["list"]] == [OWNER]


def test_revoking_ends_the_tokens(sb: Sandbox):
    tokens = sb.authorize()
    sb.control("revoke")
    assert ping(sb, tokens.access) == 40105


def test_the_code_of_a_revoked_token_and_of_a_missing_permission_is_a_switch():
    with local_sandbox(revoked_code=40118, permission_code=40119) as sb:
        sb.control("app", permissions=["账号服务"])
        tokens = sb.authorize()
        query = {"advertiser_id": OWNER}
        assert sb.get("2/dmp/brand/get/", query, tokens.access)["code"] == 40119
        sb.control("revoke")
        assert ping(sb, tokens.access) == 40118
        assert ping(sb, "made-up") == 40105
        assert refresh(sb, tokens.refresh)["code"] == 40107


def test_a_permission_point_counts_from_the_next_authorisation_on(sb: Sandbox):
    sb.control("app", permissions=["账号服务"])
    without = sb.authorize().access
    answer = sb.get("2/dmp/brand/get/", {"advertiser_id": OWNER}, without)
    assert answer["code"] == 40002
    assert "DMP人群管理" in answer["message"]

    sb.control("app", permissions=["账号服务", "DMP人群管理"])
    assert sb.get("2/dmp/brand/get/", {"advertiser_id": OWNER}, without)["code"] == 40002
    after = sb.authorize().access
    assert sb.get("2/dmp/brand/get/", {"advertiser_id": OWNER}, after)["code"] == 0


def test_the_application_token_needs_no_person(sb: Sandbox):
    body = {"app_id": sb.app_id, "secret": sb.secret}
    assert sb.post("oauth2/app_access_token/", body)["data"]["expires_in"] == 86399


def decide(sb: Sandbox, decision: str, accounts: list[int], **more: str) -> dict[str, list[str]]:
    url = f"/audit/oauth.html?app_id={sb.app_id}"
    params = {"redirect_uri": CALLBACK, "state": "s t/&=1", **more}
    answer = sb.raw(
        "POST",
        url,
        params={"app_id": str(sb.app_id), **params},
        data={"account": [str(each) for each in accounts], "decision": decision},
    )
    assert answer.status_code == 303, answer.text
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == CALLBACK
    return parse_qs(target.query)


@pytest.mark.parametrize(
    "path", ["/audit/oauth.html", "/openapi/audit/oauth.html", "/openapi/qc/audit/oauth.html"]
)
def test_the_consent_page_is_where_the_platform_has_it(sb: Sandbox, path: str):
    params = {"app_id": sb.app_id, "state": "x", "redirect_uri": CALLBACK}
    page = sb.browse(path, params=params)
    assert page.status_code == 200
    assert "星野食品-品牌广告" in page.text


def test_agreeing_goes_to_the_callback_with_what_the_platform_sends(sb: Sandbox):
    query = decide(sb, "authorise", [OWNER, QIANCHUAN], scope="[4]", material_auth="1")

    assert query["state"] == ["s t/&=1"]
    assert query["app_id"] == [str(sb.app_id)]
    assert query["material_auth_status"] == ["1"]
    assert query["scope"] == ["[4]"]
    assert query["uid"] == ["1801000000000001"]
    # Accounts that the login does not have cannot be ticked.
    assert exchange(sb, query["auth_code"][0])["data"]["advertiser_ids"] == [OWNER]


def test_refusing_sends_the_state_and_no_code(sb: Sandbox):
    query = decide(sb, "refuse", [])
    assert query == {"state": ["s t/&=1"]}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"app_id": "1", "redirect_uri": CALLBACK}, "unknown_app"),
        ({"state": "x"}, "no_redirect"),
        ({"redirect_uri": "http://example.com/cb"}, "wrong_redirect"),
        ({"redirect_uri": "javascript:alert(1)"}, "wrong_redirect"),
        ({"redirect_uri": "http://["}, "wrong_redirect"),
        ({"redirect_uri": "http://127.0.0.1:port/cb"}, "wrong_redirect"),
        ({"redirect_uri": "http://127.0.0.1:99999/cb"}, "wrong_redirect"),
    ],
)
def test_a_link_that_the_platform_would_not_serve(sb: Sandbox, params: dict, problem: str):
    page = sb.browse("/audit/oauth.html", params={"app_id": sb.app_id, **params})
    assert page.status_code == 400
    assert f'data-problem="{problem}"' in page.text


def test_a_registered_callback_must_match_exactly():
    with local_sandbox(callback_url=CALLBACK) as sb:
        other = {"app_id": sb.app_id, "redirect_uri": CALLBACK + "/"}
        assert sb.browse("/audit/oauth.html", params=other).status_code == 400
        with_rid = {"app_id": sb.app_id, "rid": "abc"}
        assert sb.browse("/audit/oauth.html", params=with_rid).status_code == 200


def test_auto_consent_goes_straight_back():
    with local_sandbox(auto_consent=True) as sb:
        params = {"app_id": sb.app_id, "state": "x", "redirect_uri": CALLBACK}
        answer = sb.browse("/audit/oauth.html", params=params)
        code = parse_qs(urlsplit(answer.headers["location"]).query)["auth_code"][0]
        assert len(exchange(sb, code)["data"]["advertiser_ids"]) > 5


def test_accounts_are_listed_with_both_names_of_their_fields(sb: Sandbox, token: str):
    listed = sb.get("oauth2/advertiser/get/", {"access_token": token})["data"]["list"]
    by_id = {each["account_id"]: each for each in listed}
    assert by_id[INVALID]["is_valid"] is False
    assert by_id[OWNER]["account_type"] == "ADVERTISER"
    assert by_id[OWNER]["advertiser_role"] == 1
    assert {each["account_type"] for each in listed} >= {
        "CUSTOMER_ADMIN",
        "AGENT",
        "PLATFORM_ROLE_ENTERPRISE_BP_ADMIN",
        "PLATFORM_ROLE_SHOP_ACCOUNT",
    }
