"""Splitting plain CSV gives what the parser gives, and stops where a parser is needed."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuntu_push.adapters.sources import csv_files, csv_plain
from yuntu_push.adapters.sources.csv_files import CsvSource
from yuntu_push.adapters.sources.csv_plain import PlainText
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

EXAMPLES = int(os.environ.get("YUNTU_PUSH_TEST_FILES", "30"))
Rows = list[tuple[int, bytes]]


def _read(path: Path, column: str) -> tuple[Rows, list[tuple[int, int]]] | str:
    """Numbered values and ragged rows (line, row), or the code of the refusal."""
    found: Rows = []
    ragged: list[tuple[int, int]] = []
    source = CsvSource(SourceSpec(SourceKind.CSV, (str(path),)))
    try:
        with closing(source.batches([column])) as batches:
            for batch in batches:
                (texts,) = batch.columns
                found += [(batch.first_row + i, texts.value(i)) for i in range(batch.rows)]
                ragged += [(row.line, row.row) for row in batch.ragged]
                assert all(
                    batch.line_of(i) in (None, batch.first_row + i + 1) for i in range(batch.rows)
                )
    except SourceError as exc:
        return exc.code
    return found, ragged


class _Nothing(PlainText):
    """A text of which nothing is plain."""

    def blocks(self) -> Iterator[csv_plain.Block]:
        self.rest = iter(self.pieces)
        yield from ()


cells = st.sampled_from(
    ["", "1", "13800138000", " 2 ", "上海", "+86 138-0013-8000", "x" * 70, "é" * 20, '"a,b"', "a'b"]
)
ends = st.sampled_from(["\n"] * 8 + ["\r\n"])
odd = st.sampled_from(["", "1", "1,2,3,4", '"1\n2",3,4', ",,"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Mostly plain rows of three cells; now and then a row or a line end of another kind."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = draw(
        st.lists(st.one_of(*[st.tuples(cells, cells, cells).map(",".join)] * 6, odd), max_size=12)
    )
    text = end.join(["a,b,c", *lines]) + draw(st.sampled_from(["", end, end + end]))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=files(), column=st.sampled_from(["a", "b", "c"]), block=st.sampled_from([1, 40]))
def test_plain_text_is_split_as_the_parser_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, column: str, block: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    monkeypatch.setattr(csv_files, "PlainText", _Nothing)
    expected = _read(path, column)
    monkeypatch.setattr(csv_files, "PlainText", PlainText)
    monkeypatch.setattr(csv_plain, "BLOCK", block)
    assert _read(path, column) == expected


@pytest.mark.parametrize(
    ("content", "rows", "left"),
    [
        (b"a,b\n1,2\n3,4\n", 2, None),
        (b"a,b\n1,2\n3,4", 2, None),
        (b"a,b\r\n1,2\r\n3,4\r\n", 2, None),
        (b"a,b\r\n1,2\r\n3,4", 2, None),
        (b"a,b\n", 0, None),
        (b"a,b\n1,2\n3,4\n\n5,6\n", 2, b"a,b\n\n5,6\n"),
        (b'a,b\n1,2\n3,4\n"5",6\n', 2, b'a,b\n"5",6\n'),
        (b"a,b\n1,2\n3,4\n5\n", 2, b"a,b\n5\n"),
        (b"a,b\n1,2\n3,4\n5,6,7\n8\n", 2, b"a,b\n5,6,7\n8\n"),
        (b"a,b\n1,2\n3,4\n5\r6,7\n", 2, b"a,b\n5\r6,7\n"),
        (b"a,b\n1,2\n3,4\n5,\0\n", 2, b"a,b\n5,\0\n"),
        (b"a,b\n1,2\n3,4\r\n", 1, b"a,b\n3,4\r\n"),
        (b'"a",b\n1,2\n', 0, b'"a",b\n1,2\n'),
        (b"\na,b\n1,2\n", 0, b"\na,b\n1,2\n"),
        (b"a,b", 0, b"a,b"),
    ],
)
def test_what_is_not_plain_is_left_for_the_parser(
    monkeypatch: pytest.MonkeyPatch, content: bytes, rows: int, left: bytes | None
) -> None:
    """Line by line here; nothing is taken of which another reader might make other rows."""
    monkeypatch.setattr(csv_plain, "BLOCK", 1)
    lines = content.splitlines(keepends=True)
    text = PlainText("a.csv", iter(lines), ",", 2, [0], header=1)
    taken = [block.columns[0].value(i) for block in text.blocks() for i in range(block.rows)]
    assert taken == [b"1", b"3"][:rows]
    assert (None if text.rest is None else b"".join(text.rest)) == left
    assert text.rows == rows


def test_only_the_wanted_cells_have_to_be_text() -> None:
    """As with the parser, a cell that nobody asked for may hold anything."""
    content = b"a,b\n" + b"13800138000,\xff\n" * 5 + "13800138000,上海\n".encode()
    taken = list(PlainText("a.csv", iter([content]), ",", 2, [0], header=1).blocks())
    assert [block.rows for block in taken] == [6]
    with pytest.raises(SourceError) as caught:
        list(PlainText("a.csv", iter([content]), ",", 2, [1], header=1).blocks())
    assert caught.value.code == "SOURCE_ENCODING"
    assert "line 2" in str(caught.value.message)


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("size", [0, 1, 5, 7, 8, 9, 15, 16, 17, 40])
@pytest.mark.parametrize("after", [0, 1, 3, 8, 20])
def test_a_bad_byte_is_found_wherever_it_stands_in_a_cell(
    before: int, size: int, after: int
) -> None:
    cell = b"x" * size + b"\xff" + b"y" * after
    content = b"a,b\n" + b"1,2\n" * before + cell + b",2\n3,4\n"
    with pytest.raises(SourceError, match=f"line {before + 2}"):
        list(PlainText("a.csv", iter([content]), ",", 2, [0], header=1).blocks())
