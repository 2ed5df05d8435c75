"""`oauth2/*` and `2/user/info`."""

import secrets
from typing import Any

from yuntu_push.sandbox.grants import (
    ACCESS_LIFE,
    check_application,
    exchange_code,
    grant_of,
    refresh,
)
from yuntu_push.sandbox.permissions import granted_paths
from yuntu_push.sandbox.records import Account, Kind
from yuntu_push.sandbox.world import Call

_ROLES = {
    Kind.ADVERTISER: 1,
    Kind.WORKBENCH: 2,
    Kind.ENTERPRISE: 2,
    Kind.AGENT: 3,
    Kind.CHILD_AGENT: 4,
    Kind.SHOP: 1,
}


def access_token(call: Call) -> dict[str, Any]:
    """A code for a token pair."""
    check_application(call.world, call.fields["app_id"], call.fields["secret"])
    return exchange_code(call.world, call.fields["auth_code"])


def refresh_token(call: Call) -> dict[str, Any]:
    """A refresh token for a new pair."""
    check_application(call.world, call.fields["app_id"], call.fields["secret"])
    return refresh(call.world, call.fields["refresh_token"])


def app_access_token(call: Call) -> dict[str, Any]:
    """A token of the application itself; no endpoint here takes it."""
    check_application(call.world, call.fields["app_id"], call.fields["secret"])
    return {"access_token": secrets.token_hex(20), "expires_in": int(ACCESS_LIFE) - 1}


def advertiser_get(call: Call) -> dict[str, Any]:
    """The accounts that were ticked, each as it is now; the token travels in the query."""
    token = call.fields.get("access_token") or call.access_token
    grant = grant_of(call.world, token)
    accounts = call.world.state.accounts
    return {"list": [_authorised(accounts[number]) for number in grant.accounts]}


def _authorised(account: Account) -> dict[str, Any]:
    item: dict[str, Any] = {
        "account_id": account.id,
        "account_name": account.name,
        "account_role": account.kind.value,
        "account_type": account.kind.value,
        "account_string_id": "",
        "advertiser_id": account.id,
        "advertiser_name": account.name,
        "advertiser_role": _ROLES[account.kind],
        "is_valid": account.valid,
    }
    if account.kind in (Kind.AGENT, Kind.CHILD_AGENT):
        item["company_list"] = []
    return item


def user_info(call: Call) -> dict[str, Any]:
    """Who authorised, and what the token may do."""
    assert call.grant is not None
    login = call.world.state.logins[call.grant.uid]
    return {
        "id": login.uid,
        "app_id": call.world.state.app.app_id,
        "display_name": login.name,
        "email": login.email,
        "material_auth_status": call.grant.material,
        "token_scope_list": [100 + n for n, _ in enumerate(call.grant.permissions)],
        "token_api_list": granted_paths(call.grant.permissions),
    }
