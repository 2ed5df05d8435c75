"""Building a segment from files: counts, bytes, and what is left behind."""

import hashlib
import os
import random
import stat
from pathlib import Path

import pytest

from support.segments import MovableClock, decoded, disk_that_fills, ids_of, request, service
from yuntu_push.adapters.engine import press
from yuntu_push.adapters.engine.vector_engine import VectorEngine
from yuntu_push.domain.errors import ConfigError, GuardError, SourceError, TryLaterError
from yuntu_push.domain.identifiers import Accepted, IdType, identify
from yuntu_push.domain.segment import SegmentRef
from yuntu_push.domain.segment_build import Combination, SourceKind


def _phones(count: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [f"1{draw.randint(3, 9)}{draw.randint(0, 999_999_999):09d}" for _ in range(count)]


def _csv(path: Path, values: list[str], header: str = "mobile") -> Path:
    path.write_text("\n".join([header, *values]) + "\n", encoding="utf-8")
    return path


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_every_phone_becomes_one_id_and_nothing_is_lost(tmp_path: Path) -> None:
    phones = _phones(5000)
    dirty = [*phones, f"+86{phones[0]}", f"{phones[1][:3]}-{phones[1][3:7]}-{phones[1][7:]}"]
    dirty += [_sha(phones[2]).upper(), "", "138****8000", "1.38E+10"]
    segment = service(tmp_path).build(request(_csv(tmp_path / "a.csv", dirty)))
    assert sorted(ids_of(segment)) == sorted(
        ("MOBILE_HASH_SHA256", _sha(phone)) for phone in set(phones)
    )
    counts = segment.by_type[IdType.MOBILE_HASH_SHA256]
    assert segment.rows_read == len(dirty)  # in a file of one column an empty line is an empty cell
    assert counts.blank == 1
    assert counts.rejected == 2
    assert counts.already_hashed == 1
    assert counts.hashed_by_us == 5002
    assert counts.values == counts.hashed_by_us + counts.already_hashed + counts.rejected
    assert counts.ids + counts.duplicates == counts.hashed_by_us + counts.already_hashed
    assert segment.rejects == {"masked": 1, "scientific_notation": 1}


def test_the_same_set_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order of rows, the number of files, the threads, the memory."""
    phones = _phones(60_000)
    built = []
    for round_, threads, memory in ((0, 1, 1 << 30), (1, 3, 100_000), (2, 2, 1)):
        values = phones + phones[: round_ * 100]
        random.Random(round_).shuffle(values)
        half = len(values) // (round_ + 1)
        folder = tmp_path / str(round_)
        folder.mkdir()
        files = [
            _csv(folder / f"{n}.csv", values[start : start + half])
            for n, start in enumerate(range(0, len(values), half))
        ]
        engine = VectorEngine(threads=threads, memory=memory)
        built.append(service(folder, engine=engine).build(request(*files, part_size=500_000)))
    first = built[0]
    assert len(first.parts) > 3
    for other in built[1:]:
        assert other.fingerprint == first.fingerprint
        assert [part.path.read_bytes() for part in other.parts] == [
            part.path.read_bytes() for part in first.parts
        ]


def test_the_fingerprint_does_not_depend_on_the_part_size(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", _phones(30_000))
    one = service(tmp_path).build(request(path, name="one"))
    many = service(tmp_path).build(request(path, name="many", part_size=100_000))
    assert one.fingerprint == many.fingerprint
    assert len(one.parts) < len(many.parts)


@pytest.mark.parametrize("size", [10_000, 123_456, 1_000_000])
def test_no_part_is_larger_than_asked_for(tmp_path: Path, size: int) -> None:
    segment = service(tmp_path).build(
        request(_csv(tmp_path / "a.csv", _phones(30_000)), part_size=size)
    )
    for part in segment.parts:
        content = part.path.read_bytes()
        assert len(content) == part.size <= size
        assert hashlib.md5(content).hexdigest() == part.md5
        lines = decoded(part.path)
        assert max(map(len, lines)) <= 10_000
        assert sum(map(len, lines)) == part.ids


@pytest.mark.parametrize("size", [10_000, 30_000, 100_000])
@pytest.mark.parametrize("kind", ["MOBILE_HASH_SHA256", "IMEI_MD5", "OAID", "UID", "IMEI"])
def test_parts_are_filled_so_that_none_has_to_be_cut_again(
    tmp_path: Path, size: int, kind: str
) -> None:
    draw = random.Random(4)
    make = {
        "MOBILE_HASH_SHA256": lambda: f"{draw.getrandbits(256):064x}",
        "IMEI_MD5": lambda: f"{draw.getrandbits(128):032x}",
        "OAID": lambda: _uuid(draw),
        "UID": lambda: f"{draw.randint(10**18, 2 * 10**18)}",
        "IMEI": lambda: f"{draw.randint(10**14, 10**15)}",
    }[kind]
    path = _csv(tmp_path / "a.csv", [make() for _ in range(12_000)])
    ids = f"{kind}=mobile:raw" if kind == "UID" else f"{kind}=mobile"
    segment = service(tmp_path).build(request(path, ids=(ids,), part_size=size))
    sizes = [part.size for part in segment.parts]
    assert max(sizes) <= size
    assert all(part_size > size * 0.55 for part_size in sizes[:-1]), sizes


def test_parts_grow_when_there_would_be_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "MAX_PARTS", 20)
    path = _csv(tmp_path / "a.csv", _phones(30_000))
    segment = service(tmp_path).build(request(path, part_size=10_000))
    assert 15 <= len(segment.parts) <= 20
    assert segment.ids_total == sum(part.ids for part in segment.parts)
    monkeypatch.setattr(press, "MAX_PART_SIZE", 50_000)
    with pytest.raises(SourceError) as caught:
        service(tmp_path).build(request(path, name="more", part_size=10_000))
    assert caught.value.code == "SEGMENT_TOO_LARGE"
    assert "split" in str(caught.value.hint)
    assert not (tmp_path / "segments" / "more").exists()


def test_all_eight_types_in_one_build(tmp_path: Path) -> None:
    """Each value is sent as the rule of its type says; one part holds one type."""
    draw = random.Random(3)
    columns = {
        "IMEI": lambda: f"{draw.randint(10**14, 10**15 - 1)}",
        "IDFA": lambda: _uuid(draw).upper(),
        "UID": lambda: f"{draw.randint(1, 10**9)}",
        "IMEI_MD5": lambda: f"{draw.randint(10**14, 10**15 - 1)}",
        "IDFA_MD5": lambda: draw.choice([_uuid(draw), f"{draw.getrandbits(128):032x}"]),
        "MOBILE_HASH_SHA256": lambda: f"13{draw.randint(0, 999_999_999):09d}",
        "OAID": lambda: draw.choice([_uuid(draw), f"{draw.getrandbits(64):016x}"]),
        "OAID_MD5": lambda: draw.choice([_uuid(draw), f"{draw.getrandbits(128):032X}"]),
    }
    rows = [[make() for make in columns.values()] for _ in range(3000)]
    path = tmp_path / "all.csv"
    path.write_text("\n".join(",".join(row) for row in [list(columns), *rows]), "utf-8")
    segment = service(tmp_path).build(
        request(path, ids=tuple(f"{name}={name}" for name in columns), part_size=50_000)
    )
    expected = set()
    for row in rows:
        for name, value in zip(columns, row, strict=True):
            outcome = identify(value, IdType(name))
            assert isinstance(outcome, Accepted)
            expected.add((str(outcome.id_type), outcome.id))
    assert sorted(ids_of(segment)) == sorted(expected)
    assert segment.rows_with_id == 3000
    for part in segment.parts:
        assert {kind for line in decoded(part.path) for kind, _ in line} == {str(part.id_type)}


def _uuid(draw: random.Random) -> str:
    text = f"{draw.getrandbits(128):032x}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def test_each_column_is_counted_for_itself_as_far_as_it_is_alone(tmp_path: Path) -> None:
    """Ids of columns of one type are counted together; all counts outlive the build."""
    lines = [
        f"{phone},{phone if n % 2 else ''},{n:016x}" for n, phone in enumerate(_phones(100), 1)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["first,second,device", *lines, "123,,"]), "utf-8")
    segments = service(tmp_path)
    segments.build(request(path, ids=("phone=first", "phone=second", "OAID=device")))
    counted = [
        (c.column, c.values, c.blank, c.accepted, c.ids, dict(c.rejects))
        for c in segments.show(SegmentRef("vip")).columns
    ]
    assert counted == [
        ("first", 101, 0, 100, None, {"too_short": 1}),
        ("second", 50, 51, 50, None, {}),
        ("device", 100, 1, 100, 100, {}),
    ]


def test_an_identical_rebuild_is_the_same_version(tmp_path: Path) -> None:
    phones = _phones(1000)
    segments = service(tmp_path)
    first = segments.build(request(_csv(tmp_path / "a.csv", phones)))
    again = segments.build(request(_csv(tmp_path / "b.csv", [*reversed(phones), "138****0000"])))
    assert (again.version, again.fingerprint) == (first.version, first.fingerprint)
    assert again.rejects == {"masked": 1}
    assert again.rejects_path is not None
    assert again.rejects_path.is_file()
    other = segments.build(request(_csv(tmp_path / "c.csv", phones[1:])))
    assert other.version == first.version + 1
    assert segments.show(SegmentRef("vip")).version == other.version


def test_all_that_is_kept_is_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        values = [*_phones(1000), "138****0000"]
        segment = service(tmp_path).build(request(_csv(tmp_path / "a.csv", values)))
    finally:
        os.umask(before)
    for path in [segment.folder, *segment.folder.iterdir()]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_reject_file_names_places_and_masks_values(tmp_path: Path) -> None:
    values = [*_phones(200), "+8613800138", "138****0000", "a@b.cn"]
    segment = service(tmp_path).build(request(_csv(tmp_path / "a.csv", values)))
    assert segment.rejects_path is not None
    lines = segment.rejects_path.read_text("utf-8-sig").splitlines()
    assert lines[0] == "file,row,line,column,reason,value"
    file = tmp_path / "a.csv"
    assert lines[1:] == [
        f"{file},201,202,mobile,too_short,'+86****0138",
        f"{file},202,203,mobile,masked,138****0000",
        f"{file},203,204,mobile,letters,a****",
    ]


def test_ragged_rows_move_the_numbers_of_the_rows_after_them(tmp_path: Path) -> None:
    lines = ["mobile,x", "1,a", "2", "3,b", "4,c,d", "5,e", "6,f", "7"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines, *(f"{phone},z" for phone in _phones(200))]), "utf-8")
    other = tmp_path / "b.csv"
    other.write_text("mobile,x\n8,a\n", "utf-8")
    segment = service(tmp_path).build(request(path, other))
    assert segment.rejects == {"ragged_row": 3, "too_short": 5}
    assert segment.rows_read == 208
    assert segment.rejects_path is not None
    found = [line.split(",") for line in segment.rejects_path.read_text("utf-8-sig").splitlines()]
    assert [(file[-5:], row, line, why) for file, row, line, _, why, _ in found[1:]] == [
        ("a.csv", "1", "", "too_short"),
        ("a.csv", "3", "", "too_short"),
        ("a.csv", "5", "", "too_short"),
        ("a.csv", "6", "", "too_short"),
        ("a.csv", "2", "3", "ragged_row"),
        ("a.csv", "4", "5", "ragged_row"),
        ("a.csv", "7", "8", "ragged_row"),
        ("b.csv", "1", "2", "too_short"),
    ]


def _left(root: Path) -> list[str]:
    folder = root / "segments"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("content", "ids", "code"),
    [
        ("mobile\n", "phone=mobile", "SOURCE_EMPTY"),
        ("", "phone=mobile", "SOURCE_EMPTY"),
        ("a,b\n1,2\n", "phone=mobile", "SOURCE_COLUMN_MISSING"),
        ("mobile,mobile\n1,2\n", "phone=mobile", "SOURCE_COLUMN_AMBIGUOUS"),
        (
            "mobile\n" + "1.38E+10\n" * 9 + "13900139000\n",
            "phone=mobile",
            "SOURCE_TOO_MANY_REJECTS",
        ),
        ("mobile\n" + "a@b.cn\n" * 9 + "13900139000\n", "phone=mobile", "SOURCE_WRONG_TYPE"),
        ("mobile\n" + "9" * 32 + "a\n", "phone=mobile", "SOURCE_TOO_MANY_REJECTS"),
        ("mobile\nnull\n-\n", "phone=mobile", "SOURCE_NO_IDS"),
        ("mobile\n123\n13800138000\n", "UID=mobile", "SOURCE_PERSONAL_DATA"),
        ("mobile\n123\n11010519491231002X\n", "UID=mobile", "SOURCE_PERSONAL_DATA"),
        ("mobile\n123\n6222021234567890128\n", "UID=mobile", "SOURCE_PERSONAL_DATA"),
        ('mobile,x\n13800138000,"a\n1,2\n', "phone=mobile", "SOURCE_BAD_QUOTES"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(
    tmp_path: Path, content: str, ids: str, code: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(SourceError) as caught:
        service(tmp_path).build(request(path, ids=(ids,)))
    assert caught.value.code == code
    assert caught.value.hint is not None
    assert _left(tmp_path) == []


def test_excel_mangled_phones_say_what_to_do(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", ["1.38E+10"] * 10 + _phones(10))
    with pytest.raises(SourceError, match="scientific_notation 10") as caught:
        service(tmp_path).build(request(path))
    assert "text" in str(caught.value.hint)


def test_md5_phones_say_that_sha256_is_taken(tmp_path: Path) -> None:
    values = [hashlib.md5(phone.encode()).hexdigest() for phone in _phones(20)]
    with pytest.raises(SourceError) as caught:
        service(tmp_path).build(request(_csv(tmp_path / "a.csv", values)))
    assert caught.value.code == "SOURCE_WRONG_TYPE"
    assert "SHA-256" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("form", "value"), [("hashed", "13912345678"), ("raw", _sha("13912345678"))]
)
def test_a_column_of_the_other_form_says_how_to_take_both(
    tmp_path: Path, form: str, value: str
) -> None:
    path = _csv(tmp_path / "a.csv", [value] * 20)
    with pytest.raises(SourceError) as caught:
        service(tmp_path).build(request(path, ids=(f"phone=mobile:{form}",)))
    assert caught.value.code == "SOURCE_WRONG_TYPE"
    assert f"without :{form}" in str(caught.value.hint)
    assert service(tmp_path).build(request(path)).ids_total == 1


def test_rejects_within_the_limit_do_not_stop_a_build(tmp_path: Path) -> None:
    values = _phones(96) + ["1.38E+10"] * 5
    segment = service(tmp_path).build(request(_csv(tmp_path / "a.csv", values)))
    assert segment.rejects == {"scientific_notation": 5}
    with pytest.raises(SourceError):
        service(tmp_path).build(request(_csv(tmp_path / "a.csv", values), max_rejects="4"))


def test_bounds_on_the_number_of_ids_are_guards(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", _phones(100))
    for bounds in ({"min_ids": 1000}, {"max_ids": 10}):
        with pytest.raises(GuardError):
            service(tmp_path).build(request(path, **bounds))
    assert _left(tmp_path) == []


def test_a_full_disk_is_a_try_later_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _csv(tmp_path / "a.csv", _phones(30_000))
    with disk_that_fills(monkeypatch, after=2), pytest.raises(TryLaterError) as caught:
        service(tmp_path).build(request(path, part_size=100_000))
    assert caught.value.code == "DISK_FULL"
    monkeypatch.undo()
    assert _left(tmp_path) == []


def test_a_second_build_of_the_name_says_who_holds_it(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", _phones(10))
    from support.segments import shelf

    with shelf(tmp_path).building("vip"), pytest.raises(TryLaterError) as caught:
        service(tmp_path).build(request(path))
    assert caught.value.code == "SEGMENT_BUSY"
    assert f"pid {os.getpid()}" in str(caught.value.message)
    assert service(tmp_path).build(request(path)).version == 1


@pytest.mark.parametrize("what", ["build", "survey", "diff", "combine"])
def test_what_a_killed_build_left_is_swept(tmp_path: Path, what: str) -> None:
    segments = service(tmp_path)
    for count in (10, 11):
        segments.build(request(_csv(tmp_path / "a.csv", _phones(count))))
    left = tmp_path / "segments" / "other" / ".building-abcd"
    left.mkdir(parents=True)
    (left / "spool").write_bytes(b"x")
    match what:
        case "build":
            segments.build(request(tmp_path / "a.csv"))
        case "survey":
            segments.survey(request(tmp_path / "a.csv"))
        case "diff":
            segments.diff("vip")
        case _:
            segments.combine("both", Combination.UNION, [SegmentRef("vip"), SegmentRef("vip", 1)])
    assert not left.parent.exists()


def test_what_was_last_built_long_ago_is_erased(tmp_path: Path) -> None:
    clock = MovableClock()
    segments = service(tmp_path, clock=clock, needed=["needed"])
    file = _csv(tmp_path / "a.csv", _phones(10))
    old, needed = (segments.build(request(file, name=name)) for name in ("vip", "needed"))
    clock.sleep(30 * 86400)
    renewed = segments.build(request(file, name="renewed"))
    assert old.folder.exists()
    clock.sleep(60)
    segments.forget_old()
    assert not old.folder.exists()
    assert {segment.name for segment in segments.latest()} == {"needed", "renewed"}
    assert needed.folder.exists()

    clock.sleep(29 * 86400)
    segments.build(request(file, name="renewed"))
    clock.sleep(29 * 86400)
    segments.forget_old()
    assert renewed.folder.exists()  # the same content was built once more: it is not old


def test_a_build_erases_old_versions_and_keeps_its_own(tmp_path: Path) -> None:
    clock = MovableClock()
    segments = service(tmp_path, clock=clock)
    first = segments.build(request(_csv(tmp_path / "a.csv", _phones(10))))
    clock.sleep(31 * 86400)
    again = segments.build(request(tmp_path / "a.csv"))
    assert again.version == first.version
    second = segments.build(request(_csv(tmp_path / "a.csv", _phones(11))))
    clock.sleep(31 * 86400)
    third = segments.build(request(_csv(tmp_path / "a.csv", _phones(12))))
    assert [segment.version for segment in segments.versions("vip")] == [third.version]
    assert not second.folder.exists()


def test_removed_versions_are_gone_and_their_numbers_are_not_used_again(tmp_path: Path) -> None:
    segments = service(tmp_path)
    segments.build(request(_csv(tmp_path / "a.csv", _phones(10))))
    second = segments.build(request(_csv(tmp_path / "a.csv", _phones(11))))
    segments.remove(SegmentRef("vip", 2))
    assert not second.folder.exists()
    assert segments.build(request(_csv(tmp_path / "a.csv", _phones(12)))).version == 3
    segments.remove(SegmentRef("vip"))
    with pytest.raises(ConfigError):
        segments.show(SegmentRef("vip"))
    assert segments.latest() == []


def test_a_dry_run_reports_and_writes_nothing(tmp_path: Path) -> None:
    values = ["1.38E+10"] * 5 + _phones(10)
    built = service(tmp_path).survey(request(_csv(tmp_path / "a.csv", values)))
    assert built.refusal is not None
    assert built.refusal.code == "SOURCE_TOO_MANY_REJECTS"
    (column,) = built.columns
    assert column.counts.rejects == {"scientific_notation": 5}
    assert (column.counts.values, column.counts.accepted, column.counts.ids) == (15, 10, 10)
    assert column.samples[0] == "1.****"
    assert built.ids_total == 10
    assert _left(tmp_path) == []


def test_placeholder_numbers_and_frequent_values_are_warned_about(tmp_path: Path) -> None:
    values = [*_phones(3000), *["13800138000"] * 3, _sha("18888888888"), *["13912345678"] * 20]
    segment = service(tmp_path).build(request(_csv(tmp_path / "a.csv", values)))
    assert segment.warnings == {"frequent_value": 20, "placeholder": 4}
    assert segment.rejects == {}


def test_parquet_and_sql_give_the_same_segment_as_csv(tmp_path: Path) -> None:
    import duckdb

    phones = _phones(5000)
    path = _csv(tmp_path / "a.csv", phones)
    duckdb.execute(f"copy (from read_csv('{path}')) to '{tmp_path}/a.parquet'")
    segments = service(tmp_path)
    csv = segments.build(request(path))
    parquet = segments.build(request(tmp_path / "a.parquet", kind=SourceKind.PARQUET))
    sql_file = tmp_path / "q.sql"
    sql_file.write_text(
        f"select mobile from '{tmp_path}/a.csv' where mobile > :least -- all", "utf-8"
    )
    sql = segments.build(
        request(sql_file, kind=SourceKind.SQL, spec={"params": (("least:int", "0"),)})
    )
    assert csv.version == parquet.version == sql.version == 1
    assert sql.params == {"least": "0"}
