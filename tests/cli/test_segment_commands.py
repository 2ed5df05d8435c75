"""`segment` on the command line: options, envelope, exit codes, Ctrl-C."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.cli import TEST_ENVIRONMENT, Run, command
from yuntu_push.cli.greedy import spread

_KEYS = {
    "name", "version", "fingerprint", "rows_read", "rows_with_id", "excluded_rows", "ids_total",
    "by_type", "rejects", "rejects_path", "parts", "built_at", "seconds",
    "columns",
}  # fmt: skip


def _run(home: Path, *words: str, stdin: bytes | None = None) -> Run:
    done = subprocess.run(
        command("--home", str(home), *words),
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **TEST_ENVIRONMENT},
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def members(tmp_path: Path) -> Path:
    path = tmp_path / "members.csv"
    rows = [f"139{number:08d},{number}" for number in range(500)]
    path.write_text("\n".join(["mobile,uid", *rows, "138****8000,1"]), "utf-8")
    return path


def test_a_segment_is_built_listed_shown_and_removed(tmp_path: Path, members: Path) -> None:
    home = tmp_path / "home"
    built = _run(home, "segment", "build", "高价值", str(members), "--id", "phone=mobile", "--json")
    assert built.code == 0, built.stderr
    data = built.data
    assert set(data) == _KEYS
    assert (data["name"], data["version"], data["ids_total"]) == ("高价值", 1, 500)
    assert data["rejects"] == {"masked": 1}
    assert all(Path(part["path"]).is_absolute() for part in data["parts"])
    assert set(data["parts"][0]) == {"path", "type", "bytes", "ids", "md5"}
    assert data["built_at"].endswith("+08:00")
    shown = _run(home, "segment", "show", "高价值@1", "--json").data
    assert {k: v for k, v in shown.items() if k != "seconds"} == {
        k: v for k, v in data.items() if k != "seconds"
    }
    (listed,) = _run(home, "segments", "list", "--json").data["segments"]
    assert (listed["name"], listed["version"]) == ("高价值", 1)
    assert _run(home, "segment", "verify", "高价值").code == 0
    assert _run(home, "segment", "remove", "高价值").code == 0
    assert _run(home, "segment", "show", "高价值", "--json").error_code == "SEGMENT_UNKNOWN"


def test_globs_of_the_shell_and_standard_input(tmp_path: Path, members: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("mobile\n13800000001\n", "utf-8")
    many = _run(
        tmp_path / "home", "segment", "build", "many", "--csv", str(members), str(other),
        "--id", "手机号=mobile", "--json",
    )  # fmt: skip
    assert many.data["ids_total"] == 501
    piped = _run(
        tmp_path / "home", "segment", "build", "piped", "-", "--id", "mobile=mobile", "--json",
        stdin=members.read_bytes(),
    )  # fmt: skip
    assert piped.data["ids_total"] == 500


def test_a_pipe_gets_tab_separated_lines(tmp_path: Path, members: Path) -> None:
    done = _run(tmp_path / "home", "segment", "build", "vip", str(members), "--id", "phone=mobile")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["ids", "500"] in lines
    assert ["segment", "vip@1"] in lines


def test_a_dry_run_says_what_would_happen(tmp_path: Path, members: Path) -> None:
    done = _run(
        tmp_path / "home", "segment", "build", "vip", str(members), "--id", "phone=mobile",
        "--dry-run", "--max-rejects", "0", "--json",
    )  # fmt: skip
    assert done.code == 0
    assert done.data["would_fail"]["code"] == "SOURCE_TOO_MANY_REJECTS"
    assert done.data["columns"][0]["samples"][0] == "139****0000"
    assert not list((tmp_path / "home" / "segments").glob("*"))


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["vip", "{members}"], 2, "ID_COLUMN_MISSING"),
        (["vip", "{members}", "--id", "phone"], 2, "ID_COLUMN_INVALID"),
        (["vip", "{members}", "--id", "fax=mobile"], 2, "ID_TYPE_UNKNOWN"),
        (["vip", "--id", "phone=mobile"], 2, "SOURCE_NOT_ONE"),
        (["vip", "{members}", "--sql", "select 1", "--id", "phone=mobile"], 2, "SOURCE_NOT_ONE"),
        (["vip", "x.doc", "--id", "phone=mobile"], 2, "SOURCE_KIND_UNKNOWN"),
        (["../vip", "{members}", "--id", "phone=mobile"], 2, "NAME_INVALID"),
        (
            ["vip", "{members}", "--id", "phone=mobile", "--part-size", "1KB"],
            2,
            "PART_SIZE_INVALID",
        ),
        (["vip", "{members}", "--id", "phone=mobile", "--part-size", "x"], 2, "SIZE_INVALID"),
        (
            ["vip", "{members}", "--id", "phone=mobile", "--max-rejects", "x"],
            2,
            "MAX_REJECTS_INVALID",
        ),
        (["vip", "{members}", "--id", "phone=mobile", "--param", "a=1"], 2, "OPTION_NEEDS_SQL"),
        (["vip", "{members}", "--id", "phone=nothing"], 3, "SOURCE_COLUMN_MISSING"),
        (["vip", "{members}.gone.csv", "--id", "phone=mobile"], 3, "SOURCE_FILE_MISSING"),
        (["vip", "--csv", "{folder}", "--id", "phone=mobile"], 3, "SOURCE_IS_FOLDER"),
        (["vip", "{members}", "--id", "phone=uid"], 3, "SOURCE_TOO_MANY_REJECTS"),
        (["vip", "{members}", "--id", "UID=mobile"], 3, "SOURCE_PERSONAL_DATA"),
        (
            ["vip", "{members}", "--id", "phone=mobile", "--min-ids", "999"],
            6,
            "SEGMENT_SIZE_OUT_OF_BOUNDS",
        ),
    ],
)
def test_what_cannot_be_built_ends_with_its_code(
    tmp_path: Path, members: Path, words: list[str], code: int, error: str
) -> None:
    filled = [word.format(members=members, folder=tmp_path) for word in words]
    done = _run(tmp_path / "home", "segment", "build", *filled, "--json")
    assert (done.code, done.error_code) == (code, error)
    assert done.envelope["errors"][0]["hint"]
    assert not list((tmp_path / "home").rglob("v1"))


def test_segments_are_combined_and_compared(tmp_path: Path, members: Path) -> None:
    home = tmp_path / "home"
    few = tmp_path / "few.csv"
    few.write_text("mobile\n" + "\n".join(f"139{n:08d}" for n in range(400, 600)), "utf-8")
    for path in (members, few):
        _run(home, "segment", "build", path.stem, str(path), "--id", "phone=mobile")
    both = _run(home, "segment", "combine", "both", "--intersect", "members", "few", "--json")
    assert both.data["ids_total"] == 100
    one = _run(home, "segment", "combine", "x", "--minus", "members", "--json")
    assert (one.code, one.error_code) == (2, "COMBINE_INVALID")
    _run(home, "segment", "build", "members", str(few), "--id", "phone=mobile")
    diff = _run(home, "segment", "diff", "members", "--json").data
    assert diff["by_type"] == {"MOBILE_HASH_SHA256": {"added": 100, "removed": 400, "kept": 100}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Also a killed one, once the next build has begun."""
    home = tmp_path / "home"
    fifo = tmp_path / "rows.csv"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        command("--home", str(home), "segment", "build", "vip", "--csv", str(fifo),
                "--id", "phone=mobile"),
        env={**os.environ, **TEST_ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with fifo.open("wb", buffering=0) as rows:
        rows.write(b"mobile\n" + b"13912345678\n" * 500_000)
        deadline = time.monotonic() + 30
        while not list(home.glob("segments/vip/.building-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        process.wait(30)
    assert process.returncode == {2: 130, 15: 143, 9: -9}[number]
    if number is signal.SIGKILL:
        few = tmp_path / "few.csv"
        few.write_text("mobile\n13912345678\n", "utf-8")
        assert _run(home, "segment", "build", "other", str(few), "--id", "phone=mobile").code == 0
    assert not (home / "segments" / "vip").exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["n", "--csv", "a", "b", "--id", "x"], ["n", "--csv", "a", "--csv", "b", "--id", "x"]),
        (["--csv", "-", "--json"], ["--csv", "-", "--json"]),
        (["--csv", "a", "--csv", "b", "c"], ["--csv", "a", "--csv", "b", "--csv", "c"]),
        (["--csv", "a", "--", "b"], ["--csv", "a", "--", "b"]),
        (["--csv"], ["--csv"]),
    ],
)
def test_greedy_options_take_the_words_that_follow(line: list[str], expected: list[str]) -> None:
    assert spread(line, frozenset({"--csv"})) == expected


def test_the_envelope_is_one_document(tmp_path: Path, members: Path) -> None:
    done = _run(tmp_path, "segment", "build", "vip", str(members), "--id", "phone=mobile", "--json")
    document = json.loads(done.stdout)
    assert (document["schema"], document["command"], document["status"]) == (
        "yuntu-push/1", "segment build", "ok",
    )  # fmt: skip


def test_dry_runs_leave_nothing_that_grows(tmp_path: Path, members: Path) -> None:
    home = tmp_path / "home"

    def left() -> set[Path]:
        done = _run(
            home, "segment", "build", "s", str(members), "--id", "phone=mobile", "--dry-run"
        )
        assert done.code == 0, done.stderr
        return set(home.rglob("*"))

    assert left() == left()
