"""The platform's return codes: the vendor's appendix (附录-返回码), and what was seen in use."""

from collections.abc import Mapping
from dataclasses import dataclass

from yuntu_push.domain import errors as e
from yuntu_push.domain.text import Text, msg


@dataclass(frozen=True)
class PlatformCode:
    """A code's meaning, the class of error we make of it, and its own next step, if any."""

    kind: type[e.YuntuPushError]
    meaning: Text
    step: Text | None = None


_LOGIN = msg("nothing as a rule: a fresh token is fetched; else `yuntu-push auth login CHANNEL`")
_RIGHT = msg(
    "have the permission DMP人群管理 granted to the application, then log in again with the "
    "account ticked: `yuntu-push auth login CHANNEL`"
)
_WAIT = msg("wait, or lower `api.rate` in the config; the platform's own hint is obeyed")

PLATFORM_CODES: Mapping[int, PlatformCode] = {
    0: PlatformCode(e.YuntuPushError, msg("success"), msg("nothing")),
    40000: PlatformCode(e.RefusedError, msg("a general error; the text tells more")),
    40001: PlatformCode(
        e.RefusedError, msg("a parameter is wrong, or a business rule forbids it; see the text")
    ),
    40002: PlatformCode(
        e.LoginError, msg("no permission (无权限) for this call or account"), _RIGHT
    ),
    40003: PlatformCode(e.RefusedError, msg("a field of the filter is wrong")),
    40004: PlatformCode(e.RefusedError, msg("a parameter is not accepted; rarely seen")),
    40100: PlatformCode(e.ThrottledError, msg("too many requests (请求过于频繁)"), _WAIT),
    40101: PlatformCode(e.LoginError, msg("the application is not a valid partner"), _RIGHT),
    40102: PlatformCode(e.LoginError, msg("the access token has expired"), _LOGIN),
    40103: PlatformCode(e.LoginError, msg("the refresh token has expired: 30 days without use")),
    40104: PlatformCode(e.LoginError, msg("the access token is missing"), _LOGIN),
    40105: PlatformCode(e.LoginError, msg("the access token is wrong or was replaced"), _LOGIN),
    40106: PlatformCode(
        e.LoginError, msg("the account's own login is out of order (账户登录异常)")
    ),
    40107: PlatformCode(
        e.LoginError, msg("the refresh token is wrong or was used already, perhaps elsewhere")
    ),
    40108: PlatformCode(
        e.LoginError,
        msg("the kind of grant is not accepted"),
        msg("set `api.grant_type: true` in the config, then log in again"),
    ),
    40109: PlatformCode(e.RefusedError, msg("a password could not be decrypted")),
    40110: PlatformCode(
        e.ThrottledError, msg("the application's limit for this call is reached"), _WAIT
    ),
    40113: PlatformCode(e.LoginError, msg("an authorisation error without public meaning"), _RIGHT),
    40115: PlatformCode(e.LoginError, msg("an authorisation error without public meaning"), _RIGHT),
    40118: PlatformCode(e.LoginError, msg("not authorised (未授权)"), _RIGHT),
    40119: PlatformCode(e.LoginError, msg("an authorisation error without public meaning"), _RIGHT),
    40130: PlatformCode(
        e.ThrottledError, msg("this account was inactive for 90 days and is limited"), _WAIT
    ),
    40200: PlatformCode(e.RefusedError, msg("a finance error")),
    40201: PlatformCode(e.RefusedError, msg("the balance does not suffice")),
    40300: PlatformCode(e.RefusedError, msg("the advertiser's state does not allow this")),
    40301: PlatformCode(e.RefusedError, msg("the advertiser is on a blacklist")),
    40302: PlatformCode(e.RefusedError, msg("account creation: the password is too simple")),
    40303: PlatformCode(e.RefusedError, msg("account creation: the e-mail exists already")),
    40304: PlatformCode(e.RefusedError, msg("account creation: the e-mail is invalid")),
    40305: PlatformCode(e.RefusedError, msg("account creation: the name exists already")),
    40501: PlatformCode(e.RefusedError, msg("the video was not found")),
    40900: PlatformCode(
        e.RefusedError,
        msg("the file's signature is wrong (文件签名错误): it was changed on its way"),
        msg("push again; if it stays so, build the segment again"),
    ),
    51007: PlatformCode(e.OutcomeUnknownError, msg("a query of material failed")),
    61002: PlatformCode(
        e.TryLaterError,
        msg("the application's calls of today are used up"),
        msg("it begins anew at midnight, Beijing time"),
    ),
    61003: PlatformCode(
        e.RefusedError, msg("the use of this legal subject's accounts is restricted")
    ),
}


def family(number: int) -> PlatformCode | None:
    """What a code that is not listed means by its range; None when it has none."""
    if 50000 <= number <= 59999:
        return PlatformCode(
            e.OutcomeUnknownError,
            msg("a failure inside the platform; it goes away by itself"),
        )
    if 40100 <= number <= 40199:
        return PlatformCode(
            e.LoginError, msg("an authorisation error without public meaning"), _RIGHT
        )
    return None
