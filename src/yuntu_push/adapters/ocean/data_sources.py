"""Data sources (数据源): upload, create, update, read."""

import hashlib
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from yuntu_push.adapters.ocean import envelope, models
from yuntu_push.adapters.ocean.caller import Caller
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
_SAFE_SHARE = 0.6  # of the limit that a part of the suggested size takes at the measured rate
_SIZE_STEP = 100_000


def upload(caller: Caller, *, advertiser_id: int, path: Path, md5: str) -> str:
    """The platform's path of the uploaded part, good for 14 days.

    A wrong signature is tried once more: it means that bytes were changed on the way. A link too
    slow for the platform's limit ends in `TryLaterError` with the part size that would fit.
    """
    with path.open("rb") as stream:
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


def _timed(caller: Caller, call: Call, stream: BufferedReader) -> object:
    limit = caller.api.upload_timeout
    started = caller.clock.monotonic()
    try:
        return caller.write(call, seconds=limit * _PATIENCE)
    except OutcomeUnknownError as exc:
        elapsed = caller.clock.monotonic() - started
        if elapsed < limit * _NEAR_LIMIT:
            raise
        raise _too_slow(stream.tell() / elapsed, limit) from exc


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


def _check_unchanged(stream: BufferedReader, path: Path, md5: str) -> None:
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
