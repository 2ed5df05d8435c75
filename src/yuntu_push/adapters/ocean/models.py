"""Values of the wire as ours: tolerant where the documents disagree, strict about ids.

An id may come as a number or as its digits in quotes; counters may be null; some fields have two
spellings; an unknown enum value is None, never a failure.
"""

from collections.abc import Mapping
from typing import Any

from yuntu_push.domain.channel import Brand
from yuntu_push.domain.platform import (
    AuthorizedAccount,
    ChangeLog,
    DeliveryStatus,
    RemoteAudience,
    RemoteDataSource,
    TokenAnswer,
)
from yuntu_push.domain.scrubbing import scrubbed

_DELIVERY_PREFIX = "CUSTOM_AUDIENCE_DELIVERY_STATUS_"
_SOURCE_PREFIX = "CUSTOM_AUDIENCE_TYPE_"
_EXACT_FLOAT = 2**53

Wire = Mapping[str, Any]


def number(value: object) -> int | None:
    """An integer of the wire (`12`, `"12"`, `12.0`), else None; digits are never lost."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT_FLOAT else None
    if isinstance(value, str):
        digits = value.strip()
        plain = digits.removeprefix("-")
        return int(digits) if plain.isascii() and plain.isdecimal() and len(plain) < 40 else None
    return None


def text(value: object) -> str:
    """A string of the wire; numbers become their digits, anything else is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def flag(value: object, *, default: bool) -> bool:
    """A truth of the wire: `true`, `1`, `"1"`, `"true"`; `default` when it says nothing."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.strip().lower() in {"1", "true"}
    counted = number(value)
    return default if counted is None else counted != 0


def record(value: object) -> Wire:
    """A JSON object; empty when there is none."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Wire]:
    """The objects of a JSON array; empty when there is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def numbers(value: object) -> list[int]:
    """The integers of a JSON array; empty when there is none."""
    found = [number(item) for item in value] if isinstance(value, list) else []
    return [item for item in found if item is not None]


def either(item: Wire, *names: str) -> Any:
    """The first of several spellings of a field that holds something."""
    return next((item[name] for name in names if item.get(name) is not None), None)


def token_answer(data: object) -> TokenAnswer | None:
    """The tokens of an exchange or refresh; None when any needed part is missing."""
    item = record(data)
    access, refresh = text(item.get("access_token")), text(item.get("refresh_token"))
    access_life = number(item.get("expires_in"))
    refresh_life = number(item.get("refresh_token_expires_in"))
    if not _token(access) or not _token(refresh) or access_life is None or refresh_life is None:
        return None
    return TokenAnswer(access, refresh, access_life, refresh_life)


def _token(value: str) -> bool:
    """Whether a token can travel in a header."""
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def authorized_account(item: Wire) -> AuthorizedAccount | None:
    """One entry of the authorised accounts; None when it has no id."""
    account_id = number(either(item, "account_id", "advertiser_id"))
    if account_id is None:
        return None
    companies = (
        number(each.get("customer_company_id")) for each in records(item.get("company_list"))
    )
    return AuthorizedAccount(
        account_id=account_id,
        name=text(either(item, "account_name", "advertiser_name")),
        account_type=text(item.get("account_type")) or _type_of_role(item),
        valid=flag(item.get("is_valid"), default=True),
        company_ids=tuple(each for each in companies if each is not None),
    )


def _type_of_role(item: Wire) -> str:
    """The account type of older answers, which had role numbers instead."""
    roles = {1: "ADVERTISER", 2: "CUSTOMER_ADMIN", 3: "AGENT", 4: "CHILD_AGENT"}
    role = number(item.get("advertiser_role"))
    return roles.get(role, text(item.get("account_role"))) if role is not None else ""


def brand(item: Wire) -> Brand | None:
    """A Yuntu brand; None without the id that copies go to."""
    brand_id, virtual = number(item.get("brand_id")), number(item.get("virtual_adv_id"))
    if brand_id is None or virtual is None:
        return None
    return Brand(brand_id=brand_id, brand_name=text(item.get("brand_name")), virtual_adv_id=virtual)


def audience(item: Wire) -> RemoteAudience | None:
    """A custom audience, of `read`, `select` or a data source's default; None without an id."""
    audience_id = number(item.get("custom_audience_id"))
    if not audience_id:
        return None
    return RemoteAudience(
        custom_audience_id=audience_id,
        name=text(item.get("name")),
        data_source_id=text(item.get("data_source_id")) or None,
        status=number(item.get("status")),
        delivery_status=_delivery(item.get("delivery_status")),
        push_status=number(item.get("push_status")),
        upload_num=number(item.get("upload_num")),
        cover_num=number(item.get("cover_num")),
        source=text(item.get("source")).removeprefix(_SOURCE_PREFIX),
        deleted=flag(item.get("isdel"), default=False),
        create_time=text(item.get("create_time")),
        modify_time=text(item.get("modify_time")),
        expiry_date=text(either(item, "expiry_date", "expire_date")),
    )


def _delivery(value: object) -> DeliveryStatus | None:
    try:
        return DeliveryStatus(text(value).removeprefix(_DELIVERY_PREFIX))
    except ValueError:
        return None


def data_source(item: Wire) -> RemoteDataSource | None:
    """A data source with its changes and default audience; None without an id."""
    source_id = text(item.get("data_source_id"))
    if not source_id:
        return None
    published = number(
        either(item, "lastest_published_change_log_id", "latest_published_change_log_id")
    )
    return RemoteDataSource(
        data_source_id=source_id,
        name=text(item.get("name")),
        status=number(item.get("status")),
        upload_num=number(item.get("upload_num")),
        cover_num=number(item.get("cover_num")),
        audience=audience(record(item.get("default_audience"))),
        change_logs=tuple(_change_log(each) for each in records(item.get("change_logs"))),
        published_change_log_id=None if published == -1 else published,
        published_time=text(either(item, "lastest_published_time", "latest_published_time")),
    )


def _change_log(item: Wire) -> ChangeLog:
    paths = item.get("file_paths")
    return ChangeLog(
        change_log_id=number(item.get("change_log_id")),
        action=number(item.get("action")),
        status=number(item.get("status")),
        message=scrubbed(text(item.get("message"))),
        file_paths=tuple(text(path) for path in paths) if isinstance(paths, list) else (),
    )
