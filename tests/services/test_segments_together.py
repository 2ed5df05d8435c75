"""Segments as sets of people: compared, combined, left out, verified."""

import random
from pathlib import Path

import pytest

from support.segments import ids_of, request, service
from yuntu_push.adapters.engine.vector_engine import VectorEngine
from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import Segment, SegmentRef, parse_ref
from yuntu_push.domain.segment_build import Combination, Difference
from yuntu_push.domain.settings import SegmentSettings

_COLUMNS = ("phone=mobile", "UID=uid", "OAID=oaid")


def _people(numbers: range) -> list[str]:
    """Rows of a phone, a user id and a device each, always the same for a number."""
    rows = []
    for number in numbers:
        draw = random.Random(number)
        rows.append(
            f"13{draw.randint(0, 999_999_999):09d},{draw.randint(1, 10**9)},"
            f"{draw.getrandbits(64):016x}"
        )
    return rows


def _file(path: Path, numbers: range) -> Path:
    path.write_text("\n".join(["mobile,uid,oaid", *_people(numbers)]), "utf-8")
    return path


def _build(root: Path, numbers: range, name: str, memory: int = 1 << 30) -> Segment:
    made = service(root, engine=VectorEngine(memory=memory))
    return made.build(request(_file(root / f"{name}.csv", numbers), name=name, ids=_COLUMNS))


@pytest.mark.parametrize("memory", [1 << 30, 4096])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Combination.UNION, range(3000)),
        (Combination.INTERSECT, range(1000, 2000)),
        (Combination.MINUS, range(1000)),
    ],
)
def test_combined_segments_hold_what_sets_of_people_would(
    tmp_path: Path, how: Combination, expected: range, memory: int
) -> None:
    _build(tmp_path, range(2000), "a")
    _build(tmp_path, range(1000, 3000), "b")
    wanted = _build(tmp_path, expected, "wanted")
    made = service(tmp_path, engine=VectorEngine(memory=memory)).combine(
        "made", how, [SegmentRef("a"), SegmentRef("b")]
    )
    assert sorted(ids_of(made)) == sorted(ids_of(wanted))
    assert made.fingerprint == wanted.fingerprint
    assert [part.md5 for part in made.parts] == [part.md5 for part in wanted.parts]


def test_a_combination_without_ids_is_refused(tmp_path: Path) -> None:
    _build(tmp_path, range(10), "a")
    _build(tmp_path, range(10, 20), "b")
    with pytest.raises(SourceError) as caught:
        service(tmp_path).combine("c", Combination.INTERSECT, [SegmentRef("a"), SegmentRef("b")])
    assert caught.value.code == "SEGMENT_NOTHING_LEFT"


def test_two_versions_are_compared_type_by_type(tmp_path: Path) -> None:
    _build(tmp_path, range(1000), "a")
    _build(tmp_path, range(400, 1500), "a")
    old, new, differences = service(tmp_path).diff("a")
    assert (old.version, new.version) == (1, 2)
    assert differences == dict.fromkeys(
        (IdType.UID, IdType.MOBILE_HASH_SHA256, IdType.OAID_MD5), Difference(500, 400, 600)
    )


def test_one_version_cannot_be_compared(tmp_path: Path) -> None:
    _build(tmp_path, range(10), "a")
    with pytest.raises(ConfigError):
        service(tmp_path).diff("a")


def test_people_are_left_out_by_any_of_their_ids(tmp_path: Path) -> None:
    """A row goes when one of its ids is on a list, with all its ids."""
    _build(tmp_path, range(100), "blocked")
    rows = _people(range(1000))
    phone, uid, oaid = rows[500].split(",")
    (tmp_path / "list.csv").write_text(f"mobile\n{phone}\n", "utf-8")
    (tmp_path / "bare.csv").write_text(f"{rows[501].split(',')[0]}\n", "utf-8")
    settings = SegmentSettings(exclude_csv=(str(tmp_path / "bare.csv"),))
    segment = service(tmp_path, settings=settings).build(
        request(
            _file(tmp_path / "all.csv", range(1000)),
            ids=_COLUMNS,
            exclude=("blocked",),
            exclude_csv=(str(tmp_path / "list.csv"),),
        )
    )
    assert segment.excluded_rows == 102
    assert segment.rows_with_id == 898
    wanted = _build(tmp_path, range(100, 500), "x").ids_total
    wanted += _build(tmp_path, range(502, 1000), "y").ids_total
    assert segment.ids_total == wanted
    assert ("UID", uid) not in ids_of(segment)
    assert oaid


def test_a_segment_proves_itself_and_damage_is_found(tmp_path: Path) -> None:
    segment = _build(tmp_path, range(500), "a")
    service(tmp_path).verify(SegmentRef("a"))
    part = segment.parts[0].path
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        service(tmp_path).verify(SegmentRef("a"))
    assert caught.value.code == "SEGMENT_DAMAGED"


@pytest.mark.parametrize(("text", "expected"), [("a", ("a", None)), ("高价值@12", ("高价值", 12))])
def test_segments_are_named_with_or_without_a_version(
    text: str, expected: tuple[str, int | None]
) -> None:
    ref = parse_ref(text)
    assert (ref.name, ref.version) == expected


@pytest.mark.parametrize("text", ["a@", "a@x", "a@0", "../a", "a/b", ""])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_ref(text)
