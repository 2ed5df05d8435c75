"""Which permission group (权限点) of the developer console each endpoint needs."""

from yuntu_push.sandbox.declarations import declarations

ISV_GROUP = "云图服务商"
"""Only service providers of Yuntu can be granted it."""

_PREFIXES = (
    ("/open_api/oauth2/", ""),
    ("/open_api/2/user/", ""),
    ("/open_api/2/dmp/", "DMP人群管理"),
    ("/open_api/v1.0/qianchuan/shop/", "账号服务"),
    ("/open_api/v1.0/qianchuan/advertiser/", "账号服务"),
    ("/open_api/v1.0/qianchuan/", "巨量千川"),
    ("/open_api/v3.0/yuntu/", ISV_GROUP),
    ("/open_api/", "账号服务"),
)


def permission_for(key: str) -> str:
    """The group that "METHOD /path/" belongs to; empty when none is needed."""
    path = key.partition(" ")[2]
    return next(group for prefix, group in _PREFIXES if path.startswith(prefix))


def granted_paths(permissions: list[str]) -> list[str]:
    """The paths that a token with these groups may call."""
    return sorted(
        key.partition(" ")[2] for key in declarations() if permission_for(key) in {*permissions, ""}
    )
