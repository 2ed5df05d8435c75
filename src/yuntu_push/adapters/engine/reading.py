"""Parts back into records: for comparing and combining segments, and for leaving people out."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from yuntu_push.adapters.engine.encode import WIRE_NUMBERS, item_size
from yuntu_push.adapters.engine.lane import NIBBLE
from yuntu_push.adapters.engine.shapes import (
    UUID_LOWER,
    UUID_UPPER,
    Bytes,
    Form,
    Shape,
    digits_of_uuids,
)
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import Part, Segment
from yuntu_push.domain.text import msg

READ_AHEAD = 1 << 20
# What a zip with wrong bytes somewhere raises when it is read.
WRONG_BYTES = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)


def damaged(path: Path) -> SourceError:
    """The error for a part that is not as it was built."""
    return SourceError(
        "SEGMENT_DAMAGED",
        msg("the part {path} is not as it was built", path=repr(str(path))),
        hint=msg("build the segment again"),
    )


def records_of(segment: Segment) -> Iterator[tuple[IdType, Shape, Bytes]]:
    """All ids of a segment, in the order of its parts, or `SourceError`."""
    for part in segment.parts:
        for shape, records in records_of_part(part):
            yield part.id_type, shape, records


def records_of_part(part: Part) -> Iterator[tuple[Shape, Bytes]]:
    """The ids of a part, line by line, or `SourceError`."""
    import pybase64

    try:
        with zipfile.ZipFile(part.path) as archive:
            (member,) = archive.namelist()
            # A line is a megabyte, and the member by itself would read it in pieces of kilobytes.
            with io.BufferedReader(archive.open(member), READ_AHEAD) as lines:  # type: ignore[type-var]
                for line in lines:
                    message = pybase64.b64decode(line.rstrip(b"\n"), validate=True)
                    yield _records(part.id_type, np.frombuffer(message, np.uint8))
    except WRONG_BYTES:
        raise damaged(part.path) from None


def _records(id_type: IdType, message: Bytes) -> tuple[Shape, Bytes]:
    """The one shape of a line's ids, and their records; `ValueError` when it is not ours."""
    length = int(message[5])
    shape = _shape(id_type, length, message)
    items = message.reshape(-1, item_size(shape))
    start = [0x0A, item_size(shape) - 2, 0x10, WIRE_NUMBERS[id_type], 0x1A, length]
    if not (items[:, :6] == np.array(start, np.uint8)).all():
        raise ValueError("an item of another shape")
    return shape, records_from(shape, items[:, 6:])


def _shape(id_type: IdType, length: int, message: Bytes) -> Shape:
    if id_type in (IdType.IMEI, IdType.UID):
        return Shape.ascii(length)
    if length != UUID_LOWER.length:
        return Shape.hexadecimal(length)
    lower = (message.reshape(-1, 6 + length)[:, 6:] >= ord("a")).any()
    return UUID_LOWER if id_type is IdType.OAID or lower else UUID_UPPER


def records_from(shape: Shape, texts: Bytes) -> Bytes:
    """Records of texts, the inverse of `texts_of`; `ValueError` for texts of another shape."""
    if shape.form is Form.ASCII:
        records = np.zeros((len(texts), shape.width), np.uint8)
        records[:, : shape.length] = texts
        return records
    nibbles = NIBBLE[texts if shape.form is Form.HEX else digits_of_uuids(texts)]
    if (nibbles > 15).any():
        raise ValueError("not hexadecimal")
    joined: Bytes = np.left_shift(nibbles[:, ::2], 4, dtype=np.uint8) | nibbles[:, 1::2]
    return joined
