"""Authorisations: codes, token pairs, their lifetimes and their replacement."""

import hashlib
import hmac
import secrets
from typing import Any

from yuntu_push.sandbox.answers import Code, Refused, no_permission, wrong_parameter
from yuntu_push.sandbox.records import AuthCode, Grant
from yuntu_push.sandbox.world import DAY, World

CODE_LIFE = 600.0
ACCESS_LIFE = DAY
REFRESH_LIFE = 30 * DAY


def fingerprint(token: str) -> str:
    """What the world keeps of a code or token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def issue_code(world: World, uid: int, accounts: list[int], *, material: bool) -> str:
    """A code for the accounts that a person ticked, good for ten minutes and one exchange."""
    code = secrets.token_hex(20)
    world.issued.append(code)
    state = world.state
    now = world.clock.now()
    state.codes = [each for each in state.codes if each.expires > now - DAY]
    state.codes.append(
        AuthCode(
            digest=fingerprint(code),
            uid=uid,
            accounts=accounts,
            permissions=list(state.app.permissions),
            material=material,
            expires=now + CODE_LIFE,
        )
    )
    return code


def check_application(world: World, app_id: int, secret: str) -> None:
    """Refuse an unknown application or a wrong secret."""
    app = world.state.app
    if app_id != app.app_id:
        raise Refused(Code.INVALID_PARTNER, f"无效的应用:app_id {app_id} 不存在")
    if not hmac.compare_digest(secret.encode(), app.secret.encode()):
        raise wrong_parameter("secret 与 app_id 不匹配")


def exchange_code(world: World, code: str) -> dict[str, Any]:
    """The token pair for a code; the login's earlier grant ends here."""
    now = world.clock.now()
    wanted = fingerprint(code)
    found = next((each for each in world.state.codes if each.digest == wanted), None)
    if found is None:
        raise no_permission("auth_code 无效")
    if found.used:
        raise no_permission("auth_code 已被使用,请重新授权")
    if now > found.expires:
        raise no_permission("auth_code 已过期(有效期 10 分钟),请重新授权")
    found.used = True
    grant = Grant(found.uid, found.accounts, found.permissions, found.material, "", 0, "", 0)
    world.state.grants[found.uid] = grant
    return {**_new_pair(world, grant, now), "advertiser_ids": list(grant.accounts)}


def refresh(world: World, refresh_token: str) -> dict[str, Any]:
    """A new pair; the old one is dead from now on."""
    now = world.clock.now()
    wanted = fingerprint(refresh_token)
    for grant in world.state.grants.values():
        if grant.refresh == wanted:
            if now > grant.refresh_expires:
                raise Refused(Code.REFRESH_TOKEN_EXPIRED, "refresh_token 已过期,请重新授权")
            grant.earlier = grant.access
            grant.earlier_expires = min(grant.access_expires, now + world.options.token_grace)
            return _new_pair(world, grant, now)
    raise Refused(Code.REFRESH_TOKEN_WRONG, "refresh_token 错误或已被使用")


def _new_pair(world: World, grant: Grant, now: float) -> dict[str, Any]:
    access, renewal = secrets.token_hex(20), secrets.token_hex(20)
    world.issued += [access, renewal]
    grant.access, grant.access_expires = fingerprint(access), now + ACCESS_LIFE
    grant.refresh, grant.refresh_expires = fingerprint(renewal), now + REFRESH_LIFE
    return {
        "access_token": access,
        "refresh_token": renewal,
        # One second less than the documented life, as seen on the real platform.
        "expires_in": int(ACCESS_LIFE) - 1,
        "refresh_token_expires_in": int(REFRESH_LIFE) - 1,
    }


def grant_of(world: World, access_token: str | None) -> Grant:
    """The live grant behind an access token."""
    if not access_token:
        raise Refused(Code.ACCESS_TOKEN_MISSING, "access_token 为空")
    wanted = fingerprint(access_token)
    for grant in world.state.grants.values():
        if grant.access == wanted:
            if world.clock.now() > grant.access_expires:
                raise Refused(Code.ACCESS_TOKEN_EXPIRED, "access_token 已过期")
            return grant
        if grant.earlier == wanted and world.clock.now() < grant.earlier_expires:
            return grant
    if wanted in world.state.revoked:
        raise Refused(world.options.revoked_code, "access_token 对应的授权已被取消")
    raise Refused(Code.ACCESS_TOKEN_WRONG, "access_token 错误或已失效")


def revoke(world: World, uid: int) -> None:
    """The person takes the authorisation back."""
    grant = world.state.grants.pop(uid, None)
    if grant is not None:
        world.state.revoked.append(grant.access)
