"""Fuzzes the CSV reader down to the engine: the first byte picks options, the rest is the file."""

import tempfile
from contextlib import closing
from pathlib import Path

from tests.fuzz.harness import checked, run

MODULES = (
    "yuntu_push.adapters.sources.csv_layout",
    "yuntu_push.adapters.sources.csv_files",
    "yuntu_push.adapters.engine.texts",
    "yuntu_push.adapters.engine.classify",
    "yuntu_push.adapters.engine.intake",
    "yuntu_push.domain.id_phone",
    "yuntu_push.domain.id_device",
    "yuntu_push.domain.id_types",
)
_ENCODINGS = (None, None, "gb18030", "utf-16")
_DELIMITERS = (None, None, "tab", ";")


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.engine.vector_engine import VectorEngine
    from yuntu_push.adapters.sources.csv_files import CsvSource
    from yuntu_push.domain.identifiers import IdType
    from yuntu_push.domain.segment_build import (
        BuildPlan,
        IdColumn,
        RejectLimit,
        SourceKind,
        SourceSpec,
    )

    if not data:
        return
    options, types = data[0], list(IdType)
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "a.csv"
        path.write_bytes(data[1:])
        source = CsvSource(
            SourceSpec(
                SourceKind.CSV,
                (str(path),),
                encoding=_ENCODINGS[options & 3],
                delimiter=_DELIMITERS[options >> 2 & 3],
                has_header=not options & 16,
                header_row=2 if options & 32 else 1,
            )
        )
        with closing(source.batches([])):  # a source that is only looked at closes its file
            names = source.columns()
            source.rows_expected()
        source = CsvSource(source._spec)
        column = IdColumn(types[options % len(types)], names[options % len(names)])
        plan = BuildPlan((column,), max_rejects=RejectLimit.parse("100%"), dry_run=True)
        folder = Path(root) / "built"
        folder.mkdir()
        with closing(source.batches([column.column])) as rows:
            built = VectorEngine(threads=1).build(rows, plan, folder, lambda *_: None)
        (profile,) = built.columns
        whole = built.rows_read - built.rejects.get("ragged_row", 0)
        counts = profile.counts
        assert counts.values + counts.blank == whole, "every row is a value or a blank"


parse = checked(_parse)

if __name__ == "__main__":
    run("csv", parse, MODULES)
