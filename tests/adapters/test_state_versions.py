"""State files of every earlier format are taken over with what they hold; newer ones are refused.

The numbered migrations are what earlier versions would have made: a file with the first `n` of them
is a file of format `n`.
"""

import sqlite3
from pathlib import Path

import pytest

from support.cli import yuntu_json
from support.push import Bench
from yuntu_push.adapters.store.database import Database, _migrations, _statements
from yuntu_push.adapters.store.pushes import PushFile
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.push import PushState
from yuntu_push.domain.quota import QuotaKind

FORMATS = [number for number, _ in _migrations()]
PUSH_TABLES = (
    "push", "push_part", "push_brand", "push_target", "push_step", "push_call", "quota_use",
)  # fmt: skip


def of_format(path: Path, number: int) -> sqlite3.Connection:
    """An empty state file as the version with that format made it."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    for each, script in _migrations():
        if each <= number:
            for statement in _statements(script):
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version={number}")
    return connection


@pytest.mark.parametrize("number", FORMATS)
def test_a_file_of_an_earlier_format_keeps_its_pushes_and_they_go_on(tmp_path: Path, number: int):
    """One push is done, one is under way; after the upgrade both are there, and the one ends."""
    bench = Bench(tmp_path)
    done = bench.run(bench.create())
    begun = bench.run(bench.create(name="在途"), wait=False)
    old = tmp_path / "old.db"
    connection = of_format(old, number)
    connection.execute("ATTACH ? AS made", [str(tmp_path / "state.db")])
    for table in PUSH_TABLES:
        columns = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
        names = ", ".join(columns)
        connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM made.{table}")
    connection.close()

    bench.store = PushFile(Database(old))
    assert bench.store.get(done.push_id) == done
    assert bench.run(begun).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 2
    used = sqlite3.connect(old)
    assert used.execute("PRAGMA user_version").fetchone() == (FORMATS[-1],)
    kinds = {kind for (kind,) in used.execute("SELECT kind FROM quota_use")}
    used.close()
    assert kinds == {QuotaKind.CREATE, QuotaKind.PUBLISH}


def test_a_file_of_a_newer_format_is_refused_and_not_touched(tmp_path: Path):
    path = tmp_path / "state.db"
    of_format(path, FORMATS[-1]).execute(f"PRAGMA user_version={FORMATS[-1] + 1}").close()
    before = path.read_bytes()
    with pytest.raises(ConfigError) as caught, Database(path).read():
        raise AssertionError("it was opened")
    assert caught.value.code == "STATE_NEWER"
    assert path.read_bytes() == before


def test_a_command_says_so_with_exit_code_two(tmp_path: Path):
    home = tmp_path / "home"
    (home / "state").mkdir(parents=True)
    (home / "config.yaml").write_text("", "utf-8")
    made = of_format(home / "state" / "state.db", FORMATS[-1])
    made.execute(f"PRAGMA user_version={FORMATS[-1] + 7}").close()
    made.close()
    run = yuntu_json("push", "list", home=home)
    assert (run.code, run.error_code) == (2, "STATE_NEWER")


def test_the_formats_are_numbered_without_gaps():
    """A format is never changed once it was released: a new one is added."""
    assert list(range(1, len(FORMATS) + 1)) == FORMATS
