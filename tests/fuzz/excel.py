"""Fuzzes what tells workbooks from other files, and the cells of a sheet that a library read."""

import tempfile
from pathlib import Path

from tests.fuzz.harness import checked, run

MODULES = (
    "yuntu_push.adapters.sources.workbook_kind",
    "yuntu_push.adapters.sources.workbook_cells",
)


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.sources.workbook_cells import cell_text, header_texts
    from yuntu_push.adapters.sources.workbook_kind import check_workbook

    number = int.from_bytes(data[:10], "little", signed=True)
    text = cell_text(number)
    assert "E" in text or int(text) == number
    text = cell_text(float(number))
    assert "E" in text or int(text) == int(float(number)) == number
    header_texts([data.decode("utf-8", "replace"), number, None, True])
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "a.xlsx"
        path.write_bytes(data)
        check_workbook(str(path))


parse = checked(_parse)

if __name__ == "__main__":
    run("excel", parse, MODULES)
