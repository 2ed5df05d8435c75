"""Running a command and measuring it, with what the rest of the machine did meanwhile."""

import os
import platform
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds, processor seconds, peak memory, load by others in cores."""

    wall: float
    cpu: float
    rss_mb: float
    others: float
    output: str


def tool(home: Path, *words: str) -> list[str]:
    """A command line of the tool."""
    return [sys.executable, "-m", "yuntu_push", "--home", str(home), "--json", *words]


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
        raise SystemExit(f"{command} ended with {process.returncode}: {(output + errors)[-2000:]}")
    others = max(0.0, (_busy() - busy - cpu) / wall)
    return Run(wall, cpu, peak[0], others, output)


def heading(module: str, words: list[str]) -> str:
    """The command, the day, the machine."""
    line = " ".join(["python -m", module, *words])
    return f"`{line}` · {datetime.now(UTC):%Y-%m-%d} · {_machine()}"


def report(lines: list[str], append: Path | None) -> None:
    """Print a table, and keep it when asked to."""
    print("\n".join(lines))
    if append:
        with append.open("a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(lines) + "\n")


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


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        names = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x]
        model = names[0].split(":")[1].strip()
    except (OSError, IndexError):
        pass
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}"
