"""Proof that parts are what the platform expects: decoded with the official library."""

import base64
import hashlib
import re
import zipfile
from typing import Any

from yuntu_push.adapters.engine.encode import WIRE_NUMBERS
from yuntu_push.adapters.engine.reading import damaged
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import MAX_IDS_PER_LINE, MAX_PART_SIZE, Part, Segment
from yuntu_push.domain.segment_build import Progress
from yuntu_push.domain.text import msg

_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
PATTERNS = {
    IdType.IMEI: re.compile(r"[0-9a-z]{15}"),
    IdType.IDFA: re.compile(_UUID),
    IdType.UID: re.compile(r"[0-9]{1,20}"),
    IdType.IMEI_MD5: re.compile(r"[0-9a-f]{32}"),
    IdType.IDFA_MD5: re.compile(r"[0-9a-f]{32}"),
    IdType.MOBILE_HASH_SHA256: re.compile(r"[0-9a-f]{64}"),
    IdType.OAID: re.compile(r"[0-9a-f-]{16,64}"),
    IdType.OAID_MD5: re.compile(r"[0-9a-f]{32}"),
}


def verify(segment: Segment, progress: Progress) -> None:
    """Decode every part and compare counts, digests and patterns, or `SourceError`."""
    for number, part in enumerate(segment.parts):
        progress(msg("decoding parts"), number, len(segment.parts))
        if _decoded_ids(part) != part.ids:
            raise damaged(part.path)
    for kind, counts in segment.by_type.items():
        if sum(part.ids for part in segment.parts if part.id_type is kind) != counts.ids:
            raise damaged(segment.folder)


def _decoded_ids(part: Part) -> int:
    """How many ids the part holds, after every check of it, or `SourceError`."""
    from google.protobuf.message import DecodeError

    try:
        content = part.path.read_bytes()
        size_is_right = len(content) == part.size <= MAX_PART_SIZE
        if not size_is_right or _md5(content) != part.md5:
            raise damaged(part.path)
        with zipfile.ZipFile(part.path) as archive:
            (member,) = archive.namelist()
            with archive.open(member) as lines:
                return sum(_line(line, part) for line in lines)
    except (OSError, ValueError, zipfile.BadZipFile, DecodeError):
        raise damaged(part.path) from None


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _line(line: bytes, part: Part) -> int:
    from yuntu_push.proto import dmp_pb2

    message: Any = dmp_pb2.DmpData()
    message.ParseFromString(base64.b64decode(line.rstrip(b"\n"), validate=True))
    pattern, number = PATTERNS[part.id_type], WIRE_NUMBERS[part.id_type]
    items = message.idList
    if not 0 < len(items) <= MAX_IDS_PER_LINE or not all(
        item.dataType == number and pattern.fullmatch(item.id) for item in items
    ):
        raise damaged(part.path)
    return len(items)
