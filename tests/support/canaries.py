"""Made-up people and secrets that must be found nowhere, and a search of all that commands leave.

Every run's output is searched, and every file that it wrote, moved or removed in the watched
folders; a zip is also opened.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import sys
import threading
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from support.cli import Run
from support.here import yuntu_here
from support.world import phones

CANARIES = phones(40, seed=99)
DEVICES = {
    "IMEI": "490154203237518",
    "IDFA": "7D3E4F5A-1B2C-4D5E-8F90-A1B2C3D4E5F6",
    "OAID": "c0ffee01-2345-4678-9abc-def012345678",
    "UID": "7261930458112",
}
APPS_OWN = "canary-other-app-secret-5d1f"
DATABASE = "canary-Pä55-wörd@1/x"
IN_URL = "canary-pw-in-url-77"
IN_CONFIG = "canary-pw-in-config-78"
WORKBOOK = "canary-wörkbook-密码"
# Where they may be: what is sent, and what was refused, built and in the making; a person's word.
PART = re.compile(r"segments/[^/]+/(v\d+|\.(building|erasing)-[^/]+)/[^/]+\.(zip|zip\.new|tmp)")
_ALLOWED = (
    (
        "masked ",
        re.compile(r"segments/[^/]+/(v\d+|\.(building|erasing)-[^/]+)/rejects\.(csv|moved)"),
    ),
    ("masked ", re.compile(r"stdout of segment build .* --dry-run")),
    (f"password {IN_CONFIG}", re.compile(r"config\.yaml|\.config-[^/]+\.tmp")),
    ("key of the store", re.compile(r"secrets\.key")),
)


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, in a URL, in JSON, in UTF-16 and in base64."""
    plain = secret.encode()
    return {
        plain,
        quote(secret, safe="").encode(),
        quote(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        secret.encode("utf-16-le"),
        *in_base64(plain),
    }


def in_base64(raw: bytes) -> Iterator[bytes]:
    """What stays of `raw` in base64 at each of the three places where it may begin."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw + bytes(3))
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield text[first:last]


def of_an_id(value: str) -> dict[str, set[bytes]]:
    """An id and its digests in every spelling."""
    found: dict[str, set[bytes]] = {"id": spellings(value)}
    for form in {value, value.upper(), value.lower(), value.replace("-", "")}:
        found["id"] |= {form.encode(), form.encode("utf-16-le")}
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, form.encode()).digest()
            text = digest.hex()
            spelt = {digest, text.encode(), text.upper().encode(), *in_base64(digest)}
            found.setdefault("digest", set()).update(spelt, in_base64(text.encode()))
    return found


def of_a_phone(phone: str) -> dict[str, set[bytes]]:
    """A phone, its digests, and its masked form, which only a reject file may hold."""
    found = of_an_id(phone)
    for gap in (" ", "-"):
        found["id"].add(gap.join((phone[:3], phone[3:7], phone[7:])).encode())
    return {**found, "masked": {f"{phone[:3]}****{phone[7:]}".encode()}}


class Needles:
    """Many byte strings looked for at once."""

    _HEAD = 6

    def __init__(self) -> None:
        self._heads: dict[bytes, dict[bytes, str]] = defaultdict(dict)
        self._table = np.zeros(1 << 20, dtype=bool)

    def add(self, what: str, spelt: Iterable[bytes]) -> None:
        """Look for each of `spelt` too; it is told as `what`."""
        for needle in spelt:
            assert len(needle) >= self._HEAD, (what, needle)
            self._heads[needle[: self._HEAD]][needle] = what
            self._table[self._places(np.frombuffer(needle[: self._HEAD], np.uint8))] = True

    def found(self, data: bytes) -> set[str]:
        """What of all that is in `data`."""
        if len(data) < self._HEAD:
            return set()
        places = np.flatnonzero(self._table[self._places(np.frombuffer(data, np.uint8))])
        return {
            what
            for place in places.tolist()
            for needle, what in self._heads.get(data[place : place + self._HEAD], {}).items()
            if data.startswith(needle, place)
        }

    def _places(self, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        last = len(data) - self._HEAD + 1
        value = np.zeros(last, np.uint64)
        for byte in range(self._HEAD):
            value = (value << np.uint64(8)) | data[byte : byte + last]
        return (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)


class CommandLines:
    """Every command line of this process's descendants that was seen; others run tests too."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            parents: dict[str, str] = {}
            lines: dict[str, bytes] = {}
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    lines[folder.name] = (folder / "cmdline").read_bytes()
                    stat_line = (folder / "stat").read_text("utf-8", "replace")
                    parents[folder.name] = stat_line.rpartition(")")[2].split()[1]
            self.seen |= {line for process, line in lines.items() if _is_ours(process, parents)}


def _is_ours(process: str, parents: Mapping[str, str]) -> bool:
    while process in parents:
        process = parents[process]
        if process == str(os.getpid()):
            return True
    return False


_removals: list[Callable[[Path], None]] = []
"""Who wants to see files before this process removes them or moves them away."""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _removals and event in {"os.remove", "os.rename", "os.truncate"}:
        with contextlib.suppress(OSError, TypeError, ValueError):
            path = Path(os.fsdecode(args[0]))
            beside = args[{"os.remove": 1, "os.rename": 2, "os.truncate": 0}[event]]
            if isinstance(beside, int) and beside >= 0:
                path = Path(f"/proc/self/fd/{beside}").readlink() / path
            for look in _removals:
                look(path.absolute())


@contextlib.contextmanager
def before_removal(look: Callable[[Path], None]) -> Iterator[None]:
    """`look` gets the path of each file just before it is removed, moved or shortened."""
    global _hooked  # noqa: PLW0603 - an audit hook stays for the life of the process
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    _removals.append(look)
    try:
        yield
    finally:
        _removals.remove(look)


_hooked = False
_MODES: Sequence[tuple[str, ...]] = (
    ("--lang", "en"),
    ("-v", "--lang", "zh"),
    ("--json", "--lang", "en"),
    ("--json", "-v", "--lang", "zh"),
)


@dataclass
class Search:
    """Runs commands and searches; `hits` says what was found where.

    `folders` are watched; `secrets` gives the Secrets and tokens there are by now.
    """

    home: Path
    folders: Sequence[Path]
    secrets: Callable[[], Iterable[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    hits: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first of each kind that was found at a place where it must not be."""
    counts: Counter[str] = field(default_factory=Counter)
    """Runs, files and outputs that were searched, and ids met in parts, where they belong."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each command, and each first word, ended with 0."""

    def __post_init__(self) -> None:
        self._needles, self._in_parts = Needles(), Needles()
        self._known: set[str] = set()
        self._stamps: dict[Path, tuple[int, ...]] = {}
        for name, value in [("phone", p) for p in CANARIES] + list(DEVICES.items()):
            kinds = of_a_phone(value) if name == "phone" else of_an_id(value)
            for kind, spelt in kinds.items():
                self._needles.add(f"{kind} of {name} {value}", spelt)
        for phone in CANARIES:
            self._in_parts.add(f"phone {phone}", spellings(phone))
        for password in (APPS_OWN, DATABASE, IN_URL, IN_CONFIG, WORKBOOK):
            self._needles.add(f"password {password}", spellings(password))

    def __call__(self, *words: str | Path, code: int | None = 0, **options: Any) -> Run:
        """One run, in the next of the ways to run a command, which must end with `code`."""
        mode = _MODES[self.counts["runs"] % len(_MODES)]
        return self._run(words, mode, code, options)

    def json(self, *words: str | Path, code: int | None = 0, **options: Any) -> Run:
        """One run with `--json`, for its data."""
        mode = _MODES[2 + self.counts["runs"] % 2]
        return self._run(words, mode, code, options)

    def each_way(self, *words: str | Path, code: int | None = 0, **options: Any) -> None:
        """A run with each set of global options."""
        for mode in _MODES:
            self._run(words, mode, code, dict(options))

    def _run(
        self,
        words: Sequence[str | Path],
        mode: Sequence[str],
        code: int | None,
        options: dict[str, Any],
    ) -> Run:
        home = options.pop("home", self.home)
        env = {**self.env, **options.pop("env", {})}
        with self.watching(words):
            run = yuntu_here(*words, *mode, home=home, env=env, **options)
        assert code is None or run.code == code, (words, run.code, run.stdout, run.stderr)
        self.note(words, run)
        return run

    def watching(self, words: Sequence[str | Path]) -> contextlib.AbstractContextManager[None]:
        """What is removed meanwhile is searched before it is gone."""
        return before_removal(lambda path: self._gone(path, words))

    def note(self, words: Sequence[str | Path], run: Run) -> None:
        """Search what a run said and left."""
        self.counts["runs"] += 1
        if run.code == 0:
            self.done.update({str(words[0]), " ".join(map(str, words[:2]))})
        self._learn()
        line = " ".join(map(str, words))
        for name, said in (("stdout", run.stdout), ("stderr", run.stderr)):
            self._search(said.encode("utf-8", "surrogateescape"), f"{name} of {line}")
            self.counts["outputs"] += 1
        for folder in self.folders:
            for path in folder.rglob("*"):
                self._look(path, f"left by {line}")

    def people_in(self, data: bytes) -> set[str]:
        """Ids and digests, whosever data it is."""
        return {what for what in self._needles.found(data) if " of " in what}

    def lines(self, seen: Iterable[bytes]) -> None:
        """Search command lines."""
        for line in seen:
            self._search(line, f"command line {line!r}")
            self.counts["command lines"] += 1

    def _learn(self) -> None:
        for key in (folder / "secrets.key" for folder in self.folders):
            if key.exists() and key not in self._stamps:
                self._needles.add("key of the store", {key.read_bytes().strip()})
        new = {secret for secret in self.secrets() if secret} - self._known
        self._known |= new
        for secret in new:
            self._needles.add(f"secret {secret}", spellings(secret))
        if new:
            self._stamps.clear()  # what was searched before may hold them

    def _gone(self, path: Path, words: Sequence[str | Path]) -> None:
        if self._inside(path):
            self.counts["removed"] += path.is_file()
            self._look(path, f"removed by {' '.join(map(str, words))}")

    def _look(self, path: Path, why: str) -> None:
        """Search a file that changed since it was last searched."""
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
            if not path.is_file() or self._stamps.get(path) == stamp:
                return
            data = path.read_bytes()
            self._stamps[path] = stamp
            self.counts["files"] += 1
            self._search(data, f"{path} {why}", path)

    def _search(self, data: bytes, where: str, path: Path | None = None) -> None:
        inside = self._inside(path)
        self._hit(where, inside, self._needles.found(data))
        if data.startswith(b"PK") and path is not None:
            self._open(data, inside, where)

    def _inside(self, path: Path | None) -> str:
        for folder in self.folders:
            if path is not None and path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return ""

    def _open(self, data: bytes, inside: str, where: str) -> None:
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist())
            decoded = b"".join(base64.b64decode(line) for line in text.splitlines())
            found = self._needles.found(decoded)
            if PART.fullmatch(inside):
                self.counts["ids in parts"] += len(found)
                found = self._in_parts.found(decoded)
            self._hit(f"inside {where}", inside, found)

    def _hit(self, where: str, inside: str, found: Iterable[str]) -> None:
        for what in sorted(found):
            places = [place for start, place in _ALLOWED if what.startswith(start)]
            if any(place.fullmatch(inside) or place.fullmatch(where) for place in places):
                self.counts[what.partition(" ")[0]] += 1
            else:
                self.hits.setdefault((where, what.partition(" ")[0]), what)
