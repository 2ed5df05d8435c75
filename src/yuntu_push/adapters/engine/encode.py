"""Records become lines of base64, lines a deflated zip: the file format of the platform.

One line is the base64 of one `DmpData` message of at most 10,000 ids. An item is written as
`dataType` and `id` alone; `dataType` is a required field, so IMEI's 0 stands there too.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from yuntu_push.adapters.engine import hashing
from yuntu_push.adapters.engine.shapes import Bytes, Form, Shape, texts_of
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import MAX_IDS_PER_LINE
from yuntu_push.domain.settings import DeflateLevel

WIRE_NUMBERS = {
    IdType.IMEI: 0,
    IdType.IDFA: 1,
    IdType.UID: 2,
    IdType.IMEI_MD5: 4,
    IdType.IDFA_MD5: 5,
    IdType.MOBILE_HASH_SHA256: 6,
    IdType.OAID: 7,
    IdType.OAID_MD5: 8,
}
MEMBER = b"ids.txt"
# Ids encoded at once: a multiple of 3, so that pieces of base64 join without padding, few enough
# that a piece's memory is used again instead of being asked for anew.
_PIECE = 1_200
ZIP_OVERHEAD = 30 + 46 + 22 + 2 * len(MEMBER)
_DOS_DATE = (1980 - 1980) << 9 | 1 << 5 | 1  # the first day that a zip can name
_HEADER = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class TooLargeError(Exception):
    """The zip would exceed the limit."""


def item_size(shape: Shape) -> int:
    """Bytes of one id in a message."""
    return 6 + shape.length


def line_pieces(id_type: IdType, shape: Shape, records: Bytes) -> Iterator[bytes]:
    """The lines of some records, each with its newline, in pieces that stay in the cache."""
    import pybase64

    size = item_size(shape)
    items = np.empty((_PIECE, size), np.uint8)
    # DmpData.idList (1, length-delimited), IdItem.dataType (2, varint), IdItem.id (3, text).
    start = [0x0A, size - 2, 0x10, WIRE_NUMBERS[id_type], 0x1A, shape.length]
    items[:, :6] = np.array(start, np.uint8)
    for line in range(0, len(records), MAX_IDS_PER_LINE):
        of_line = records[line : line + MAX_IDS_PER_LINE]
        for first in range(0, len(of_line), _PIECE):
            texts = texts_of(shape, of_line[first : first + _PIECE])
            items[: len(texts), 6:] = texts
            yield pybase64.b64encode(items[: len(texts)].reshape(-1).data)
        yield b"\n"


def zipped(
    id_type: IdType, runs: Sequence[tuple[Shape, Bytes]], *, level: int, limit: int
) -> list[bytes]:
    """The pieces of a zip with one member that holds the runs' ids, or `TooLargeError`.

    Names and dates are fixed, so the same ids give the same bytes.
    """
    from isal import isal_zlib

    deflate = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    pieces: list[bytes] = []
    crc = plain = packed = 0
    for shape, records in runs:
        for text in line_pieces(id_type, shape, records):
            crc = isal_zlib.crc32(text, crc)
            plain += len(text)
            piece = deflate.compress(text)
            packed += len(piece)
            pieces.append(piece)
            if packed + ZIP_OVERHEAD > limit:
                raise TooLargeError
    pieces.append(deflate.flush())
    packed += len(pieces[-1])
    if packed + ZIP_OVERHEAD > limit:
        raise TooLargeError
    return [_zip_header(crc, packed, plain), *pieces, _zip_end(crc, packed, plain)]


def md5_of(pieces: Sequence[bytes]) -> str:
    """The MD5 of a file in pieces: its signature when it is uploaded."""
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


_FACTS = (20, 0, 8, 0, _DOS_DATE)  # zip 2.0, no flags, deflate, midnight


def _zip_header(crc: int, packed: int, plain: int) -> bytes:
    return _HEADER.pack(b"PK\3\4", *_FACTS, crc, packed, plain, len(MEMBER), 0) + MEMBER


def _zip_end(crc: int, packed: int, plain: int) -> bytes:
    made_by = 20
    entry = _ENTRY.pack(
        b"PK\1\2", made_by, *_FACTS, crc, packed, plain, len(MEMBER), 0, 0, 0, 0, 0, 0
    )
    entry += MEMBER
    place = _HEADER.size + len(MEMBER) + packed
    return entry + _END.pack(b"PK\5\6", 0, 0, 1, 1, len(entry), place, 0)


def level_of(wanted: DeflateLevel) -> int:
    """The level as a number: the library's level 3 is made for AVX-512, elsewhere 2 is faster."""
    if wanted != "auto":
        return wanted
    return 3 if hashing.wide_registers() else 2


def bytes_per_id(shape: Shape, level: int) -> float:
    """An upper estimate of a zip's bytes per id, from measurements; the limit holds anyway."""
    if shape.form is Form.ASCII:
        estimate = 0.62 * shape.length + 0.6
    else:
        estimate = {64: 46.4, 36: 27.2, 32: 23.9}.get(shape.length, 0.75 * shape.length)
    return estimate * {0: 1.45, 1: 1.09}.get(level, 1.0)
