"""One good request for every endpoint, and a world in which each has something to answer about."""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from support.ocean_table import TABLE
from support.sandbox import (
    AGENT,
    BRAND,
    ENTERPRISE,
    OTHER_SUBJECT,
    OWNER,
    QIANCHUAN,
    SECOND_OWNER,
    SHOP,
    WORKBENCH,
    Sandbox,
    local_sandbox,
    phone_zip,
)


def plain_zip(*lines: str) -> bytes:
    """A zip as Qianchuan takes it: one id a line."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ids.txt", "\n".join(lines))
    return buffer.getvalue()


@dataclass
class World:
    """A world in which every endpoint has something to answer about."""

    sb: Sandbox
    token: str
    refresh: str
    path: str
    source: str
    audience: int
    fresh: int
    file_key: str
    qc_audience: int

    def send(self, key: str, values: dict[str, Any]) -> dict[str, Any]:
        """Send a request with the fields where they belong; the envelope."""
        method, path = key.split(" ")
        token = self.token if TABLE[key]["access_token_header"] else None
        headers = {"Access-Token": token} if token else {}
        if "form" in TABLE[key]:
            files = {k: ("x.zip", v) for k, v in values.items() if isinstance(v, bytes)}
            data = {k: text(v) for k, v in values.items() if not isinstance(v, bytes)}
            if not files:  # stays multipart
                data, files = {}, {k: (None, v.encode()) for k, v in data.items()}  # type: ignore[misc]
            answer = self.sb.raw(method, path, data=data, files=files, headers=headers)
        elif method == "POST":
            answer = self.sb.raw(method, path, json=values, headers=headers)
        else:
            pairs = {k: text(v) for k, v in values.items()}
            answer = self.sb.raw(method, path, params=pairs, headers=headers)
        assert answer.status_code == 200
        envelope: dict[str, Any] = answer.json()
        return envelope


def text(value: Any) -> str:
    """A value as queries and forms carry it: strings raw, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@contextlib.contextmanager
def sample_world() -> Iterator[World]:
    """A world with an available audience, one that is only pushed, a file and one of Qianchuan."""
    with local_sandbox() as sb:
        tokens = sb.authorize()
        token = tokens.access
        audience = sb.available(token, phone_zip(0, 50))
        fresh = sb.audience(token, phone_zip(0, 20))
        sb.post(
            "2/dmp/custom_audience/push_v2/",
            {
                "advertiser_id": OWNER,
                "custom_audience_id": fresh,
                "target_advertiser_ids": [OWNER],
            },
            token,
        )
        key = sb.upload(
            token,
            plain_zip("1" * 15),
            advertiser_id=QIANCHUAN,
            path="v1.0/qianchuan/audience_file/upload/",
            signature=None,
        )["data"]["file_key"]
        body = {
            "advertiser_id": QIANCHUAN,
            "audience_name": "a",
            "audience_group": "g",
            "data_type": 1,
            "match_type": "UID",
            "file_key": key,
        }
        made = sb.post("v1.0/qianchuan/audience/create_by_file/", body, token)
        sb.advance(60)
        yield World(
            sb,
            token,
            tokens.refresh,
            sb.file_path(token, phone_zip(0, 5)),
            sb.state()["data_sources"][1]["id"],
            audience,
            fresh,
            key,
            made["data"]["audience_id"],
        )


SAMPLES: dict[str, Callable[[World], dict[str, Any]]] = {
    "POST /open_api/oauth2/access_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
        "auth_code": w.sb.control("authorize", uid=1801000000000002)["auth_code"],
    },
    "POST /open_api/oauth2/app_access_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
    },
    "GET /open_api/oauth2/advertiser/get/": lambda w: {"access_token": w.token},
    "GET /open_api/2/user/info/": lambda _: {},
    "GET /open_api/2/advertiser/info/": lambda _: {"advertiser_ids": [OWNER, OTHER_SUBJECT]},
    "GET /open_api/2/advertiser/public_info/": lambda _: {"advertiser_ids": [OWNER, 5]},
    "GET /open_api/v3.0/customer_center/account/list/": lambda _: {
        "account_id": WORKBENCH,
        "filter": {"account_type": "AD", "account_name": "门店"},
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/customer_center/advertiser/list/": lambda _: {
        "cc_account_id": WORKBENCH,
        "account_source": "AD",
        "filtering": {"account_name": "门店"},
        "page": 1,
        "page_size": 3,
    },
    "GET /open_api/2/agent/advertiser/select/": lambda _: {
        "advertiser_id": AGENT,
        "filtering": {"advertiser_ids": [AGENT + 11]},
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/agent/child_agent/select/": lambda _: {
        "advertiser_id": AGENT,
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/ebp/advertiser/list/": lambda _: {
        "enterprise_organization_id": ENTERPRISE,
        "account_source": "AD",
        "filtering": {"account_name": "系列", "active_account": True},
        "page": 1,
        "page_size": 3,
    },
    "GET /open_api/2/dmp/brand/get/": lambda _: {"advertiser_id": OWNER},
    "POST /open_api/2/dmp/data_source/file/upload/": lambda _: {
        "advertiser_id": OWNER,
        "file": phone_zip(0, 3),
    },
    "POST /open_api/2/dmp/data_source/create/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_name": "会员",
        "description": "每日",
        "data_format": 0,
        "file_storage_type": 0,
        "data_source_type": "UID",
        "file_paths": [w.path],
    },
    "POST /open_api/2/dmp/data_source/update/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_id": w.source,
        "operation_type": 1,
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [w.path],
    },
    "GET /open_api/2/dmp/data_source/read/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_id_list": [w.source],
    },
    "POST /open_api/2/dmp/custom_audience/publish/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
    },
    "POST /open_api/2/dmp/custom_audience/push_v2/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
        "target_advertiser_ids": [OWNER, SECOND_OWNER],
    },
    "POST /open_api/2/dmp/custom_audience/copy/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.audience,
        "to_advertiser_id": BRAND,
    },
    "GET /open_api/2/dmp/custom_audience/read/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_ids": [w.audience],
    },
    "GET /open_api/2/dmp/custom_audience/select/": lambda _: {
        "advertiser_id": OWNER,
        "select_type": 0,
        "offset": 0,
        "limit": 100,
    },
    "GET /open_api/v1.0/qianchuan/shop/advertiser/list/": lambda _: {
        "shop_id": SHOP,
        "permission": ["QC_AWEME"],
        "page": 1,
        "page_size": 10,
    },
    "GET /open_api/v1.0/qianchuan/advertiser/type/get/": lambda _: {"advertiser_ids": [QIANCHUAN]},
    "POST /open_api/v1.0/qianchuan/audience_file/upload/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "file": plain_zip("1" * 15),
    },
    "POST /open_api/v1.0/qianchuan/audience_file/part_upload/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "part_num": 0,
        "is_finished": 1,
        "file": plain_zip("1" * 15),
    },
    "POST /open_api/v1.0/qianchuan/audience/create_by_file/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_name": "名单",
        "audience_group": "分组",
        "data_type": 14,
        "match_type": "UID",
        "file_key": w.file_key,
    },
    "POST /open_api/v1.0/qianchuan/audience/push/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_id": w.qc_audience,
        "account_type": "NO_LOCAL",
        "adv_ids": [QIANCHUAN + 1],
        "is_for_brand": 1,
    },
    "GET /open_api/v1.0/qianchuan/audience_list/get/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "filtering": {"audience_type": ["UPLOAD"], "audience_name": "a"},
        "page": 1,
        "page_size": 20,
    },
    "GET /open_api/v1.0/qianchuan/audience_group/get/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "filtering": {"name": "g"},
    },
    # These two end something, so they come last.
    "POST /open_api/2/dmp/custom_audience/delete/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
    },
    "POST /open_api/v1.0/qianchuan/audience/delete/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_id": w.qc_audience,
    },
    "POST /open_api/oauth2/refresh_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
        "refresh_token": w.refresh,
    },
}
