"""Fuzzes the Parquet reader: the bytes are the file."""

import tempfile
from contextlib import closing
from pathlib import Path

from tests.fuzz.harness import checked, run

MODULES = (
    "yuntu_push.adapters.sources.parquet_files",
    "yuntu_push.adapters.sources.arrow_stream",
    "yuntu_push.adapters.sources.duck",
)


def _parse(data: bytes) -> None:
    from yuntu_push.adapters.sources.parquet_files import ParquetSource
    from yuntu_push.domain.segment_build import SourceKind, SourceSpec

    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "a.parquet"
        path.write_bytes(data)
        source = ParquetSource(SourceSpec(SourceKind.PARQUET, (str(path),)))
        names = source.columns()
        source.rows_expected()
        with closing(source.batches(names[:2])) as rows:
            for batch in rows:
                for column in batch.columns:
                    assert len(column.offsets) == batch.rows + 1
                    bytes(column.data).decode()


parse = checked(_parse)

if __name__ == "__main__":
    run("parquet", parse, MODULES)
