"""What the vendor's documents ask of fields beyond the declared types."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """Bounds of one field: of its length, its number of items, or its value."""

    required: bool = False
    chars: int | None = None
    items: tuple[int, int] | None = None
    values: tuple[int, int] | None = None
    one_of: frozenset[int] | None = None
    unit: bool = False
    """Whether `chars` is counted in the unit the options name."""


_PAGE = {"page": Limit(values=(1, 10_000)), "page_size": Limit(values=(1, 100))}
_ID = {"advertiser_id": Limit(required=True)}
_QIANCHUAN_TYPES = frozenset({1, 2, 3, 4, 5, 11, 12, 14, 15, 16, 17, 18})
_ADVERTISERS = {"advertiser_ids": Limit(required=True, items=(1, 100))}

LIMITS: dict[str, dict[str, Limit]] = {
    "POST /open_api/oauth2/access_token/": {"app_id": Limit(required=True)},
    "POST /open_api/oauth2/refresh_token/": {"app_id": Limit(required=True)},
    "GET /open_api/2/advertiser/info/": _ADVERTISERS,
    "GET /open_api/2/advertiser/public_info/": _ADVERTISERS,
    "GET /open_api/v3.0/customer_center/account/list/": _PAGE,
    "GET /open_api/2/customer_center/advertiser/list/": {
        "cc_account_id": Limit(required=True),
        **_PAGE,
    },
    "GET /open_api/2/agent/advertiser/select/": {
        **_ID,
        **_PAGE,
        "count": Limit(values=(1, 100)),
        "cursor": Limit(values=(0, 1 << 62)),
    },
    "GET /open_api/2/agent/child_agent/select/": _PAGE,
    "GET /open_api/2/ebp/advertiser/list/": _PAGE,
    "GET /open_api/2/dmp/brand/get/": _ID,
    "POST /open_api/2/dmp/data_source/create/": {
        "data_source_name": Limit(chars=30, unit=True),
        "description": Limit(chars=256),
        "file_paths": Limit(items=(1, 1000)),
    },
    "POST /open_api/2/dmp/data_source/update/": {"file_paths": Limit(items=(1, 1000))},
    "GET /open_api/2/dmp/data_source/read/": {
        **_ID,
        "data_source_id_list": Limit(required=True, items=(1, 400)),
    },
    "POST /open_api/2/dmp/custom_audience/push_v2/": {
        "target_advertiser_ids": Limit(items=(1, 100))
    },
    "GET /open_api/2/dmp/custom_audience/read/": {"custom_audience_ids": Limit(items=(1, 100))},
    "GET /open_api/2/dmp/custom_audience/select/": {
        "offset": Limit(values=(0, 1 << 31)),
        "limit": Limit(values=(1, 100)),
    },
    "GET /open_api/v1.0/qianchuan/shop/advertiser/list/": _PAGE,
    "GET /open_api/v1.0/qianchuan/advertiser/type/get/": {
        "advertiser_ids": Limit(items=(1, 20)),
    },
    "POST /open_api/v1.0/qianchuan/audience_file/part_upload/": {
        "part_num": Limit(values=(0, 9_999)),
        "is_finished": Limit(one_of=frozenset({0, 1})),
    },
    "POST /open_api/v1.0/qianchuan/audience/create_by_file/": {
        "audience_name": Limit(chars=30, unit=True),
        "data_type": Limit(one_of=_QIANCHUAN_TYPES),
    },
    "POST /open_api/v1.0/qianchuan/audience/push/": {
        "is_for_brand": Limit(one_of=frozenset({0, 1}))
    },
    "GET /open_api/v1.0/qianchuan/audience_list/get/": _PAGE,
}

LEGACY_FIELDS: dict[str, frozenset[str]] = {
    "POST /open_api/oauth2/access_token/": frozenset({"grant_type"}),
    "POST /open_api/oauth2/refresh_token/": frozenset({"grant_type"}),
    "GET /open_api/oauth2/advertiser/get/": frozenset({"app_id", "secret"}),
}
"""Fields of older documents that are still sent; accepted, and but for these not looked at."""

GRANT_TYPES = {
    "POST /open_api/oauth2/access_token/": "auth_code",
    "POST /open_api/oauth2/refresh_token/": "refresh_token",
}
"""What `grant_type` has to be where it is sent."""
