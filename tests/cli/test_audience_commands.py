"""`audience list|show|delete` against the sandbox: what is there, whose it is, and its end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from support.sandbox import SECOND_OWNER
from support.terminal import at_terminal
from support.world import World, world

Row = dict


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("audience") / "home", speed=1e6) as made:
        # Everything here was pushed five months ago.
        made.sandbox.set_time((datetime.now(UTC) - timedelta(days=160)).isoformat())
        made.build(count=50)
        yield made


@pytest.fixture(scope="module")
def pushed(home: World) -> dict:
    """A push that reached its brand and was shared with another advertiser."""
    words = ("--target", str(SECOND_OWNER), "--wait", "--poll", "0.1", "--timeout", "60")
    run = home.create(*words)
    assert run.code == 0, run.stdout + run.stderr
    return run.data


def listed(home: World, account: object) -> list[Row]:
    run = home.json("audience", "list", "--account", str(account))
    assert run.code == 0, run.stdout
    return list(run.data["audiences"])


def test_the_list_tells_state_expiry_and_push(home: World, pushed: dict):
    """In our words, with the push that made it; the six-month rule warns."""
    [found] = listed(home, pushed["account"]["advertiser_id"])

    assert found["custom_audience_id"] == pushed["custom_audience_id"]
    assert found["name"] == pushed["audience_name"]
    assert (found["state"], found["delivery_status"]) == ("usable", "AVAILABLE")
    assert (found["source"], found["pushes"]) == ("DATA_SOURCE", [pushed["push_id"]])
    assert found["expires_soon"] is True
    days = datetime.fromisoformat(found["expires_on"]).date() - datetime.now(UTC).date()
    assert 15 <= days.days <= 30
    run = home("audiences", "list", "--account", pushed["account"]["advertiser_id"])
    assert f"expires on {found['expires_on']}" in run.stderr
    header, line = run.stdout.splitlines()
    assert header.split("\t")[0] == "custom_audience_id"
    assert line.split("\t")[0] == pushed["custom_audience_id"]


def test_a_terminal_calls_what_an_audience_was_made_from_by_its_own_word(home: World, pushed: dict):
    """`数据连接` are the databases of the config."""
    words = ("audience", "show", pushed["custom_audience_id"], "--lang", "zh")
    code, shown = at_terminal(*words, home=home.home)
    assert code == 0, shown
    assert "来源" in shown
    assert "数据连接" not in shown


def test_what_was_shared_is_seen_under_the_target(home: World, pushed: dict):
    """The same audience, the same push of ours."""
    [found] = listed(home, SECOND_OWNER)

    assert found["custom_audience_id"] == pushed["custom_audience_id"]
    assert found["pushes"] == [pushed["push_id"]]


def test_one_is_found_by_id_or_name(home: World, pushed: dict):
    """An id that our push made needs no account."""
    by_id = home.json("audience", "show", pushed["custom_audience_id"])
    account = ("--account", pushed["account"]["advertiser_id"])
    by_name = home.json("audience", "show", pushed["audience_name"], *account)

    assert by_id.code == 0, by_id.stdout
    assert by_id.data["created_at"].endswith("+08:00")
    assert by_name.data["custom_audience_id"] == by_id.data["custom_audience_id"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("show", "1"), "AUDIENCE_UNKNOWN"),
        (("show", "高价值"), "AUDIENCE_UNKNOWN"),
        (("list", "--account", "nobody"), "ACCOUNT_UNKNOWN"),
        (("list", "--channel", "acne"), "CHANNEL_UNKNOWN"),
    ],
)
def test_wrong_names_are_usage_errors(
    home: World, pushed: dict, words: tuple[str, ...], error: str
):
    account = () if "--account" in words else ("--account", pushed["account"]["advertiser_id"])
    run = home.json("audience", *words, *account)
    assert (run.code, run.error_code) == (2, error)


def deletions(home: World) -> int:
    return len(home.sandbox.requests("custom_audience/delete"))


def test_nothing_is_deleted_without_a_yes(home: World, pushed: dict):
    """A script has to say it."""
    before = deletions(home)
    run = home.json("audience", "delete", pushed["custom_audience_id"])

    assert (run.code, run.error_code) == (2, "NOT_CONFIRMED")
    assert deletions(home) == before


def test_an_audience_in_use_by_a_plan_is_explained(home: World, pushed: dict):
    """The platform refuses; the next step names the plans."""
    home.sandbox.fault(
        "custom_audience/delete", "refuse", code=40001, message="人群包已被广告计划使用,不能删除"
    )
    run = home.json("audience", "delete", pushed["custom_audience_id"], "-y")
    home.sandbox.clear_faults()

    assert (run.code, run.error_code) == (5, "AUDIENCE_IN_USE")
    assert "ad plans" in run.envelope["errors"][0]["hint"]
    assert "计划" in run.envelope["errors"][0]["message"]


def test_one_that_is_being_pushed_is_kept(home: World, pushed: dict):
    """The push would fail for it; give that up first."""
    home.build("other", count=60, seed=5)
    home.sandbox.fault("data_source/update", "http", status=503)
    update = home.json("push", "update", pushed["push_id"], "--segment", "other", "-y")
    home.sandbox.clear_faults()
    push_id = update.data["push_id"]
    before = deletions(home)

    run = home.json("audience", "delete", pushed["custom_audience_id"], "-y")

    assert (run.code, run.error_code) == (6, "AUDIENCE_UNDER_WAY")
    assert push_id in run.envelope["errors"][0]["hint"]
    assert deletions(home) == before
    assert home.json("push", "cancel", push_id, "-y").code == 0


def test_a_lost_answer_is_looked_up_and_a_second_time_is_no_error(home: World, pushed: dict):
    """The audience is gone; its copies in the brand stay."""
    copies = len(home.sandbox.state()["copies"])
    home.sandbox.fault("custom_audience/delete", "drop_after", nth=1)
    run = home.json("audience", "delete", pushed["custom_audience_id"], "-y")
    home.sandbox.clear_faults()

    assert run.code == 0, run.stdout
    assert run.data["state"] == "deleted"
    assert listed(home, pushed["account"]["advertiser_id"]) == []
    assert len(home.sandbox.state()["copies"]) == copies
    before = deletions(home)
    again = home.json("audience", "delete", pushed["custom_audience_id"])
    assert (again.code, again.data["state"]) == (0, "deleted")
    assert deletions(home) == before
