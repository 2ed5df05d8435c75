"""The engine's inner promises: sets stay sets, spilled ids cannot be read, bytes are right."""

import base64
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuntu_push.adapters.engine import hashing
from yuntu_push.adapters.engine.encode import TooLargeError, level_of, zipped
from yuntu_push.adapters.engine.reading import records_from, records_of_part
from yuntu_push.adapters.engine.sets import members
from yuntu_push.adapters.engine.shapes import (
    MD5,
    SHA256,
    UUID_LOWER,
    UUID_UPPER,
    Bytes,
    Shape,
    record_of,
    texts_of,
)
from yuntu_push.adapters.engine.spool import Spool, sort_unique
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import Part

_KEY = (IdType.MOBILE_HASH_SHA256, SHA256)
_UID = (IdType.UID, Shape.ascii(9))


def _rows(records: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(records), np.uint8).reshape(len(records), -1)


def _taken(spool: Spool, key: tuple[IdType, Shape]) -> tuple[list[bytes], int]:
    with ThreadPoolExecutor(2) as workers:
        blocks = list(spool.partitions(key, workers.submit, 2))
    return [row.tobytes() for block in blocks for row in block.records], sum(
        block.dropped for block in blocks
    )


@pytest.mark.parametrize("memory", [1 << 30, 10_000, 1])
@pytest.mark.parametrize("key", [_KEY, _UID])
def test_what_goes_in_comes_out_sorted_and_once(
    tmp_path: Path, memory: int, key: tuple[IdType, Shape]
) -> None:
    draw = np.random.default_rng(1)
    if key is _KEY:
        records = [draw.bytes(32) for _ in range(3000)]
    else:
        records = [record_of(key[1], f"{draw.integers(10**8, 10**9)}") for _ in range(3000)]
    given_records = records + records[:700]
    spool = Spool(tmp_path, memory)
    for start in range(0, len(given_records), 450):
        spool.add(key, _rows(given_records[start : start + 450]))
    out, dropped = _taken(spool, key)
    assert out == sorted(set(records))
    assert dropped == len(given_records) - len(set(records))
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_spilled_cannot_be_read(tmp_path: Path) -> None:
    """Neither raw ids nor digests lie on the disk in clear while a build runs."""
    draw = np.random.default_rng(2)
    digests = [draw.bytes(32) for _ in range(500)]
    uids = [record_of(_UID[1], f"{number}") for number in range(10**8, 10**8 + 500)]
    spool = Spool(tmp_path, memory=1)
    for place in range(0, 500, 100):
        spool.add(_KEY, _rows(digests[place : place + 100]))
        spool.add(_UID, _rows(uids[place : place + 100]))
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert len(content) >= 500 * 32 + 500 * 16
    for record in [*digests, *uids]:
        assert record not in content
    assert b"1000000" not in content
    spool.close()
    assert not file.exists()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=2, max_size=2), min_size=1, max_size=60))
def test_records_alike_in_their_first_bytes_are_told_apart(tails: list[bytes]) -> None:
    """The first eight bytes alone would not do."""
    records = [b"12345678" + b"\0" * 6 + tail for tail in tails]
    block = sort_unique(_rows(records))
    assert [row.tobytes() for row in block.records] == sorted(set(records))
    assert block.most == max(records.count(record) for record in records)
    assert block.dropped == len(records) - len(set(records))


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 400)), st.sets(st.integers(0, 400), min_size=1))
def test_membership_is_exact(wanted: set[int], known: set[int]) -> None:
    def record(number: int) -> bytes:
        return (number // 7).to_bytes(8, "big") + (number % 7).to_bytes(8, "big")

    asked = sorted(wanted)
    if asked:
        found = members(
            _rows([record(n) for n in asked]), _rows([record(n) for n in sorted(known)])
        )
        assert found.tolist() == [n in known for n in asked]


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (SHA256, "0123456789abcdef" * 4),
        (MD5, "0123456789abcdef" * 2),
        (UUID_LOWER, "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        (UUID_UPPER, "6D92078A-8246-4BA4-AE5B-76104861E7DC"),
        (Shape.hexadecimal(16), "1a2b3c4d5e6f7a8b"),
        (Shape.ascii(15), "490154203237518"),
        (Shape.ascii(20), "98765432109876543210"),
    ],
)
def test_ids_survive_the_way_through_records(shape: Shape, text: str) -> None:
    records = _rows([record_of(shape, text)])
    assert records.shape == (1, shape.width)
    texts = texts_of(shape, records)
    assert texts.tobytes().decode() == text
    assert np.array_equal(records_from(shape, texts), records)


def test_the_required_type_stands_on_the_wire_even_when_it_is_zero(tmp_path: Path) -> None:
    shape = Shape.ascii(15)
    records = _rows([record_of(shape, "490154203237518")])
    pieces = zipped(IdType.IMEI, [(shape, records)], level=2, limit=10**6)
    path = tmp_path / "part.zip"
    path.write_bytes(b"".join(pieces))
    with zipfile.ZipFile(path) as archive:
        (entry,) = archive.infolist()
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        line = archive.read(entry)
    assert base64.b64decode(line) == b"\x0a\x13\x10\x00\x1a\x0f490154203237518"


def test_a_part_is_read_in_large_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small ones the reading takes three times as long as the comparing."""
    records = np.random.default_rng(1).integers(0, 256, (20_000, 32), np.uint8)
    kind, path = IdType.MOBILE_HASH_SHA256, tmp_path / "part.zip"
    path.write_bytes(b"".join(zipped(kind, [(SHA256, records)], level=1, limit=10**9)))
    sizes: list[int] = []
    read = zipfile.ZipExtFile.read

    def counted(file: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        content = read(file, n)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    part = Part(path, kind, path.stat().st_size, len(records), "")
    found = np.concatenate([block for _, block in records_of_part(part)])
    assert (found == records).all()
    assert sum(sizes) / len(sizes) > 100_000


@pytest.mark.parametrize(
    ("place", "wrong"),
    [(4, b"\xff"), (6, b"\x01"), (40, b"\xff" * 64), (4096, bytes(4096)), (-30, b"\xff" * 8)],
    ids=["version", "encrypted", "blocks", "zeros", "directory"],
)
def test_wrong_bytes_anywhere_are_a_damaged_part(tmp_path: Path, place: int, wrong: bytes) -> None:
    """Never a bug: what a push compares or sends may lie on a broken disk."""
    records = np.random.default_rng(1).integers(0, 256, (2_000, 32), np.uint8)
    kind, path = IdType.MOBILE_HASH_SHA256, tmp_path / "part.zip"
    pieces = zipped(kind, [(SHA256, records)], level=1, limit=10**9)
    content = bytearray(b"".join(pieces))
    spoiled = [place] if place < 0 else [place, content.rindex(b"PK\1\2") + place + 2]
    for start in spoiled[: 2 if place < 10 else 1]:
        content[start : start + len(wrong)] = wrong
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(records_of_part(Part(path, kind, path.stat().st_size, len(records), "")))
    assert caught.value.code == "SEGMENT_DAMAGED"


def test_a_zip_over_the_limit_is_never_made() -> None:
    records = _rows([np.random.default_rng(n).bytes(32) for n in range(100)])
    size = sum(map(len, zipped(_KEY[0], [(SHA256, records)], level=2, limit=10**6)))
    with pytest.raises(TooLargeError):
        zipped(_KEY[0], [(SHA256, records)], level=2, limit=size - 1)


@pytest.mark.parametrize("width", [1, 11, 15, 36, 64])
def test_batched_hashes_are_those_of_hashlib(width: int) -> None:
    texts = np.random.default_rng(width).integers(48, 58, (9000, width)).astype(np.uint8)
    assert np.array_equal(hashing.sha256(texts), hashing._sha256_plain(texts))


def test_without_the_batched_hash_the_plain_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(texts: Bytes) -> Bytes:
        return np.zeros((len(texts), 32), np.uint8)

    monkeypatch.setattr(hashing, "_sha256_batched", wrong)
    hashing._sha256.cache_clear()
    try:
        assert hashing._sha256() is hashing._sha256_plain
    finally:
        hashing._sha256.cache_clear()


@pytest.mark.parametrize(("wide", "level"), [(True, 3), (False, 2)])
def test_the_deflate_level_goes_by_the_processor(
    monkeypatch: pytest.MonkeyPatch, wide: bool, level: int
) -> None:
    monkeypatch.setattr(hashing, "wide_registers", lambda: wide)
    assert level_of("auto") == level
    assert level_of(0) == 0
