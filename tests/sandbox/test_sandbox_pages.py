"""The pages as served: both languages, nothing from outside, nothing unescaped, nothing forged."""

import re
from pathlib import Path

import pytest

import yuntu_push.sandbox
from support.sandbox import (
    BRAND,
    BRAND_ID,
    OTHER_SUBJECT,
    OWNER,
    SECOND_OWNER,
    UNBOUND,
    Sandbox,
    phone_zip,
)
from yuntu_push.sandbox.words import EN, ZH

PAGES = ["/console", "/console/engine", "/console/log"]
TEMPLATES = Path(yuntu_push.sandbox.__file__).parent / "templates"


def fill(sb: Sandbox) -> int:
    token = sb.authorize().access
    audience = sb.available(token, phone_zip(0, 1200), name="高价值会员")
    body = {"advertiser_id": OWNER, "custom_audience_id": audience}
    sb.post("2/dmp/custom_audience/copy/", {**body, "to_advertiser_id": BRAND}, token)
    sb.post(
        "2/dmp/custom_audience/push_v2/",
        {**body, "target_advertiser_ids": [SECOND_OWNER, OTHER_SUBJECT]},
        token,
    )
    sb.advance(60)
    return audience


def test_both_languages_have_the_same_words_and_all_are_used():
    assert ZH.keys() == EN.keys()
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.iterdir())
    # Some are looked up by a state's name.
    by_value = {
        "create", "add", "delete", "reset", "new", "processing", "effective", "failed",
        "AVAILABLE", "NEED_PUSH", "NEED_PUBLISH", "UNAVAILABLE",
        "unknown_app", "no_redirect", "wrong_redirect", "nothing_ticked",
    }  # fmt: skip
    by_value |= {word for word in ZH if re.fullmatch(r"qc_\d", word)}
    unused = {word for word in ZH if not re.search(rf"\bt\.{word}\b", text)} - by_value
    assert unused == set()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_speaks_both_languages_and_remembers(sb: Sandbox, path: str):
    fill(sb)
    chinese = sb.browse(path, params={"lang": "zh"})
    assert '<html lang="zh-CN">' in chinese.text
    assert "巨量云图" in chinese.text
    english = sb.browse(path, params={"lang": "en"})
    assert "Ocean Engine" in english.text
    assert "sandbox_lang=en" in english.headers["set-cookie"]
    by_browser = sb.browse(path, headers={"Accept-Language": "en-US,en", "Cookie": ""})
    assert '<html lang="en">' in by_browser.text


@pytest.mark.parametrize("path", [*PAGES, "/audit/oauth.html"])
def test_a_page_loads_nothing_from_outside(sb: Sandbox, path: str):
    page = sb.browse(path)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|<img|<iframe|@import|url\(|src=", page.text)
    assert page.headers["cache-control"] == "no-store"


def test_an_audience_is_shown_on_both_platforms_with_the_same_counts(sb: Sandbox):
    """In the brand as a copy with its lineage, in Ocean Engine as the custom audience."""
    audience = fill(sb)
    state = sb.state()
    counts = [f"{state['audiences'][0][name]:,}" for name in ("upload_num", "cover_num")]
    yuntu = sb.browse("/console", params={"lang": "zh"}).text
    engine = sb.browse("/console/engine", params={"lang": "zh"}).text
    for page in (yuntu, engine):
        assert "高价值会员" in page
        assert str(audience) in page
        for count in counts:
            assert f'<td class="num">{count}</td>' in page
    assert "已到达" in yuntu
    assert "可用" in engine


def test_the_log_shows_verdict_and_reason(sb: Sandbox):
    fill(sb)
    page = sb.browse("/console/log", params={"lang": "zh"}).text
    assert "40001" in page
    assert "不是同一主体" in page


def test_names_are_escaped(sb: Sandbox):
    evil = '<b id="x">"&\''
    token = sb.authorize().access
    sb.audience(token, name=evil)
    sb.get("2/dmp/brand/get/", {"advertiser_id": evil}, token)
    sb.raw("GET", "/open_api/<i>", headers={"User-Agent": "<u>"})
    for path in PAGES:
        text = sb.browse(path).text
        assert evil not in text
        assert "<i>" not in text
    params = {"app_id": sb.app_id, "redirect_uri": 'http://127.0.0.1/"><b>', "state": "<b>"}
    assert "<b>星野" in (text := sb.browse("/audit/oauth.html", params=params).text)
    assert '"><b>' not in text


def form_token(sb: Sandbox) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', sb.browse("/console").text)
    assert found
    return found[1]


def test_binding_by_hand_needs_the_pages_own_token(sb: Sandbox):
    form = {"brand_id": str(BRAND_ID), "advertiser_id": str(UNBOUND), "action": "bind"}
    assert sb.raw("POST", "/console/bind", data={**form, "token": "é"}).status_code == 403
    assert sb.raw("POST", "/console/clock", data={"step": "3600"}).status_code == 403
    done = sb.raw("POST", "/console/bind", data={**form, "token": form_token(sb)})
    assert done.status_code == 303
    token = sb.authorize().access
    brands = sb.get("2/dmp/brand/get/", {"advertiser_id": UNBOUND}, token)["data"]["brand_info"]
    assert [each["brand_id"] for each in brands] == [BRAND_ID]
    form["action"] = "unbind"
    sb.raw("POST", "/console/bind", data={**form, "token": form_token(sb)})
    assert UNBOUND not in sb.state()["brands"][0]["bound"]


@pytest.mark.parametrize("given", [{"brand_id": "1"}, {"brand_id": "x"}, {}])
def test_binding_what_is_not_there_changes_nothing(sb: Sandbox, given: dict):
    before = sb.state()["brands"]
    sb.raw("POST", "/console/bind", data={**given, "token": form_token(sb), "action": "bind"})
    assert sb.state()["brands"] == before


def test_the_clock_is_stepped_by_hand(sb: Sandbox):
    before = sb.state()["now"]
    form = {"token": form_token(sb), "step": "86400", "back": "engine"}
    answer = sb.raw("POST", "/console/clock", data=form)
    assert answer.headers["location"] == "/console/engine"
    assert 86_000 < sb.state()["now"] - before < 90_000


def test_the_root_leads_to_the_console(sb: Sandbox):
    assert sb.browse("/").headers["location"] == "/console"
