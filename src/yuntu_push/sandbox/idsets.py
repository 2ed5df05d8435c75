"""Sets of ids as sorted 64-bit digests, and the users they plausibly reach.

No id is kept: an id becomes a keyed digest of eight bytes as soon as its line was read. Sets are
named by their content, so equal sets are stored once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Digests = NDArray[np.uint64]

REACH: Mapping[int, tuple[float, ...]] = {
    0: (0.58,),
    1: (0.41,),
    2: (0.93,),
    4: (0.60,),
    5: (0.42,),
    6: (0.79, 0.27, 0.06),
    7: (0.83, 0.04),
    8: (0.81, 0.04),
}
"""Share of ids of a type that reach at least one, two, three monthly users; a phone may be known
to several, so a set's coverage can exceed its size. Invented, and only plausible."""


def digest(salt: bytes, values: Iterable[str]) -> bytes:
    """The keyed digests of `values`, eight bytes each, in their order."""
    return b"".join(
        hashlib.blake2b(value.encode("utf-8", "surrogateescape"), digest_size=8, key=salt).digest()
        for value in values
    )


def unite(chunks: Iterable[bytes]) -> "Digests":
    """The set of the digests in `chunks`."""
    import numpy as np

    return np.unique(np.frombuffer(b"".join(chunks), dtype="<u8").astype(np.uint64))


class IdSets:
    """The id sets of one world, in memory and, with a folder, on disk."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._sets: dict[str, Digests] = {}

    def keep(self, digests: "Digests") -> str:
        """Store a set; its name."""
        name = hashlib.sha256(digests.tobytes()).hexdigest()[:32]
        if name not in self._sets:
            self._sets[name] = digests
            if self._folder is not None:
                _write(self._folder, name, digests.tobytes())
        return name

    def get(self, name: str) -> "Digests":
        """The set called `name`; empty when the name is."""
        import numpy as np

        if not name:
            return np.empty(0, np.uint64)
        if name not in self._sets:
            if self._folder is None:
                raise KeyError(name)
            self._sets[name] = np.fromfile(self._folder / name, dtype=np.uint64)
        return self._sets[name]

    def merge(self, contents: Iterable[Mapping[int, str]]) -> dict[int, str]:
        """The union of contents, type by type."""
        import numpy as np

        names: dict[int, list[str]] = {}
        for content in contents:
            for kind, name in content.items():
                names.setdefault(kind, []).append(name)
        return {
            kind: self.keep(np.unique(np.concatenate([self.get(name) for name in group])))
            for kind, group in names.items()
        }

    def subtract(self, content: Mapping[int, str], gone: Mapping[int, str]) -> dict[int, str]:
        """What of `content` is not in `gone`."""
        import numpy as np

        return {
            kind: self.keep(
                np.setdiff1d(self.get(name), self.get(gone.get(kind, "")), assume_unique=True)
            )
            for kind, name in content.items()
        }

    def size(self, content: Mapping[int, str]) -> int:
        """How many ids `content` holds."""
        return sum(len(self.get(name)) for name in content.values())

    def reach(self, content: Mapping[int, str]) -> int:
        """How many users `content` covers: the same for the same ids, whatever came before."""
        return sum(
            _reached(self.get(name), REACH.get(kind, (0.5,))) for kind, name in content.items()
        )

    def forget_unused(self, used: set[str]) -> None:
        """Drop every set that is not in `used`."""
        for name in list(self._sets.keys() - used):
            del self._sets[name]
        if self._folder is not None and self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in used:
                    path.unlink(missing_ok=True)


def _reached(digests: "Digests", shares: tuple[float, ...]) -> int:
    # The upper half of a digest is as good as a random number that belongs to the id.
    lots = digests >> 32
    return sum(int((lots < int(share * (1 << 32))).sum()) for share in shares)


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if path.exists():
        return
    partial = folder / f".{name}.partial"
    partial.touch(mode=0o600)
    partial.write_bytes(data)
    partial.replace(path)
