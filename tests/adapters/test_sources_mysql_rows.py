"""Rows taken from the received bytes: the driver's own values, wherever the bytes are cut."""

import os
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.support.databases import OPENERS, Database, values
from tests.support.mysql_fake import FakeWarehouse, warehouse

from yuntu_push.adapters.sources import mysql_rows
from yuntu_push.adapters.sources.dialects import connected
from yuntu_push.adapters.sources.mysql_rows import whole_rows
from yuntu_push.adapters.sources.targets import target_of

_TEXTS = [
    None,
    "",
    "13912345678",
    "上海",
    "x" * 250,
    "y" * 251,
    "z" * 300,
    "w" * 5000,
    "\U0001f600",
]


def _packet(turn: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([turn & 255]) + payload


_ROWS = [[b"13912345678", None], [b"", b"a"], [None, b"\xff" * 250], [b"\0\1", b""]]
_SENT = [
    _packet(
        254 + place,
        b"".join(b"\xfb" if cell is None else bytes([len(cell)]) + cell for cell in row),
    )
    for place, row in enumerate(_ROWS)
]
_FLAT = [cell for row in _ROWS for cell in row]


def test_rows_are_taken_whole_wherever_the_bytes_end() -> None:
    data = b"".join(_SENT)
    ends = [sum(map(len, _SENT[:count])) for count in range(len(_SENT) + 1)]
    for cut in range(len(data) + 1):
        rows = sum(end <= cut for end in ends[1:])
        assert whole_rows(data[:cut], 254, 2, 100) == (_FLAT[: 2 * rows], ends[rows], rows)


def test_no_more_rows_are_taken_than_asked_for() -> None:
    taken = len(_SENT[0]) + len(_SENT[1])
    assert whole_rows(b"".join(_SENT), 254, 2, 2) == (_FLAT[:4], taken, 2)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xfe\0\0\2\0",  # the end
        b"\xff\x2b\x05#70100Query was killed",
        b"\xfc\x2c\1" + b"x" * 300 + b"\1a",  # a value with a long length
        b"\1a",  # a column too few
        b"\1a\1b\1c",  # a column too many
        b"\1a\5b",  # a value that goes on after its packet
        b"",
    ],
)
def test_what_is_no_row_of_short_values_is_left_to_the_driver(payload: bytes) -> None:
    data = _SENT[0] + _packet(255, payload) + b"\1" * 20
    assert whole_rows(data, 254, 2, 100) == (_FLAT[:2], len(_SENT[0]), 1)


def test_a_packet_out_of_turn_is_left_to_the_driver() -> None:
    assert whole_rows(b"".join(_SENT), 253, 2, 100) == ([], 0, 0)
    assert whole_rows(_SENT[0] + _SENT[2], 254, 2, 100) == (_FLAT[:2], len(_SENT[0]), 1)


@pytest.fixture
def doris() -> Iterator[FakeWarehouse]:
    with warehouse("doris") as made:
        yield made


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("buffer", [16, 300, 1 << 18])
def test_texts_of_any_length_arrive(
    doris: FakeWarehouse, size: int, buffer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over more than 256 packets, after which their numbers begin again."""
    texts = [text if text is None else f"{text}{i}" for i in range(40) for text in _TEXTS]
    listed = ", ".join(
        f"({i}, {'null' if text is None else repr(text)})" for i, text in enumerate(texts)
    )
    doris.read("create table people (id integer, mobile varchar)")
    doris.read(f"insert into people values {listed}")
    monkeypatch.setattr(mysql_rows, "_BUFFER", buffer)
    with connected(target_of(doris.url, None)) as (dialect, connection):
        cursor = dialect.cursor(connection)
        cursor.execute("select id, mobile from people order by id")
        ids, mobiles = [], []
        while batch := dialect.fetch(cursor, size):
            assert len(batch[0]) <= size
            ids += batch[0]
            mobiles += batch[1]
        assert mobiles == texts
        assert ids == [str(place) for place in range(len(texts))]
        assert dialect.fetch(cursor, size) == []
        # Nothing of the next answer was taken with this one.
        with closing(connection.cursor()) as plain:
            plain.execute("select count(*) from people")
            assert plain.fetchone() == (str(len(texts)),)


@pytest.fixture
def mysql(tmp_path: Path) -> Iterator[Database]:
    with OPENERS["mysql"](tmp_path) as found:
        yield found


@pytest.mark.server
def test_values_are_those_that_the_driver_gives(mysql: Any) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    table = f"yuntu_push_test_kinds_{worker}_{os.getpid()}"
    mysql.write(
        f"create table {table} (id integer primary key auto_increment, big bigint unsigned,"
        " zeros int(8) zerofill, amount decimal(20, 10), part double, bits bit(9), day date,"
        " moment datetime(3), span time, made year, name varchar(400) character set gbk,"
        " digest varbinary(32), raw blob, long_text longtext, choice enum('a', 'b'), said json)"
    )
    try:
        mysql.write(
            f"insert into {table} values (1, 18446744073709551615, 42, 0.0000000001, 1e30, b'101',"
            " '2026-11-24', '2026-11-24 01:02:03.456', '-01:02:03', 2026, '上海',"
            " unhex(sha2('x', 256)), 'text', repeat('长', 100000), 'b', '{\"k\": [1]}')"
        )
        mysql.write(f"insert into {table} (id, day) values (2, null)")
        for _ in range(8):
            mysql.write(
                f"insert into {table} (big, zeros, amount, part, bits, day, moment, span, made,"
                " name, digest, raw, long_text, choice, said)"
                " select big, zeros, amount, part, bits, day, moment, span, made, name, digest,"
                f" raw, left(long_text, 80), choice, said from {table}"
            )
        sql = f"select * from {table} order by id"
        expected = mysql.read(sql)
        with connected(mysql.target) as (dialect, connection):
            cursor = dialect.cursor(connection)
            cursor.execute(sql)
            found = []
            while batch := dialect.fetch(cursor, 100):
                found += zip(*batch, strict=True)
        assert len(found) == 512
        assert [list(map(repr, row)) for row in found] == [list(map(repr, row)) for row in expected]
        source = mysql.source(f"{sql} limit 1")
        assert values(source, "name") == ["上海"]
        assert values(source, "raw") == ["text"]
        (digest,) = values(source, "digest")
        assert digest == sha256(b"x").hexdigest()
    finally:
        mysql.write(f"drop table if exists {table}")
