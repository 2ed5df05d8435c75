"""Data sources and audiences: their states over time, quotas, windows, subjects, copies."""

from typing import Any

import pytest

from support.sandbox import (
    BRAND,
    BRAND_ID,
    OTHER_BRAND,
    OTHER_SUBJECT,
    OWNER,
    QIANCHUAN,
    SECOND_OWNER,
    UNBOUND,
    Sandbox,
    dmp_line,
    dmp_zip,
    local_sandbox,
    phone_zip,
)
from yuntu_push.sandbox.options import CopyAgain, CopyAnswer, CopyTo, NameUnit, SelfPush

PREFIX = "CUSTOM_AUDIENCE_DELIVERY_STATUS_"
NOON = "2026-11-24T12:00:00+08:00"


def call(sb: Sandbox, token: str, action: str, audience: int, **more: Any) -> dict[str, Any]:
    body = {"advertiser_id": OWNER, "custom_audience_id": audience, **more}
    return sb.post(f"2/dmp/custom_audience/{action}/", body, token)


def seen(sb: Sandbox, token: str, audience: int, viewer: int = OWNER) -> dict[str, Any] | None:
    query = {"advertiser_id": viewer, "custom_audience_ids": [audience]}
    found = sb.get("2/dmp/custom_audience/read/", query, token)["data"]["custom_audience_list"]
    return found[0] if found else None


def delivery(sb: Sandbox, token: str, audience: int, viewer: int = OWNER) -> str:
    item = seen(sb, token, audience, viewer)
    assert item is not None
    return str(item["delivery_status"]).removeprefix(PREFIX)


def source_item(sb: Sandbox, token: str, source: str) -> dict[str, Any]:
    query = {"advertiser_id": OWNER, "data_source_id_list": [source]}
    return sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"][0]


def create(sb: Sandbox, token: str, path: str, **changed: Any) -> dict[str, Any]:
    body = {
        "advertiser_id": OWNER,
        "data_source_name": "会员",
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [path],
        **changed,
    }
    return sb.post("2/dmp/data_source/create/", body, token)


def update(sb: Sandbox, token: str, source: str, path: str, operation: int) -> dict[str, Any]:
    body = {
        "advertiser_id": OWNER,
        "data_source_id": source,
        "operation_type": operation,
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [path],
    }
    return sb.post("2/dmp/data_source/update/", body, token)


def test_parsing_takes_the_platforms_time():
    """Created, parsing, then finished after 20 to 60 minutes; only then is there an audience."""
    with local_sandbox(speed=1) as sb:
        token = sb.authorize().access
        source = sb.data_source(token, phone_zip(0, 100))
        item = source_item(sb, token, source)
        assert (item["status"], item["lastest_published_change_log_id"]) == (0, -1)
        assert "default_audience" not in item
        assert item["upload_num"] is None
        sb.advance(minutes=10)
        assert source_item(sb, token, source)["status"] == 1
        sb.advance(minutes=50)
        item = source_item(sb, token, source)
        assert item["status"] == 2
        assert item["default_audience"]["upload_num"] == item["upload_num"] == 100
        assert item["change_logs"][0]["status"] == 2
        assert item["default_audience"]["third_party_info"] == "非三方包"


def test_an_audience_is_usable_once_pushed_and_published(sb: Sandbox, token: str):
    audience = sb.audience(token)
    assert delivery(sb, token, audience) == "UNAVAILABLE"
    assert call(sb, token, "push_v2", audience, target_advertiser_ids=[OWNER])["data"] == {}
    sb.advance(60)
    assert delivery(sb, token, audience) == "NEED_PUBLISH"
    assert call(sb, token, "publish", audience)["data"] == {}
    sb.advance(60)
    assert delivery(sb, token, audience) == "AVAILABLE"


def test_published_but_not_pushed_needs_a_push_and_then_a_publish(sb: Sandbox, token: str):
    """A push after the day's publish leaves the target at NEED_PUBLISH until the window opens."""
    audience = sb.audience(token)
    call(sb, token, "publish", audience)
    sb.advance(60)
    assert delivery(sb, token, audience) == "NEED_PUSH"
    call(sb, token, "push_v2", audience, target_advertiser_ids=[OWNER])
    sb.advance(60)
    assert delivery(sb, token, audience) == "NEED_PUBLISH"
    assert call(sb, token, "publish", audience)["code"] == 40001
    sb.advance(hours=24)
    token = sb.authorize().access
    assert call(sb, token, "publish", audience)["code"] == 0
    sb.advance(60)
    assert delivery(sb, token, audience) == "AVAILABLE"


def test_pushing_and_publishing_take_time_too():
    with local_sandbox(speed=1) as sb:
        token = sb.authorize().access
        source = sb.data_source(token, phone_zip(0, 10))
        sb.advance(hours=2)
        audience = source_item(sb, token, source)["default_audience"]["custom_audience_id"]
        call(sb, token, "push_v2", audience, target_advertiser_ids=[OWNER])
        item = seen(sb, token, audience)
        assert item is not None
        assert (item["push_status"], item["status"]) == (1, 14)
        sb.advance(minutes=15)
        call(sb, token, "publish", audience)
        sb.advance(minutes=10)
        assert delivery(sb, token, audience) == "NEED_PUBLISH"
        sb.advance(minutes=40)
        assert delivery(sb, token, audience) == "AVAILABLE"


def test_the_second_publish_within_24_hours_is_refused_with_the_chosen_code():
    with local_sandbox(publish_refused_code=40002) as sb:
        token = sb.authorize().access
        audience = sb.available(token)
        answer = call(sb, token, "publish", audience)
        assert answer["code"] == 40002
        assert "24 小时" in answer["message"]


@pytest.mark.parametrize(
    ("target", "word"),
    [(OTHER_SUBJECT, "主体"), (QIANCHUAN, "巨量营销"), (1, "有效"), (BRAND, "有效")],
)
def test_a_push_goes_to_advertisers_of_the_same_subject_only(
    sb: Sandbox, token: str, target: int, word: str
):
    """One wrong target refuses all of them."""
    audience = sb.audience(token)
    answer = call(sb, token, "push_v2", audience, target_advertiser_ids=[SECOND_OWNER, target])
    assert answer["code"] == 40001
    assert word in answer["message"]
    assert "target_advertiser_ids[1]" in answer["message"]
    assert sb.state()["pushes"] == []


def test_a_target_sees_what_was_pushed_to_it(sb: Sandbox, token: str):
    audience = sb.audience(token)
    assert seen(sb, token, audience, SECOND_OWNER) is None
    call(sb, token, "push_v2", audience, target_advertiser_ids=[OWNER, SECOND_OWNER])
    sb.advance(60)
    assert delivery(sb, token, audience, SECOND_OWNER) == "NEED_PUBLISH"
    call(sb, token, "publish", audience)
    sb.advance(60)
    assert delivery(sb, token, audience, SECOND_OWNER) == "AVAILABLE"
    assert seen(sb, token, audience, UNBOUND) is None


@pytest.mark.parametrize("mode", ["implicit", "refused"])
def test_owners_that_need_not_push_to_themselves(mode: str):
    with local_sandbox(self_push=SelfPush(mode)) as sb:
        token = sb.authorize().access
        audience = sb.audience(token)
        answer = call(sb, token, "push_v2", audience, target_advertiser_ids=[OWNER])
        assert (answer["code"] == 40001) == (mode == "refused")
        call(sb, token, "publish", audience)
        sb.advance(60)
        assert delivery(sb, token, audience) == "AVAILABLE"


def test_a_copy_is_a_snapshot_in_the_brand(sb: Sandbox, token: str):
    audience = sb.available(token, phone_zip(0, 1000))
    before = seen(sb, token, audience)
    assert before is not None

    answer = call(sb, token, "copy", audience, to_advertiser_id=BRAND)

    assert isinstance(answer["data"]["custom_audience_id"], int)
    [copied] = sb.state()["copies"]
    assert copied["brand_id"] == BRAND_ID
    assert copied["audience_id"] == audience
    assert (copied["upload_num"], copied["cover_num"]) == (1000, before["cover_num"])


@pytest.mark.parametrize(
    ("virtual", "code"), [(OTHER_BRAND, 40002), (OWNER, 40001), (BRAND_ID, 40001)]
)
def test_a_copy_needs_a_bound_brand(sb: Sandbox, token: str, virtual: int, code: int):
    audience = sb.available(token)
    assert call(sb, token, "copy", audience, to_advertiser_id=virtual)["code"] == code
    assert sb.state()["copies"] == []


def test_a_copy_needs_an_available_audience(sb: Sandbox, token: str):
    audience = sb.audience(token)
    answer = call(sb, token, "copy", audience, to_advertiser_id=BRAND)
    assert answer["code"] == 40001
    assert "UNAVAILABLE" in answer["message"]


@pytest.mark.parametrize(("again", "live"), [("duplicate", 2), ("replace", 1), ("refuse", 1)])
def test_a_second_copy_does_what_the_switch_says(again: str, live: int):
    with local_sandbox(copy_again=CopyAgain(again)) as sb:
        token = sb.authorize().access
        audience = sb.available(token)
        assert call(sb, token, "copy", audience, to_advertiser_id=BRAND)["code"] == 0
        second = call(sb, token, "copy", audience, to_advertiser_id=BRAND)
        assert (second["code"] == 0) == (again != "refuse")
        assert sum(not each["replaced"] for each in sb.state()["copies"]) == live


@pytest.mark.parametrize("answer", CopyAnswer)
def test_what_a_copy_answers_is_a_switch(answer: CopyAnswer):
    with local_sandbox(copy_answer=answer) as sb:
        token = sb.authorize().access
        data = call(sb, token, "copy", sb.available(token), to_advertiser_id=BRAND)["data"]
        [made] = sb.state()["copies"]
    expected = {CopyAnswer.AUDIENCE: made["id"], CopyAnswer.ADVERTISER: BRAND}
    assert data.get("custom_audience_id") == expected.get(answer)


def test_the_list_form_of_copy_is_a_switch():
    with local_sandbox(copy_to=CopyTo.LIST) as sb:
        token = sb.authorize().access
        audience = sb.available(token)
        assert call(sb, token, "copy", audience, to_advertiser_id=BRAND)["code"] == 40001
        assert call(sb, token, "copy", audience, to_advertiser_id=[BRAND])["code"] == 0


def test_a_brand_can_be_read_when_the_switch_says_so():
    query = {"advertiser_id": BRAND}
    with local_sandbox() as sb:
        answer = sb.get("2/dmp/custom_audience/select/", query, sb.authorize().access)
        assert answer["code"] == 40002
    with local_sandbox(brand_readable=True) as sb:
        token = sb.authorize().access
        copied = call(sb, token, "copy", sb.available(token), to_advertiser_id=BRAND)["data"]
        sb.advance(60)
        [item] = sb.get("2/dmp/custom_audience/select/", query, token)["data"][
            "custom_audience_list"
        ]
        assert item["custom_audience_id"] == copied["custom_audience_id"]


def test_updates_change_the_real_set(sb: Sandbox, token: str):
    """Add, delete and reset work on the ids themselves; audience and data source keep their ids."""
    source = sb.data_source(token, phone_zip(0, 100))
    sb.advance(60)
    audience = source_item(sb, token, source)["default_audience"]["custom_audience_id"]
    sizes = []
    for operation, content in (
        (1, phone_zip(50, 100)),
        (2, phone_zip(0, 30)),
        (3, phone_zip(0, 7)),
    ):
        path = sb.file_path(token, content)
        assert update(sb, token, source, path, operation)["code"] == 0
        sb.advance(60)
        item = source_item(sb, token, source)
        sizes.append(item["upload_num"])
        assert item["default_audience"]["custom_audience_id"] == audience
    assert sizes == [150, 120, 7]
    assert [log["action"] for log in item["change_logs"]] == [0, 1, 2, 3]


def test_an_update_needs_a_publish_and_brands_keep_the_old_content(sb: Sandbox, token: str):
    audience = sb.available(token, phone_zip(0, 100))
    call(sb, token, "copy", audience, to_advertiser_id=BRAND)
    source = sb.state()["data_sources"][0]["id"]
    update(sb, token, source, sb.file_path(token, phone_zip(0, 40)), 3)
    sb.advance(60)
    assert delivery(sb, token, audience) == "NEED_PUBLISH"
    assert sb.state()["copies"][0]["upload_num"] == 100
    sb.advance(hours=24)
    token = sb.authorize().access
    call(sb, token, "publish", audience)
    sb.advance(60)
    assert delivery(sb, token, audience) == "AVAILABLE"


def test_coverage_is_the_same_for_the_same_ids(sb: Sandbox, token: str):
    """And may exceed the number of phones, as one phone can map to several users."""
    first = seen(sb, token, sb.audience(token, phone_zip(0, 5000), name="a"))
    second = seen(sb, token, sb.audience(token, phone_zip(0, 5000), name="b"))
    assert first is not None
    assert second is not None
    assert first["cover_num"] == second["cover_num"] > first["upload_num"] == 5000


def test_coverage_follows_the_seed_and_the_id_type():
    """Phones reach more users than there are phones, old device ids fewer."""

    def covered(seed: int, kind: int, form: str) -> int:
        line = dmp_line((kind, form.format(n)) for n in range(5000))
        with local_sandbox(seed=seed) as sb:
            sb.audience(sb.authorize().access, dmp_zip(line))
            number: int = sb.state()["audiences"][0]["cover_num"]
            return number

    phones = [covered(seed, 6, "{:064x}") for seed in (20, 20, 21)]
    assert phones[0] == phones[1] != phones[2]
    assert 5000 < phones[0] < 6500
    assert 2500 < covered(20, 0, "{:015d}") < 3500
    assert 1500 < covered(20, 1, "{:08x}-0000-0000-0000-000000000000") < 2500


def test_a_path_belongs_to_its_advertiser_and_lives_14_days(sb: Sandbox):
    token = sb.authorize().access
    path = sb.file_path(token, phone_zip(0, 1), SECOND_OWNER)
    assert "file_paths[0]" in create(sb, token, path)["message"]
    own = sb.file_path(token, phone_zip(0, 1))
    sb.advance(days=15)
    token = sb.authorize().access
    answer = create(sb, token, own)
    assert answer["code"] == 40001
    assert "过期" in answer["message"]
    assert create(sb, token, "dmp-made-up")["code"] == 40001


def test_a_hundred_creates_a_day_until_midnight_in_beijing(sb: Sandbox):
    sb.set_time("2026-11-24T23:00:00+08:00")
    token = sb.authorize().access
    path = sb.file_path(token, phone_zip(0, 1))
    codes = [create(sb, token, path, data_source_name=f"n{n}")["code"] for n in range(101)]
    assert codes == [0] * 100 + [40001]
    assert sb.state()["quotas"]["creates_today"] == {str(OWNER): 100}
    sb.set_time("2026-11-25T00:00:01+08:00")
    assert create(sb, token, path)["code"] == 0


def test_fifty_updates_a_day_for_each_source(sb: Sandbox):
    sb.set_time(NOON)
    token = sb.authorize().access
    source = sb.data_source(token, phone_zip(0, 1))
    other = sb.data_source(token, phone_zip(0, 1))
    sb.advance(60)
    path = sb.file_path(token, phone_zip(0, 1))
    codes = [update(sb, token, source, path, 1)["code"] for _ in range(51)]
    assert codes == [0] * 50 + [40001]
    assert update(sb, token, other, path, 1)["code"] == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"data_source_name": "名" * 31}, "data_source_name"),
        ({"data_source_name": "  "}, "data_source_name"),
        ({"description": "x" * 257}, "description"),
        ({"file_paths": []}, "file_paths"),
        ({"file_paths": ["x"] * 1001}, "file_paths"),
        ({"data_source_type": "OTHER"}, "data_source_type"),
        ({"data_format": 1}, "data_format"),
    ],
)
def test_documented_limits_of_create(sb: Sandbox, token: str, changed: dict, field: str):
    path = sb.file_path(token, phone_zip(0, 1))
    answer = create(sb, token, path, **changed)
    assert answer["code"] == 40001
    assert field in answer["message"]
    assert create(sb, token, path, data_source_name="名" * 30, description="x" * 256)["code"] == 0


@pytest.mark.parametrize(("unit", "length"), [("characters", 30), ("bytes", 10), ("wide", 15)])
def test_what_thirty_characters_counts_is_a_switch(unit: str, length: int):
    with local_sandbox(name_unit=NameUnit(unit)) as sb:
        token = sb.authorize().access
        path = sb.file_path(token, phone_zip(0, 1))
        assert create(sb, token, path, data_source_name="名" * length)["code"] == 0
        assert create(sb, token, path, data_source_name="名" * (length + 1))["code"] == 40001


def test_duplicate_names_pass_unless_switched_off(sb: Sandbox, token: str):
    path = sb.file_path(token, phone_zip(0, 1))
    assert [create(sb, token, path)["code"] for _ in range(2)] == [0, 0]
    with local_sandbox(duplicate_names=False) as strict:
        token = strict.authorize().access
        path = strict.file_path(token, phone_zip(0, 1))
        assert [create(strict, token, path)["code"] for _ in range(2)] == [0, 40001]


def test_sources_come_newest_first_and_unknown_ones_are_left_out(sb: Sandbox, token: str):
    ids = []
    for n in range(3):
        ids.append(sb.data_source(token, phone_zip(n, 1), name=f"n{n}"))
        sb.advance(60)
    query = {"advertiser_id": OWNER, "data_source_id_list": [*ids, "unknown"]}
    listed = sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"]
    assert [each["data_source_id"] for each in listed] == ids[::-1]


def test_select_pages_through_the_audiences(sb: Sandbox, token: str):
    made = [sb.audience(token, phone_zip(n, 1), name=f"n{n}") for n in range(5)]
    got: list[int] = []
    offset = 0
    while True:
        query = {"advertiser_id": OWNER, "select_type": 0, "offset": offset, "limit": 2}
        data = sb.get("2/dmp/custom_audience/select/", query, token)["data"]
        got += [each["custom_audience_id"] for each in data["custom_audience_list"]]
        offset += 2
        if offset >= data["total_num"]:
            break
    assert got == made[::-1]
    deliverable = {"advertiser_id": OWNER, "select_type": 1}
    assert sb.get("2/dmp/custom_audience/select/", deliverable, token)["data"]["total_num"] == 0


def test_a_deleted_audience_is_read_but_not_listed(sb: Sandbox, token: str):
    audience = sb.available(token)
    assert call(sb, token, "delete", audience)["data"] == {}
    item = seen(sb, token, audience)
    assert item is not None
    assert (item["isdel"], item["status"]) == (1, 22)
    data = sb.get("2/dmp/custom_audience/select/", {"advertiser_id": OWNER}, token)["data"]
    assert data["total_num"] == 0
    assert call(sb, token, "publish", audience)["code"] == 40001
    source = sb.state()["data_sources"][0]["id"]
    path = sb.file_path(token, phone_zip(0, 1))
    assert update(sb, token, source, path, 1)["code"] == 40001


def test_an_audience_expires_after_half_a_year(sb: Sandbox, token: str):
    audience = sb.available(token)
    sb.advance(days=181)
    token = sb.authorize().access
    item = seen(sb, token, audience)
    assert item is not None
    assert item["status"] == 26
    assert call(sb, token, "publish", audience)["code"] == 40001


def test_an_audience_of_another_advertiser_is_unknown(sb: Sandbox, token: str):
    audience = sb.audience(token, advertiser_id=SECOND_OWNER)
    for action, more in (("publish", {}), ("copy", {"to_advertiser_id": BRAND}), ("delete", {})):
        assert call(sb, token, action, audience, **more)["code"] == 40001
    assert seen(sb, token, audience) is None


def test_new_things_show_up_late_under_list_lag():
    with local_sandbox(list_lag=300) as sb:
        token = sb.authorize().access
        source = sb.data_source(token, phone_zip(0, 1))
        query = {"advertiser_id": OWNER, "data_source_id_list": [source]}
        assert sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"] == []
        sb.advance(minutes=6)
        assert len(sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"]) == 1


def test_a_small_audience_can_be_too_small():
    with local_sandbox(min_cover=1000) as sb:
        token = sb.authorize().access
        audience = sb.available(token, phone_zip(0, 10))
        item = seen(sb, token, audience)
        assert item is not None
        assert (item["status"], delivery(sb, token, audience)) == (4, "UNAVAILABLE")


def test_an_update_under_a_running_publish_delays_it():
    with local_sandbox(speed=1) as sb:
        token = sb.authorize().access
        source = sb.data_source(token, phone_zip(0, 10))
        sb.advance(hours=2)
        audience = source_item(sb, token, source)["default_audience"]["custom_audience_id"]
        call(sb, token, "publish", audience)
        before = sb.state()["publishes"][0]["ready"]
        update(sb, token, source, sb.file_path(token, phone_zip(0, 1)), 1)
        assert sb.state()["publishes"][0]["ready"] > before


def test_a_long_step_of_the_clock_keeps_the_order_of_events():
    """What was published before an update took effect is the content before it."""
    with local_sandbox(speed=1) as sb:
        token = sb.authorize().access
        source = sb.data_source(token, phone_zip(0, 100))
        sb.advance(hours=2)
        audience = source_item(sb, token, source)["default_audience"]["custom_audience_id"]
        call(sb, token, "publish", audience)
        sb.advance(minutes=46)
        update(sb, token, source, sb.file_path(token, phone_zip(0, 7)), 3)
        sb.advance(days=1)
        state = sb.state()
        assert state["audiences"][0]["upload_num"] == 7
        assert state["audiences"][0]["published_upload_num"] == 100


def test_which_code_a_business_rule_answers_is_a_switch():
    """Quota, wrong state, other subject: each with the code of its own that was chosen."""
    with local_sandbox(quota_code=40011, state_code=40012, subject_code=40013) as sb:
        sb.set_time(NOON)
        token = sb.authorize().access
        audience = sb.audience(token)
        source = sb.state()["data_sources"][0]["id"]
        path = sb.file_path(token, phone_zip(0, 1))
        assert call(sb, token, "copy", audience, to_advertiser_id=BRAND)["code"] == 40012
        foreign = call(sb, token, "push_v2", audience, target_advertiser_ids=[OTHER_SUBJECT])
        assert foreign["code"] == 40013
        updates = [update(sb, token, source, path, 1)["code"] for _ in range(51)]
        creates = [create(sb, token, path)["code"] for _ in range(100)]
        assert (updates[-1], creates[-1]) == (40011, 40011)
        assert set(updates[:-1] + creates[:-1]) == {0}
        sb.advance(days=15)
        token = sb.authorize().access
        assert create(sb, token, path)["code"] == 40012
        call(sb, token, "delete", audience)
        assert call(sb, token, "publish", audience)["code"] == 40012
        assert update(sb, token, source, path, 1)["code"] == 40012
