"""Reads an uploaded zip as the platform does: base64 lines of protobuf, up to 10,000 ids each.

Complaints name the file's line and the item, never the id.
"""

import binascii
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from yuntu_push.sandbox.answers import Code, Refused, wrong_parameter
from yuntu_push.sandbox.idsets import IdSets, digest, unite
from yuntu_push.sandbox.options import BadIds

if TYPE_CHECKING:
    from yuntu_push.sandbox.idsets import Digests

MAX_ZIP = 50_000_000
MAX_QIANCHUAN_ZIP = 25_000_000
MAX_IDS_PER_LINE = 10_000
_MAX_LINE = 32_000_000
_MAX_MEMBERS = 1_000
_MAX_UNPACKED = 4_000_000_000

PATTERNS = {
    0: re.compile(r"[0-9A-Za-z]{15}", re.ASCII),
    1: re.compile(r"[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}", re.ASCII),
    2: re.compile(r"[0-9]+", re.ASCII),
    4: re.compile(r"[0-9A-Za-z]{32}", re.ASCII),
    5: re.compile(r"[0-9A-Za-z]{32}", re.ASCII),
    6: re.compile(r"[0-9A-Fa-f]{64}", re.ASCII),
    7: re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII),
    8: re.compile(r"[0-9A-Za-z]{32}", re.ASCII),
}
"""The vendor's validator, by id type; the whole id must match."""

TYPE_NAMES = {
    0: "IMEI",
    1: "IDFA",
    2: "UID",
    4: "IMEI_MD5",
    5: "IDFA_MD5",
    6: "MOBILE_HASH_SHA256",
    7: "OAID",
    8: "OAID_MD5",
}


@dataclass(frozen=True)
class Parsed:
    """What a DMP zip holds: its set of ids by type, and why parsing will fail, if it will."""

    digests: dict[int, "Digests"]
    ids: int
    lines: int
    complaint: str

    def keep(self, sets: IdSets) -> dict[int, str]:
        """Store the ids; the content's set names by type."""
        return {kind: sets.keep(digests) for kind, digests in self.digests.items()}


def check_signature(data: bytes, signature: str | None) -> str:
    """The file's MD5; refused when `signature` is another."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if signature is not None and signature.lower() != md5:
        raise Refused(Code.SIGNATURE, "文件签名错误:file_signature 与文件的 MD5 不一致")
    return md5


def parse_dmp_zip(data: bytes, salt: bytes, bad_ids: BadIds) -> Parsed:
    """Read a whole zip; what the platform cannot read at all is refused."""
    chunks: dict[int, list[bytes]] = {}
    count = lines = 0
    complaint = ""
    for where, line in _lines(data):
        if not line:
            continue
        lines += 1
        by_type, complaint_here = _decode(where, line, bad_ids)
        complaint = complaint or complaint_here
        for kind, values in by_type.items():
            count += len(values)
            # Hex means the same in either case, and so does a UUID.
            chunks.setdefault(kind, []).append(digest(salt, (each.lower() for each in values)))
    if not lines or not (count or complaint):
        raise wrong_parameter("file 中没有任何 id")
    digests = {kind: unite(group) for kind, group in chunks.items()}
    return Parsed(digests, count, lines, complaint)


def _decode(where: str, line: bytes, bad_ids: BadIds) -> tuple[dict[int, list[str]], str]:
    from google.protobuf.message import DecodeError

    from yuntu_push.proto.dmp_pb2 import DmpData

    try:
        message = DmpData.FromString(binascii.a2b_base64(line, strict_mode=True))
    except binascii.Error:
        raise wrong_parameter(f"file {where}不是标准 base64") from None
    except DecodeError:
        raise wrong_parameter(f"file {where}无法按 DmpData 解码") from None
    if not message.IsInitialized() or not message.idList:
        raise wrong_parameter(f"file {where}无法按 DmpData 解码:缺少 idList、dataType 或 id")
    if len(message.idList) > MAX_IDS_PER_LINE:
        raise wrong_parameter(f"file {where}超过 {MAX_IDS_PER_LINE} 个 id")
    by_type: dict[int, list[str]] = {}
    for item in message.idList:
        by_type.setdefault(item.dataType, []).append(item.id)
    complaint = ""
    for kind, values in by_type.items():
        fits = PATTERNS[kind].fullmatch
        good = [value for value in values if fits(value)]
        if len(good) == len(values):
            continue
        sentence = f"{where}有 {len(values) - len(good)} 个 id 不符合 {TYPE_NAMES[kind]} 格式"
        if bad_ids is BadIds.REFUSE:
            raise wrong_parameter(f"file {sentence}")
        if bad_ids is BadIds.PARSE_FAILS:
            complaint = complaint or f"数据解析失败:{sentence}"
        by_type[kind] = good
    return by_type, complaint


def parse_plain_zip(
    data: bytes, salt: bytes, accept: Callable[[str], bool]
) -> tuple["Digests", int, int]:
    """Read a Qianchuan zip, one id a line: its set of ids, accepted and skipped lines."""
    chunks: list[bytes] = []
    good = skipped = 0
    batch: list[str] = []
    for _, raw in _lines(data):
        value = raw.decode("utf-8", "replace").strip().lower()
        if not value:
            continue
        if accept(value):
            good += 1
            batch.append(value)
        else:
            skipped += 1
        if len(batch) == MAX_IDS_PER_LINE:
            chunks.append(digest(salt, batch))
            batch.clear()
    chunks.append(digest(salt, batch))
    return unite(chunks), good, skipped


def _lines(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every line of every file in the zip, without its end, and where it stands."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            _check_members(members)
            for number, member in enumerate(members, 1):
                with archive.open(member) as stream:
                    yield from _member_lines(stream, number)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise wrong_parameter("file 不是完整的 zip 文件") from None


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if not members or len(members) > _MAX_MEMBERS:
        raise wrong_parameter(f"file 应含 1 至 {_MAX_MEMBERS} 个文件")
    if any(member.flag_bits & 1 for member in members):
        raise wrong_parameter("file 不能是加密的 zip")
    if any(member.compress_type != zipfile.ZIP_DEFLATED for member in members):
        raise wrong_parameter("file 应为 deflate 压缩的 zip")
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        raise wrong_parameter("file 解压后过大")


def _member_lines(stream: IO[bytes], file_number: int) -> Iterator[tuple[str, bytes]]:
    buffered = io.BufferedReader(stream, 1 << 20)  # type: ignore[type-var]
    number = 0
    while line := buffered.readline(_MAX_LINE):
        number += 1
        where = f"第 {file_number} 个文件第 {number} 行"
        if len(line) == _MAX_LINE:
            raise wrong_parameter(f"file {where}过长")
        yield where, line.rstrip(b"\r\n")
