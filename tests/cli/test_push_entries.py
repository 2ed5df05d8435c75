"""`push run` and `push update` against the sandbox: the platform has what the source has."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.clock import shifted
from support.segments import decoded
from support.world import World, phones, world, write_csv
from yuntu_push.domain.guards import GuardName

ENTRY = """
pushes:
  vip_daily:
    name: 高价值会员
    account: "{account}"
    brands: ["{brand}"]
    mode: {mode}
    segment:
      name: vip
      csv: ["{csv}"]
      ids: {{MOBILE_HASH_SHA256: 手机号}}
"""
WAIT = ["--wait", "--poll", "0.1", "--timeout", "60"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", speed=1e6) as made:
        yield made


def write_source(home: World, count: int, seed: int = 7) -> Path:
    return write_csv(home.home / "source.csv", "手机号", phones(count, seed))


def add_entry(home: World, mode: str) -> None:
    account, brand = home.bound_account()
    entry = ENTRY.format(
        account=account["advertiser_id"], brand=brand["brand_name"], mode=mode,
        csv=home.home / "source.csv",
    )  # fmt: skip
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8") + entry, "utf-8")


def a_day_later(home: World) -> None:
    """The platform's day passes; ours is told to follow by leaving its record behind."""
    home.sandbox.advance(days=1, minutes=1)


def test_an_entry_creates_then_updates_the_same_data_source(home: World):
    write_source(home, 100)
    add_entry(home, "reset")
    first = home.json("push", "run", "vip_daily", *WAIT)
    assert (first.code, first.data["mode"]) == (0, "create")

    same = home.json("push", "run", "vip_daily", *WAIT)
    assert (same.code, same.data["push_id"]) == (0, first.data["push_id"])

    write_source(home, 120)
    a_day_later(home)
    second = home.json("push", "run", "vip_daily", *WAIT)
    assert second.code == 0, second.stdout
    assert (second.data["mode"], second.data["state"]) == ("reset", "succeeded")
    assert second.data["custom_audience_id"] == first.data["custom_audience_id"]
    assert second.data["upload_num"] == 120
    [source] = home.sandbox.state()["data_sources"]
    assert source["name"] == first.data["audience_name"]


def test_a_mirror_sends_only_what_changed(home: World):
    people = phones(200)
    write_csv(home.home / "source.csv", "手机号", people)
    add_entry(home, "mirror")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0

    write_csv(home.home / "source.csv", "手机号", [*people[10:], *phones(5, seed=99)])
    a_day_later(home)
    run = home.json("push", "run", "vip_daily", *WAIT)
    assert run.code == 0, run.stdout + run.stderr
    assert run.data["upload_num"] == 195
    updates = [r["fields"] for r in home.sandbox.requests("data_source/update")]
    assert [u["operation_type"] for u in updates] == [2, 1]


def in_clear(home: World) -> set[str]:
    """All ids that lie in parts as they are sent."""
    parts = (home.home / "segments").rglob("*.zip")
    return {value for part in parts for line in decoded(part) for _, value in line}


def digests(people: Sequence[str]) -> set[str]:
    return {hashlib.sha256(phone.encode()).hexdigest() for phone in people}


def test_a_mirror_keeps_earlier_contents_sealed(home: World):
    """Who left on the second day is in no readable file on the third, and can be looked up."""
    days = [phones(200), phones(200)[10:], phones(200)[15:]]
    add_entry(home, "mirror")
    for people in days:
        write_csv(home.home / "source.csv", "手机号", people)
        assert home.json("push", "run", "vip_daily", *WAIT).code == 0
        a_day_later(home)
    assert not in_clear(home) & digests(days[0][:10])
    assert in_clear(home) == digests(days[1]), "the latest, and who left since"
    assert list((home.home / "segments" / "vip" / "v1").glob("*.zip.sealed"))

    diff = home.json("segment", "diff", "vip", "1", "3")
    assert diff.code == 0, diff.stdout
    [change] = diff.data["by_type"].values()
    assert (change["added"], change["removed"], change["kept"]) == (0, 15, 185)


def test_a_mirror_whose_old_content_stays_shut_sends_the_whole_and_says_so(home: World):
    people = phones(200)
    write_csv(home.home / "source.csv", "手机号", people)
    add_entry(home, "mirror")
    first = home.json("push", "run", "vip_daily", *WAIT)
    assert first.code == 0
    # The second day's content never gets to the platform, so the first day's is compared again.
    a_day_later(home)
    write_csv(home.home / "source.csv", "手机号", people[5:])
    home.sandbox.fault("data_source/update", "refuse", code=40002, message="无权限")
    refused = home.json("push", "run", "vip_daily", *WAIT)
    assert refused.code == 4
    home.sandbox.clear_faults()
    assert home.json("push", "cancel", refused.data["push_id"]).code == 0
    for sealed in (home.home / "segments" / "vip" / "v1").glob("*.sealed"):
        sealed.write_bytes(bytes(sealed.stat().st_size))

    write_csv(home.home / "source.csv", "手机号", people[8:])
    run = home.json("push", "run", "vip_daily", *WAIT)
    assert run.code == 0, run.stdout + run.stderr
    assert "not at hand" in run.stderr
    assert run.data["upload_num"] == 192


def test_a_difference_that_is_still_to_be_uploaded_is_not_erased(home: World):
    people = phones(200)
    write_csv(home.home / "source.csv", "手机号", people)
    add_entry(home, "mirror")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    a_day_later(home)
    write_csv(home.home / "source.csv", "手机号", people[5:])
    home.sandbox.fault("data_source/file/upload", "http", status=429, retry_after=1)
    push = home.json("push", "run", "vip_daily")
    assert push.code == 75, push.stdout
    kept = home.json("segment", "remove", "vip-delete")
    assert (kept.code, kept.error_code) == (6, "SEGMENT_IN_USE")
    home.sandbox.clear_faults()
    assert home.json("push", "resume", push.data["push_id"], *WAIT).code == 0
    assert home.json("segment", "remove", "vip-delete", "--yes").code == 0


@pytest.mark.parametrize("end", ["nothing changed", "a guard refuses", "tried without sending"])
def test_a_mirror_that_sends_nothing_seals_all_the_same(home: World, end: str):
    """What a person had opened, and what the comparison itself opened, is put away again."""
    people = phones(200)
    write_csv(home.home / "source.csv", "手机号", people)
    add_entry(home, "mirror")
    for count in (200, 195):
        write_csv(home.home / "source.csv", "手机号", people[:count])
        push = home.json("push", "run", "vip_daily", *WAIT)
        assert push.code == 0, push.stdout
        a_day_later(home)
    assert home.json("segment", "verify", "vip@1").code == 0
    assert in_clear(home) >= digests(people)

    if end == "nothing changed":
        run = home.json("push", "run", "vip_daily", *WAIT)
        assert (run.code, run.data["push_id"]) == (0, push.data["push_id"])
    elif end == "a guard refuses":
        write_csv(home.home / "source.csv", "手机号", people[:20])
        run = home.json("push", "run", "vip_daily", *WAIT)
        assert (run.code, run.error_code) == (6, "GUARD_MAX_REMOVED")
    else:
        words = ["push", "update", push.data["push_id"], "--segment", "vip", "--mode", "mirror"]
        assert home.json(*words, "--again", "--dry-run").code == 0
    assert not list((home.home / "segments" / "vip" / "v1").glob("*.zip"))
    if end == "a guard refuses":
        assert not list((home.home / "segments" / "vip" / "v2").glob("*.zip"))


def test_a_push_that_was_refused_finds_its_content_when_it_is_resumed(home: World):
    """A mirror has sealed it meanwhile, as nothing was under way."""
    people = phones(200)
    write_csv(home.home / "source.csv", "手机号", people)
    add_entry(home, "mirror")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    home.sandbox.fault("data_source/file/upload", "refuse", code=40000, message="参数错误")
    refused = home.create("--again")
    assert (refused.code, refused.data["state"]) == (5, "failed"), refused.stdout
    home.sandbox.clear_faults()

    a_day_later(home)
    write_csv(home.home / "source.csv", "手机号", people[5:])
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    assert list((home.home / "segments" / "vip" / "v1").glob("*.zip.sealed"))
    resumed = home.json("push", "resume", refused.data["push_id"], *WAIT)
    assert (resumed.code, resumed.data["upload_num"]) == (0, 200), resumed.stdout


def test_the_rejects_of_a_sealed_version_are_shown_as_it_lies(home: World):
    """They are a list of rows, without any id: nothing is opened to show them."""
    for people in (phones(50), phones(60)):
        write_csv(home.home / "source.csv", "手机号", people)
        if not (home.home / "segments").exists():
            add_entry(home, "mirror")
        assert home.json("push", "run", "vip_daily", *WAIT).code == 0
        a_day_later(home)
    shown = home.json("segment", "rejects", "vip@1")
    assert (shown.code, shown.data["version"]) == (0, 1)
    assert not list((home.home / "segments" / "vip" / "v1").glob("*.zip"))


def test_a_mass_removal_is_stopped_and_can_be_let_pass(home: World):
    write_source(home, 100)
    add_entry(home, "reset")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0

    write_source(home, 20)
    a_day_later(home)
    stopped = home.json("push", "run", "vip_daily", *WAIT)
    assert (stopped.code, stopped.error_code) == (6, "GUARD_MAX_REMOVED")
    assert not home.sandbox.requests("data_source/update")

    run = home.json("push", "run", "vip_daily", "--allow", "max_removed", *WAIT)
    assert (run.code, run.data["upload_num"]) == (0, 20)


def test_all_guards_that_refuse_are_told_and_let_pass_by_the_line_of_the_hint(home: World):
    write_source(home, 100)
    add_entry(home, "reset")
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8") + "    guards: {min_ids: 50}\n", "utf-8")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    write_source(home, 20)
    a_day_later(home)

    stopped = home("push", "run", "vip_daily", "--lang", "zh")

    assert stopped.code == 6
    assert stopped.stderr.startswith("错误[GUARD_MIN_IDS]: ")
    assert "；" in stopped.stderr
    assert "上限 30%" in stopped.stderr
    words = re.findall(r"--allow \w+", stopped.stderr)
    assert words == ["--allow min_ids", "--allow max_removed"]
    run = home.json("push", "run", "vip_daily", *" ".join(words).split(), *WAIT)
    assert (run.code, run.data["upload_num"]) == (0, 20)


def test_a_source_that_may_be_empty_still_empties_no_audience(home: World):
    """`min_rows: 0` makes it a guard's matter instead of one of waiting; no option lets it pass."""
    write_source(home, 20)
    add_entry(home, "mirror")
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8") + "      min_rows: 0\n", "utf-8")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0

    write_source(home, 0)
    a_day_later(home)
    every = [word for guard in GuardName for word in ("--allow", guard.value)]
    for words in ([], every):
        run = home.json("push", "run", "vip_daily", *words, *WAIT)
        assert (run.code, run.error_code) == (6, "GUARD_EMPTY"), run.stdout
    assert not home.sandbox.requests("data_source/update")
    assert home.json("push", "resume", "--all").data["pushes"] == [], "it is not tried again"


def test_an_update_by_hand_says_when_it_will_be_published(home: World):
    """The window is closed: exit 75 with the moment, nothing to do."""
    home.build(count=100)
    first = home.create(*WAIT)
    home.build(count=110)
    run = home.json("push", "update", first.data["push_id"], "--segment", "vip", *WAIT)
    assert (run.code, run.data["state"], run.data["step"]) == (75, "waiting", "publish")
    assert run.error_code == "PUBLISH_WINDOW"
    assert run.data["next_at"]

    # Another run meets it and takes its place.
    home.build(count=120)
    newer = home.json("push", "update", first.data["push_id"], "--segment", "vip", *WAIT)
    assert newer.code == 75
    old = home.json("push", "status", run.data["push_id"], "--offline")
    assert old.data["state"] == "superseded"

    a_day_later(home)
    end = home.json("push", "resume", newer.data["push_id"], *WAIT)
    assert (end.code, end.data["upload_num"]) == (0, 120)


def test_an_unknown_entry_names_the_known_ones(home: World):
    write_source(home, 10)
    add_entry(home, "reset")
    run = home.json("push", "run", "vip_dayly")
    assert run.code == 2
    assert "vip_daily" in run.envelope["errors"][0]["message"]


def test_copies_are_shown_with_their_lineage_and_old_ones_for_deletion(home: World):
    write_source(home, 100)
    add_entry(home, "reset")
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8") + "    copy: each\n", "utf-8")
    first = home.json("push", "run", "vip_daily", *WAIT)
    assert first.code == 0, first.stdout
    write_source(home, 120)
    a_day_later(home)
    second = home.json("push", "run", "vip_daily", *WAIT)
    assert second.code == 0, second.stdout

    shown = home.json("push", "status", second.data["push_id"])
    newest, older = shown.data["copies"]
    assert (newest["push_id"], newest["segment_version"]) == (second.data["push_id"], 2)
    assert (older["push_id"], older["segment_version"]) == (first.data["push_id"], 1)
    assert (newest["current"], older["current"]) == (True, False)
    assert "1 older copies" in shown.stderr
    assert f"{older['brand_name']} {older['copied_at'][:10]}" in shown.stderr


def test_a_cancelled_push_says_what_stays(home: World):
    """Nothing of a push that sent nothing; the new content of one that waited to publish."""
    write_source(home, 100)
    add_entry(home, "reset")
    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    write_source(home, 120)
    waiting = home.json("push", "run", "vip_daily", *WAIT)
    assert (waiting.code, waiting.data["step"]) == (75, "publish")
    gone = home.json("push", "cancel", waiting.data["push_id"])
    assert (gone.code, gone.data["state"]) == (0, "cancelled")
    assert "keeps the old one" in gone.stderr

    a_day_later(home)
    again = home.json("push", "run", "vip_daily", *WAIT)
    assert (again.code, again.data["upload_num"]) == (0, 120), "given up is not done"


def test_an_entry_whose_audience_was_deleted_tells_the_way_out(home: World):
    """Its id is gone for good: under another name the entry begins anew."""
    write_source(home, 100)
    add_entry(home, "reset")
    first = home.json("push", "run", "vip_daily", *WAIT)
    assert first.code == 0
    assert home.json("audience", "delete", first.data["custom_audience_id"], "-y").code == 0
    write_source(home, 120)
    a_day_later(home)

    run = home.json("push", "run", "vip_daily", *WAIT)

    assert (run.code, run.error_code) == (5, "DATA_SOURCE_GONE")
    assert "vip_daily_2" in run.envelope["errors"][0]["hint"]
    assert run.data["next_action"] == run.envelope["errors"][0]["hint"]
    assert not home.sandbox.requests("data_source/update")
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("vip_daily:", "vip_daily_2:"), "utf-8")
    anew = home.json("push", "run", "vip_daily_2", *WAIT)
    assert (anew.code, anew.data["mode"]) == (0, "create")
    assert anew.data["custom_audience_id"] != first.data["custom_audience_id"]


def test_an_audience_that_is_gone_is_noticed_though_nothing_changed(home: World):
    """The platform is asked; when it cannot be, the run says so and ends well."""
    home.sandbox.set_time((datetime.now(UTC) - timedelta(days=160)).isoformat())
    write_source(home, 100)
    add_entry(home, "mirror")
    first = home.json("push", "run", "vip_daily", *WAIT)
    assert first.code == 0
    soon = home("push", "run", "vip_daily", "-q")
    assert soon.code == 0, soon.stderr
    [warning] = soon.stderr.splitlines()
    assert "expires on" in warning

    home.sandbox.fault("data_source/read", "drop_before")
    unasked = home("push", "run", "vip_daily", "-q", "--lang", "zh")
    assert unasked.code == 0
    [warning] = unasked.stderr.splitlines()
    assert warning.startswith("警告: 无法确认人群包是否仍在平台上"), warning
    home.sandbox.clear_faults()

    home.sandbox.advance(days=181)
    assert home.login().code == 0
    for words in (["run", "vip_daily"], ["update", first.data["push_id"], "--segment", "vip"]):
        gone = home.json("push", *words, *WAIT)
        assert (gone.code, gone.error_code) == (5, "DATA_SOURCE_GONE"), gone.stdout
        assert "has expired" in gone.envelope["errors"][0]["message"]


def test_a_source_that_comes_late_is_brought_by_resume_all(home: World, tmp_path: Path):
    add_entry(home, "reset")
    empty = write_csv(home.home / "source.csv", "手机号", [])
    late = home.json("push", "run", "vip_daily")
    assert late.code == 75, late.stdout
    assert empty.exists()
    assert home.json("push", "resume", "--all").data["pushes"] == []

    write_source(home, 80)
    later = shifted(tmp_path, days=1 / 48)
    run = home.json("push", "resume", "--all", *WAIT, env=later)
    assert run.code == 0, run.stdout
    [push] = run.data["pushes"]
    assert (push["entry"], push["state"], push["upload_num"]) == ("vip_daily", "succeeded", 80)


def test_the_doctor_notices_a_schedule_that_does_not_run(home: World, tmp_path: Path):
    assert home.json("doctor", "--stale").data["checks"][0]["state"] == "skipped"
    write_source(home, 50)
    add_entry(home, "reset")
    config = home.home / "config.yaml"
    config.write_text(config.read_text("utf-8") + "    expect_every: 26h\n", "utf-8")
    never = home.json("doctor", "--stale")
    assert (never.code, never.error_code) == (6, "ENTRY_STALE")
    assert "never run" in never.envelope["errors"][0]["message"]

    assert home.json("push", "run", "vip_daily", *WAIT).code == 0
    assert home.json("doctor", "--stale").code == 0
    stopped = home.json("doctor", "--stale", env=shifted(tmp_path, days=1.2))
    assert (stopped.code, stopped.data["checks"][0]["entry"]) == (6, "vip_daily")
