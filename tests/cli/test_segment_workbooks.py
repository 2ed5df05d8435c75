"""Workbooks on the command line: formats by extension, sheets, passwords, exit codes."""

from pathlib import Path

import pytest

from support.cli import yuntu
from support.workbooks import sealed, xlsx

_ROWS = [["姓名", "手机号"], ["张三", 13912345678], ["李四", "139 1234 5679"], ["王五", None]]


@pytest.fixture
def members(tmp_path: Path) -> Path:
    return xlsx(tmp_path / "会员 名单.xlsx", {"会员": _ROWS})


def test_a_workbook_gives_the_segment_that_its_csv_gives(tmp_path: Path, members: Path) -> None:
    home = tmp_path / "home"
    text = tmp_path / "members.csv"
    text.write_text("姓名,手机号\n张三,13912345678\n李四,139 1234 5679\n王五,\n", "utf-8")
    by_path, by_option, by_csv = (
        yuntu("segment", "build", "vip", *words, "--id", "phone=手机号", "--json", home=home)
        for words in ((members,), ("--excel", members, "--sheet", "会员"), ("--csv", text))
    )
    assert by_path.code == 0, by_path.stderr
    assert {run.data["fingerprint"] for run in (by_path, by_option, by_csv)} == {
        by_path.data["fingerprint"]
    }
    assert by_option.data["version"] == by_csv.data["version"] == 1, "an identical rebuild"
    counts = by_path.data["by_type"]["MOBILE_HASH_SHA256"]
    assert (counts["values"], counts["blank"], counts["ids"]) == (2, 1, 2)


def test_several_workbooks_and_all_their_sheets(tmp_path: Path, members: Path) -> None:
    other = xlsx(tmp_path / "b.xlsx", {"1": [["手机号"], [13912345670]], "2": _ROWS})
    done = yuntu(
        "segment", "build", "vip", "--excel", members, other, "--sheet", "*",
        "--id", "phone=手机号", "--json", home=tmp_path / "home",
    )  # fmt: skip
    assert (done.data["rows_read"], done.data["ids_total"]) == (7, 3)


def test_a_dry_run_shows_masked_samples(tmp_path: Path, members: Path) -> None:
    done = yuntu(
        "segment", "build", "vip", members, "--id", "phone=手机号", "--dry-run",
        home=tmp_path / "home",
    )  # fmt: skip
    assert done.code == 0
    assert "139****5678" in done.stdout
    assert "13912345678" not in done.stdout + done.stderr


def test_a_password_comes_through_stdin_alone(tmp_path: Path, members: Path) -> None:
    sealed(members, "s3cret 密码")
    words = ("segment", "build", "vip", members, "--id", "phone=手机号", "--json")
    home = tmp_path / "home"
    asked = yuntu(*words, home=home)
    assert (asked.code, asked.error_code) == (3, "SOURCE_PASSWORD_NEEDED")
    wrong = yuntu(*words, "--password-stdin", home=home, stdin="no\n")
    assert (wrong.code, wrong.error_code) == (3, "SOURCE_PASSWORD_WRONG")
    none = yuntu(*words, "--password-stdin", home=home)
    assert (none.code, none.error_code) == (2, "SECRET_EMPTY")
    done = yuntu(*words, "--password-stdin", home=home, stdin="s3cret 密码\n")
    assert (done.code, done.data["ids_total"]) == (0, 2)
    kept = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    assert not any(b"s3cret" in raw for raw in kept)
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("option", [("--sheet", "x"), ("--password-stdin",)])
def test_options_of_workbooks_need_one(tmp_path: Path, option: tuple[str, ...]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mobile\n13912345678\n", "utf-8")
    done = yuntu(
        "segment", "build", "vip", path, *option, "--id", "phone=mobile", "--json",
        home=tmp_path / "home", stdin="x\n",
    )  # fmt: skip
    assert (done.code, done.error_code) == (2, "OPTION_NEEDS_WORKBOOK")


def test_a_workbook_that_is_open_is_tried_later(tmp_path: Path, members: Path) -> None:
    members.with_name(f"~${members.name}").write_bytes(b"x")
    done = yuntu(
        "segment", "build", "vip", members, "--id", "phone=手机号", "--json",
        home=tmp_path / "home",
    )  # fmt: skip
    assert (done.code, done.error_code) == (75, "SOURCE_IN_USE")
