"""The shapes of what segments and pushes answer; see `contract`."""

from typing import Any, Literal, NotRequired, TypedDict

PushStateName = Literal[
    "pending",
    "running",
    "waiting",
    "succeeded",
    "partial",
    "failed",
    "cancelled",
    "superseded",
    "needs_operator",
    "stalled",
]
BrandStateName = Literal["pending", "submitted", "confirmed", "failed", "needs_operator"]
StepWord = Literal[
    "upload",
    "create_data_source",
    "update_data_source",
    "parse",
    "share",
    "publish",
    "activate",
    "copy",
    "verify",
]


class TypeCounts(TypedDict):
    """What became of one id type's values."""

    values: int
    blank: int
    hashed_by_us: int
    already_hashed: int
    rejected: int
    duplicates: int
    ids: int


class PartData(TypedDict):
    """One upload-ready file."""

    path: str
    type: str
    bytes: int
    ids: int
    md5: str


class SegmentData(TypedDict):
    """`segment build`, `segment show`; with `--dry-run` there is no version and no `built_at`.

    In `columns`, `ids` is null where columns share a type, whose ids are counted together.
    """

    name: str
    version: int | None
    fingerprint: str
    rows_read: int
    rows_with_id: int
    excluded_rows: int
    ids_total: int
    by_type: dict[str, TypeCounts]
    rejects: dict[str, int]
    rejects_path: str | None
    parts: list[PartData]
    built_at: str | None
    seconds: float
    columns: NotRequired[list[dict[str, Any]]]
    would_fail: NotRequired[dict[str, Any] | None]


class SegmentSummary(TypedDict):
    """A version of a segment in short."""

    name: str
    version: int
    fingerprint: str
    ids_total: int
    id_types: list[str]
    parts: int
    bytes: int
    built_at: str


class SegmentsData(TypedDict):
    """`segment list`, `segment remove`."""

    segments: list[SegmentSummary]


class PushAccount(TypedDict):
    """The owner (推送账户) of a push."""

    advertiser_id: str
    name: str


class PushBrand(TypedDict):
    """A brand of a push and how far it is.

    `copy_due` is false where the copy policy makes no copy of this content: what is in Yuntu, if
    anything, is the snapshot of `submitted_at`.
    """

    brand_id: str
    brand_name: str
    virtual_adv_id: str
    state: BrandStateName
    yuntu_audience_id: str | None
    copy_due: bool
    submitted_at: str | None
    error: dict[str, Any] | None


class PushTarget(TypedDict):
    """A target (投放账户) of a push and how far it is."""

    advertiser_id: str
    state: Literal["pending", "shared", "failed"]
    error: dict[str, Any] | None


class PushStep(TypedDict):
    """One step of a push."""

    name: StepWord
    state: Literal["pending", "running", "waiting", "succeeded", "failed", "needs_operator"]
    attempts: int
    started_at: str | None
    finished_at: str | None
    error: dict[str, Any] | None


class PushCopy(TypedDict):
    """One copy in a Yuntu brand: a snapshot of what a push brought; not `sure` when nobody saw."""

    brand_id: str
    brand_name: str
    copied_at: str
    push_id: str
    segment: str
    segment_version: int
    current: bool
    sure: bool


class PushData(TypedDict):
    """`push create`, `push status`, `push resume` and every command on one push."""

    push_id: str
    name: str
    audience_name: str
    channel: str
    channel_kind: str
    segment: str
    segment_version: int
    audience_type: str
    id_types: list[str]
    account: PushAccount
    brands: list[PushBrand]
    targets: list[PushTarget]
    mode: Literal["create", "reset", "append", "remove", "mirror"]
    entry: str | None
    follows: str | None
    state: PushStateName
    step: StepWord
    steps: list[PushStep]
    data_source_id: str | None
    custom_audience_id: str | None
    delivery_status: str | None
    upload_num: int | None
    cover_num: int | None
    reason: str | None
    next_action: str | None
    next_at: str | None
    expected_end: str | None
    created_at: str
    updated_at: str
    error: dict[str, Any] | None
    copies: NotRequired[list[PushCopy]]
    remains: NotRequired[list[str]]
    dry_run: NotRequired[bool]


class PushesData(TypedDict):
    """`push list`, `push status` without a push, `push resume --all`."""

    pushes: list[PushData]


class AudienceData(TypedDict):
    """`audience show`, `audience delete`; `state` is ours, `delivery_status` the platform's."""

    channel: str
    advertiser_id: str
    custom_audience_id: str
    name: str
    source: str
    state: str
    delivery_status: str | None
    upload_num: int | None
    cover_num: int | None
    data_source_id: str | None
    created_at: str | None
    expires_on: str | None
    expires_soon: bool
    pushes: list[str]


class AudiencesData(TypedDict):
    """`audience list`."""

    audiences: list[AudienceData]
