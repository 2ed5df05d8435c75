"""Data sources (数据源): upload, create, update, read."""

import hashlib
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from yuntu_push.adapters.ocean import envelope, models
from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.adapters.ocean.needs import Clock
from yuntu_push.adapters.ocean.transport import Call, FilePart
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    RefusedError,
    SourceError,
    TryLaterError,
)
from yuntu_push.domain.platform import Operation, RemoteDataSource
from yuntu_push.domain.text import msg

UPLOAD = "/open_api/2/dmp/data_source/file/upload/"
CREATE = "/open_api/2/dmp/data_source/create/"
UPDATE = "/open_api/2/dmp/data_source/update/"
READ = "/open_api/2/dmp/data_source/read/"
PROTOCOL_BUFFER = 0  # `data_format`: the only value
STORED_BY_API = 0  # `file_storage_type`: the only value
IDS_PER_READ = 100  # 400 are allowed, but ids of 32 digits would make a URL of 14 KB
_SIGNATURE = 40900
_PATIENCE = 1.5  # times the platform's own limit: its answer comes first, if there is one
_NEAR_LIMIT = 0.8  # a failure this late in the limit is the limit's work
_SOON = 0.4  # of the limit: a part that was taken by then is not on a slow link
_SAFE_SHARE = 0.6  # of the limit that a part of the suggested size takes at the measured rate
_SIZE_STEP = 100_000


class _TimedFile(FileIO):
    """A part that notes when its bytes were taken; `began` is None before the first ones."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, "rb")
        self._clock = clock
        self.began: float | None = None
        self.latest = 0.0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        if self.began is None:
            self.began = self._clock.monotonic()
        chunk = super().read(size) or b""
        if chunk:
            self.latest = self._clock.monotonic()
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a rewound file is timed anew."""
        self.began = None
        return super().seek(offset, whence)


def upload(caller: Caller, *, advertiser_id: int, path: Path, md5: str) -> str:
    """The platform's path of the uploaded part, good for 14 days.

    A wrong signature is tried once more: it means that bytes were changed on the way. A link too
    slow for the platform's limit ends in `TryLaterError` with the part size that would fit.
    """
    with _TimedFile(path, caller.clock) as stream:
        call = Call(
            "POST",
            UPLOAD,
            form={"advertiser_id": advertiser_id, "file_signature": md5},
            file=FilePart(path.name, stream),
        )
        try:
            data = _timed(caller, call, stream)
        except RefusedError as exc:
            if exc.platform_code != _SIGNATURE:
                raise
            _check_unchanged(stream, path, md5)
            data = _timed(caller, call, stream)
    file_path = models.text(models.record(data).get("file_path"))
    if not file_path:
        raise envelope.unexpected(UPLOAD)
    return file_path


def _timed(caller: Caller, call: Call, stream: _TimedFile) -> object:
    limit = caller.api.upload_timeout
    try:
        return caller.write(call, seconds=limit * _PATIENCE)
    except OutcomeUnknownError as exc:
        rate = _rate_when_slow(stream, caller.clock.monotonic(), limit)
        if rate is None:
            raise
        raise _too_slow(rate, limit) from exc


def _rate_when_slow(stream: _TimedFile, ended: float, limit: float) -> float | None:
    """Bytes a second, when it was the link that kept an upload from its answer; else None.

    A part that was on its way soon and then got no answer says nothing about the link.
    """
    if stream.began is None or ended - stream.began < limit * _NEAR_LIMIT:
        return None
    sent = stream.tell()
    is_whole = sent == os.fstat(stream.fileno()).st_size
    if not is_whole:
        return sent / (ended - stream.began)
    taken = stream.latest - stream.began
    return sent / taken if taken > limit * _SOON else None


def _too_slow(rate: float, limit: float) -> TryLaterError:
    size = max(int(rate * limit * _SAFE_SHARE) // _SIZE_STEP, 1) * _SIZE_STEP
    return TryLaterError(
        "UPLOAD_TOO_SLOW",
        msg(
            "uploading at {rate} MB/s takes longer than the {limit} s that the platform allows",
            rate=f"{rate / 1e6:.2f}",
            limit=f"{limit:g}",
        ),
        hint=msg(
            "build the segment with `--part-size {size}`, or set `push.uploads: 1`",
            size=f"{size // 1000}KB",
        ),
    )


def _check_unchanged(stream: _TimedFile, path: Path, md5: str) -> None:
    """`SourceError` when it is our file that differs from its signature."""
    stream.seek(0)
    actual = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if actual != md5:
        raise SourceError(
            "SEGMENT_PART_CHANGED",
            msg("the part {path} is not what was built", path=str(path)),
            hint=msg("build the segment again, then push again"),
        )


def create(
    caller: Caller,
    *,
    advertiser_id: int,
    name: str,
    description: str,
    file_paths: Sequence[str],
    source_type: str,
) -> str:
    """The id of a new data source."""
    data = caller.post(
        CREATE,
        advertiser_id=advertiser_id,
        data_source_name=name,
        description=description,
        data_format=PROTOCOL_BUFFER,
        file_storage_type=STORED_BY_API,
        file_paths=list(file_paths),
        data_source_type=source_type,
    )
    source_id = models.text(models.record(data).get("data_source_id"))
    if not source_id:
        raise envelope.unexpected(CREATE)
    return source_id


def update(
    caller: Caller,
    *,
    advertiser_id: int,
    data_source_id: str,
    operation: Operation,
    file_paths: Sequence[str],
) -> None:
    """Add, delete or replace the content of a data source."""
    caller.post(
        UPDATE,
        advertiser_id=advertiser_id,
        data_source_id=data_source_id,
        operation_type=int(operation),
        data_format=PROTOCOL_BUFFER,
        file_storage_type=STORED_BY_API,
        file_paths=list(file_paths),
    )


def read(caller: Caller, *, advertiser_id: int, ids: Sequence[str]) -> list[RemoteDataSource]:
    """Data sources by id, in the order asked for; those the platform does not show are left out."""
    found: dict[str, RemoteDataSource] = {}
    for start in range(0, len(ids), IDS_PER_READ):
        batch = list(ids[start : start + IDS_PER_READ])
        data = caller.get(READ, advertiser_id=advertiser_id, data_source_id_list=batch)
        for item in models.records(models.record(data).get("data_list")):
            source = models.data_source(item)
            if source is not None:
                found[source.data_source_id] = source
    return [found[each] for each in dict.fromkeys(ids) if each in found]
