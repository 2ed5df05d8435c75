"""One reading of a channel's accounts and brands, that survives what single parts refuse."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from yuntu_push.domain.channel import Account, Brand, Channel
from yuntu_push.domain.errors import (
    LoginError,
    RefusedError,
    TryLaterError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.platform import AuthorizedAccount
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import DirectoryApi, Progress

MOST_BRAND_READS = 1000  # one call for each account; the rest is read when an account is used
MOST_COMPANY_READS = 2000
ENOUGH_FAILURES = 3  # in a row: then the next one would fail as well


class Reading:
    """Reads the accounts of one channel; `before` is what was known, kept where a part fails."""

    def __init__(
        self, channel: Channel, api: DirectoryApi, before: Sequence[Account], progress: Progress
    ) -> None:
        self.problems: list[YuntuPushError] = []
        self.notes: list[Text] = []
        self._channel = channel
        self._api = api
        self._before = {account.advertiser_id: account for account in before}
        self._progress = progress
        self._found: dict[int, Account] = {}
        self._unread: set[int] = set()
        self._brands_read = 0
        self._brands_failed = 0

    def all(self) -> list[Account]:
        """Every account, containers included, with legal subject and brands."""
        authorized = self._api.authorized_accounts(self._channel)
        for account in authorized:
            self._add([self._own(account)])
        for number, account in enumerate(authorized):
            self._progress(msg("reading accounts"), number, len(authorized))
            if account.valid:
                self._expand(account)
        self._keep_below({each.account_id for each in authorized})
        self._progress(msg("reading accounts"), len(authorized), len(authorized))
        self._read_companies()
        self._read_brands()
        return list(self._found.values())

    def bound(self) -> bool | None:
        """Whether any account has a brand; None when no account's brands could be read."""
        if any(account.brands for account in self._found.values()):
            return True
        return None if self._brands_failed and not self._brands_read else False

    def _own(self, account: AuthorizedAccount) -> Account:
        return Account(
            channel=self._channel.name,
            advertiser_id=account.account_id,
            name=account.name,
            account_type=account.account_type,
            valid=account.valid,
        )

    def _add(self, accounts: Iterable[Account]) -> None:
        """Take accounts in; one that was found before keeps its first place and parent."""
        for account in accounts:
            known = self._before.get(account.advertiser_id)
            if known is not None:
                account = replace(  # noqa: PLW2901 - the same account with what is known of it
                    account,
                    company=account.company or known.company,
                    name=account.name or known.name,
                )
            self._found.setdefault(account.advertiser_id, account)

    def _expand(self, account: AuthorizedAccount) -> None:
        try:
            expansion = self._api.expand(self._channel, account)
        except YuntuPushError as exc:
            self._tolerate(exc)
            self._unread.add(account.account_id)
            return
        self._add(expansion.accounts)
        missing = expansion.total - len(expansion.accounts)
        if missing > 0:
            self.notes.append(
                msg(
                    "{name}: the platform lists {total} accounts and lets {count} be read",
                    name=account.name or account.account_id,
                    total=expansion.total,
                    count=len(expansion.accounts),
                )
            )

    def _keep_below(self, authorized: Collection[int]) -> None:
        """Keep what was known under the containers that cannot be read now.

        The accounts of a second-tier agent name that as their parent, and it is no account of its
        own: whose parent is none of the login's accounts may belong to any container.
        """
        if not self._unread:
            return
        self._add(
            account
            for account in self._before.values()
            if account.parent_id is not None
            and (account.parent_id in self._unread or account.parent_id not in authorized)
        )

    def _read_companies(self) -> None:
        wanted = [account.advertiser_id for account in self._usable() if not account.company]
        if not wanted:
            return
        try:
            companies = self._api.companies(self._channel, wanted[:MOST_COMPANY_READS])
        except YuntuPushError as exc:
            self._tolerate(exc)
            return
        for advertiser_id, company in companies.items():
            if advertiser_id in self._found:
                found = self._found[advertiser_id]
                self._found[advertiser_id] = replace(found, company=company)

    def _read_brands(self) -> None:
        wanted = [account for account in self._usable() if account.account_type != "QIANCHUAN"]
        label, failures = msg("reading Yuntu brands"), 0
        total = min(len(wanted), MOST_BRAND_READS)
        for number, account in enumerate(wanted):
            if number >= MOST_BRAND_READS or failures >= ENOUGH_FAILURES:
                self._keep_brands(account)
                continue
            self._progress(label, number, total)
            failures = 0 if self._read_brands_of(account) else failures + 1
        self._progress(label, total, total)
        unread = len(wanted) - self._brands_read
        if unread > self._brands_failed:
            self.notes.append(
                msg(
                    "the brands of {count} accounts were not read; "
                    "they are looked up when a push names one of them",
                    count=unread,
                )
            )

    def _read_brands_of(self, account: Account) -> bool:
        try:
            brands: Sequence[Brand] = self._api.brands(self._channel, account.advertiser_id)
        except YuntuPushError as exc:
            self._tolerate(exc)
            self._brands_failed += 1
            self._keep_brands(account)
            return False
        self._brands_read += 1
        self._found[account.advertiser_id] = replace(account, brands=unique(brands))
        return True

    def _keep_brands(self, account: Account) -> None:
        known = self._before.get(account.advertiser_id)
        if known is not None:
            self._found[account.advertiser_id] = replace(account, brands=known.brands)

    def _usable(self) -> Iterator[Account]:
        return (a for a in list(self._found.values()) if a.valid and a.is_advertiser)

    def _tolerate(self, exc: YuntuPushError) -> None:
        """Note what a part refused; raise what every further part would refuse as well."""
        fatal = isinstance(exc, UnreachableError) or not (
            isinstance(exc, RefusedError | TryLaterError) or is_missing_right(exc)
        )
        if fatal:
            raise exc
        self.problems.append(exc)


def is_missing_right(exc: YuntuPushError) -> bool:
    """Whether the login is fine and only a right is missing."""
    return isinstance(exc, LoginError) and exc.code in {"AUTH_RIGHT_MISSING", "YUNTU_NOT_BOUND"}


def unique(brands: Iterable[Brand]) -> tuple[Brand, ...]:
    """Brands without repetitions, in their order."""
    return tuple({brand.brand_id: brand for brand in brands}.values())
