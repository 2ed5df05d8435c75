"""Rows of the push tables as values, and values as rows."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.failure import (
    Failure,
    failure_from_json,
    failure_to_json,
    text_from_json,
    text_to_json,
)
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.platform import DeliveryStatus, Operation
from yuntu_push.domain.push import (
    BrandState,
    Call,
    CallState,
    Mode,
    Push,
    PushBrand,
    PushPart,
    PushState,
    PushStep,
    PushTarget,
    StepName,
    StepState,
    TargetState,
)
from yuntu_push.domain.text import Text, msg


def moment(value: datetime | None) -> str | None:
    """A moment as stored: UTC with microseconds, so that text order is time order."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def stamp(value: datetime) -> str:
    """A moment that is always there, as stored."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _when(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def failure_column(failure: Failure | None) -> str | None:
    """A failure as stored."""
    return None if failure is None else json.dumps(failure_to_json(failure), ensure_ascii=False)


def _failure(value: str | None) -> Failure | None:
    return None if value is None else failure_from_json(json.loads(value))


def text_column(text: Text | None) -> str | None:
    """A sentence as stored."""
    return None if text is None else json.dumps(text_to_json(text), ensure_ascii=False)


def push_values(push: Push, twin: str) -> dict[str, Any]:
    """The columns of a new push."""
    plain = (
        "push_id", "name", "audience_name", "channel", "channel_kind", "client", "segment",
        "segment_version", "fingerprint", "ids_total", "audience_type", "description",
        "source_type", "advertiser_id", "account_name", "company", "entry", "follows",
        "publish_at", "asked", "position", "data_source_id", "custom_audience_id",
    )  # fmt: skip
    return {
        **{name: getattr(push, name) for name in plain},
        "id_types": ",".join(push.id_types),
        "mode": push.mode.value,
        "state": push.state.value,
        "twin": twin,
        "created_at": stamp(push.created_at),
    }


def part_values(push_id: str, part: PushPart) -> dict[str, Any]:
    """The columns of a part."""
    return {
        "push_id": push_id,
        "position": part.position,
        "path": str(part.path),
        "id_type": part.id_type.value,
        "size": part.size,
        "ids": part.ids,
        "md5": part.md5,
        "operation": None if part.operation is None else int(part.operation),
        "file_path": part.file_path,
        "uploaded_at": moment(part.uploaded_at),
    }


def brand_values(push_id: str, position: int, brand: PushBrand) -> dict[str, Any]:
    """The columns of a brand."""
    return {
        "push_id": push_id,
        "brand_id": brand.brand_id,
        "position": position,
        "brand_name": brand.brand_name,
        "virtual_adv_id": brand.virtual_adv_id,
        "state": brand.state.value,
        "yuntu_audience_id": brand.yuntu_audience_id,
        "submitted_at": moment(brand.submitted_at),
        "failure": failure_column(brand.failure),
    }


def target_values(push_id: str, position: int, target: PushTarget) -> dict[str, Any]:
    """The columns of a target."""
    return {
        "push_id": push_id,
        "advertiser_id": target.advertiser_id,
        "position": position,
        "owner": int(target.owner),
        "state": target.state.value,
        "group_size": target.group,
        "failure": failure_column(target.failure),
    }


def push_of(
    row: sqlite3.Row,
    *,
    parts: Sequence[sqlite3.Row],
    brands: Sequence[sqlite3.Row],
    targets: Sequence[sqlite3.Row],
    steps: Sequence[sqlite3.Row],
    calls: Sequence[sqlite3.Row],
) -> Push:
    """The push of its rows; `ConfigError` when a newer version wrote words we do not know."""
    try:
        return _push_of(row, parts, brands, targets, steps, calls)
    except ValueError as exc:
        raise ConfigError(
            "PUSH_NEWER",
            msg("push {push} was made by a newer version of yuntu-push", push=row["push_id"]),
            hint=msg("upgrade yuntu-push"),
        ) from exc


def _push_of(
    row: sqlite3.Row,
    parts: Sequence[sqlite3.Row],
    brands: Sequence[sqlite3.Row],
    targets: Sequence[sqlite3.Row],
    steps: Sequence[sqlite3.Row],
    calls: Sequence[sqlite3.Row],
) -> Push:
    reason, status = row["reason"], row["delivery_status"]
    plain = (
        "push_id", "name", "audience_name", "channel", "channel_kind", "client", "segment",
        "segment_version", "fingerprint", "ids_total", "audience_type", "description",
        "source_type", "advertiser_id", "account_name", "company", "entry", "follows",
        "publish_at", "asked", "data_source_id", "custom_audience_id", "position", "failures",
        "looks", "upload_num", "cover_num",
    )  # fmt: skip
    return Push(
        **{name: row[name] for name in plain},
        id_types=tuple(IdType(name) for name in row["id_types"].split(",") if name),
        mode=Mode(row["mode"]),
        state=PushState(row["state"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        progress_at=datetime.fromisoformat(row["progress_at"]),
        next_at=_when(row["next_at"]),
        reason=None if reason is None else text_from_json(json.loads(reason)),
        failure=_failure(row["failure"]),
        delivery_status=None if status is None else DeliveryStatus(status),
        parts=tuple(_part(part) for part in parts),
        brands=tuple(_brand(brand) for brand in brands),
        targets=tuple(_target(target) for target in targets),
        steps=tuple(_step(step) for step in steps),
        calls=tuple(call_of(call) for call in calls),
    )


def _part(row: sqlite3.Row) -> PushPart:
    operation = row["operation"]
    return PushPart(
        position=row["position"],
        path=Path(row["path"]),
        id_type=IdType(row["id_type"]),
        size=row["size"],
        ids=row["ids"],
        md5=row["md5"],
        operation=None if operation is None else Operation(operation),
        file_path=row["file_path"],
        uploaded_at=_when(row["uploaded_at"]),
    )


def _brand(row: sqlite3.Row) -> PushBrand:
    return PushBrand(
        brand_id=row["brand_id"],
        brand_name=row["brand_name"],
        virtual_adv_id=row["virtual_adv_id"],
        state=BrandState(row["state"]),
        yuntu_audience_id=row["yuntu_audience_id"],
        submitted_at=_when(row["submitted_at"]),
        failure=_failure(row["failure"]),
    )


def _target(row: sqlite3.Row) -> PushTarget:
    return PushTarget(
        advertiser_id=row["advertiser_id"],
        owner=bool(row["owner"]),
        state=TargetState(row["state"]),
        group=row["group_size"],
        failure=_failure(row["failure"]),
    )


def _step(row: sqlite3.Row) -> PushStep:
    return PushStep(
        name=StepName(row["name"]),
        state=StepState(row["state"]),
        attempts=row["attempts"],
        started_at=_when(row["started_at"]),
        finished_at=_when(row["finished_at"]),
        failure=_failure(row["failure"]),
    )


def call_of(row: sqlite3.Row) -> Call:
    """The write of its row."""
    return Call(
        call_id=row["call_id"],
        step=StepName(row["step"]),
        key=row["key"],
        attempt=row["attempt"],
        fingerprint=row["fingerprint"],
        before=row["before"],
        intent_at=datetime.fromisoformat(row["intent_at"]),
        state=CallState(row["state"]),
        settled_at=_when(row["settled_at"]),
    )
