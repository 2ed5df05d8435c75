"""Columns of text out of an Arrow C stream, without an Arrow library.

The two structures are those of the published Arrow C data interface. Every batch is copied and
released at once, so nothing outlives the stream.
"""

import ctypes
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from yuntu_push.domain.segment_rows import TextColumn


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_SchemaP = ctypes.POINTER(_Schema)
_ArrayP = ctypes.POINTER(_Array)
_StreamP = ctypes.POINTER(_Stream)

_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(_SchemaP)),
    ("dictionary", _SchemaP),
    ("release", ctypes.CFUNCTYPE(None, _SchemaP)),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(_ArrayP)),
    ("dictionary", _ArrayP),
    ("release", ctypes.CFUNCTYPE(None, _ArrayP)),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, _StreamP, _SchemaP)),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, _StreamP, _ArrayP)),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, _StreamP)),
    ("release", ctypes.CFUNCTYPE(None, _StreamP)),
    ("private_data", ctypes.c_void_p),
]


class StreamError(Exception):
    """The stream's producer failed; its own words."""


class TextStream:
    """Iterates over the batches of an object with `__arrow_c_stream__`; all columns are text."""

    _offset_types: ClassVar[dict[bytes, Any]] = {b"u": ctypes.c_int32, b"U": ctypes.c_int64}

    def __init__(self, producer: Any) -> None:
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype = ctypes.c_void_p
        pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        # The capsule owns the stream and releases it when it is collected.
        self._capsule = producer.__arrow_c_stream__()
        self._stream = ctypes.cast(pointer(self._capsule, b"arrow_array_stream"), _StreamP)
        self._offsets = [self._offset_types[kind] for kind in self._formats()]

    def __iter__(self) -> Iterator[tuple[int, tuple[TextColumn, ...]]]:
        """Rows and columns of each batch."""
        while True:
            array = _Array()
            self._checked(self._stream.contents.get_next(self._stream, ctypes.byref(array)))
            if not array.release:
                return
            try:
                columns = tuple(
                    _column(array.children[place].contents, array, kind)
                    for place, kind in enumerate(self._offsets)
                )
                rows = int(array.length)
            finally:
                array.release(ctypes.byref(array))
            yield rows, columns

    def _formats(self) -> list[bytes]:
        schema = _Schema()
        self._checked(self._stream.contents.get_schema(self._stream, ctypes.byref(schema)))
        try:
            children = range(schema.n_children)
            return [bytes(schema.children[place].contents.format) for place in children]
        finally:
            schema.release(ctypes.byref(schema))

    def _checked(self, code: int) -> None:
        if code:
            text = self._stream.contents.get_last_error(self._stream) or b""
            raise StreamError(text.decode("utf-8", "replace"))


def _column(child: Any, parent: Any, kind: Any) -> TextColumn:
    start = child.offset + parent.offset
    count = parent.length
    size = ctypes.sizeof(kind)
    raw = _memory(child.buffers[1] + start * size, (count + 1) * size)
    offsets = np.frombuffer(raw, np.dtype(f"i{size}")).astype(np.int64)
    first, length = int(offsets[0]), int(offsets[-1] - offsets[0])
    if not length:
        return TextColumn(memoryview(b""), np.zeros(count + 1, np.int64).data)
    data = np.frombuffer(_memory(child.buffers[2] + first, length), np.uint8).copy()
    offsets -= first
    if child.null_count:
        offsets, data = _without_nulls(child, start, offsets, data)
    return TextColumn(data.data, offsets.data)


def _memory(address: int, size: int) -> memoryview:
    return memoryview((ctypes.c_uint8 * size).from_address(address)).cast("B")


def _without_nulls(child: Any, start: int, offsets: Any, data: Any) -> tuple[Any, Any]:
    """Missing values as empty ones, should the producer have left bytes under them."""
    if not child.buffers[0]:
        return offsets, data
    count = len(offsets) - 1
    size = (start + count + 7) // 8
    bits = np.frombuffer(_memory(child.buffers[0], size), np.uint8)
    valid = np.unpackbits(bits, bitorder="little")[start : start + count].astype(np.bool_)
    lengths = np.diff(offsets)
    if not (lengths[~valid]).any():
        return offsets, data
    kept = np.repeat(valid, lengths)
    lengths[~valid] = 0
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), data[kept]
