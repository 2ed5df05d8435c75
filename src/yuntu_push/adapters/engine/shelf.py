"""Segments on disk: `<segments>/<name>/v<N>/` with a manifest, parts and rejects.

A build happens in a private folder beside the versions and becomes one by a rename, so a version is
whole or not there at all. What a killed build left is erased under the name's lock.

A replaced version's parts may be sealed: `<part>.sealed` in place of `<part>`, until it is opened.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from yuntu_push.adapters.engine import manifest
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError
from yuntu_push.domain.names import unknown
from yuntu_push.domain.segment import Part, Segment, SegmentRef, version_folder
from yuntu_push.domain.text import msg

_BUILDING = ".building-"
_ERASING = ".erasing-"
_SEALED = ".sealed"
_NEW = ".new"
_PARTS_SECONDS = 30.0


class Locks(Protocol):
    """Kernel locks that vanish with their holder."""

    def hold(
        self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]
    ) -> AbstractContextManager[None]:
        """Hold the lock `name`; after `wait_seconds`, raise `busy(who holds it)`."""
        ...


class Seal(Protocol):
    """Authenticated encryption of whole parts."""

    def seal(self, plain: bytes, *, bound_to: str) -> bytes: ...

    def open(self, content: bytes, *, bound_to: str) -> bytes | None:
        """What was sealed, or None when it cannot be opened any more."""
        ...


class SegmentShelf:
    """The segments under one folder; all files 0600, all folders 0700.

    `seal` gives the seal of old versions when it is first needed.
    """

    def __init__(
        self,
        root: Path,
        locks: Locks,
        seal: Callable[[], Seal],
        *,
        wait_seconds: float = 0.0,
    ) -> None:
        self._root = root
        self._locks = locks
        self._seal = seal
        self._wait = wait_seconds

    @contextlib.contextmanager
    def building(self, name: str) -> Iterator[Path]:
        """A private folder for one build, gone afterwards; one build of a name at a time."""
        with self._held(name, self._wait):
            home = _private(self._root / name)
            folder = _private(home / f"{_BUILDING}{secrets.token_hex(4)}")
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                with contextlib.suppress(OSError):  # stays when there are versions
                    home.rmdir()

    def keep(self, folder: Path, segment: Segment) -> Segment:
        """The built folder as a version; the latest one when it has the same parts."""
        versions = self.versions(segment.name)
        latest = versions[-1] if versions else None
        if latest is not None and _same_content(latest, segment):
            return self._refresh(latest, folder, segment)
        number = self._next_number(segment.name)
        home = self._root / segment.name
        final = home / f"v{number}"
        kept = _moved(replace(segment, version=number), final)
        _write(folder / manifest.FILE, manifest.dump(kept).encode())
        for leftover in set(folder.iterdir()) - _files_of(kept, folder):
            leftover.unlink()
        _sync(folder)
        folder.rename(final)
        _sync(home)
        return kept

    def load(self, name: str, version: int | None = None) -> Segment:
        """A version, the latest without one, or `ConfigError`."""
        numbers = self._numbers(name)
        if not numbers:
            raise unknown(
                "segment",
                name,
                self._names(),
                hint=msg("see `yuntu-push segment list`"),
            )
        wanted = numbers[-1] if version is None else version
        if wanted not in numbers:
            raise ConfigError(
                "SEGMENT_VERSION_UNKNOWN",
                msg(
                    "segment {name} has no version {version}; it has {versions}",
                    name=repr(name),
                    version=wanted,
                    versions=", ".join(map(str, numbers)),
                ),
                hint=msg("see `yuntu-push segment show {name}`", name=name),
            )
        return self._read(name, wanted)

    def open(self, name: str, version: int | None = None) -> Segment:
        """A version with its parts at hand: sealed ones are opened where they lie.

        `ConfigError` as for `load`, and when they cannot be opened any more.
        """
        segment = self.load(name, version)
        latest = self._numbers(name)[-1:] == [segment.version]
        if latest and not any(map(_is_sealed, segment.parts)):
            return segment
        with self._parts_held(name, _PARTS_SECONDS):
            segment = self.load(name, segment.version)
            for part in filter(_is_sealed, segment.parts):
                plain = self._seal().open(_sealed(part.path).read_bytes(), bound_to=part.md5)
                if plain is None:
                    raise ConfigError(
                        "SEGMENT_SEALED",
                        msg("segment {segment} is sealed and cannot be opened: its key is not in "
                            "the secret store, or its file was changed", segment=segment.ref),
                        hint=msg("build it again, or remove that version"),
                    )  # fmt: skip
                _write(part.path, plain)
                _sync(segment.folder)
                _sealed(part.path).unlink()
        return segment

    def seal_replaced(self, name: str, needed: Callable[[SegmentRef], bool]) -> None:
        """Seal every version but the latest, and but those that are `needed` as they are.

        `needed` is asked under the lock that `open` takes: whoever comes to need a version first
        says so and then opens it, and finds its parts at hand whichever of the two was earlier.
        """
        for number in self._numbers(name)[:-1]:
            with self._parts_held(name, 0.0):
                if number in self._numbers(name):
                    self._seal_version(self._read(name, number), needed)

    def _seal_version(self, segment: Segment, needed: Callable[[SegmentRef], bool]) -> None:
        for cut_short in segment.folder.glob(f"*{_NEW}"):
            cut_short.unlink()
        bare = [part for part in segment.parts if part.path.exists()]
        if not bare or needed(SegmentRef(segment.name, segment.version)):
            return
        for part in bare:
            sealed = self._seal().seal(part.path.read_bytes(), bound_to=part.md5)
            _write(_sealed(part.path), sealed)
        _sync(segment.folder)
        for part in bare:
            with contextlib.suppress(PermissionError):  # Windows: another run is reading it
                part.path.unlink()

    def versions(self, name: str) -> list[Segment]:
        """All versions, oldest first."""
        return [self._read(name, number) for number in self._numbers(name)]

    def latest(self) -> list[Segment]:
        """The latest version of every segment."""
        return [self._read(name, self._numbers(name)[-1]) for name in self._names()]

    def remove(self, name: str, version: int | None = None) -> list[Segment]:
        """Erase a version, or all; those that were erased."""
        gone = [self.load(name, version)] if version is not None else self.versions(name)
        if not gone:
            self.load(name)
        with self._held(name, self._wait), self._parts_held(name, _PARTS_SECONDS):
            for segment in gone:
                # Out of sight at once, so that a kill leaves no half of a version.
                doomed = segment.folder.with_name(f"{_ERASING}{secrets.token_hex(4)}")
                segment.folder.rename(doomed)
                shutil.rmtree(doomed)
            with contextlib.suppress(OSError):
                (self._root / name).rmdir()
        return gone

    def sweep(self) -> None:
        """Erase what killed builds left; what belongs to a running one stays."""
        if not self._root.is_dir():
            return
        for folder in [*self._root.glob(f"*/{_BUILDING}*"), *self._root.glob(f"*/{_ERASING}*")]:
            with contextlib.suppress(TryLaterError), self._held(folder.parent.name, 0.0):
                shutil.rmtree(folder, ignore_errors=True)
                with contextlib.suppress(OSError):
                    folder.parent.rmdir()

    def _held(self, name: str, wait_seconds: float) -> AbstractContextManager[None]:
        """The lock of builds, for as long as one takes; `_parts_held` may be taken under it."""
        return self._hold(f"segment-{name}", name, wait_seconds)

    def _parts_held(self, name: str, wait_seconds: float) -> AbstractContextManager[None]:
        """The lock of sealing and opening, which builds do not take: they touch no old version."""
        return self._hold(f"parts-{name}", name, wait_seconds)

    def _hold(self, lock: str, name: str, wait_seconds: float) -> AbstractContextManager[None]:
        return self._locks.hold(
            lock,
            wait_seconds=wait_seconds,
            busy=lambda holder: TryLaterError(
                "SEGMENT_BUSY",
                msg(
                    "segment {name} is held by another run ({holder})",
                    name=repr(name),
                    holder=holder,
                ),
                hint=msg("run it again when that one has ended"),
            ),
        )

    def _refresh(self, latest: Segment, folder: Path, built: Segment) -> Segment:
        """The latest version with this build's counts and rejects; its parts stay.

        Sealed ones, where a newer version was removed, are replaced by this build's equal ones.
        """
        with self._parts_held(latest.name, _PARTS_SECONDS):
            for kept_part, fresh in zip(latest.parts, built.parts, strict=True):
                if _is_sealed(kept_part):
                    fresh.path.replace(kept_part.path)
                    _sync(latest.folder)
                    _sealed(kept_part.path).unlink()
        kept = _moved(replace(built, version=latest.version), latest.folder)
        kept = replace(kept, built_at=latest.built_at, renewed_at=built.built_at)
        rejects = latest.folder / "rejects.csv"
        if built.rejects_path is None:
            rejects.unlink(missing_ok=True)
        else:
            built.rejects_path.replace(rejects)
        _write(folder / manifest.FILE, manifest.dump(kept).encode())
        (folder / manifest.FILE).replace(latest.folder / manifest.FILE)
        _sync(latest.folder)
        return kept

    def _read(self, name: str, number: int) -> Segment:
        folder = (self._root / name / f"v{number}").absolute()
        try:
            return manifest.parse((folder / manifest.FILE).read_text("utf-8"), folder)
        except (OSError, ValueError):
            raise SourceError(
                "SEGMENT_DAMAGED",
                msg("the manifest of segment {ref} cannot be read", ref=f"{name}@{number}"),
                hint=msg("build it again, or remove that version"),
            ) from None

    def _numbers(self, name: str) -> list[int]:
        home = self._root / name
        if not home.is_dir():
            return []
        found = (version_folder(entry.name) for entry in home.iterdir())
        return sorted(number for number in found if number is not None)

    def _next_number(self, name: str) -> int:
        """One more than any version ever had: a removed version's number is not used again."""
        counter = self._root / name / ".last"
        try:
            last = int(counter.read_text("ascii"))
        except (OSError, ValueError):
            last = 0
        number = max([last, *self._numbers(name)]) + 1
        _write(counter, str(number).encode())
        return number

    def _names(self) -> list[str]:
        if not self._root.is_dir():
            return []
        return sorted(entry.name for entry in self._root.iterdir() if self._numbers(entry.name))


def _same_content(one: Segment, other: Segment) -> bool:
    return (
        one.fingerprint == other.fingerprint
        and [(p.id_type, p.md5) for p in one.parts] == [(p.id_type, p.md5) for p in other.parts]
        and one.client == other.client
        and all(part.path.is_file() or _is_sealed(part) for part in one.parts)
    )


def _moved(segment: Segment, folder: Path) -> Segment:
    folder = folder.absolute()
    parts = tuple(
        Part(folder / p.path.name, p.id_type, p.size, p.ids, p.md5) for p in segment.parts
    )
    rejects = folder / segment.rejects_path.name if segment.rejects_path else None
    return replace(segment, folder=folder, parts=parts, rejects_path=rejects)


def _files_of(segment: Segment, folder: Path) -> set[Path]:
    files = {folder / manifest.FILE, *(folder / part.path.name for part in segment.parts)}
    return files | ({folder / segment.rejects_path.name} if segment.rejects_path else set())


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _sealed(part: Path) -> Path:
    return part.with_name(f"{part.name}{_SEALED}")


def _is_sealed(part: Part) -> bool:
    return not part.path.exists() and _sealed(part.path).exists()


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}{_NEW}")
    try:
        with fresh.open("wb") as file:
            fresh.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Make the folder's names durable, where the system has a way to."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
