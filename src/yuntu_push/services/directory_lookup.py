"""Finds accounts and brands by what people call them: an id, or a name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from yuntu_push.domain.channel import Account, Brand
from yuntu_push.domain.errors import ConfigError, LoginError, RefusedError, TryLaterError
from yuntu_push.domain.names import canonical, unknown
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.directory_reading import unique
from yuntu_push.services.ports import ChannelStore, Clock, DirectoryApi, DirectoryStore

MOST_SHOWN = 5
Item = TypeVar("Item")


class DirectoryLookup:
    """Looks accounts and brands up in the directory."""

    def __init__(
        self,
        *,
        config: ChannelStore,
        api: Callable[[], DirectoryApi],
        store: DirectoryStore,
        clock: Clock,
    ) -> None:
        self._config = config
        self._api = api
        self._store = store
        self._clock = clock

    def resolve_account(self, channel: str, text: str | None) -> Account:
        """The advertiser that `text` (an id or a name) means; the only one there is for None.

        `ConfigError` for an unknown, ambiguous or invalid one, or one that is no advertiser.
        """
        accounts = self._store.accounts(channel)
        if not accounts:
            raise ConfigError(
                "ACCOUNTS_UNREAD",
                msg("no account of channel {channel} is known yet", channel=channel),
                hint=_refresh(channel),
            )
        if text is None:
            return _only(accounts, channel)
        found = _matching(accounts, text)
        if not found:
            raise _unknown_account(accounts, text, channel)
        usable = [account for account in found if account.valid and account.is_advertiser]
        if len(usable) > 1:
            raise _ambiguous(usable, text)
        if not usable:
            raise _unusable(found[0], accounts)
        return usable[0]

    def resolve_brands(self, account: Account, texts: Sequence[str]) -> list[Brand]:
        """The brands that `texts` mean, each once."""
        return list(unique(self.resolve_brand(account, text) for text in texts))

    def resolve_brand(self, account: Account, text: str) -> Brand:
        """The brand bound to `account` that `text` (an id or a name) means.

        One that is not known is looked up on the platform once. `LoginError` when the account is
        bound to no brand or not to this one, `ConfigError` for a name that nobody knows.
        """
        found = _matching_brands(account.brands, text)
        if not found:
            account = self._with_present_brands(account)
            found = _matching_brands(account.brands, text)
        if len(found) > 1:
            raise _ambiguous_brand(found, text)
        if not found:
            raise self._no_brand(account, text)
        return found[0]

    def resolve_targets(self, owner: Account, texts: Sequence[str]) -> list[Account]:
        """The advertisers to share with, each once, without the owner.

        An id that the directory does not know is taken as it is: the platform knows more
        advertisers of a legal subject (主体) than a login covers. `RefusedError` for another
        subject, when both are known.
        """
        accounts = self._store.accounts(owner.channel)
        found: dict[int, Account] = {}
        for text in texts:
            if _is_id(text) and not _matching(accounts, text):
                number = int(text)
                target = Account(owner.channel, number, "", "ADVERTISER")
            else:
                target = self.resolve_account(owner.channel, text)
            _check_subject(owner, target)
            found[target.advertiser_id] = target
        found.pop(owner.advertiser_id, None)
        return list(found.values())

    def _with_present_brands(self, account: Account) -> Account:
        channel = self._config.channels().get(account.channel)
        if channel is None:
            return account
        try:
            brands = unique(self._api().brands(channel, account.advertiser_id))
        except (TryLaterError, RefusedError):
            return account  # the known names tell more than that the look-up failed
        fresh = replace(account, brands=brands)
        if brands != account.brands:
            kept = self._store.accounts(account.channel)
            changed = [fresh if a.advertiser_id == fresh.advertiser_id else a for a in kept]
            self._store.replace(account.channel, changed, self._clock.now())
        return fresh

    def _no_brand(self, account: Account, text: str) -> ConfigError | LoginError:
        others = [
            other
            for other in self._store.accounts(account.channel)
            if _matching_brands(other.brands, text)
        ]
        if others:
            return LoginError(
                "YUNTU_NOT_BOUND",
                msg(
                    "account {account} is not bound to the brand {brand}; bound to it: {others}",
                    account=_called(account),
                    brand=text,
                    others=_list(others),
                ),
                hint=_bind(account.channel),
            )
        if not account.brands:
            return LoginError(
                "YUNTU_NOT_BOUND",
                msg("account {account} is bound to no Yuntu brand", account=_called(account)),
                hint=_bind(account.channel),
            )
        known = [brand.brand_name for brand in account.brands]
        return unknown("brand", text, known, hint=_refresh(account.channel))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _matching(accounts: Iterable[Account], text: str) -> list[Account]:
    wanted = canonical(text).strip()
    accounts = list(accounts)
    if _is_id(wanted):
        by_id = [account for account in accounts if account.advertiser_id == int(wanted)]
        if by_id:
            return by_id
    return _by_name(accounts, lambda account: account.name, wanted)


def _matching_brands(brands: Iterable[Brand], text: str) -> list[Brand]:
    wanted = canonical(text).strip()
    brands = list(brands)
    if _is_id(wanted):
        by_id = [b for b in brands if int(wanted) in (b.brand_id, b.virtual_adv_id)]
        if by_id:
            return by_id
    return _by_name(brands, lambda brand: brand.brand_name, wanted)


def _by_name(items: list[Item], name: Callable[[Item], str], wanted: str) -> list[Item]:
    exact = [item for item in items if canonical(name(item)).strip() == wanted]
    folded = wanted.casefold()
    return exact or [i for i in items if canonical(name(i)).strip().casefold() == folded]


def _only(accounts: Sequence[Account], channel: str) -> Account:
    usable = [account for account in accounts if account.valid and account.is_advertiser]
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise ConfigError(
            "ACCOUNT_NONE",
            msg("channel {channel} reaches no valid advertiser", channel=channel),
            hint=msg(
                "log in again and tick an advertiser: `yuntu-push auth login {channel}`",
                channel=channel,
            ),
        )
    raise ConfigError(
        "ACCOUNT_NEEDED",
        msg(
            "channel {channel} has {count} accounts: {candidates}",
            channel=channel,
            count=len(usable),
            candidates=_list(usable),
        ),
        hint=msg("choose one with --account; `yuntu-push accounts list` shows all"),
    )


def _unknown_account(accounts: Sequence[Account], text: str, channel: str) -> ConfigError:
    usable = [account for account in accounts if account.valid and account.is_advertiser]
    if _is_id(text):
        known: list[str] = [str(account.advertiser_id) for account in usable]
    else:
        known = [account.name for account in usable if account.name]
    return unknown("account", text, known, hint=_refresh(channel))


def _ambiguous(found: Sequence[Account], text: str) -> ConfigError:
    return ConfigError(
        "ACCOUNT_AMBIGUOUS",
        msg(
            "{count} accounts are called {name}: {candidates}",
            count=len(found),
            name=text,
            candidates=_list(found),
        ),
        hint=msg("use the id instead of the name"),
    )


def _ambiguous_brand(found: Sequence[Brand], text: str) -> ConfigError:
    return ConfigError(
        "BRAND_AMBIGUOUS",
        msg(
            "{count} brands are called {name}: {candidates}",
            count=len(found),
            name=text,
            candidates=", ".join(str(brand.brand_id) for brand in found),
        ),
        hint=msg("use the id instead of the name"),
    )


def _unusable(account: Account, accounts: Sequence[Account]) -> ConfigError:
    if not account.valid:
        return ConfigError(
            "ACCOUNT_INVALID",
            msg("account {account} is no longer valid for this login", account=_called(account)),
            hint=msg(
                "log in again with it ticked: `yuntu-push auth login {channel}`",
                channel=account.channel,
            ),
        )
    below = [a for a in accounts if a.parent_id == account.advertiser_id and a.valid]
    return ConfigError(
        "ACCOUNT_NOT_ADVERTISER",
        msg(
            "account {account} is no advertiser ({kind}) and cannot own an audience",
            account=_called(account),
            kind=account.account_type,
        ),
        hint=(
            msg("use an advertiser under it: {candidates}", candidates=_list(below))
            if below
            else _refresh(account.channel)
        ),
    )


def _check_subject(owner: Account, target: Account) -> None:
    if owner.company and target.company and owner.company != target.company:
        raise RefusedError(
            "OTHER_SUBJECT",
            msg(
                "target {target} belongs to {other}, the owner to {subject}: "
                "the platform shares only within one legal subject (主体)",
                target=_called(target),
                other=target.company,
                subject=owner.company,
            ),
            hint=msg("leave this target out, or push from an account of its own subject"),
        )


def _called(account: Account) -> str:
    name, number = account.name, account.advertiser_id
    return f"{name} ({number})" if name else str(number)


def _list(accounts: Sequence[Account]) -> str:
    shown = ", ".join(_called(account) for account in accounts[:MOST_SHOWN])
    return f"{shown}, …" if len(accounts) > MOST_SHOWN else shown


def _refresh(channel: str) -> Text:
    return msg("read the accounts anew: `yuntu-push accounts refresh {channel}`", channel=channel)


def _bind(channel: str) -> Text:
    return msg(
        "let the Yuntu administrator bind it, then run `yuntu-push accounts refresh {channel}`",
        channel=channel,
    )
