"""`state export|import`: a setup moves whole, without a secret or an id of a person."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.world import World, phones, world

PEOPLE = 50


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A home with a push that is done and one that is under way."""
    with world(tmp_path_factory.mktemp("state") / "home", speed=1e6) as made:
        made.build(count=PEOPLE)
        made.build("other", count=PEOPLE, seed=8)
        with (made.home / "config.yaml").open("a", encoding="utf-8") as config:
            config.write(
                "# 我们的注释\nsources:\n  crm:\n    url: postgresql://me:pa55word@db/crm\n"
            )
        assert made.create("--wait", "--poll", "0.1", "--timeout", "60").code == 0
        made.sandbox.fault("data_source/file/upload", "http", status=503)
        made.create(segment="other", name="以后")
        made.sandbox.clear_faults()
        yield made


@pytest.fixture(scope="module")
def exported(home: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("moved") / "setup.json"
    run = home.json("state", "export", path)
    assert run.code == 0, run.stdout
    assert (run.data["pushes"], run.data["working"]) == (2, 1)
    assert "one machine" in run.stderr
    return path


def seen(made: World) -> dict[str, Any]:
    """What a home knows."""
    return {
        "pushes": made.json("push", "list").data["pushes"],
        "accounts": made.json("accounts", "list").data["accounts"],
        "quota": made.json("quota").data["quotas"],
        "channel": made.json("channel", "show", "acme").data["app_id"],
    }


@pytest.fixture
def moved(home: World, exported: Path, tmp_path: Path) -> World:
    """Another home with the setup of the first."""
    made = World(tmp_path / "new", home.sandbox)
    run = made.json("state", "import", exported)
    assert run.code == 0, run.stdout + run.stderr
    assert "auth login" in run.stderr
    return made


def test_everything_but_the_secrets_arrives(home: World, moved: World):
    """Pushes, accounts, quotas, config with its comments; the login has to be made anew."""
    assert seen(moved) == seen(home)
    config = (moved.home / "config.yaml").read_text("utf-8")
    assert "# 我们的注释" in config
    assert "postgresql://me@db/crm" in config
    status = moved.json("auth", "status", "acme")
    assert status.code == 4


def test_the_moved_home_goes_on(home: World, moved: World):
    """With Secret and login it updates the audience that the first home made."""
    secret = moved("channel", "set-secret", "acme", "--secret-stdin", stdin=home.sandbox.secret)
    assert secret.code == 0, secret.stderr
    assert moved.login().code == 0
    moved.build("third", count=PEOPLE, seed=9)
    done = next(p for p in seen(moved)["pushes"] if p["state"] == "succeeded")

    update = moved.json("push", "update", done["push_id"], "--segment", "third", "-y")

    assert update.code in (0, 75), update.stdout
    assert update.data["data_source_id"] == done["data_source_id"]


def test_the_file_is_private_and_holds_no_secret_and_no_id(home: World, exported: Path):
    """Neither Secret, token, password, phone nor its digest."""
    text = exported.read_text("utf-8")

    assert exported.stat().st_mode & 0o777 == 0o600
    ids = phones(PEOPLE) + phones(PEOPLE, 8)
    digests = [hashlib.sha256(each.encode()).hexdigest() for each in ids]
    hidden = [home.sandbox.secret, "pa55word", *home.sandbox.tokens(), *ids, *digests]
    assert [each for each in hidden if each in text] == []


def test_a_home_with_a_setup_is_not_overwritten(moved: World, exported: Path):
    """Unless it is said; then what was there is kept in a file that can be imported."""
    (moved.home / "config.yaml").write_text("push:\n  poll: 7s\n", "utf-8")
    before = moved.json("push", "list").data

    refused = moved.json("state", "import", exported)
    assert (refused.code, refused.error_code) == (6, "HOME_NOT_EMPTY")
    assert moved.json("push", "list").data == before

    replaced = moved.json("state", "import", exported, "--yes")
    assert replaced.code == 0, replaced.stdout
    kept = Path(replaced.data["kept"])
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text("utf-8"))["config"] == "push:\n  poll: 7s\n"
    assert moved.json("channel", "list").data["channels"]


def test_a_file_is_replaced_only_after_a_yes(home: World, exported: Path, tmp_path: Path):
    """An export never destroys another file unasked."""
    other = tmp_path / "notes.txt"
    other.write_text("notes")

    assert home.json("state", "export", other).error_code == "NOT_CONFIRMED"
    assert other.read_text() == "notes"
    assert home.json("state", "export", other, "-y").code == 0
    assert other.stat().st_mode & 0o777 == 0o600


def _newer(document: Any) -> None:
    document["format"] = 99


def _newer_state(document: Any) -> None:
    document["state_format"] = 9999


def _no_kind(document: Any) -> None:
    document["kind"] = "something"


def _no_tables(document: Any) -> None:
    document["tables"] = [1]


def _strange_table(document: Any) -> None:
    document["tables"]["sqlite_schema"] = []


def _strange_column(document: Any) -> None:
    document["tables"]["account"][0]["name) VALUES (1); DROP TABLE push; --"] = 1


def _wrong_state(document: Any) -> None:
    document["tables"]["push"][0]["state"] = "flying"


def _lost_push(document: Any) -> None:
    document["tables"]["push"].pop()


def _nested(document: Any) -> None:
    document["tables"]["push"][0]["name"] = {"a": 1}


def _wrong_config(document: Any) -> None:
    document["config"] = "channels:\n  acme:\n    app_id: no number\n"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_newer, "EXPORT_NEWER"),
        (_newer_state, "EXPORT_NEWER"),
        (_no_kind, "EXPORT_INVALID"),
        (_no_tables, "EXPORT_INVALID"),
        (_strange_table, "EXPORT_INVALID"),
        (_strange_column, "EXPORT_INVALID"),
        (_wrong_state, "EXPORT_INVALID"),
        (_lost_push, "EXPORT_INVALID"),
        (_nested, "EXPORT_INVALID"),
        (_wrong_config, "CONFIG_INVALID"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    exported: Path, tmp_path: Path, change: Callable[[Any], None], error: str
):
    """Newer formats, foreign files, rows that no state file has: exit 2, an untouched home."""
    document = json.loads(exported.read_text("utf-8"))
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    made = World(tmp_path / "new", None)

    run = made.json("state", "import", path)

    assert (run.code, run.error_code) == (2, error), run.stdout
    assert not (made.home / "config.yaml").exists()
    assert made.json("push", "list").data["pushes"] == []


@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_files_that_are_none_are_refused(tmp_path: Path, content: bytes | None):
    """Missing, empty, cut off, deep: a sentence, never a stumble."""
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    run = World(tmp_path / "new", None).json("state", "import", path)

    assert run.code == 2
    assert run.error_code in {"EXPORT_INVALID", "EXPORT_UNREADABLE"}
