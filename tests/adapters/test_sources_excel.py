"""Workbooks as sources: digits, sheets, headers, row numbers, and everything that can be wrong."""

import csv
import gzip
import os
import signal
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from support.segments import ids_of, request, service
from support.workbooks import ods, sealed, xlsb, xlsx
from yuntu_push.adapters.sources.catalog import SourceCatalog
from yuntu_push.adapters.sources.workbook_cells import cell_text
from yuntu_push.domain.errors import SourceError, TryLaterError, YuntuPushError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
PHONES = [["姓名", "mobile"], ["张三", 13912345678], ["李四", "13912345679"]]


def _open(*paths: Path, **spec: Any) -> Any:
    made = SourceSpec(SourceKind.EXCEL, tuple(map(str, paths)), **spec)
    return SourceCatalog(now=lambda: NOW).open(made)


def _read(*paths: Path, column: str = "mobile", **spec: Any) -> list[tuple[str, int, int | None]]:
    """The values of a column, each with its record and its row in the sheet."""
    found = []
    with closing(_open(*paths, **spec).batches([column])) as batches:
        for batch in batches:
            (texts,) = batch.columns
            for place in range(batch.rows):
                start, stop = texts.offsets[place], texts.offsets[place + 1]
                value = bytes(texts.data[start:stop]).decode()
                found.append((value, batch.first_row + place, batch.line_of(place)))
    return found


def _values(*paths: Path, **spec: Any) -> list[str]:
    return [value for value, _, _ in _read(*paths, **spec)]


def _refused(*paths: Path, **spec: Any) -> YuntuPushError:
    with pytest.raises(YuntuPushError) as caught:
        _read(*paths, **spec)
    assert caught.value.hint is not None
    return caught.value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (13800138001.0, "13800138001"),
        (13800138001, "13800138001"),
        (490154203237518.0, "490154203237518"),  # an IMEI has the 15 digits that Excel keeps
        (1234567890123456.0, "1234567890123456"),  # never typed into Excel, which ends it in 0
        (1234567890123450.0, "1.23456789012345E+15"),  # nobody knows whether it ended in 0
        (1234567890123456789, "1.23456789012346E+18"),
        (float(2**53 + 2), "9.00719925474099E+15"),
        (-5.0, "-5"),
        (0.5, "0.5"),
        (13800138001.5, "13800138001.5"),
        (0.0, "0"),
        (float("inf"), "inf"),
        (True, "TRUE"),
        (False, "FALSE"),
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),
        (date(2024, 1, 2), "2024-01-02"),
        (timedelta(hours=5), "5:00:00"),
        ("1.38E+10", "1.38E+10"),
        (" 138 0013 8001 ", " 138 0013 8001 "),
        ("", ""),
        (None, ""),
    ],
)
def test_cells_become_text_with_all_their_digits_or_none(cell: object, text: str) -> None:
    assert cell_text(cell) == text


def test_numbers_stored_as_numbers_are_phones(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"会员": [*PHONES, ["王五", 1.38e20], ["赵六", "1.38E+10"]]})
    assert _values(path) == ["13912345678", "13912345679", "1.38000000000000E+20", "1.38E+10"]


@pytest.mark.parametrize("kind", ["xlsx", "xlsm", "xls", "xlsb", "ods"])
def test_every_format_gives_the_same_segment_as_csv(tmp_path: Path, kind: str) -> None:
    """Same rows, same fingerprint, same bytes, and the mangled number is a reject."""
    rows = [*PHONES, [None, None], ["王五", "1.39E+10"]]
    path = tmp_path / f"members.{kind}"
    match kind:
        case "xls":
            path = VECTORS / "members.xls"
        case "xlsb":
            xlsb(path, "会员", rows)
        case "ods":
            ods(path, {"会员": rows})
        case _:
            xlsx(path, {"会员": rows})
    text = tmp_path / "members.csv"
    text.write_text("姓名,mobile\n张三,13912345678\n李四,13912345679\n王五,1.39E+10\n", "utf-8")
    segments = service(tmp_path / "home")
    one = segments.build(request(text, name="one", max_rejects="50%"))
    two = segments.build(request(path, name="two", kind=SourceKind.EXCEL, max_rejects="50%"))
    assert two.fingerprint == one.fingerprint
    assert ids_of(two) == ids_of(one)
    assert [p.path.read_bytes() for p in two.parts] == [p.path.read_bytes() for p in one.parts]
    assert (
        (two.rows_read, two.rejects)
        == (one.rows_read, one.rejects)
        == (
            3,
            {"scientific_notation": 1},
        )
    )


def test_the_reject_file_names_sheet_record_and_row(tmp_path: Path) -> None:
    """Empty rows are no records; `line` is the row that Excel shows."""
    rows = [["会员名单"], [], [" mobile\n"], ["13912345678"], [None], ["x"], [None], ["y"]]
    path = xlsx(tmp_path / "a.xlsx", {"会员": rows, "空": []})
    built = service(tmp_path / "home").build(
        request(path, kind=SourceKind.EXCEL, max_rejects="100%", spec={"header_row": 3})
    )
    assert built.rejects_path is not None
    with built.rejects_path.open(encoding="utf-8-sig", newline="") as file:
        found = [(row["file"], row["row"], row["line"]) for row in csv.DictReader(file)]
    assert found == [(f"{path} [会员]", "2", "6"), (f"{path} [会员]", "3", "8")]


def test_rows_are_numbered_across_batches(tmp_path: Path) -> None:
    rows: list[list[object]] = [["mobile"], *([number] for number in range(40_000))]
    rows[30_000] = [None]
    found = _read(xlsx(tmp_path / "a.xlsx", {"a": rows}))
    assert len(found) == 39_999
    assert found[0] == ("0", 1, 2)
    assert found[-1] == ("39999", 39_999, 40_001)
    assert [number for _, number, _ in found] == list(range(1, 40_000))


def test_merged_cells_have_one_value(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["city", "mobile"], ["上海", 1], ["", 2], [None, 3]):
        sheet.append(row)
    sheet.merge_cells("A2:A4")
    book.save(tmp_path / "a.xlsx")
    assert _values(tmp_path / "a.xlsx", column="city") == ["上海", "", ""]


def test_a_table_may_stand_anywhere_in_its_sheet(tmp_path: Path) -> None:
    """Empty rows above and empty columns before it are no matter; `c2` is column B."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for place, value in (("B3", "  手机号 "), ("C3", "city"), ("B4", 1), ("C6", "x")):
        sheet[place] = value
    book.save(tmp_path / "a.xlsx")
    path = tmp_path / "a.xlsx"
    assert _open(path).columns() == ["", "手机号", "city"]
    assert _read(path, column="手机号") == [("1", 1, 4), ("", 2, 6)]
    assert _values(path, column="c2", has_header=False) == ["  手机号 ", "1", ""]
    assert _values(path, column="c1", has_header=False) == ["", "", ""]


def test_a_title_above_the_header_is_told(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": [["2026 会员名单"], *PHONES]})
    error = _refused(path)
    assert error.code == "SOURCE_COLUMN_MISSING"
    assert "--header-row 2" in str(error.hint)
    assert _values(path, header_row=2) == ["13912345678", "13912345679"]
    assert _refused(path, header_row=9).code == "SOURCE_EMPTY"


def test_the_only_sheet_with_cells_is_read(tmp_path: Path) -> None:
    """Empty and hidden sheets do not count, unless they are named."""
    path = xlsx(
        tmp_path / "a.xlsx",
        {"空": [], "会员": PHONES, "旧": [["mobile"], [1]]},
        hidden=["旧"],
    )
    assert _values(path) == ["13912345678", "13912345679"]
    assert _values(path, sheet="旧") == ["1"]
    assert _values(path, sheet="*") == ["13912345678", "13912345679"]
    assert _open(path).rows_expected() == 2


def test_several_sheets_need_a_choice(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        {"会员2025": PHONES, "会员2026": [["mobile"], [1]], "Info": [["note"], ["x"]]},
    )
    error = _refused(path)
    assert error.code == "SOURCE_SHEET_NEEDED"
    assert "会员2025" in str(error.message)
    assert "会员2026" in str(error.message)
    assert _values(path, sheet="会员2026") == ["1"]
    assert _values(path, sheet=" INFO", column="note") == ["x"]
    assert _refused(path, sheet="*").code == "SOURCE_COLUMN_MISSING"
    close = _refused(path, sheet="会员2024")
    assert (close.code, "会员2025" in str(close.hint)) == ("SOURCE_SHEET_MISSING", True)
    far = _refused(path, sheet="x")
    assert (far.code, "Info" in str(far.hint)) == ("SOURCE_SHEET_MISSING", True)


def test_all_sheets_of_all_workbooks_are_read(tmp_path: Path) -> None:
    first = xlsx(tmp_path / "a.xlsx", {"1": PHONES, "2": [["x", "mobile"], ["", 7]]})
    second = xlsx(tmp_path / "b.xlsx", {"1": [["mobile"], [8]]})
    assert _values(first, second, sheet="*") == ["13912345678", "13912345679", "7", "8"]
    assert _values(tmp_path / "*.xlsx", sheet="1") == ["13912345678", "13912345679", "8"]


@pytest.mark.parametrize("sheet", [None, "*", "空"])
def test_empty_workbooks_are_refused(tmp_path: Path, sheet: str | None) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"空": [], "blank": [[" "], [""]]})
    assert _refused(path, sheet=sheet).code == "SOURCE_EMPTY"


def test_a_header_without_rows_has_no_rows(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": [["mobile"]]})
    assert _values(path) == []
    with pytest.raises(YuntuPushError) as caught:
        service(tmp_path / "home").build(request(path, kind=SourceKind.EXCEL))
    assert caught.value.code in {"SOURCE_EMPTY", "SOURCE_NOT_READY"}


_XML = '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'


@pytest.mark.parametrize(
    ("raw", "what", "hint"),
    [
        (b"<html><table><tr><td>mobile</td></tr></table></html>", "HTML", ".xlsx"),
        (b"\xef\xbb\xbf\r\n <META charset=utf-8><TABLE border=1>", "HTML", ".xlsx"),
        ("<html><table>".encode("utf-16"), "HTML", ".xlsx"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "web archive", ".xlsx"),
        (_XML.encode(), "XML spreadsheet", ".xlsx"),
        (b"mobile\tname\n13912345678\tx\n", "tabs", "--csv"),
        ("mobile\tname\n13912345678\tx\n".encode("utf-16"), "tabs", "--csv"),
        ("手机号,姓名\n1,张三\n".encode("gb18030"), "text", "--csv"),
        (b"PAR1....", "Parquet", "--parquet"),
        (b"%PDF-1.7", "PDF", "CSV"),
        (gzip.compress(b"x", mtime=0), "compressed", "unpack"),
        (b"\x62\x14\x23\x65\x00\x00E-SafeNet\x00\x00LOCK", "document protection", "released"),
        (b"\x09\x04\x06\x00\x00\x00\x10\x00", "1993", ".xlsx"),
        (b"", "empty", "again"),
        (bytes(5000), "empty", "again"),
        (bytes(range(256)) * 20, "something else", "Excel"),
    ],
)
@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_what_is_no_workbook_is_said_with_what_it_is(
    tmp_path: Path, raw: bytes, what: str, hint: str, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    error = _refused(path)
    assert error.code == "SOURCE_NOT_WORKBOOK"
    assert what in str(error.message)
    assert hint in str(error.hint)


def test_the_content_decides_whatever_the_name(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES}).rename(tmp_path / "a.xls")
    assert len(_values(path)) == 2
    other = tmp_path / "b.xlsx"
    other.write_bytes((VECTORS / "members.xls").read_bytes())
    assert len(_values(other)) == 3


def test_damaged_workbooks_and_other_archives(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES})
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    assert _refused(path).code == "SOURCE_UNREADABLE"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert _refused(path).code == "SOURCE_NOT_WORKBOOK"
    with zipfile.ZipFile(path, "w") as archive, zipfile.ZipFile(_again(path, raw)) as whole:
        for name in whole.namelist():
            text = whole.read(name)
            archive.writestr(name, text[: len(text) // 2] if "sheet1" in name else text)
    assert _refused(path).code == "SOURCE_UNREADABLE"
    old = tmp_path / "b.xls"
    old.write_bytes((VECTORS / "members.xls").read_bytes()[:2000])
    assert _refused(old).code in {"SOURCE_UNREADABLE", "SOURCE_NOT_WORKBOOK"}


def _again(path: Path, raw: bytes) -> Path:
    copy = path.with_name("whole.zip")
    copy.write_bytes(raw)
    return copy


def test_passwords_open_and_are_asked_for(tmp_path: Path) -> None:
    path = sealed(xlsx(tmp_path / "a.xlsx", {"a": PHONES}), "Öffne 密码")
    assert _refused(path).code == "SOURCE_PASSWORD_NEEDED"
    assert "--password-stdin" in str(_refused(path).hint)
    assert _refused(path, password=SecretText("wrong")).code == "SOURCE_PASSWORD_WRONG"
    assert _values(path, password=SecretText("Öffne 密码")) == ["13912345678", "13912345679"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.xlsx"], (
        "nothing was decrypted to disk"
    )


def test_what_excel_opens_without_asking_opens_here(tmp_path: Path) -> None:
    """Workbooks that are protected against changes alone are sealed with a known password."""
    path = sealed(xlsx(tmp_path / "a.xlsx", {"a": PHONES}), "VelvetSweatshop")
    assert len(_values(path)) == 2


def test_a_password_that_is_not_needed_does_no_harm(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES})
    assert len(_values(path, password=SecretText("x"))) == 2


@pytest.mark.parametrize("lock", ["~$a.xlsx", ".~lock.a.xlsx#"])
def test_workbooks_that_are_open_are_not_read(tmp_path: Path, lock: str) -> None:
    """What is on disk may not be what the person sees; cron tries again."""
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES})
    (tmp_path / lock).write_bytes(b"\x05Maria")
    for named in (path, tmp_path / lock, tmp_path / "*.xlsx"):
        error = _refused(named)
        assert isinstance(error, TryLaterError)
        assert error.code == "SOURCE_IN_USE"
        assert lock in str(error.hint)


@pytest.mark.parametrize(
    ("name", "code"),
    [("none.xlsx", "SOURCE_FILE_MISSING"), (".", "SOURCE_IS_FOLDER"), ("-", "SOURCE_NOT_WORKBOOK")],
)
def test_paths_that_are_no_workbook(name: str, code: str) -> None:
    assert _refused(Path(name)).code == code


@pytest.mark.skipif(os.name == "nt", reason="no limit of memory there")
def test_a_workbook_that_takes_all_memory_is_refused(tmp_path: Path) -> None:
    """Two cells in the outermost corners make the library ask for 512 GB and abort."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = "mobile"
    sheet["XFD1048576"] = 1
    book.save(tmp_path / "a.xlsx")
    assert (tmp_path / "a.xlsx").stat().st_size < 10_000
    error = _refused(tmp_path / "a.xlsx")
    assert error.code == "SOURCE_TOO_LARGE"
    assert "--csv" in str(error.hint)


def test_a_workbook_that_says_it_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/bomb.xml", "0")
        archive.getinfo("xl/bomb.xml").file_size = 5 << 30
    assert _refused(path).code == "SOURCE_TOO_LARGE"


def test_closing_early_ends_the_process(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [["mobile"], *([number] for number in range(20_000))]
    source = _open(xlsx(tmp_path / "a.xlsx", {"a": rows}))
    rows_read = source.batches(["mobile"])
    assert next(rows_read).rows > 0
    reading = rows_read.gi_frame.f_locals["reading"]
    rows_read.close()
    assert reading._process.returncode is not None


def test_a_source_that_is_never_read_leaves_no_process(tmp_path: Path) -> None:
    source = _open(xlsx(tmp_path / "a.xlsx", {"a": PHONES}))
    assert source.columns() == ["姓名", "mobile"]
    process = source._opened[0]._process
    assert process.poll() is None
    del source
    assert process.poll() is not None


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("end", "code"),
    [(signal.SIGKILL, "SOURCE_TOO_LARGE"), (signal.SIGTERM, "SOURCE_UNREADABLE")],
)
def test_a_process_that_is_killed_is_an_error_not_a_short_result(
    tmp_path: Path, end: int, code: str
) -> None:
    rows: list[Sequence[object]] = [["mobile"], *([number] for number in range(60_000))]
    source = _open(xlsx(tmp_path / "a.xlsx", {"a": rows}))
    rows_read = source.batches(["mobile"])
    next(rows_read)
    os.kill(rows_read.gi_frame.f_locals["reading"]._process.pid, end)
    with pytest.raises(SourceError) as caught:
        list(rows_read)
    assert caught.value.code == code


def test_a_module_of_the_same_name_in_the_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python_calamine.py").write_text("raise SystemExit(9)")
    path = xlsx(tmp_path / "a.xlsx", {"a": PHONES})
    monkeypatch.chdir(tmp_path)
    assert len(_values(path)) == 2
