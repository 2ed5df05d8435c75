"""Digests of many short texts of one length at once."""

import functools
import hashlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from yuntu_push.adapters.engine.shapes import Bytes

_LANES = 4096  # measured: 1,024 to 16,384 lanes make no difference, this many stay in the L2 cache
_NEWLINE = 10
_WIDE = frozenset({"skylake", "icelake"})  # the library's names for kinds of instructions
_SHA = "goldmont"
_PROBE = (b"13800138000", b"19999999999", b"0")


def sha256(texts: Bytes) -> Bytes:
    """The SHA-256 of each row of a matrix of ASCII texts without newlines: 32 columns."""
    return _sha256()(texts)


def md5(texts: Bytes) -> Bytes:
    """The MD5 of each row of a matrix of ASCII texts: 16 columns."""
    digest = _md5()
    return _one_by_one(texts, lambda text: digest(text).digest(), 16)


@functools.cache
def _md5() -> Callable[[bytes], Any]:
    """The interpreter's own MD5, which starts twice as fast as the one of OpenSSL."""
    try:
        made: Callable[[bytes], Any] = importlib.import_module("_md5").md5
    except ImportError:
        return functools.partial(hashlib.md5, usedforsecurity=False)
    return made


@functools.cache
def _sha256() -> Callable[[Bytes], Bytes]:
    """The batched hash when it is there and agrees with hashlib, else hashlib."""
    try:
        for probe in _PROBE:
            rows = np.frombuffer(probe * 3, np.uint8).reshape(3, len(probe))
            if not np.array_equal(_sha256_batched(rows), _sha256_plain(rows)):
                return _sha256_plain
    except (ImportError, AttributeError, TypeError, ValueError):
        return _sha256_plain
    return _sha256_batched


def wide_registers() -> bool:
    """Whether the processor has AVX-512, as far as the batched hash's library tells."""
    try:
        import stringzilla

        return not _WIDE.isdisjoint(stringzilla.__capabilities__)
    except (ImportError, AttributeError):
        return False


@functools.cache
def _choose_instructions(library: Any) -> None:
    """Take the processor's own SHA instructions where AVX-512 is missing.

    The library would take AVX2, eight messages at a time, which is slower.
    """
    if _SHA in library.__capabilities__ and not wide_registers():
        library.reset_capabilities(["serial", "westmere", _SHA])


def _sha256_batched(texts: Bytes) -> Bytes:
    import stringzilla

    _choose_instructions(stringzilla)
    count, width = texts.shape
    digests = np.empty((count, 32), np.uint8)
    lines = np.empty((min(count, _LANES), width + 1), np.uint8)
    lines[:, width] = _NEWLINE
    for start in range(0, count, _LANES):
        size = min(_LANES, count - start)
        lines[:size, :width] = texts[start : start + size]
        # Splitting one buffer is the cheapest way to hand over many messages.
        messages = stringzilla.Str(lines[:size].reshape(-1).data).split("\n")[:size]
        stringzilla.Sha256s(size).update(messages).digest(out=digests[start : start + size])
    return digests


def _sha256_plain(texts: Bytes) -> Bytes:
    return _one_by_one(texts, lambda text: hashlib.sha256(text).digest(), 32)


def _one_by_one(texts: Bytes, digest: Callable[[bytes], bytes], size: int) -> Bytes:
    count, width = texts.shape
    joined = np.ascontiguousarray(texts).tobytes()
    digests = b"".join(
        [digest(joined[i : i + width]) for i in range(0, count * width, width)] if width else []
    )
    return np.frombuffer(digests, np.uint8).reshape(count, size)
