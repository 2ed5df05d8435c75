"""The source of a `pushes:` entry: the same options as `segment build` has."""

import pytest

from yuntu_push.domain.entry_source import source_spec
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.segment_build import SourceKind
from yuntu_push.domain.settings import SegmentEntry


def test_a_workbook_may_name_its_sheet_and_the_row_of_its_header() -> None:
    entry = SegmentEntry("vip", {"phone": "手机号"}, excel="a.xlsx", sheet="会员", header_row=3)
    spec = source_spec(entry)
    assert (spec.kind, spec.paths, spec.sheet, spec.header_row) == (
        SourceKind.EXCEL, ("a.xlsx",), "会员", 3,
    )  # fmt: skip


def test_a_csv_may_have_a_title_above_its_header() -> None:
    entry = SegmentEntry("vip", {"phone": "mobile"}, csv=("a.csv",), header_row=2)
    assert source_spec(entry).header_row == 2


@pytest.mark.parametrize("given", [{}, {"csv": ("a.csv",), "excel": "a.xlsx"}])
def test_one_source_is_named(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        source_spec(SegmentEntry("vip", {"phone": "mobile"}, **given))  # type: ignore[arg-type]
    assert caught.value.code == "SOURCE_NOT_ONE"
