"""How fast a segment is built, against the sample script, in one run.

python -m bench.segment_build [ROWS…] [--repeat N] [--no-sample] [--append RESULTS.md]
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import members

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds, processor seconds, peak memory, load by others in cores."""

    wall: float
    cpu: float
    rss_mb: float
    others: float
    output: str


def measured(command: list[str]) -> Run:
    """Run a command to its end and measure it."""
    busy, started, ours = _busy(), time.monotonic(), _children()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, process))
    watcher.start()
    output, errors = process.communicate()
    wall = time.monotonic() - started
    watcher.join()
    cpu = _children() - ours
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: {errors[-2000:]}")
    others = max(0.0, (_busy() - busy - cpu) / wall)
    return Run(wall, cpu, peak[0], others, output)


def _watch(pid: int, peak: list[float], process: "subprocess.Popen[str]") -> None:
    status = Path(f"/proc/{pid}/status")
    while process.poll() is None:
        try:
            line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
            peak[0] = max(peak[0], int(line.split()[1]) / 1000)
        except (OSError, StopIteration):
            pass
        time.sleep(0.02)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _busy() -> float:
    """Processor seconds of the whole machine, idle and waiting left out."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = sum(int(x) for place, x in enumerate(fields) if place not in (3, 4, 8, 9))
    return ticks / os.sysconf("SC_CLK_TCK")


def build(source: Path, home: Path) -> Run:
    """Build a segment with the tool."""
    shutil.rmtree(home, ignore_errors=True)
    command = [
        sys.executable, "-m", "yuntu_push", "--home", str(home), "--json",
        "segment", "build", "bench", str(source), "--id", "phone=mobile",
    ]  # fmt: skip
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
    lines = [
        (
            f"`python -m bench.segment_build {' '.join(map(str, given.rows))}"
            f" --repeat {given.repeat}` · {datetime.now(UTC):%Y-%m-%d} · {_machine()}"
        ),
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
    print("\n".join(lines))
    if given.append:
        with given.append.open("a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(lines) + "\n")


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        names = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x]
        model = names[0].split(":")[1].strip()
    except (OSError, IndexError):
        pass
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
