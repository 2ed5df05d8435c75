"""Every command answers in the shape that `yuntu-push schema` prints."""

import json
import sqlite3
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from support.cli import Run, yuntu, yuntu_json
from support.world import world
from yuntu_push.cli.contract import ANSWERS, BARE
from yuntu_push.cli.main import app

ENTRY = """\
pushes:
  vip:
    name: 日更
    account: "{account}"
    brands: ["{brand}"]
    segment: {{name: daily, ids: {{phone: 手机号}}, csv: ["{csv}"]}}
"""


def leaves(node: Any, path: str = "") -> set[str]:
    """The paths of all commands."""
    below = getattr(node, "commands", None)
    if not below:
        return {path}
    return set().union(*(leaves(sub, f"{path} {name}".strip()) for name, sub in below.items()))


def test_every_command_has_a_published_shape():
    assert leaves(typer.main.get_command(app)) == set(ANSWERS) | BARE


@pytest.mark.parametrize("command", sorted(ANSWERS))
def test_its_schema_can_be_printed(command: str):
    from yuntu_push.cli.schema import data_schema

    schema = data_schema(command)
    shapes = ANSWERS[command]

    assert json.loads(json.dumps(schema)) == schema
    if len(shapes) == 1:
        assert set(schema["required"]) == set(shapes[0].__required_keys__)
        assert set(schema["properties"]) == set(typing.get_type_hints(shapes[0]))
    else:
        assert len(schema["anyOf"]) == len(shapes)


def fits(run: Run) -> bool:
    """The answer has one of its command's shapes, to the letter."""
    envelope = run.envelope
    assert set(envelope) == {"schema", "command", "status", "exit_code", "data", "errors"}
    assert envelope["schema"] == "yuntu-push/1"
    assert envelope["exit_code"] == run.code
    for shape in ANSWERS[envelope["command"]]:
        known = set(shape.__annotations__)
        for base in shape.__mro__:
            known |= set(getattr(base, "__annotations__", {}))
        try:
            msgspec.convert(envelope["data"], shape)
        except msgspec.ValidationError:
            continue
        missing = set(shape.__required_keys__) - set(envelope["data"])
        return not missing
    return False


def test_answers_fit(tmp_path: Path):
    """One world, every command that can be run in it."""
    seen = set()

    with world(tmp_path / "home", logged_in=False) as w:

        def ok(*words: str | Path, code: int = 0, **options: Any) -> dict[str, Any]:
            run = w.json(*words, **options)
            assert run.code == code, (words, run.stdout, run.stderr)
            assert fits(run), (words, run.stdout)
            seen.add(run.envelope["command"])
            return run.data

        ok("init")
        added, logged_in = w.add_channel(), w.login()
        assert fits(added)
        assert fits(logged_in)
        seen |= {"channel add", "auth login"}
        w.build()
        w.build("vip", seed=9)
        w.build("other", seed=8)
        account, brand = w.bound_account()
        entry = ENTRY.format(
            account=account["advertiser_id"], brand=brand["brand_id"], csv=w.home / "vip.csv"
        )
        with (w.home / "config.yaml").open("a", encoding="utf-8") as config:
            config.write(entry)
        database = f"sqlite:///{w.home / 'crm.db'}"
        sqlite3.connect(w.home / "crm.db").close()
        ok("source", "add", "crm", "--url", database)
        ok("source", "login", "crm", "--password-stdin", stdin="unused")
        ok("source", "list")
        ok("source", "test", "crm")
        ok("source", "remove", "crm")
        for words in (
            "guide", "doctor", "quota", "explain 40105", "config show --origin",
            "config check", "channel show acme", "channel list", "auth status",
            "auth refresh acme", "accounts list", "accounts refresh acme", "segment list",
            "segment show vip", "segment verify vip", "segment rejects vip", "segment diff vip",
            "segment combine u --union vip other", "segment remove u", "schedule print vip",
        ):  # fmt: skip
            ok(*words.split())
        ok("segment", "build", "s", w.home / "vip.csv", "--id", "phone=手机号", "--dry-run")
        push = w.create("--wait", "--poll", "1", "--timeout", "60")
        assert fits(push)
        push_id = push.data["push_id"]
        for words in (
            f"push status {push_id}", f"push show {push_id}", "push status", "push list",
            f"push resume {push_id}", "push resume --all",
            f"push confirm {push_id} --brand {brand['brand_id']}",
            f"push copy {push_id} --brand {brand['brand_id']} --again",
        ):  # fmt: skip
            ok(*words.split())
        ok("push", "run", "vip")
        update = ok("push", "update", push_id, "--segment", "other", "--wait", "--poll", "1",
                    code=75)  # its publish window opens tomorrow  # fmt: skip
        ok("push", "cancel", update["push_id"], "-y")
        ok("audience", "list", "--account", account["advertiser_id"])
        ok("audience", "show", push.data["custom_audience_id"])
        ok("audience", "delete", push.data["custom_audience_id"], "-y")
        w.sandbox.fault("data_source/file/upload", "http", status=500)
        stuck = w.create(segment="other", name="later")
        stuck_id = w.json("push", "list").data["pushes"][0]["push_id"]
        assert stuck.code in (0, 75), stuck.stdout
        ok("push", "cancel", stuck_id, "-y")
        seen |= {"push create", "segment build"}
        ok("state", "export", tmp_path / "setup.json")
        ok("state", "import", tmp_path / "setup.json", "-y")
        ok("channel", "set-secret", "acme", "--secret-stdin", stdin=str(w.sandbox.secret))
        ok("auth", "logout", "acme")
        ok("channel", "remove", "acme", "-y")
        assert account["channel"] == "acme"

    missing = set(ANSWERS) - seen - {"demo", "auth move", "push adopt"}
    assert missing == set()


def test_an_error_is_an_envelope_too(tmp_path: Path):
    """Usage errors, unknown commands and bad global options keep stdout one document."""
    for words in (
        ("push", "nope"),
        ("push", "create", "--bad"),
        ("--lang", "fr", "push", "list"),
        ("segment", "build"),
        (),
    ):
        run = yuntu_json(*words, home=tmp_path)
        assert run.envelope["exit_code"] == run.code
        assert (run.code, run.envelope["status"]) == (2, "error")


def test_help_is_plain_text_and_the_same_at_any_width(tmp_path: Path):
    narrow = yuntu("push", "create", "--help", home=tmp_path, env={"COLUMNS": "40"})
    wide = yuntu("push", "create", "--help", home=tmp_path, env={"COLUMNS": "200"})

    assert narrow.stdout == wide.stdout
    assert "─" not in narrow.stdout
    assert "Example" in narrow.stdout
