"""Segments as the envelope and as tables show them."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from yuntu_push.cli.output import Table, details
from yuntu_push.cli.times import iso, shown
from yuntu_push.domain.id_types import RejectReason
from yuntu_push.domain.reject_words import WORDS
from yuntu_push.domain.segment import ColumnCounts, Segment
from yuntu_push.domain.segment_build import BuiltSegment
from yuntu_push.domain.text import Text, msg

_BAR = 30  # cells of the longest bar of the funnel


def segment_data(segment: Segment) -> dict[str, Any]:
    """A segment as `segment build` and `segment show` give it."""
    return {
        "name": segment.name,
        "version": segment.version,
        "fingerprint": segment.fingerprint,
        "rows_read": segment.rows_read,
        "rows_with_id": segment.rows_with_id,
        "excluded_rows": segment.excluded_rows,
        "ids_total": segment.ids_total,
        "by_type": {str(kind): asdict(counts) for kind, counts in segment.by_type.items()},
        "rejects": dict(segment.rejects),
        "rejects_path": str(segment.rejects_path) if segment.rejects_path else None,
        "parts": [
            {
                "path": str(part.path),
                "type": str(part.id_type),
                "bytes": part.size,
                "ids": part.ids,
                "md5": part.md5,
            }
            for part in segment.parts
        ],
        "columns": [column_data(column) for column in segment.columns],
        "built_at": iso(segment.built_at),
        "seconds": segment.seconds,
    }


def column_data(column: ColumnCounts) -> dict[str, Any]:
    """What became of a column's values."""
    return {
        "column": column.column,
        "type": str(column.id_type),
        "values": column.values,
        "blank": column.blank,
        "accepted": column.accepted,
        "ids": column.ids,
        "rejects": dict(column.rejects),
    }


def survey_data(
    name: str, built: BuiltSegment, refusal: dict[str, Any] | None, *, seconds: float
) -> dict[str, Any]:
    """What a dry run found: the keys of a build, and a profile of each column."""
    return {
        "name": name,
        "version": None,
        "fingerprint": built.fingerprint,
        "rows_read": built.rows_read,
        "rows_with_id": built.rows_with_id,
        "excluded_rows": built.excluded_rows,
        "ids_total": built.ids_total,
        "by_type": {str(kind): asdict(counts) for kind, counts in built.by_type.items()},
        "rejects": dict(built.rejects),
        "rejects_path": None,
        "parts": [],
        "built_at": None,
        "seconds": seconds,
        "columns": [
            {
                **column_data(profile.counts),
                "looks_like": dict(profile.likenesses),
                "samples": list(profile.samples),
            }
            for profile in built.columns
        ],
        "would_fail": refusal,
    }


def list_data(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Segments as `segment list` gives them."""
    return [
        {
            "name": segment.name,
            "version": segment.version,
            "fingerprint": segment.fingerprint,
            "ids_total": segment.ids_total,
            "id_types": [str(kind) for kind in segment.id_types],
            "parts": len(segment.parts),
            "bytes": sum(part.size for part in segment.parts),
            "built_at": iso(segment.built_at),
        }
        for segment in segments
    ]


def list_table(segments: Iterable[Segment]) -> Table:
    """The list as people read it."""
    return Table(
        columns=("segment", "version", "ids", "id types", "parts", "MB", "built"),
        rows=[
            (
                segment.name,
                segment.version,
                segment.ids_total,
                [str(kind) for kind in segment.id_types],
                len(segment.parts),
                f"{sum(part.size for part in segment.parts) / 1e6:.1f}",
                shown(segment.built_at),
            )
            for segment in segments
        ],
        spare=(5, 4),
    )


def segment_tables(segment: Segment) -> list[Table]:
    """One segment as people read it: what it is, its funnel, its rejects."""
    facts = details(
        [
            ("segment", segment.ref),
            ("ids", segment.ids_total),
            ("rows read", segment.rows_read),
            ("rows with an id", segment.rows_with_id),
            ("parts", f"{len(segment.parts)} ({sum(p.size for p in segment.parts) / 1e6:.1f} MB)"),
            ("fingerprint", segment.fingerprint),
            ("built", shown(segment.built_at)),
            ("folder", str(segment.folder)),
        ]
    )
    return [facts, funnel(segment), *counts_tables(segment), *rejects_tables(segment.rejects)]


def counts_tables(segment: Segment) -> list[Table]:
    """What became of each column's values."""
    if not segment.columns:
        return []
    return [
        Table(
            columns=("column", "id type", "values", "blank", "rejected", "accepted", "ids"),
            rows=[
                (
                    column.column,
                    str(column.id_type),
                    column.values,
                    column.blank,
                    column.values - column.accepted,
                    column.accepted,
                    column.ids,
                )
                for column in segment.columns
            ],
        )
    ]


def funnel(segment: Segment | BuiltSegment) -> Table:
    """From values to ids, per type, with a bar for each."""
    rows: list[tuple[object, ...]] = []
    for kind, counts in segment.by_type.items():
        top = max(counts.values + counts.blank, 1)
        for label, count in (
            (msg("cells"), counts.values + counts.blank),
            (msg("values"), counts.values),
            (msg("accepted"), counts.values - counts.rejected),
            (msg("ids"), counts.ids),
        ):
            rows.append((str(kind), label, count, "█" * round(_BAR * count / top)))
    return Table(columns=("id type", "step", "count", ""), rows=rows)


def rejects_tables(rejects: Any) -> list[Table]:
    """Rejects by reason, when there are any."""
    if not rejects:
        return []
    ordered = [
        (WORDS[RejectReason(reason)], count)
        for reason, count in sorted(rejects.items(), key=lambda item: -item[1])
    ]
    return [Table(columns=("reject", "count"), rows=ordered)]


def columns_table(built: BuiltSegment) -> Table:
    """The profile of each column."""
    return Table(
        columns=(
            "column",
            "id type",
            "values",
            "blank",
            "rejected",
            "accepted",
            "ids",
            "looks like",
            "samples",
        ),
        rows=[
            (
                profile.counts.column,
                str(profile.counts.id_type),
                profile.counts.values,
                profile.counts.blank,
                profile.counts.values - profile.counts.accepted,
                profile.counts.accepted,
                profile.counts.ids,
                [f"{kind} {count}" for kind, count in profile.likenesses.items()],
                list(profile.samples),
            )
            for profile in built.columns
        ],
    )


def warning_texts(warnings: Any) -> list[Text]:
    """What is odd about accepted values."""
    said = {
        "placeholder": msg("{count} values are placeholder numbers such as 13800138000"),
        "bad_luhn": msg("{count} IMEIs have a wrong check digit"),
        "frequent_value": msg("one value stands in {count} rows: a default or a test value?"),
    }
    return [
        Text(said[name].msgid, {"count": count}) for name, count in warnings.items() if name in said
    ]
