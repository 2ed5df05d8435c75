"""Every command answers in the shape that `yuntu-push schema` prints."""

import json
import sqlite3
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from support.cli import Run, yuntu, yuntu_json
from support.commands import all_commands
from support.here import yuntu_here
from support.world import World, world
from yuntu_push.cli.contract import ANSWERS, BARE
from yuntu_push.cli.hoist import hoist
from yuntu_push.cli.main import app

ENTRY = """\
pushes:
  vip:
    name: 日更
    account: "{account}"
    brands: ["{brand}"]
    segment: {{name: daily, ids: {{phone: 手机号}}, csv: ["{csv}"]}}
"""


def test_every_command_has_a_published_shape():
    assert all_commands() == set(ANSWERS) | BARE


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
    keys = set(envelope["data"])
    for shape in ANSWERS[envelope["command"]]:
        try:
            msgspec.convert(envelope["data"], shape)
        except msgspec.ValidationError:
            continue
        return shape.__required_keys__ <= keys <= set(typing.get_type_hints(shape))
    return False


class Here(World):
    """A world whose commands run in this process."""

    def json(self, *words: str | Path, **options: Any) -> Run:
        return yuntu_here(*words, "--json", home=self.home, **options)


GROUPS = sorted({command.split()[0] for command in ANSWERS if " " in command} - {"auth"})


@pytest.mark.parametrize("group", GROUPS)
def test_groups_answer_to_singular_and_plural(group: str):
    """On a line and in `schema`; the answer bears the command's one name."""
    from yuntu_push.cli.main import PLURALS

    root = typer.main.get_command(app)
    others = [other for other, name in PLURALS.items() if name == group]

    assert others
    for other in others:
        assert hoist([other, "x"], root).command == [group]
    command = next(each for each in ANSWERS if each.startswith(f"{group} "))
    words = [others[0], *command.split()[1:]]
    assert yuntu_here("schema", *words).stdout == yuntu_here("schema", *command.split()).stdout


@dataclass
class Asked:
    """A world whose every answer has to fit; `seen` are the commands that answered."""

    world: World
    seen: set[str] = field(default_factory=set)

    def __call__(self, *words: str | Path, code: int = 0, **options: Any) -> dict[str, Any]:
        run = self.world.json(*words, **options)
        assert run.code == code, (words, run.stdout, run.stderr)
        self.note(run)
        return run.data

    def note(self, *runs: Run) -> None:
        """These answers fit too."""
        for run in runs:
            assert fits(run), run.stdout
            self.seen.add(run.envelope["command"])

    def lines(self, *lines: str) -> None:
        """Commands without blanks in their words."""
        for line in lines:
            self(*line.split())


def about_pushes(command: str) -> bool:
    """Whether it is one of the commands on pushes and audiences."""
    return command.split(maxsplit=1)[0] in {"push", "audience"}


def test_answers_around_pushes_fit(tmp_path: Path):
    """One world, every command that can be run in it but those on pushes."""
    with world(tmp_path / "home", logged_in=False) as made:
        w = Here(made.home, made.sandbox)
        ok = Asked(w)
        ok("init")
        ok.note(w.add_channel(), w.login())
        w.build()
        w.build("vip", seed=9)
        w.build("other", seed=8)
        with (w.home / "config.yaml").open("a", encoding="utf-8") as config:
            config.write(ENTRY.format(account=1, brand=2, csv=w.home / "vip.csv"))
        sqlite3.connect(w.home / "crm.db").close()
        ok("source", "add", "crm", "--url", f"sqlite:///{w.home / 'crm.db'}")
        ok("source", "login", "crm", "--password-stdin", stdin="unused")
        ok.lines(
            "source list", "source test crm", "source remove crm", "guide", "doctor", "quota",
            "explain 40105", "config show --origin", "config check", "channel show acme",
            "channel list", "auth status", "auth refresh acme", "accounts list",
            "accounts refresh acme", "segment list", "segment show vip", "segment verify vip",
            "segment rejects vip", "segment diff vip", "segment combine u --union vip other",
            "segment remove u", "schedule print vip",
        )  # fmt: skip
        survey = ok(
            "segment", "build", "s", w.home / "vip.csv", "--id", "phone=手机号", "--dry-run"
        )
        assert (survey["version"], survey["built_at"], survey["parts"]) == (None, None, [])
        ok("state", "export", tmp_path / "setup.json")
        ok("state", "import", tmp_path / "setup.json", "-y")
        ok("channel", "set-secret", "acme", "--secret-stdin", stdin=str(w.sandbox.secret))
        ok("auth", "logout", "acme")
        ok("channel", "remove", "acme", "-y")

    wanted = {command for command in ANSWERS if not about_pushes(command)}
    assert wanted - ok.seen == {"demo", "auth move"}


def test_answers_on_pushes_fit(tmp_path: Path):
    """One world, every command on pushes and audiences."""
    with world(tmp_path / "home") as made:
        w = Here(made.home, made.sandbox)
        ok = Asked(w)
        w.build()
        w.build("other", seed=8)
        account, brand = w.bound_account()
        entry = ENTRY.format(
            account=account["advertiser_id"], brand=brand["brand_id"], csv=w.home / "vip.csv"
        )
        with (w.home / "config.yaml").open("a", encoding="utf-8") as config:
            config.write(entry)
        ok.note(w.create("--dry-run"))
        push = w.create("--wait", "--poll", "1", "--timeout", "60")
        ok.note(push)
        push_id = push.data["push_id"]
        ok.lines(
            f"push status {push_id}", f"push show {push_id}", "push status", "push show",
            "push list",
            f"push resume {push_id}", "push resume --all",
            f"push confirm {push_id} --brand {brand['brand_id']}",
            f"push copy {push_id} --brand {brand['brand_id']} --again", "push run vip",
        )  # fmt: skip
        update = ok("push", "update", push_id, "--segment", "other", "--wait", "--poll", "1",
                    code=75)  # its publish window opens tomorrow  # fmt: skip
        # The copy policy makes no second copy: the brand keeps a promised state.
        assert [(b["state"], b["copy_due"]) for b in update["brands"]] == [("submitted", False)]
        ok("push", "cancel", update["push_id"], "-y")
        ok("audience", "list", "--account", account["advertiser_id"])
        ok("audience", "show", push.data["custom_audience_id"])
        ok("audience", "delete", push.data["custom_audience_id"], "-y")
        w.sandbox.fault("data_source/file/upload", "http", status=500)
        stuck = w.create(segment="other", name="later")
        ok.note(stuck)
        assert stuck.code == 75, stuck.stdout
        ok("push", "cancel", stuck.data["push_id"], "-y")

    assert set(filter(about_pushes, ANSWERS)) - ok.seen == {"push adopt"}


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
