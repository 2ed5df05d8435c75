"""`push …` and `quota` as a script calls them: exit codes, envelope, nothing sent unasked."""

import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import TEST_ENVIRONMENT, command
from support.clock import shifted
from support.world import World, world

FAST = {"YUNTU_PUSH_PUSH_POLL": "0.1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("push") / "home", speed=1e6) as made:
        made.build(count=50)
        yield made


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test waits because the one before left the platform failing: such a host is left alone
    for a minute."""
    yield
    if "home" in request.fixturenames:
        home = request.getfixturevalue("home").home
        with contextlib.closing(sqlite3.connect(home / "state" / "state.db")) as state, state:
            state.execute("DELETE FROM pace")


@pytest.fixture(scope="module")
def pushed(home: World) -> dict:
    """A push that reached its brand."""
    run = home.create("--wait", "--poll", "0.1", "--timeout", "60")
    assert run.code == 0, run.stdout
    return run.data


def sent(home: World) -> int:
    return len([r for r in home.sandbox.requests() if r["method"] == "POST"])


def test_a_dry_run_sends_and_stores_nothing(home: World):
    before = sent(home)
    run = home.create("--dry-run", name="试运行")
    assert (run.code, run.data["dry_run"]) == (0, True)
    assert run.data["audience_name"].startswith("试运行_")
    assert run.data["next_action"] is None, "there is no such push to go on with"
    assert sent(home) == before
    assert "试运行" not in {p["name"] for p in home.json("push", "list").data["pushes"]}


def test_the_answer_tells_everything_and_ids_are_strings(pushed: dict):
    assert pushed["state"] == "succeeded"
    assert pushed["brands"][0]["state"] == "submitted"
    assert "自定义分析" in pushed["next_action"]
    for name in ("data_source_id", "custom_audience_id"):
        assert isinstance(pushed[name], str)
    assert pushed["created_at"].endswith("+08:00")


def test_a_first_push_to_a_brand_is_told_of_where_nobody_is_asked(home: World, pushed: dict):
    """主体, account, brand and size; the second one to the same pair is nothing new."""
    account, brand = home.bound_account()
    other = next(b for b in account["brands"] if b != brand)
    words = ("--brand", other["brand_id"], "--again")

    first, second = home.create(*words, name="新品牌"), home.create(*words, name="又一次")

    [told] = [line for line in first.stderr.splitlines() if "主体" in line]
    for fact in (account["company"], account["name"], other["brand_name"], "50"):
        assert fact in told
    assert "主体" not in second.stderr


def test_the_same_push_again_names_the_first(home: World, pushed: dict):
    run = home.create(name="再来一次")
    assert (run.code, run.error_code) == (6, "PUSH_TWICE")
    assert pushed["push_id"] in run.envelope["errors"][0]["message"]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["--name", "名字太长" * 5], 2, "PUSH_NAME_INVALID"),
        (["--name", "有 空格"], 2, "PUSH_NAME_INVALID"),
        (["--name", "x", "--brand", "星野"], 2, "BRAND_UNKNOWN"),
        (["--name", "x", "--account", "没有"], 2, "ACCOUNT_UNKNOWN"),
        (["--name", "x", "--channel", "acne"], 2, "CHANNEL_UNKNOWN"),
        (["--name", "x", "--timeout", "soon"], 2, "TIME_INVALID"),
    ],
)
def test_wrong_words_have_their_code(home: World, words: list[str], code: int, error: str):
    account, brand = home.bound_account()
    plain = ["--segment", "vip", "--account", account["advertiser_id"]]
    if "--brand" not in words:
        plain += ["--brand", brand["brand_id"]]
    run = home.json("push", "create", *plain, *words)
    assert (run.code, run.error_code) == (code, error)
    assert run.envelope["errors"][0]["hint"]


def test_an_unknown_push_and_an_unclear_resume_are_usage_errors(home: World):
    assert home.json("push", "status", "nothing").error_code == "PUSH_UNKNOWN"
    assert home.json("push", "resume").code == 2


def test_status_shows_and_never_fails_for_a_state(home: World, pushed: dict):
    shown = home.json("push", "show", pushed["name"], "--offline")
    assert (shown.code, shown.data["push_id"]) == (0, pushed["push_id"])
    home.sandbox.fault("custom_audience/read", "http_500")
    try:
        assert home.json("push", "status", pushed["push_id"]).code == 0
    finally:
        home.sandbox.clear_faults()


LISTS = [("list",), ("status",), ("show",)]


def reads(home: World) -> int:
    return len(home.sandbox.requests("custom_audience/read"))


def cover(home: World, push: dict) -> int | None:
    """What the list without a look at the platform says."""
    pushes = home.json("push", "list", "--offline").data["pushes"]
    return next(p["cover_num"] for p in pushes if p["push_id"] == push["push_id"])


@pytest.mark.parametrize("spelling", LISTS)
def test_the_list_has_present_counts_unless_told_to_stay_offline(
    home: World, pushed: dict, spelling: tuple[str, ...]
):
    audience = home.sandbox.world.state.audiences[int(pushed["custom_audience_id"])]
    before, known = reads(home), cover(home, pushed)
    assert reads(home) == before, "offline asks nothing"
    now = (known or 0) + 7
    audience.cover_num = now

    run = home.json("push", *spelling)

    found = next(p for p in run.data["pushes"] if p["push_id"] == pushed["push_id"])
    assert (run.code, found["cover_num"]) == (0, now), run.stderr
    assert (reads(home) - before, run.stderr) == (1, "")


def test_a_list_in_an_outage_is_quick_and_shows_what_was_last_seen(home: World, pushed: dict):
    known = cover(home, pushed)
    home.sandbox.fault("custom_audience/read", "delay", seconds=40)
    try:
        began = time.monotonic()
        run = home.json("push", "list")
        took = time.monotonic() - began
    finally:
        home.sandbox.clear_faults()
    found = next(p for p in run.data["pushes"] if p["push_id"] == pushed["push_id"])
    assert (run.code, found["cover_num"]) == (0, known)
    assert took < 15
    assert run.stderr.count("the counts are those last seen") == 1


def test_a_list_without_a_login_or_a_channel_says_so_and_is_no_failure(tmp_path: Path):
    with world(tmp_path / "home", speed=1e6) as made:
        made.build(count=50)
        push = made.create("--wait", "--poll", "0.1", "--timeout", "60").data
        assert made.json("auth", "logout", "acme", "--yes").code == 0
        loggedout = made.json("push", "list")
        config = made.home / "config.yaml"
        config.write_text(config.read_text("utf-8").replace("acme:", "other:"), "utf-8")
        removed = made.json("push", "list")
        one = made.json("push", "show", push["push_id"])

    for run, reason in ((loggedout, "no valid login"), (removed, "there is no channel")):
        assert (run.code, run.envelope["status"]) == (0, "ok")
        assert run.data["pushes"][0]["cover_num"] == push["cover_num"]
        [line] = run.stderr.splitlines()
        assert "channel acme" in line
        assert reason in line
    assert (one.code, one.data["cover_num"]) == (0, push["cover_num"])


@pytest.mark.parametrize("words", [["status", "NAMED"], ["status"], ["list"]])
def test_status_watches_until_nothing_is_under_way(home: World, words: list[str]):
    home.sandbox.fault("data_source/create", "slow", factor=10_000)
    try:
        push = home.create("--again", name="看着").data["push_id"]
    finally:
        home.sandbox.clear_faults()
    states = ["--state", "running", "--state", "cancelled"]
    words = [words[0], push] if "NAMED" in words else [*words, *states]
    environ = {**TEST_ENVIRONMENT, **os.environ, **FAST, "YUNTU_PUSH_HOME": str(home.home)}
    with subprocess.Popen(
        command("push", *words, "--watch"),
        env=environ, stdout=subprocess.PIPE, encoding="utf-8",
    ) as watching:  # fmt: skip
        assert watching.stdout is not None
        assert any("running" in line for line in watching.stdout), "it ended before the push did"
        assert home.json("push", "cancel", push).code == 0
        stdout, _ = watching.communicate(timeout=20)
    assert watching.returncode == 0
    assert "cancelled" in stdout


def test_a_filter_and_one_push_exclude_each_other(home: World, pushed: dict):
    run = home.json("push", "status", pushed["push_id"], "--state", "failed")
    assert (run.code, run.error_code) == (2, "USAGE")


def test_lists_are_filtered(home: World, pushed: dict):
    def ids(*words: str) -> set[str]:
        return {p["push_id"] for p in home.json("push", "list", *words).data["pushes"]}

    assert pushed["push_id"] in ids("--state", "succeeded", "--since", "1h")
    assert pushed["push_id"] not in ids("--state", "failed")
    assert ids("--brand", "没有") == set()
    unknown = home.json("push", "list", "--channel", "acne")
    assert (unknown.code, unknown.error_code) == (2, "CHANNEL_UNKNOWN")
    assert "acme" in unknown.envelope["errors"][0]["message"]
    assert home.json("push", "list", "--state", "nonsense").code == 2
    assert home.json("push", "list", "--since", "whenever").code == 2
    for beyond_the_calendar in ("99999999d", "0001-01-01"):
        assert home.json("push", "list", "--since", beyond_the_calendar).code == 2


def test_resume_all_with_nothing_due_is_silent_and_ok(home: World, pushed: dict):
    """Cron mails whatever is written, be it a header alone."""
    run = home("push", "resume", "--all")
    assert (run.code, run.stdout, run.stderr) == (0, "", "")
    assert home.json("push", "resume", "--all").envelope["status"] == "ok"


def test_resume_all_is_silent_while_the_platform_is_at_work(tmp_path: Path):
    """It looked, and there is no news: a script that asks is told, cron's mail stays away."""
    with world(tmp_path / "home", speed=1.0) as made:
        made.build()
        push = made.create().data["push_id"]
        later = {"YUNTU_PUSH_PUSH_POLL": "1s", **shifted(tmp_path, days=1 / 24)}

        run = made("push", "resume", "--all", env=later)
        asked = made.json("push", "resume", "--all", env=shifted(tmp_path, days=1 / 12))

        assert (run.code, run.stdout, run.stderr) == (0, "", "")
        assert [p["push_id"] for p in asked.data["pushes"]] == [push]


def test_resume_all_is_pending_while_a_push_waits(tmp_path: Path):
    """Nothing could be done now, and something goes on."""
    with world(tmp_path / "home") as made:
        made.build()
        made.sandbox.fault("data_source/file/upload", "http", status=429)
        assert made.create().code == 75

        run = made.json("push", "resume", "--all")

        assert (run.code, run.envelope["status"]) == (0, "pending")


def test_a_copy_is_made_once_unless_asked(home: World, pushed: dict):
    brand = pushed["brands"][0]["brand_name"]
    again = home.json("push", "copy", pushed["push_id"], "--brand", brand)
    assert (again.code, again.error_code) == (6, "COPY_TWICE")
    assert home.json("push", "copy", pushed["push_id"], "--brand", brand, "--done").code == 6


def test_a_person_confirms(home: World, pushed: dict):
    brand = pushed["brands"][0]["brand_name"]
    run = home.json("push", "confirm", pushed["push_id"], "--brand", brand)
    assert run.data["brands"][0]["state"] == "confirmed"
    assert run.data["next_action"] is None, "it was seen"


def test_the_quota_counts_what_was_used(home: World, pushed: dict):
    run = home.json("quota")
    uses = {(u["kind"], u["subject"]): u for u in run.data["quotas"]}
    create = uses["create", pushed["account"]["advertiser_id"]]
    assert (create["limit"], create["left"]) == (100, 100 - create["used"])
    publish = uses["publish", pushed["custom_audience_id"]]
    assert (publish["left"], publish["used"]) == (0, 1)
    assert publish["opens_at"].endswith("+08:00")


def test_cancel_says_what_stays(home: World):
    home.sandbox.fault("data_source/read", "http_500")
    try:
        run = home.create("--again", name="要取消的")
        done = home("push", "cancel", run.data["push_id"])
    finally:
        home.sandbox.clear_faults()
    assert done.code == 0
    assert "stays on the platform" in done.stderr
    assert home.json("push", "resume", run.data["push_id"]).code == 6


def test_cancel_tells_scripts_what_stays(home: World):
    home.sandbox.fault("data_source/file/upload", "refuse", code=40001)
    try:
        push = home.create("--again", name="不要的").data["push_id"]
    finally:
        home.sandbox.clear_faults()
    run = home.json("push", "cancel", push)
    assert (run.code, run.data["state"]) == (0, "cancelled")
    assert run.data["remains"] == ["nothing was sent to the platform"]


def test_a_failed_brand_is_7_says_why_and_is_tried_alone(home: World):
    account = home.bound_account()[0]
    brands = [str(brand["brand_id"]) for brand in account["brands"]]
    assert len(brands) == 2
    home.sandbox.fault("custom_audience/copy", "refuse", nth=2, code=40001, message="不行")
    try:
        run = home.create(
            "--again", "--brand", brands[1], "--wait", "--poll", "0.1", name="一半"
        )  # fmt: skip
    finally:
        home.sandbox.clear_faults()
    assert (run.code, run.envelope["status"], run.data["state"]) == (7, "partial", "partial")
    push = run.data["push_id"]
    assert sorted(brand["state"] for brand in run.data["brands"]) == ["failed", "submitted"]
    shown = home("push", "status", push)
    [line] = [x for x in shown.stdout.splitlines() if x.startswith("brands\t")]
    assert (shown.code, line.count("不行")) == (0, 1)

    before = sent(home)
    again = home.json("push", "resume", push)
    assert (again.code, again.data["state"]) == (0, "succeeded")
    assert sent(home) == before + 1, "the other brand is not repeated"


def test_a_throttled_push_is_75_and_says_when(home: World):
    home.sandbox.fault("data_source/create", "refuse", code=40110, retry_in="120")
    try:
        run = home.create("--again", name="限流")
    finally:
        home.sandbox.clear_faults()
    assert (run.code, run.envelope["status"]) == (75, "pending")
    assert run.data["state"] == "waiting"
    assert run.data["next_at"]
    assert run.envelope["errors"][0]["retryable"] is True


def test_a_segment_that_a_push_has_still_to_upload_is_not_erased_unasked(
    home: World, tmp_path: Path
):
    """With `--yes` it is; then `resume --all` says so instead of ending well."""
    home.build("brittle", count=20, seed=3)
    home.sandbox.fault("data_source/file/upload", "http", status=429, retry_after=1)
    push = home.create(name="未上传", segment="brittle").data
    assert (push["state"], push["step"]) == ("waiting", "upload")

    kept = home.json("segment", "remove", "brittle")

    assert (kept.code, kept.error_code) == (6, "SEGMENT_IN_USE")
    assert push["push_id"] in kept.envelope["errors"][0]["message"]
    assert home.json("segment", "verify", "brittle").code == 0
    assert home.json("segment", "remove", "brittle", "--yes").code == 0
    home.sandbox.clear_faults()
    run = home.json("push", "resume", "--all", env=shifted(tmp_path, days=1 / 24))
    assert (run.code, run.error_code) == (3, "SEGMENT_PART_MISSING")
    shown = home("push", "status", push["push_id"], "--offline").stdout
    assert "is gone" in next(line for line in shown.splitlines() if line.startswith("reason\t"))


def test_a_push_in_an_outage_says_how_it_goes_on(home: World):
    """Not by the same command: that would be another push."""
    home.build("outage", count=20, seed=4)
    home.sandbox.fault("data_source/file/upload", "html")

    run = home.create(name="断网", segment="outage")

    home.sandbox.clear_faults()
    step = f"push resume {run.data['push_id']}"
    assert (run.code, run.error_code) == (75, "PLATFORM_ANSWER_UNREADABLE")
    assert step in run.envelope["errors"][0]["hint"]
    assert step in run.data["next_action"]
    assert home.json("push", "cancel", run.data["push_id"], "--yes").code == 0


def test_a_push_whose_channel_is_gone_is_told_beside_the_others(home: World, tmp_path: Path):
    home.build("orphan", count=20, seed=5)
    home.sandbox.fault("data_source/file/upload", "http", status=429, retry_after=1)
    orphan = home.create(name="无主", segment="orphan").data["push_id"]
    other = home.create("--again", name="有主", segment="orphan").data["push_id"]
    home.sandbox.clear_faults()
    with contextlib.closing(sqlite3.connect(home.home / "state" / "state.db")) as state, state:
        state.execute("UPDATE push SET channel = 'gone' WHERE push_id = ?", [orphan])

    run = home.json("push", "resume", "--all", env=shifted(tmp_path, days=1 / 24))

    assert home.json("push", "cancel", orphan).code == 0
    assert (run.code, run.envelope["status"], run.error_code) == (2, "error", "CHANNEL_UNKNOWN")
    worked = {push["push_id"]: push for push in run.data["pushes"]}
    assert worked[other]["data_source_id"]
    assert worked[orphan]["data_source_id"] is None
