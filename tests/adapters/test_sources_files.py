"""Files as sources: encodings, compression, ragged rows, and everything that can be wrong."""

import gzip
import io
import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from yuntu_push.adapters.sources.catalog import SourceCatalog
from yuntu_push.domain.errors import ConfigError, SourceError, YuntuPushError
from yuntu_push.domain.identifiers import IdType, identify
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def _read(
    *paths: Path | str, column: str = "mobile", kind: SourceKind = SourceKind.CSV, **spec: object
) -> tuple[list[str], list[int]]:
    """The values of a column, and the lines of ragged rows."""
    made = SourceSpec(kind, tuple(str(path) for path in paths), **spec)  # type: ignore[arg-type]
    values: list[str] = []
    ragged: list[int] = []
    with closing(SourceCatalog(now=lambda: NOW).open(made).batches([column])) as batches:
        for batch in batches:
            (texts,) = batch.columns
            ragged += [row.line for row in batch.ragged]
            for place in range(batch.rows):
                values.append(texts.value(place).decode())
    return values, ragged


def _refused(*paths: Path | str, **options: object) -> YuntuPushError:
    with pytest.raises(YuntuPushError) as caught:
        _read(*paths, **options)  # type: ignore[arg-type]
    assert caught.value.hint is not None
    return caught.value


_TEXT = '姓名,mobile\n张三,13800138000\n"李,四","139\n00139000"\n'
_VALUES = ["13800138000", "139\n00139000"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_encoding_gives_the_same_values(tmp_path: Path, encoding: str, newline: str) -> None:
    raw = _TEXT.replace("\n", newline).encode(encoding)
    if encoding in {"utf-16-le", "utf-16-be"}:
        raw = ("\ufeff" + _TEXT.replace("\n", newline)).encode(encoding)
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    values, ragged = _read(path)
    assert [value.replace("\r\n", "\n") for value in values] == _VALUES
    assert ragged == []


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("nom,mobile\né,1\n".encode("latin-1"))
    assert _read(path, encoding="latin-1")[0] == ["1"]


@pytest.mark.parametrize("name", ["klingon", "hex", "zip", "rot13", "undefined", "a\0b"])
def test_what_is_no_text_encoding_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("nom,mobile\né,1\n".encode("latin-1"))
    assert _refused(path, encoding=name).code == "ENCODING_UNKNOWN"


def test_utf_16_without_a_mark_needs_its_order_of_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(_TEXT.encode("utf-16-be"))
    assert _refused(path).code == "SOURCE_ENCODING"
    assert _refused(path, encoding="utf-16").code == "SOURCE_ENCODING"
    assert _read(path, encoding="utf-16-be")[0] == _VALUES


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_bad_byte_further_down_is_named_with_its_line(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    good = "姓名,mobile\n".encode(encoding) + "张三,13800138000\n".encode(encoding) * 300_000
    path.write_bytes(good + "张三,138001\n".encode(encoding).replace(b"138", b"138\xff") + b"x,1\n")
    error = _refused(path)
    assert error.code == "SOURCE_ENCODING"
    assert "near line 300002" in str(error.message)
    assert "--encoding" in str(error.hint)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compressed_files_are_told_by_their_content(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(pack(_TEXT.encode()))  # type: ignore[operator]
    assert _read(path)[0] == _VALUES
    path.write_bytes(pack(b"mobile\n1\n") + pack(b"2\n"))  # type: ignore[operator]
    assert _read(path)[0] == ["1", "2"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("lost", [1, 5, 100_000])
def test_a_truncated_file_is_never_taken_for_a_short_one(
    tmp_path: Path, pack: object, lost: int
) -> None:
    path = tmp_path / "a.csv.gz"
    content = os.urandom(400_000).hex()
    text = "mobile\n" + "\n".join(content[i : i + 20] for i in range(0, len(content), 20))
    path.write_bytes(pack(text.encode())[:-lost])  # type: ignore[operator]
    assert _refused(path).code == "SOURCE_TRUNCATED"


def test_standard_input_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for raw in (_TEXT.encode("gb18030"), gzip.compress(_TEXT.encode())):
        stdin = io.TextIOWrapper(io.BytesIO(raw))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert _read("-")[0] == _VALUES


def test_many_files_and_globs_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("mobile\n2\n", "utf-8")
    (tmp_path / "a.csv").write_text("x,mobile\n0,1\n", "utf-8")
    assert _read(tmp_path / "*.csv")[0] == ["1", "2"]
    assert _read(tmp_path / "b.csv", tmp_path / "a.csv", tmp_path / "b.csv")[0] == ["2", "1"]
    assert _refused(tmp_path / "*.tsv").code == "SOURCE_FILE_MISSING"


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_delimiters_are_found(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a{mark}mobile\nx{mark}1\n", "utf-8")
    assert _read(path)[0] == ["1"]


def test_a_delimiter_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a:mobile\nx:1\n", "utf-8")
    assert _read(path, delimiter=":")[0] == ["1"]
    assert _refused(path, delimiter="ab").code == "DELIMITER_INVALID"


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,1\ny,2\n", "utf-8")
    assert _read(path, column="c2", has_header=False)[0] == ["1", "2"]


def test_a_header_may_stand_further_down(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("会员名单,\n2026,\nname,mobile\nx,1\n", "utf-8")
    assert _read(path, header_row=3)[0] == ["1"]


def test_ragged_rows_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mobile,x\n1,a\n2\n3,b,c\n4,d\n", "utf-8")
    assert _read(path) == (["1", "4"], [3, 4])


_IRREGULAR = 'mobile,x\n1,a\n\n2\n3,"b\nc"\n4,d\n5,e,f\n\n6,g\n7\n'
_PLACES = [(2, 4), (5, 8), (7, 11)]  # row, line


def _ragged(*paths: Path | str) -> list[tuple[int, int | None]]:
    spec = SourceSpec(SourceKind.CSV, tuple(map(str, paths)))
    with closing(SourceCatalog(now=lambda: NOW).open(spec).batches(["mobile"])) as batches:
        return [(row.row, row.line) for batch in batches for row in batch.ragged]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_line_breaks_in_cells_and_empty_lines_do_not_move_the_lines_of_ragged_rows(
    tmp_path: Path, encoding: str, newline: str, end: str
) -> None:
    path = tmp_path / "a.csv"
    text = (_IRREGULAR.rstrip() + end).replace("\n", newline)
    path.write_bytes(text.encode(encoding))
    assert _ragged(path) == _PLACES
    path.write_bytes(gzip.compress(text.encode(encoding)))
    assert _ragged(path) == _PLACES


def test_standard_input_tells_lines_where_they_are_certain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be read again."""
    for text, places in (
        ("mobile,x\n1,a\n2\n3,b\n4", [(2, 3), (4, 5)]),
        ('mobile,x\n1,"a\nb"\n2\n3,b\n4\n', [(2, None), (4, None)]),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert _ragged("-") == places


@pytest.mark.parametrize("above", ["\n\n", "\r\n", "a title\n\n", "a\x0btitle\u2028x\n"])
def test_lines_above_the_header_are_no_rows(tmp_path: Path, above: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"{above}mobile,x\n1,a\n2\n".encode())
    row = 2 if "a" in above else 1
    assert _read(path, header_row=row) == (["1"], [above.count("\n") + 3])


@pytest.mark.parametrize("ends", [("\n", "\r\n"), ("\r\n", "\n"), ("\r", "\r"), ("\n", "\r")])
@pytest.mark.parametrize("above", [0, 2])
def test_lines_may_end_in_different_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: tuple[str, str], above: int
) -> None:
    """As in files that were put together."""
    first, then = ends
    raw = f"{first * above}mobile,x{first}1,a{first}2,b{then}3{then}4,d".encode()
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    assert _read(path) == (["1", "2", "4"], [above + 4])
    for chunk in (1, 7):  # a pipe may cut a line's end in two
        monkeypatch.setattr("yuntu_push.adapters.sources.opening.CHUNK", chunk)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert _read("-") == (["1", "2", "4"], [above + 4])


def test_lines_that_begin_to_end_differently_far_down_lose_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b"mobile,x\n" + b"13,a\n" * 1_000_000 + b"1,a\r\n2,b\n"
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    error = _refused(path)
    assert (error.code, "--csv - <" in str(error.hint)) == ("SOURCE_LINE_ENDS", True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert _read("-")[0][-3:] == ["13", "1", "2"]


@pytest.mark.parametrize("cell", ['"a', '"a"b', 'x\n2,"'])
def test_a_quote_that_does_not_end_is_refused(tmp_path: Path, cell: str) -> None:
    """Else all rows after it would silently be one cell."""
    path = tmp_path / "a.csv"
    path.write_text(f"mobile,x\n1,{cell}\n2,b\n3,c\n", "utf-8")
    assert _refused(path).code == "SOURCE_BAD_QUOTES"


def test_headers_are_trimmed_and_matched_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(" Mobile ,x\n1,2\n", "utf-8")
    assert _read(path)[0] == ["1"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "SOURCE_EMPTY"),
        (b"\n\n", "SOURCE_EMPTY"),
        (b"\xef\xbb\xbf", "SOURCE_EMPTY"),
        (b"PK\x03\x04 a workbook", "SOURCE_NOT_TEXT"),
        (b"PAR1 a parquet", "SOURCE_NOT_TEXT"),
        (b"mobile\n\xff\xff\xff\n", "SOURCE_ENCODING"),
        (b"m\0o\0b\0i\0l\0e\0\n\0", "SOURCE_ENCODING"),
        (b"\x1f\x8b\x08", "SOURCE_TRUNCATED"),
        (b"a,b\n1,2\n", "SOURCE_COLUMN_MISSING"),
        (b"mobile,mobile\n1,2\n", "SOURCE_COLUMN_AMBIGUOUS"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert _refused(path).code == code


@pytest.mark.parametrize("first", ["13912345678", "a@b.cn", "6d92078a82464ba4ae5b76104861e7dc"])
def test_a_file_without_header_does_not_show_its_first_person(tmp_path: Path, first: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{first},x\n13912345679,y\n", "utf-8")
    error = _refused(path)
    assert "--no-header" in str(error.hint)
    assert first not in f"{error.message} {error.hint}"


def test_missing_files_folders_and_permissions(tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text("mobile\n1\n", "utf-8")
    missing = _refused(tmp_path / "member.csv")
    assert (missing.code, "members.csv" in str(missing.hint)) == ("SOURCE_FILE_MISSING", True)
    assert _refused(tmp_path).code == "SOURCE_IS_FOLDER"
    if os.geteuid():
        (tmp_path / "members.csv").chmod(0)
        assert _refused(tmp_path / "members.csv").code == "SOURCE_NO_PERMISSION"


def test_parquet_values_are_text_with_all_their_digits(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.execute(
        "copy (select 13800138000::bigint as mobile, 12345678901234567890::hugeint as big"
        f" union all select null, null) to '{path}'"
    )
    assert _read(path, kind=SourceKind.PARQUET)[0] == ["13800138000", ""]
    assert _read(path, kind=SourceKind.PARQUET, column="MOBILE")[0] == ["13800138000", ""]
    assert _refused(path, kind=SourceKind.PARQUET, column="mobil").code == "SOURCE_COLUMN_MISSING"
    path.write_bytes(path.read_bytes()[:-20])
    assert _refused(path, kind=SourceKind.PARQUET).code == "SOURCE_UNREADABLE"


@pytest.mark.parametrize("cell", ["['1']", "{'a': '1'}", "map {'a': '1'}"])
def test_nested_columns_of_parquet_are_refused(tmp_path: Path, cell: str) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.execute(f"copy (select {cell} as mobile, '1' as other) to '{path}'")
    assert _refused(path, kind=SourceKind.PARQUET).code == "SOURCE_COLUMN_NESTED"
    assert _read(path, kind=SourceKind.PARQUET, column="other")[0] == ["1"]


@pytest.mark.parametrize(
    "made", ["13800138000::decimal(18, 2)", "13800138000::double", "'13800138000'::blob"]
)
def test_parquet_numbers_and_bytes_are_ids(tmp_path: Path, made: str) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.execute(f"copy (select {made} as mobile) to '{path}'")
    (value,) = _read(path, kind=SourceKind.PARQUET)[0]
    assert identify(value, IdType.MOBILE_HASH_SHA256) == identify(
        "13800138000", IdType.MOBILE_HASH_SHA256
    )


def _sql(sql: str, **spec: object) -> list[str]:
    return _read(kind=SourceKind.SQL, sql=sql, **spec)[0]  # type: ignore[arg-type]


def test_sql_over_files_joins_and_binds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("id,mobile\n1,138\n2,139\n", "utf-8")
    (tmp_path / "o.csv").write_text("id,paid\n1,5\n2,50\n", "utf-8")
    sql = "select mobile from 'm.csv' join 'o.csv' using (id) where paid > :least -- :not_one"
    assert _sql(sql, params=(("least:int", "10"),)) == ["139"]
    listed = "select mobile from read_csv('m.csv', all_varchar=true) where mobile in :some;"
    assert _sql(listed, params=(("some:list", "138, 140"),)) == ["138"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select getenv('HOME') as mobile",
    ],
)
def test_sql_over_files_stays_in_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        assert _sql(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1 as mobile) to 'out.csv'",
        "create table t as select 1 as mobile",
        "attach 'x.db'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access=true",
        "select 1 as mobile; select 2 as mobile",
        "pragma database_list",
        "export database 'x'",
        "",
    ],
)
def test_sql_over_files_only_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        _sql(sql)
    assert list(tmp_path.iterdir()) == []


def test_ids_among_the_parameters_are_hidden_where_they_are_recorded() -> None:
    params = (("some:list", "13912345678,上海"), ("day:date", "today"), ("n:int", "10"))
    sql = "select 1 as mobile where 'x' in :some and :day > date '2020-01-01' and :n > 1"
    spec = SourceSpec(SourceKind.SQL, sql=sql, params=params)
    source = SourceCatalog(now=lambda: NOW).open(spec)
    assert source.params == {"some": "***,上海", "day": "2026-11-23", "n": "10"}


def test_errors_of_sql_do_not_quote_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("mobile\n13800138000x\n", "utf-8")
    with pytest.raises(SourceError) as caught:
        _sql("select cast(mobile as bigint) as mobile from 'm.csv'")
    assert "13800138000" not in f"{caught.value} {caught.value.__cause__} {caught.value.hint}"


def test_unknown_databases_name_the_nearest() -> None:
    catalog = SourceCatalog(now=lambda: NOW, urls={"crm": "sqlite:///x"})
    with pytest.raises(ConfigError) as caught:
        catalog.open(SourceSpec(SourceKind.SQL, sql="select 1", source="crn"))
    assert "crm" in str(caught.value.message)
