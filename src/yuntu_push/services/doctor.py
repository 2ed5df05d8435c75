"""The doctor: looks at every part that a push needs, and says how to mend what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from yuntu_push.domain.channel import DEFAULT_API_URL, Account, Channel, ChannelKind
from yuntu_push.domain.entry_run import EntryFreshness
from yuntu_push.domain.errors import (
    ConfigError,
    LoginError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.names import unknown
from yuntu_push.domain.platform import NetworkFacts
from yuntu_push.domain.quota import QuotaUse
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.checks import Check, CheckState, freshness, skipped
from yuntu_push.services.ports import (
    ChannelStore,
    Clock,
    DirectoryApi,
    DirectoryStore,
    NetworkProbe,
    SecretStores,
)
from yuntu_push.services.tokens import Tokens

LEAST_FREE = 200_000_000  # bytes: a segment of a few million ids with room for its building
LITTLE_FREE = 2_000_000_000
SKEW_NOTED = timedelta(seconds=60)
SKEW_WRONG = timedelta(minutes=10)  # by then a token looks alive that the platform refuses
LOGIN_SHORT = timedelta(days=7)


Finding = Text | Check


class Doctor:
    """Checks the machine's side once, then each channel's side.

    `api`, `tokens` and `quotas` are built only when they are needed; `free_bytes` tells the space
    left where segments are built, `use_state` raises when the state file cannot be used.
    """

    def __init__(
        self,
        *,
        check_config: Callable[[], None],
        config: ChannelStore,
        stores: SecretStores,
        network: Callable[[], NetworkProbe],
        tokens: Callable[[], Tokens],
        api: Callable[[], DirectoryApi],
        directory: DirectoryStore,
        quotas: Callable[[], Sequence[QuotaUse]],
        schedules: Callable[[], Sequence[EntryFreshness]],
        free_bytes: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._check_config = check_config
        self._config = config
        self._stores = stores
        self._network = network
        self._tokens = tokens
        self._api = api
        self._directory = directory
        self._quotas = quotas
        self._schedules = schedules
        self._free_bytes = free_bytes
        self._clock = clock

    def examine(self, channel: str | None = None) -> Iterator[Check]:
        """The checks of this machine, then those of one channel or of all, as they are made."""
        readable = self._made("config", self._config_readable)
        yield readable
        yield self._made("state", self._state)
        yield self._made("disk", self._disk)
        if readable.state is CheckState.FAILED:
            return
        yield self._made("secrets", self._secrets)
        known = self._config.channels()
        if channel is not None and channel not in known:
            raise unknown("channel", channel, known, hint=msg("`yuntu-push channel list`"))
        chosen = [known[channel]] if channel is not None else list(known.values())
        for each in chosen:
            yield from self._channel(each)
        if not chosen:
            yield self._made("network", lambda: self._reached(DEFAULT_API_URL))
            yield skipped("channel", msg("there is no channel yet: `yuntu-push channel add`"))
        yield self._made("quota", self._quota)
        yield from (check for check in self.stale() if check.state is not CheckState.SKIPPED)

    def stale(self) -> Iterator[Check]:
        """A check for each entry of `pushes:` that says how often it is expected to run."""
        try:
            found = self._schedules()
        except YuntuPushError as exc:
            yield Check("run", CheckState.FAILED, exc.message, exc.hint, error=exc)
            return
        for each in found:
            yield replace(self._made("run", partial(freshness, each)), entry=each.entry)
        if not found:
            yield skipped("run", msg("no entry of `pushes:` says `expect_every`"))

    def _channel(self, channel: Channel) -> Iterator[Check]:
        facts: list[NetworkFacts] = []
        network = self._made(
            "network", lambda: self._reached(channel.api_url, facts), channel=channel.name
        )
        yield network
        if network.state is CheckState.FAILED:
            for name in ("clock", "login", "rights", "brands"):
                yield skipped(name, msg("the platform cannot be reached"), channel.name)
            return
        yield self._made("clock", lambda: self._skew(facts[0]), channel=channel.name)
        login = self._made("login", lambda: self._login(channel), channel=channel.name)
        yield login
        if login.state is CheckState.FAILED:
            for name in ("rights", "brands"):
                yield skipped(name, msg("there is no valid login"), channel.name)
            return
        yield self._made("rights", lambda: self._rights(channel), channel=channel.name)
        yield self._made("brands", lambda: self._brands(channel), channel=channel.name)

    def _made(self, name: str, body: Callable[[], Finding], *, channel: str | None = None) -> Check:
        """The check of a body: what it found, or the error that it raised."""
        try:
            found = body()
        except YuntuPushError as exc:
            return Check(name, CheckState.FAILED, exc.message, exc.hint, channel, error=exc)
        if isinstance(found, Check):
            return replace(found, channel=channel)
        return Check(name, CheckState.OK, found, channel=channel)

    def _config_readable(self) -> Text:
        self._check_config()
        return msg("the config is right")

    def _state(self) -> Text:
        count = len(self._directory.accounts())
        return msg("the state file can be used; {count} accounts are known", count=count)

    def _disk(self) -> Finding:
        free = self._free_bytes()
        shown = f"{free / 1e9:.1f}"
        if free < LEAST_FREE:
            raise TryLaterError(
                "DISK_FULL",
                msg("only {free} GB of disk space are left", free=shown),
                hint=msg("free some space, or use another --home"),
            )
        if free < LITTLE_FREE:
            return Check(
                "disk",
                CheckState.WARNING,
                msg("only {free} GB of disk space are left", free=shown),
                msg("a segment of ten million ids takes about 1 GB while it is built"),
            )
        return msg("{free} GB of disk space are left", free=shown)

    def _secrets(self) -> Finding:
        if self._stores.chosen() is None:
            return skipped("secrets", msg("no secret store is chosen yet: `channel add` asks"))
        store = self._stores.current()
        if store.name != "env":
            store.probe()
        return store.describe()

    def _reached(self, api_url: str, facts: list[NetworkFacts] | None = None) -> Finding:
        found = self._network().look(api_url)
        if facts is not None:
            facts.append(found)
        if not found.genuine:
            raise TryLaterError(
                "PLATFORM_ANSWER_UNREADABLE",
                msg("{host} answers, but not as the platform does", host=found.host),
                hint=msg(
                    "check the channel's `api_url`; sign in where your network asks for it; "
                    "a proxy may stand in the platform's place"
                ),
            )
        return msg(
            "{host} answers in {seconds} s; proxy: {proxy}; CA bundle: {bundle}",
            host=found.host,
            seconds=f"{found.seconds:.2f}",
            proxy=found.proxy or msg("none"),
            bundle=found.ca_bundle or msg("built in"),
        )

    def _skew(self, facts: NetworkFacts) -> Finding:
        if facts.server_time is None:
            return skipped("clock", msg("the platform announced no time"))
        skew = abs(self._clock.now() - facts.server_time)
        seconds = round(skew.total_seconds())
        hint = msg("set the machine's clock by NTP")
        if skew > SKEW_WRONG:
            raise ConfigError(
                "CLOCK_WRONG",
                msg("this machine's clock is {seconds} s off", seconds=seconds),
                hint=hint,
            )
        if skew > SKEW_NOTED:
            message = msg("this machine's clock is {seconds} s off", seconds=seconds)
            return Check("clock", CheckState.WARNING, message, hint)
        return msg("this machine's clock is right")

    def _login(self, channel: Channel) -> Finding:
        tokens = self._tokens()
        tokens.access_token(channel)
        grant = tokens.grant(channel)
        if grant is None:
            return msg("the login is valid")
        left = grant.refresh_expires_at - self._clock.now()
        message = msg("the login is valid for {days} more days", days=max(left.days, 0))
        if left < LOGIN_SHORT:
            hint = msg("log in again: `yuntu-push auth login {channel}`", channel=channel.name)
            return Check("login", CheckState.WARNING, message, hint)
        return message

    def _rights(self, channel: Channel) -> Finding:
        authorized = [a for a in self._api().authorized_accounts(channel) if a.valid]
        if not authorized:
            raise LoginError(
                "ACCOUNT_NONE",
                msg("the login covers no valid account"),
                hint=msg(
                    "log in again and tick the accounts: `yuntu-push auth login {channel}`",
                    channel=channel.name,
                ),
            )
        advertiser = next(
            (a.advertiser_id for a in self._known(channel) if a.valid and a.is_advertiser), None
        )
        if advertiser is None:
            return skipped(
                "rights",
                msg("no advertiser is known yet: `yuntu-push accounts refresh` reads them"),
            )
        self._api().brands(channel, advertiser)
        return msg("the login covers {count} accounts and has DMP人群管理", count=len(authorized))

    def _brands(self, channel: Channel) -> Finding:
        bound = [account for account in self._known(channel) if account.brands]
        if bound:
            return msg("{count} accounts are bound to Yuntu brands", count=len(bound))
        if channel.kind is not ChannelKind.YUNTU:
            return skipped("brands", msg("no Yuntu brand is bound, none is needed"))
        raise LoginError(
            "YUNTU_NOT_BOUND",
            msg("no account of {channel} is bound to a Yuntu brand", channel=channel.name),
            hint=msg(
                "let the Yuntu administrator bind it, then run "
                "`yuntu-push accounts refresh {channel}`",
                channel=channel.name,
            ),
        )

    def _known(self, channel: Channel) -> Sequence[Account]:
        return self._directory.accounts(channel.name)

    def _quota(self) -> Finding:
        full = [use for use in self._quotas() if use.left == 0]
        if not full:
            return msg("no quota is used up, as far as this tool's own use goes")
        return Check(
            "quota",
            CheckState.WARNING,
            msg("{count} quotas are used up for now", count=len(full)),
            msg("`yuntu-push quota` shows when they open again"),
        )
