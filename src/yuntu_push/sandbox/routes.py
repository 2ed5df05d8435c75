"""Every endpoint that the sandbox answers, with what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from yuntu_push.sandbox.answers import Code, Refused
from yuntu_push.sandbox.declarations import Declaration, declarations
from yuntu_push.sandbox.endpoints import accounts, audiences, data_sources, oauth, qianchuan
from yuntu_push.sandbox.permissions import permission_for
from yuntu_push.sandbox.world import Call

Handler = Callable[[Call], Any]


class FileKind(Enum):
    """What a multipart endpoint does with its file before the handler runs."""

    NONE = auto()
    DMP = auto()
    QIANCHUAN = auto()
    QIANCHUAN_PART = auto()


@dataclass(frozen=True)
class Endpoint:
    """One method and path: its fields, its permission group, its handler."""

    declaration: Declaration
    permission: str
    handler: Handler
    file: FileKind = FileKind.NONE


def _isv_only(_call: Call) -> Any:
    raise Refused(Code.NOT_AUTHORISED, "未授权:该接口仅对云图服务商开放")


_DMP = "/open_api/2/dmp"
_QC = "/open_api/v1.0/qianchuan"
_HANDLERS: Mapping[str, Handler] = {
    "POST /open_api/oauth2/access_token/": oauth.access_token,
    "POST /open_api/oauth2/refresh_token/": oauth.refresh_token,
    "POST /open_api/oauth2/app_access_token/": oauth.app_access_token,
    "GET /open_api/oauth2/advertiser/get/": oauth.advertiser_get,
    "GET /open_api/2/user/info/": oauth.user_info,
    "GET /open_api/2/advertiser/info/": accounts.info,
    "GET /open_api/2/advertiser/public_info/": accounts.public_info,
    "GET /open_api/v3.0/customer_center/account/list/": accounts.workbench_accounts,
    "GET /open_api/2/customer_center/advertiser/list/": accounts.workbench_advertisers,
    "GET /open_api/2/agent/advertiser/select/": accounts.agent_advertisers,
    "GET /open_api/2/agent/child_agent/select/": accounts.child_agents,
    "GET /open_api/2/ebp/advertiser/list/": accounts.enterprise_accounts,
    f"GET {_DMP}/brand/get/": data_sources.brands,
    f"POST {_DMP}/data_source/file/upload/": data_sources.upload,
    f"POST {_DMP}/data_source/create/": data_sources.create,
    f"POST {_DMP}/data_source/update/": data_sources.update,
    f"GET {_DMP}/data_source/read/": data_sources.read,
    f"POST {_DMP}/custom_audience/publish/": audiences.publish,
    f"POST {_DMP}/custom_audience/push_v2/": audiences.push,
    f"POST {_DMP}/custom_audience/copy/": audiences.copy,
    f"GET {_DMP}/custom_audience/read/": audiences.read,
    f"GET {_DMP}/custom_audience/select/": audiences.select,
    f"POST {_DMP}/custom_audience/delete/": audiences.delete,
    f"GET {_QC}/shop/advertiser/list/": accounts.shop_advertisers,
    f"GET {_QC}/advertiser/type/get/": accounts.qianchuan_types,
    f"POST {_QC}/audience_file/upload/": qianchuan.upload,
    f"POST {_QC}/audience_file/part_upload/": qianchuan.part_upload,
    f"POST {_QC}/audience/create_by_file/": qianchuan.create,
    f"POST {_QC}/audience/push/": qianchuan.push,
    f"GET {_QC}/audience_list/get/": qianchuan.audience_list,
    f"GET {_QC}/audience_group/get/": qianchuan.groups,
    f"POST {_QC}/audience/delete/": qianchuan.delete,
}
_FILES: Mapping[str, FileKind] = {
    f"POST {_DMP}/data_source/file/upload/": FileKind.DMP,
    f"POST {_QC}/audience_file/upload/": FileKind.QIANCHUAN,
    f"POST {_QC}/audience_file/part_upload/": FileKind.QIANCHUAN_PART,
}


def endpoints() -> dict[str, Endpoint]:
    """Every declared endpoint by "METHOD /path/"; those for service providers refuse."""
    return {
        key: Endpoint(
            declaration,
            permission_for(key),
            _HANDLERS.get(key, _isv_only),
            _FILES.get(key, FileKind.NONE),
        )
        for key, declaration in declarations().items()
    }
