"""From an empty folder to an audience in a Yuntu brand, with the commands of the contract."""

from pathlib import Path

import msgspec
import pytest

from support.world import World, phones, world, write_csv
from yuntu_push.cli import contract

STEPS = [
    "upload", "create_data_source", "parse", "share", "publish", "activate", "copy", "verify",
]  # fmt: skip


def test_from_nothing_to_an_audience_in_the_brand(tmp_path: Path):
    """Each command answers with the contract's envelope, and the platform has what we pushed."""
    with world(tmp_path / "home", logged_in=False) as w:
        assert w.json("init").data["created"] is True

        channel = w.add_channel()
        assert channel.code == 0, channel.stdout
        shown = msgspec.convert(channel.data, contract.ChannelData, strict=True)
        assert (shown["name"], shown["secret_stored"], shown["authorized"]) == ("acme", True, False)

        login = w.login()
        assert login.code == 0, login.stdout + login.stderr
        msgspec.convert(login.data, contract.LoginData)
        assert w.json("channel", "show", "acme").data["authorized"] is True

        refreshed = w.json("accounts", "refresh", "acme")
        msgspec.convert(refreshed.data, contract.AccountsData)
        account, brand = w.bound_account()

        built = msgspec.convert(w.build(count=500), contract.SegmentData)
        assert (built["rows_read"], built["ids_total"]) == (500, 500)

        run = w.create("--wait", "--poll", "1", "--timeout", "120")
        assert run.code == 0, run.stdout + run.stderr
        push = msgspec.convert(run.data, contract.PushData)
        assert (push["state"], run.envelope["status"]) == ("succeeded", "ok")
        assert [step["name"] for step in push["steps"]] == STEPS
        assert push["upload_num"] == 500
        assert push["delivery_status"] == "AVAILABLE"
        assert push["brands"][0]["state"] == "submitted"

        state = w.sandbox.state()
        assert [s["name"] for s in state["data_sources"]] == [push["audience_name"]]
        assert len(state["copies"]) == 1
        assert str(state["copies"][0]["brand_id"]) == brand["brand_id"]

        listed = w.json("push", "list")
        assert [p["push_id"] for p in listed.data["pushes"]] == [push["push_id"]]
        status = w.json("push", "status", push["push_id"])
        assert status.data["cover_num"] == push["cover_num"]
        assert account["advertiser_id"] == status.data["account"]["advertiser_id"]


def test_without_wait_it_goes_as_far_as_the_platform_lets_it(tmp_path: Path):
    """`push create` returns pending after the data source is made; `push resume` goes on."""
    with world(tmp_path / "home", speed=1.0) as w:
        w.build()

        run = w.create()
        assert run.code == 0, run.stdout
        assert run.envelope["status"] == "pending"
        assert run.data["step"] == "parse"
        assert run.data["data_source_id"]
        assert run.data["next_action"]

        again = w.json("push", "resume", run.data["push_id"])
        assert again.data["step"] == "parse"
        assert len(w.sandbox.state()["data_sources"]) == 1


def test_wait_that_runs_out_is_8_and_the_push_goes_on(tmp_path: Path):
    with world(tmp_path / "home", speed=1.0) as w:
        w.build()

        run = w.create("--wait", "--poll", "1", "--timeout", "2s")

        assert run.code == 8, run.stdout
        assert w.json("push", "status", run.data["push_id"] or "").code == 0


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory):
    """One world for the tests that only read."""
    with world(tmp_path_factory.mktemp("quick") / "home") as w:
        w.build()
        yield w


def test_every_command_prints_tab_separated_lines_in_a_pipe(quick: World):
    """Header first, no decoration, whatever the language."""
    for words in (
        ("channel", "list"),
        ("accounts", "list"),
        ("segment", "list"),
        ("segment", "show", "vip"),
        ("config", "show"),
        ("push", "list"),
    ):
        english = quick(*words, "--lang", "en")
        chinese = quick(*words, "--lang", "zh")

        assert english.code == 0, (words, english.stderr)
        header, *rows = english.stdout.splitlines()
        assert all(len(row.split("\t")) == len(header.split("\t")) for row in rows), words
        assert english.stdout == chinese.stdout


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path: Path):
    """Same fingerprint, identical part bytes, in two homes that know nothing of each other."""
    from support.cli import yuntu_json

    values = phones(3000)
    built = []
    for order, name in ((values, "a"), (values[::-1], "b")):
        home = tmp_path / name
        home.mkdir()
        path = write_csv(home / "in.csv", "p", order)
        run = yuntu_json("segment", "build", "s", "--csv", path, "--id", "phone=p", home=home)
        assert run.code == 0, run.stdout
        built.append(run.data)

    one, two = built
    assert one["fingerprint"] == two["fingerprint"]
    assert [Path(p["path"]).read_bytes() for p in one["parts"]] == [
        Path(p["path"]).read_bytes() for p in two["parts"]
    ]
