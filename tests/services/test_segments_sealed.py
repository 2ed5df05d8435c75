"""What is kept of replaced versions is sealed, and opened again where it is needed."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from support.secrets import MemoryStore
from support.segments import ids_of, request, service
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.segment import PARTS_KEY, Segment, SegmentRef, segment_of
from yuntu_push.domain.segment_build import Combination

PEOPLE = ["13812345601", "13812345602", "13812345603"]


@pytest.fixture
def secrets() -> MemoryStore:
    return MemoryStore()


def built(root: Path, secrets: MemoryStore, count: int, *, name: str = "vip") -> Segment:
    source = root / "people.csv"
    source.write_text("\n".join(["mobile", *PEOPLE[:count]]), "utf-8")
    return service(root, secrets=secrets).build(request(source, name=name))


def files(segment: Segment) -> set[str]:
    return {path.name for path in segment.folder.iterdir()}


def two_versions(root: Path, secrets: MemoryStore) -> tuple[Segment, Segment]:
    """Of two people and of three; the first is sealed."""
    pair = built(root, secrets, 2), built(root, secrets, 3)
    service(root, secrets=secrets).seal_replaced("vip")
    return pair


def test_replaced_versions_are_sealed_and_the_latest_stays(tmp_path: Path, secrets: MemoryStore):
    old, new = two_versions(tmp_path, secrets)
    [part] = old.parts
    assert files(old) == {"manifest.json", f"{part.path.name}.sealed"}
    assert all(each.path.exists() for each in new.parts)

    sealed = part.path.with_name(f"{part.path.name}.sealed")
    assert b"PK" not in sealed.read_bytes()[:64]
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert sealed.stat().st_size == part.size + 12 + 16, "nonce and tag, and nothing else"


def test_nothing_is_sealed_twice_or_with_another_key(tmp_path: Path, secrets: MemoryStore):
    old, _ = two_versions(tmp_path, secrets)
    key, before = secrets.kept[PARTS_KEY], old.parts[0].path.with_suffix(".zip.sealed").read_bytes()
    service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert secrets.kept[PARTS_KEY] == key
    assert old.parts[0].path.with_suffix(".zip.sealed").read_bytes() == before


@pytest.mark.parametrize("how", ["show", "verify", "diff", "combine"])
def test_whatever_names_a_sealed_version_opens_it(tmp_path: Path, secrets: MemoryStore, how: str):
    old, new = two_versions(tmp_path, secrets)
    fresh = service(tmp_path, secrets=secrets)
    match how:
        case "show":
            fresh.show(SegmentRef("vip", 1))
        case "verify":
            fresh.verify(SegmentRef("vip", 1))
        case "diff":
            _, _, changes = fresh.diff("vip", 1, 2)
            [change] = changes.values()
            assert (change.added, change.removed, change.kept) == (1, 0, 2)
        case "combine":
            refs = [SegmentRef("vip", 2), SegmentRef("vip", 1)]
            made = fresh.combine("gain", Combination.MINUS, refs)
            assert sorted(ids_of(made)) == sorted(set(ids_of(new)) - set(ids_of(old)))
    assert files(old) == {"manifest.json", *(part.path.name for part in old.parts)}
    for part in old.parts:
        assert hashlib.md5(part.path.read_bytes()).hexdigest() == part.md5


def test_looking_at_counts_and_rejects_needs_no_key(tmp_path: Path, secrets: MemoryStore):
    two_versions(tmp_path, secrets)
    secrets.locked = True
    made = service(tmp_path, secrets=secrets)
    assert [segment.ids_total for segment in made.versions("vip")] == [2, 3]
    assert made.rejects(SegmentRef("vip", 1)).rejects_path is None
    assert made.show(SegmentRef("vip")).version == 2


def test_what_a_push_has_to_upload_stays_as_it_is(tmp_path: Path, secrets: MemoryStore):
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    service(tmp_path, secrets=secrets, needed=["vip"]).seal_replaced("vip")
    assert files(old) == {"manifest.json", *(part.path.name for part in old.parts)}
    assert PARTS_KEY not in secrets.kept


@pytest.mark.parametrize("lost", ["key gone", "another key", "file changed"])
def test_a_seal_that_cannot_be_opened_says_so(tmp_path: Path, secrets: MemoryStore, lost: str):
    old, _ = two_versions(tmp_path, secrets)
    sealed = old.parts[0].path.with_suffix(".zip.sealed")
    match lost:
        case "key gone":
            secrets.delete(PARTS_KEY)
        case "another key":
            secrets.delete(PARTS_KEY)
            built(tmp_path, secrets, 2, name="other")
            built(tmp_path, secrets, 3, name="other")
            service(tmp_path, secrets=secrets).seal_replaced("other")
        case "file changed":
            content = bytearray(sealed.read_bytes())
            content[40] ^= 1
            sealed.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        service(tmp_path, secrets=secrets).diff("vip")
    assert caught.value.code == "SEGMENT_SEALED"
    assert sealed.exists(), "nothing is lost by trying"


def test_a_locked_store_seals_nothing_and_loses_nothing(tmp_path: Path, secrets: MemoryStore):
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    secrets.locked = True
    with pytest.raises(TryLaterError):
        service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert files(old) == {"manifest.json", *(part.path.name for part in old.parts)}


def test_a_seal_cut_short_is_finished_by_the_next(
    tmp_path: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch
):
    """Sealed files come first and whole; a part is erased only after they are on the disk."""
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    [part] = old.parts

    def dies(path: Path, *_: object, **__: object) -> None:
        raise KeyboardInterrupt(path.name)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert part.path.exists()
    assert len(ids_of(service(tmp_path, secrets=secrets).show(SegmentRef("vip", 1)))) == 2
    service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert files(old) == {"manifest.json", f"{part.path.name}.sealed"}


def test_a_version_that_becomes_the_latest_again_is_opened_when_it_is_used(
    tmp_path: Path, secrets: MemoryStore
):
    old, _ = two_versions(tmp_path, secrets)
    made = service(tmp_path, secrets=secrets)
    made.remove(SegmentRef("vip", 2))
    assert made.show(SegmentRef("vip")).ref == old.ref
    assert len(ids_of(made.show(SegmentRef("vip")))) == 2


def test_a_removed_segment_takes_what_is_sealed_with_it(tmp_path: Path, secrets: MemoryStore):
    two_versions(tmp_path, secrets)
    service(tmp_path, secrets=secrets).remove(SegmentRef("vip"))
    left = [name for _, _, names in os.walk(tmp_path / "segments") for name in names]
    assert left == [".last"], "the number that the next version gets"


def test_a_part_says_which_version_it_lies_in(tmp_path: Path, secrets: MemoryStore):
    segment = built(tmp_path, secrets, 2)
    assert segment_of(segment.parts[0].path) == SegmentRef("vip", 1)
    assert segment_of(tmp_path / "people.csv") is None
