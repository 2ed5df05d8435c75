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
    folder = given.folder or Path(tempfile.mkdtemp(prefix="bench-"))
    first: list[str] | None = None
    for shuffled in (False, True):
        source = _members(folder, given.rows, shuffled=shuffled)
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        words = ("segment", "build", "bench", "--csv", str(source / "*.csv"))
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
    if given.folder is None:
        shutil.rmtree(folder)
    report(lines, given.append)


def _members(folder: Path, rows: int, *, shuffled: bool) -> Path:
    """The folder with the members, which are written when they are not there yet."""
    made = folder / f"{'shuffled' if shuffled else 'plain'}-{rows}"
    if made.exists():
        return made
    fresh = made.with_suffix(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    source = fresh / "members.csv"
    members.write(rows, source, shuffled=shuffled)
    if shuffled:
        _cut(source, rows)
    return fresh.rename(made)


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
