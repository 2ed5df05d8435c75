"""The account tree: authorised accounts, and the advertisers under their containers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from yuntu_push.adapters.ocean import envelope, models
from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.adapters.ocean.transport import Call
from yuntu_push.domain.channel import Account, ChannelKind
from yuntu_push.domain.errors import LoginError, RefusedError
from yuntu_push.domain.platform import AuthorizedAccount, Expansion

AUTHORIZED = "/open_api/oauth2/advertiser/get/"
WORKBENCH = "/open_api/v3.0/customer_center/account/list/"
OLD_WORKBENCH = "/open_api/2/customer_center/advertiser/list/"
AGENT = "/open_api/2/agent/advertiser/select/"
CHILD_AGENTS = "/open_api/2/agent/child_agent/select/"
ENTERPRISE = "/open_api/2/ebp/advertiser/list/"
SHOP = "/open_api/v1.0/qianchuan/shop/advertiser/list/"
PUBLIC_INFO = "/open_api/2/advertiser/public_info/"

PAGE_SIZE = 100
MOST_BY_PAGE = 10_000  # page × page_size; beyond it only cursors go on, where there are any
MOST_BY_CURSOR = 100_000  # our own bound: nobody picks from a longer list
INFO_BATCH = 100
MOST_REFUSALS = 16  # two unreadable ids in a batch of a hundred cost about that many


@dataclass(frozen=True)
class _Listing:
    """How one kind of container is read."""

    path: str
    container: str
    rows: str
    source: Callable[[str], dict[str, object]]


_LISTINGS = {
    "workbench": _Listing(
        WORKBENCH, "account_id", "accounts", lambda s: {"filter": {"account_type": s}}
    ),
    "old workbench": _Listing(
        OLD_WORKBENCH, "cc_account_id", "list", lambda s: {"account_source": s}
    ),
    "enterprise": _Listing(
        ENTERPRISE, "enterprise_organization_id", "account_list", lambda s: {"account_source": s}
    ),
}


@dataclass(frozen=True)
class _Rows:
    """Rows of a listing, and how many there are in all by the platform's count."""

    items: list[models.Wire]
    total: int


def authorized(caller: Caller) -> list[AuthorizedAccount]:
    """The accounts that the login ticked; the token travels in the query here."""
    data = caller.read(Call("GET", AUTHORIZED, sign="query"))
    if not isinstance(data, dict) or not isinstance(data.get("list"), list | type(None)):
        raise envelope.unexpected(AUTHORIZED)
    found = (models.authorized_account(item) for item in models.records(data.get("list")))
    return [account for account in found if account is not None]


def expand(caller: Caller, account: AuthorizedAccount) -> Expansion:
    """The advertisers under an account; nothing for an account that is no container."""
    match account.account_type:
        case "CUSTOMER_ADMIN" | "CUSTOMER_OPERATOR":
            return _workbench(caller, account)
        case "AGENT" | "PLATFORM_ROLE_QIANCHUAN_AGENT":
            return _agent(caller, account)
        case "CHILD_AGENT":
            return _agent_advertisers(caller, account.account_id)
        case "PLATFORM_ROLE_SHOP_ACCOUNT":
            return _shop(caller, account)
        case kind if kind.startswith("PLATFORM_ROLE_ENTERPRISE_BP_"):
            return _by_source(caller, _LISTINGS["enterprise"], account)
        case _:
            return Expansion((), 0)


def _sources(caller: Caller) -> tuple[str, ...]:
    return ("AD", "QIANCHUAN") if caller.channel.kind is ChannelKind.QIANCHUAN else ("AD",)


def _workbench(caller: Caller, account: AuthorizedAccount) -> Expansion:
    try:
        return _by_source(caller, _LISTINGS["workbench"], account)
    except (RefusedError, LoginError) as exc:
        if exc.code == "AUTH_LOGIN_REQUIRED":
            raise
        try:
            return _by_source(caller, _LISTINGS["old workbench"], account)
        except (RefusedError, LoginError):
            raise exc from None  # the present interface's words are the ones to go by


def _by_source(caller: Caller, listing: _Listing, account: AuthorizedAccount) -> Expansion:
    found: list[Account] = []
    total = 0
    for source in _sources(caller):
        fixed = {listing.container: account.account_id, **listing.source(source)}
        rows = _paged(caller, listing.path, listing.rows, fixed)
        total += rows.total
        for item in rows.items:
            child = _child(caller, item, account.account_id, source)
            if child is not None:
                found.append(child)
    return Expansion(tuple(found), total)


def _child(caller: Caller, item: models.Wire, parent_id: int, source: str) -> Account | None:
    advertiser_id = models.number(models.either(item, "advertiser_id", "account_id"))
    if advertiser_id is None:
        return None
    return Account(
        channel=caller.channel.name,
        advertiser_id=advertiser_id,
        name=models.text(models.either(item, "advertiser_name", "account_name")),
        account_type=models.text(item.get("account_type")) or source,
        parent_id=parent_id,
    )


def _paged(caller: Caller, path: str, rows_name: str, fixed: dict[str, object]) -> _Rows:
    """All rows that paging reaches."""
    items: list[models.Wire] = []
    stated: int | None = None
    for page in range(1, MOST_BY_PAGE // PAGE_SIZE + 1):
        data = models.record(caller.get(path, **fixed, page=page, page_size=PAGE_SIZE))
        rows = models.records(data.get(rows_name))
        items += rows
        stated = _stated_total(data)
        if _is_last(len(rows), len(items), stated):
            break
    return _Rows(items, max(stated or 0, len(items)))


def _stated_total(data: models.Wire) -> int | None:
    return models.number(models.record(data.get("page_info")).get("total_number"))


def _is_last(rows: int, seen: int, stated: int | None) -> bool:
    """Whether a page ends its list; by its length where the platform states no total."""
    return rows == 0 or (seen >= stated if stated is not None else rows < PAGE_SIZE)


def _agent(caller: Caller, account: AuthorizedAccount) -> Expansion:
    """The advertisers of an agent and of its second-tier agents (二级代理商)."""
    own = _agent_advertisers(caller, account.account_id, account.company_ids)
    found, total = list(own.accounts), own.total
    for child in _ids_by_page(caller, CHILD_AGENTS, {"advertiser_id": account.account_id}):
        below = _agent_advertisers(caller, child)
        found += below.accounts
        total += below.total
    return Expansion(tuple(found), total)


def _agent_advertisers(caller: Caller, agent_id: int, companies: Sequence[int] = ()) -> Expansion:
    fixed: dict[str, object] = {"advertiser_id": agent_id}
    if companies:  # the login was given some of the agent's companies only; none means all
        fixed["company_ids"] = list(companies)
    first = models.record(caller.get(AGENT, **fixed, page=1, page_size=PAGE_SIZE))
    stated = _stated_total(first) or 0
    if stated >= MOST_BY_PAGE:
        ids = list(_ids_by_cursor(caller, AGENT, fixed))
    else:
        ids = list(_ids_by_page(caller, AGENT, fixed, first=first))
    return Expansion(tuple(_named(caller, ids, agent_id)), max(stated, len(ids)))


def _ids(data: models.Wire) -> list[int]:
    return models.numbers(models.either(data, "list", "advertiser_ids", "child_agent_ids"))


def _ids_by_page(
    caller: Caller, path: str, fixed: dict[str, object], *, first: models.Wire | None = None
) -> Iterator[int]:
    """All ids that paging reaches; `first` is the first page where it was read already."""
    seen, data = 0, first
    for page in range(1, MOST_BY_PAGE // PAGE_SIZE + 1):
        if data is None:
            data = models.record(caller.get(path, **fixed, page=page, page_size=PAGE_SIZE))
        ids = _ids(data)
        seen += len(ids)
        yield from ids
        if _is_last(len(ids), seen, _stated_total(data)):
            return
        data = None


def _ids_by_cursor(caller: Caller, path: str, fixed: dict[str, object]) -> Iterator[int]:
    cursor, seen = 0, 0
    while seen < MOST_BY_CURSOR:
        data = models.record(caller.get(path, **fixed, cursor=cursor, count=PAGE_SIZE))
        ids = _ids(data)
        seen += len(ids)
        yield from ids
        info = models.record(data.get("cursor_page_info"))
        following = models.number(info.get("cursor"))
        if not ids or not models.flag(info.get("has_more"), default=False):
            return
        if following is None or following == cursor:  # would ask for the same rows for ever
            return
        cursor = following


def _shop(caller: Caller, account: AuthorizedAccount) -> Expansion:
    ids = list(_ids_by_page(caller, SHOP, {"shop_id": account.account_id}))
    found = _named(caller, ids, account.account_id, account_type="QIANCHUAN")
    return Expansion(tuple(found), len(ids))


def _named(
    caller: Caller, ids: Sequence[int], parent_id: int, *, account_type: str = "ADVERTISER"
) -> Iterator[Account]:
    """Accounts of ids that were listed without names."""
    unique = list(dict.fromkeys(ids))
    known = public_info(caller, unique)
    for advertiser_id in unique:
        info = known.get(advertiser_id, PublicInfo("", ""))
        yield Account(
            channel=caller.channel.name,
            advertiser_id=advertiser_id,
            name=info.name,
            account_type=account_type,
            parent_id=parent_id,
            company=info.company,
        )


@dataclass(frozen=True)
class PublicInfo:
    """What everybody may know of an advertiser."""

    name: str
    company: str


def public_info(caller: Caller, ids: Sequence[int]) -> dict[int, PublicInfo]:
    """Name and legal subject (主体) of advertisers, as far as they can be read.

    One unreadable id may spoil a whole call, so a refused batch is halved; after some refusals it
    is the right that is missing, and what was found is all there is.
    """
    found: dict[int, PublicInfo] = {}
    batches = [list(ids[start : start + INFO_BATCH]) for start in range(0, len(ids), INFO_BATCH)]
    refusals = 0
    while batches and refusals < MOST_REFUSALS:
        batch = batches.pop(0)
        try:
            found |= _info_of(caller.get(PUBLIC_INFO, advertiser_ids=batch))
        except (RefusedError, LoginError) as exc:
            if exc.code == "AUTH_LOGIN_REQUIRED":
                raise
            refusals += 1
            half = len(batch) // 2
            batches[:0] = [part for part in (batch[:half], batch[half:]) if part and half]
    return found


def _info_of(data: object) -> dict[int, PublicInfo]:
    items = models.records(data if isinstance(data, list) else models.record(data).get("list"))
    return {
        advertiser_id: PublicInfo(models.text(item.get("name")), models.text(item.get("company")))
        for item in items
        if (advertiser_id := models.number(item.get("id"))) is not None
    }
