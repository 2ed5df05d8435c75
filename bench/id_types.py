"""How fast ids of each type are built, and how many bytes each takes in a full part.

python -m bench.id_types [ROWS] [--append RESULTS.md]
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from bench.measuring import heading, measured, report, tool

_UUID = "concat_ws('-', h[1:8], h[9:12], h[13:16], h[17:20], h[21:32])"
_CASES = {
    "phone, raw": ("MOBILE_HASH_SHA256", "(13000000000 + n % 6999999999)::varchar"),
    "phone, SHA-256": ("MOBILE_HASH_SHA256", "sha256(n::varchar)"),
    "IMEI": ("IMEI", "(860000000000000 + n % 9999999999999)::varchar"),
    "IMEI_MD5, raw": ("IMEI_MD5", "(860000000000000 + n % 9999999999999)::varchar"),
    "IMEI_MD5, MD5": ("IMEI_MD5", "h"),
    "IDFA": ("IDFA", f"upper({_UUID})"),
    "IDFA_MD5, raw": ("IDFA_MD5", f"upper({_UUID})"),
    "OAID, UUID": ("OAID", _UUID),
    "OAID, 16 hex": ("OAID", "h[1:16]"),
    "OAID_MD5, MD5": ("OAID_MD5", "h"),
    "UID": ("UID", "(n % 9999999999)::varchar"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--append", type=Path)
    given = parser.parse_args()
    lines = [
        heading("bench.id_types", [str(given.rows)]),
        "",
        "| column | rows | ids | wall s | CPU s | ids/s | peak RSS MB | B/id | others |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for case, (kind, value) in _CASES.items():
            lines.append(_row(case, kind, value, given.rows, Path(name)))
    report(lines, given.append)


def _row(case: str, kind: str, value: str, rows: int, folder: Path) -> str:
    import duckdb

    source, home = folder / "ids.csv", folder / "home"
    duckdb.execute("set enable_progress_bar = false")
    duckdb.execute(
        f"copy (select {value} as id from (select hash(i) as n, md5(i::varchar) as h"
        f" from range({rows}) r(i))) to '{source}' (header, quote '')"
    )
    words = ("segment", "build", "bench", str(source), "--id", f"{kind}=id:{_form(case)}")
    run = measured(tool(home, *words))
    data = json.loads(run.output)["data"]
    shutil.rmtree(home)
    source.unlink()
    ids, size = data["ids_total"], sum(part["bytes"] for part in data["parts"])
    return (
        f"| {case} | {rows:,} | {ids:,} | {run.wall:.2f} | {run.cpu:.2f} "
        f"| {ids / run.wall / 1e6:.2f} M | {run.rss_mb:.0f} | {size / ids:.2f} | {run.others:.2f} |"
    )


def _form(case: str) -> str:
    return "raw" if case == "UID" else "auto"


if __name__ == "__main__":
    main()
