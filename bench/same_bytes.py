"""Whether the same rows in another order, cut into other files, give the same bytes; and in what
memory.

python -m bench.same_bytes [ROWS] [--append RESULTS.md]
"""

import argparse
import json
import shutil
import tempfile
from itertools import islice
from pathlib import Path

from bench import members
from bench.measuring import heading, measured, report, tool

_FILES = 3


def main() -> None:
    """Build twice, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=100_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--append", type=Path)
    given = parser.parse_args()
    lines = [
        heading("bench.same_bytes", [str(given.rows)]),
        "",
        "| rows | ids | parts | wall s | CPU s | ids/s | peak RSS MB | B/id | others | bytes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    first: list[str] | None = None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as name:
        folder = Path(name)
        for shuffled in (False, True):
            for file in folder.glob("*.csv"):
                file.unlink()
            source = folder / "members.csv"
            members.write(given.rows, source, shuffled=shuffled)
            if shuffled:
                _cut(source, given.rows)
            home = folder / "home"
            words = ("segment", "build", "bench", "--csv", str(folder / "members*.csv"))
            run = measured(tool(home, *words, "--id", "phone=mobile"))
            data = json.loads(run.output)["data"]
            shutil.rmtree(home)
            digests = [part["md5"] for part in data["parts"]]
            first = first or digests
            ids, size = data["ids_total"], sum(part["bytes"] for part in data["parts"])
            verdict = "" if first is digests else "the same" if first == digests else "**others**"
            lines.append(
                f"| {data['rows_read']:,}{f', shuffled, {_FILES} files' if shuffled else ''} "
                f"| {ids:,} | {len(digests)} | {run.wall:.2f} | {run.cpu:.2f} "
                f"| {ids / run.wall / 1e6:.2f} M | {run.rss_mb:.0f} | {size / ids:.2f} "
                f"| {run.others:.2f} | {verdict} |"
            )
    report(lines, given.append)


def _cut(source: Path, rows: int) -> None:
    """Spread the lines over several files, each with the header."""
    with source.open("rb") as lines:
        header = next(lines)
        for number in range(_FILES):
            with source.with_name(f"members{number}.csv").open("wb") as file:
                file.write(header)
                file.writelines(islice(lines, rows // _FILES + 1))
    source.unlink()


if __name__ == "__main__":
    main()
