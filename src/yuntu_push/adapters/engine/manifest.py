"""A segment's manifest: what was built, from what, with which counts. No ids."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import ColumnCounts, Part, Segment, TypeCounts

FORMAT = 1
FILE = "manifest.json"


def dump(segment: Segment) -> str:
    """The manifest as text; paths are relative to its folder."""
    document = {
        "format": FORMAT,
        "name": segment.name,
        "version": segment.version,
        "fingerprint": segment.fingerprint,
        "built_at": segment.built_at.isoformat(),
        "renewed_at": segment.renewed_at.isoformat() if segment.renewed_at else None,
        "seconds": segment.seconds,
        "source": segment.source,
        "params": dict(segment.params),
        "client": segment.client,
        "rows_read": segment.rows_read,
        "rows_with_id": segment.rows_with_id,
        "excluded_rows": segment.excluded_rows,
        "ids_total": segment.ids_total,
        "by_type": {str(kind): asdict(counts) for kind, counts in segment.by_type.items()},
        "columns": [asdict(column) for column in segment.columns],
        "rejects": dict(segment.rejects),
        "rejects_file": segment.rejects_path.name if segment.rejects_path else None,
        "warnings": dict(segment.warnings),
        "parts": [
            {
                "file": part.path.name,
                "type": part.id_type,
                "bytes": part.size,
                "ids": part.ids,
                "md5": part.md5,
            }
            for part in segment.parts
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def parse(text: str, folder: Path) -> Segment:
    """The segment of a manifest in `folder`; `ValueError` when it is none of ours."""
    try:
        return _segment(json.loads(text), folder)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a manifest: {exc}") from None


def _segment(document: dict[str, Any], folder: Path) -> Segment:
    if document["format"] != FORMAT:
        raise ValueError(f"manifest format {document['format']!r}")
    rejects = document["rejects_file"]
    renewed = document.get("renewed_at")  # older manifests have none
    return Segment(
        name=document["name"],
        version=document["version"],
        fingerprint=document["fingerprint"],
        ids_total=document["ids_total"],
        by_type={
            IdType(kind): TypeCounts(**counts) for kind, counts in document["by_type"].items()
        },
        parts=tuple(
            Part(
                path=folder / Path(part["file"]).name,
                id_type=IdType(part["type"]),
                size=part["bytes"],
                ids=part["ids"],
                md5=part["md5"],
            )
            for part in document["parts"]
        ),
        built_at=datetime.fromisoformat(document["built_at"]),
        folder=folder,
        rows_read=document["rows_read"],
        rows_with_id=document["rows_with_id"],
        excluded_rows=document["excluded_rows"],
        rejects=document["rejects"],
        rejects_path=folder / Path(rejects).name if rejects else None,
        warnings=document["warnings"],
        client=document["client"],
        source=document["source"],
        params=document["params"],
        seconds=document["seconds"],
        columns=tuple(
            ColumnCounts(**{**column, "id_type": IdType(column["id_type"])})
            for column in document.get("columns", [])  # older builds counted types only
        ),
        renewed_at=datetime.fromisoformat(renewed) if renewed else None,
    )
