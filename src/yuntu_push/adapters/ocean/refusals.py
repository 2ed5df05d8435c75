"""What the platform's codes and words mean to us.

Codes: the vendor's appendix of return codes. Business rules have no codes of their own: they come
as parameter or permission errors whose text alone tells them apart. Nobody has written down these
texts, so `_RULES` looks for a rule's marks only in the answers where that rule can apply; a text it
does not know stays a plain refusal, which is never wrong.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from yuntu_push.domain.audience import AUDIENCE_GONE_HINT
from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.quota import next_midnight
from yuntu_push.domain.text import Text, msg

THROTTLED = {40100, 40110, 40130}
_LOGIN = {40102, 40103, 40104, 40105, 40106, 40107}
_RIGHT = {40002, 40101, 40113, 40115, 40118, 40119}
_ACCOUNT = {40300, 40301, 61003}
_DAY_QUOTA = 61002
_SIGNATURE = 40900


@dataclass(frozen=True)
class Refusal:
    """A non-zero answer: its code, its words, and when to come back, if it said so."""

    code: int
    text: str
    request_id: str | None
    retry_in: float | None = None


@dataclass(frozen=True)
class Scene:
    """Where a refusal happened: the endpoint, the channel, the platform's time."""

    path: str
    channel: str
    now: datetime


def error(refusal: Refusal, scene: Scene) -> YuntuPushError:
    """The typed error for a refusal."""
    code = refusal.code
    if code in THROTTLED:
        return _throttled(refusal, scene)
    if 50000 <= code <= 59999:
        return _made(OutcomeUnknownError, "PLATFORM_SERVER_ERROR", _failed, refusal, _AGAIN)
    if code in _LOGIN:
        return _made(LoginError, "AUTH_LOGIN_REQUIRED", _login_needed, refusal, login_hint(scene))
    if code == _DAY_QUOTA:
        return _quota("CALL_QUOTA", refusal, scene)
    for rule in _RULES:
        if rule.applies(scene.path, refusal.text):
            return rule.error(refusal, scene)
    if code in _RIGHT:
        return _made(LoginError, "AUTH_RIGHT_MISSING", _no_right, refusal, _right_hint(scene))
    if code in _ACCOUNT:
        return _made(RefusedError, "ACCOUNT_BLOCKED", _refused, refusal, _ACCOUNT_HINT)
    if code == _SIGNATURE:
        return _made(RefusedError, "UPLOAD_SIGNATURE", _refused, refusal, _SIGNATURE_HINT)
    return _made(RefusedError, "PLATFORM_REFUSED", _refused, refusal, _explain_hint(code))


def login_hint(scene: Scene) -> Text:
    """The next step when only a new authorisation helps."""
    return msg("log in again: `yuntu-push auth login {channel}`", channel=scene.channel)


_AGAIN = msg("run the same command again in a few minutes; nothing is done twice")
_ACCOUNT_HINT = msg("look at the account's state in the Ocean Engine back office")
_SIGNATURE_HINT = msg("check the parts with `yuntu-push segment verify NAME`, then push again")


def _explain_hint(code: int) -> Text:
    return msg(
        "`yuntu-push explain {code}` tells what the code means; keep the request id", code=str(code)
    )


def _refused(text: str) -> Text:
    return msg("the platform refused: {text}", text=text)


def _failed(text: str) -> Text:
    return msg("the platform failed: {text}", text=text)


def _login_needed(text: str) -> Text:
    return msg("the login is no longer accepted: {text}", text=text)


def _no_right(text: str) -> Text:
    return msg("the login or the application lacks a right: {text}", text=text)


def _made(
    kind: Callable[..., YuntuPushError],
    code: str,
    sentence: Callable[[str], Text],
    refusal: Refusal,
    hint: Text,
) -> YuntuPushError:
    return kind(
        code,
        sentence(refusal.text or str(refusal.code)),
        hint=hint,
        platform_code=refusal.code,
        request_id=refusal.request_id,
    )


def _throttled(refusal: Refusal, scene: Scene) -> ThrottledError:
    wait = refusal.retry_in
    return ThrottledError(
        "PLATFORM_THROTTLED",
        msg("the platform asks to slow down: {text}", text=refusal.text),
        retry_in=wait,
        hint=msg("run the same command again in a few minutes"),
        platform_code=refusal.code,
        request_id=refusal.request_id,
        next_at=scene.now + timedelta(seconds=wait) if wait is not None else None,
    )


def _quota(code: str, refusal: Refusal, scene: Scene) -> TryLaterError:
    return TryLaterError(
        code,
        msg("a daily quota of the platform is used up: {text}", text=refusal.text),
        hint=msg("it begins anew at midnight, Beijing time; `push resume` goes on then"),
        platform_code=refusal.code,
        request_id=refusal.request_id,
        next_at=next_midnight(scene.now),
    )


def _right_hint(scene: Scene) -> Text:
    return msg(
        "the application needs the permission DMP人群管理 and the login must cover this account; "
        "a new right counts only after `yuntu-push auth login {channel}`",
        channel=scene.channel,
    )


@dataclass(frozen=True)
class _Rule:
    """A business rule: where it can be met (end of the path), its marks in the text, its error."""

    paths: tuple[str, ...]
    marks: tuple[re.Pattern[str], ...]
    make: Callable[[Refusal, Scene], YuntuPushError]

    def applies(self, path: str, text: str) -> bool:
        """Whether all marks of the rule stand in a text about a path where it can be met."""
        return path.endswith(self.paths) and all(mark.search(text) for mark in self.marks)

    def error(self, refusal: Refusal, scene: Scene) -> YuntuPushError:
        """The error of this rule."""
        return self.make(refusal, scene)


def _marks(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _permanent(code: str, hint: Text) -> Callable[[Refusal, Scene], YuntuPushError]:
    return lambda refusal, _scene: _made(RefusedError, code, _refused, refusal, hint)


def _publish_window(refusal: Refusal, _scene: Scene) -> TryLaterError:
    # When the window opens is known to our own record of publishes, not to this answer.
    return TryLaterError(
        "PUBLISH_WINDOW",
        msg("this audience was published within the last 24 hours: {text}", text=refusal.text),
        hint=msg("nothing to do: `yuntu-push push resume --all` publishes once the window opens"),
        platform_code=refusal.code,
        request_id=refusal.request_id,
    )


def _not_ready(refusal: Refusal, _scene: Scene) -> TryLaterError:
    return TryLaterError(
        "AUDIENCE_NOT_READY",
        msg("the audience is not ready for this yet: {text}", text=refusal.text),
        hint=msg("the platform is still working; `yuntu-push push resume --all` goes on"),
        platform_code=refusal.code,
        request_id=refusal.request_id,
    )


def _not_bound(refusal: Refusal, scene: Scene) -> LoginError:
    return LoginError(
        "YUNTU_NOT_BOUND",
        msg("the account is not bound to this Yuntu brand: {text}", text=refusal.text),
        hint=msg(
            "let the Yuntu administrator bind it, then run `yuntu-push accounts refresh {channel}`",
            channel=scene.channel,
        ),
        platform_code=refusal.code,
        request_id=refusal.request_id,
    )


_LIMIT = r"上限|超过|超出|达到|用完|用尽|次数|额度|配额|quota|limit|exceed|too many"
_RULES = (
    _Rule(
        ("custom_audience/publish/",),
        _marks(r"24\s*(小时|h\b|hours?)|一天|每天|once|频繁|too (soon|often)"),
        _publish_window,
    ),
    _Rule(
        ("data_source/create/", "audience/create_by_file/"),
        _marks(r"今日|当日|每日|每天|一天|天内|daily|per day|a day|today", _LIMIT),
        lambda refusal, scene: _quota("CREATE_QUOTA", refusal, scene),
    ),
    _Rule(
        ("data_source/update/",),
        _marks(r"今日|当日|每日|每天|一天|天内|daily|per day|a day|today", _LIMIT),
        lambda refusal, scene: _quota("UPDATE_QUOTA", refusal, scene),
    ),
    _Rule(
        ("custom_audience/push_v2/", "audience/push/"),
        _marks(
            r"主体|subject|company", r"不同|不一致|不是|非同|不属于|需要?.*(同|一致)|same|differ"
        ),
        _permanent(
            "OTHER_SUBJECT",
            msg("push only to accounts of the owner's legal subject (主体)"),
        ),
    ),
    _Rule(
        ("custom_audience/copy/",),
        _marks(r"云图|品牌|brand|yuntu", r"未.*绑|没有?绑|无绑|解绑|not bound|unbound|not bind"),
        _not_bound,
    ),
    _Rule(
        ("custom_audience/copy/", "custom_audience/publish/", "custom_audience/push_v2/"),
        _marks(
            r"人群|audience|数据源",
            r"尚未|未发布|未生效|未完成|不可用|解析中|处理中|not (ready|available|published)",
        ),
        _not_ready,
    ),
    _Rule(
        ("data_source/create/", "data_source/update/", "audience/create_by_file/"),
        _marks(r"file_?(path|key)s?|文件", r"过期|失效|不存在|expired|not (exist|found)"),
        _permanent(
            "UPLOAD_EXPIRED",
            msg("uploads are kept for 14 days; the parts have to be uploaded again"),
        ),
    ),
    _Rule(
        ("data_source/create/", "audience/create_by_file/"),
        _marks(r"名称|name", r"已存在|重复|exists?|duplicate"),
        _permanent("NAME_TAKEN", msg("choose another name for the push")),
    ),
    _Rule(
        ("data_source/create/", "audience/create_by_file/"),
        _marks(r"名称|name", r"长度|过长|超过|字符|too long|length|characters"),
        _permanent("NAME_TOO_LONG", msg("choose a shorter name for the push")),
    ),
    _Rule(
        ("custom_audience/publish/", "custom_audience/push_v2/", "custom_audience/copy/"),
        _marks(r"覆盖|人数|cover|size", r"过少|太少|不足|少于|过小|too (few|small)|less than"),
        _permanent(
            "AUDIENCE_TOO_SMALL",
            msg("check the id types, or make the segment larger"),
        ),
    ),
    _Rule(
        (
            "data_source/update/",
            "custom_audience/publish/",
            "custom_audience/push_v2/",
            "custom_audience/copy/",
        ),
        _marks(r"人群|audience|数据源|data.?source", r"已.?删除|被删除|\bdeleted"),
        _permanent("DATA_SOURCE_GONE", AUDIENCE_GONE_HINT),
    ),
    _Rule(
        ("custom_audience/publish/", "custom_audience/push_v2/", "custom_audience/copy/"),
        _marks(r"人群|audience", r"已.?过期|\bexpired"),
        _permanent("DATA_SOURCE_GONE", AUDIENCE_GONE_HINT),
    ),
    _Rule(
        ("custom_audience/delete/",),
        _marks(
            r"计划|广告|项目|投放|\bplan|\bad\b|campaign",
            r"使用|占用|引用|绑定|关联|in use|used|bound",
        ),
        _permanent(
            "AUDIENCE_IN_USE",
            msg("take it out of the ad plans that use it, or delete these, then delete it again"),
        ),
    ),
    _Rule(
        ("data_source/file/upload/", "audience_file/upload/", "audience_file/part_upload/"),
        _marks(r"超时|time.?out|too slow"),
        lambda refusal, _scene: _made(
            OutcomeUnknownError, "PLATFORM_TIMEOUT", _failed, refusal, _AGAIN
        ),
    ),
)
