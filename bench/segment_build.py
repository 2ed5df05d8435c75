"""How fast a segment is built, against the sample script, in one run.

python -m bench.segment_build [ROWS…] [--repeat N] [--no-sample] [--append RESULTS.md]
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench import members
from bench.measuring import Run, heading, measured, report, tool

_HERE = Path(__file__).parent


def build(source: Path, home: Path) -> Run:
    """Build a segment with the tool."""
    shutil.rmtree(home, ignore_errors=True)
    command = tool(home, "segment", "build", "bench", str(source), "--id", "phone=mobile")
    return measured(command)


def sample(source: Path, folder: Path) -> Run:
    """Build the same with the sample script."""
    shutil.rmtree(folder, ignore_errors=True)
    script = str(_HERE / "sample_script.py")
    return measured([sys.executable, script, str(source), "mobile", str(folder)])


def compare(rows: int, folder: Path, repeat: int, *, with_sample: bool) -> list[str]:
    """The lines of a table for one number of rows."""
    source = folder / f"members-{rows}.csv"
    if not source.exists():
        members.write(rows, source)
    runs = [build(source, folder / "home") for _ in range(repeat)]
    data = json.loads(runs[-1].output)["data"]
    ids, size = data["ids_total"], sum(part["bytes"] for part in data["parts"])
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    peak = max(run.rss_mb for run in runs)
    spread = f"{min(r.wall for r in runs):.2f}–{max(r.wall for r in runs):.2f}"
    others = max(run.others for run in runs)
    shutil.rmtree(folder / "home", ignore_errors=True)
    line = (
        f"| {rows:,} | {ids:,} | {wall:.2f} ({spread}) | {cpu:.2f} | {ids / wall / 1e6:.2f} M "
        f"| {peak:.0f} | {size / ids:.2f} | {others:.2f} |"
    )
    if not with_sample:
        return [f"{line} – |"]
    other = sample(source, folder / "sample")
    shutil.rmtree(folder / "sample", ignore_errors=True)
    assert int(other.output) == ids, (other.output, ids)
    return [
        f"{line} **{other.wall / wall:.1f}×** |",
        (
            f"| ↳ sample script | {ids:,} | {other.wall:.2f} | {other.cpu:.2f} "
            f"| {ids / other.wall / 1e6:.2f} M | {other.rss_mb:.0f} | | {other.others:.2f} | 1 |"
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 1_000_000, 5_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-sample", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--append", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    words = [*map(str, given.rows), "--repeat", str(given.repeat)]
    words += ["--no-sample"] if given.no_sample else []
    lines = [
        heading("bench.segment_build", words),
        "",
        (
            "| rows | ids | wall s, median (range) | CPU s | ids/s | peak RSS MB | B/id "
            "| others, cores | vs sample |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for rows in given.rows:
        lines += compare(rows, folder, given.repeat, with_sample=not given.no_sample)
    if given.folder is None:
        shutil.rmtree(folder)
    report(lines, given.append)


if __name__ == "__main__":
    main()
