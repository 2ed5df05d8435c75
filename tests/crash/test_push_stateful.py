"""Any sequence of starts, deaths, lost replies, lags, days and processes keeps the promises.

A model of a careless week: pushes are created and updated, processes die at any write or commit,
replies get lost, the list lags, the clock jumps, people decide about unknown copies. After every
rule the invariants hold; at the end, with the faults gone, every push comes to its end.
"""

import contextlib
import os
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from support.invariants import assert_invariants
from support.push import OWNER, Bench, DyingStore, Killed, memory_folder
from yuntu_push.adapters.store.push_rows import stamp
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.errors import LoginError, ThrottledError, TryLaterError, YuntuPushError
from yuntu_push.domain.push import BrandState, Push, PushBrand, PushState, StepName
from yuntu_push.domain.quota import QuotaClaim, QuotaKind
from yuntu_push.domain.text import msg
from yuntu_push.services.push.copies import CopyDecision
from yuntu_push.services.push.copying import copy_key

pytestmark = pytest.mark.timeout(4 * 3600)

CALLS = st.sampled_from(["upload", "create", "update", "push", "publish", "copy"])
EFFECTS = st.sampled_from(
    ["kill_before", "kill_after", "drop_before", "drop_after", "unreachable",
     LoginError("AUTH_LOGIN_REQUIRED", msg("log in")),
     ThrottledError("PLATFORM_THROTTLED", msg("slow down"), retry_in=7)]
)  # fmt: skip
METHODS = st.sampled_from(["claim", "begin", "settle", "record"])
MAX_PUSHES = 3
DAILY_CREATES = 100
USE = statements("quota")["use"]
USED_BY_DAY = (
    "SELECT count(*) AS used FROM quota_use WHERE kind = 'create' "
    "GROUP BY subject, date(at, '+8 hours')"
)


class Week(RuleBasedStateMachine):
    """The state machine of one home and one platform."""

    pushes = Bundle("pushes")

    def __init__(self) -> None:
        super().__init__()
        self._folder = memory_folder()
        self.bench = Bench(self._folder.__enter__())
        self.made: list[str] = []
        self.lost_copies = 0

    def teardown(self) -> None:
        try:
            self._end_well()
        finally:
            self._folder.__exit__(None, None, None)

    @rule(target=pushes)
    def create(self):
        if len(self.made) >= MAX_PUSHES:
            return multiple()
        push = self.bench.create(brands=("某品牌", "别品牌"))
        self.made.append(push.push_id)
        return push.push_id

    @rule(push=pushes)
    def update(self, push: str):
        if len(self.made) >= 2 * MAX_PUSHES:
            return
        self.bench.segment("vip", seed=str(len(self.made)))
        with contextlib.suppress(YuntuPushError):
            self.made.append(self.bench.update(self.stored(push), copy="each").push_id)

    @rule(push=pushes, minutes=st.integers(1, 300), waiting=st.booleans())
    def resume(self, push: str, minutes: int, waiting: bool):
        self.attempt(push, waiting=waiting)
        self.bench.clock.advance(minutes * 60)

    @rule(minutes=st.integers(1, 300))
    def resume_all(self, minutes: int):
        with contextlib.suppress(Killed):
            self.bench.runner().run_due()
        self.bench.clock.advance(minutes * 60)

    @rule(call=CALLS, effect=EFFECTS, later=st.integers(1, 2))
    def something_will_happen(self, call: str, effect: str | YuntuPushError, later: int):
        self.bench.platform.plan[call, self.bench.platform.calls.get(call, 0) + later] = effect

    @rule(push=pushes, method=METHODS, nth=st.integers(1, 6), after=st.booleans())
    def die_at_a_commit(self, push: str, method: str, nth: int, after: bool):
        self.attempt(push, store=DyingStore(self.bench.store, method, nth, after=after))

    @rule(lag=st.sampled_from([0, 60, 300, 1200]))
    def the_list_lags(self, lag: int):
        self.bench.platform.list_lag = lag

    @rule(hours=st.integers(1, 30))
    def hours_pass(self, hours: int):
        self.bench.clock.advance(hours * 3600)

    @rule(left=st.integers(0, 2))
    def others_use_the_quota(self, left: int):
        """All but a few of the day's creates; a new day brings a hundred more."""
        now = self.bench.clock.now()
        used = self.bench.quota.usage(QuotaKind.CREATE, str(OWNER), now).used
        claim = QuotaClaim(QuotaKind.CREATE, str(OWNER), now)
        with self.bench.database.write() as connection:
            for _ in range(DAILY_CREATES - left - used):
                connection.execute(USE, {**asdict(claim), "at": stamp(now), "call_id": None})

    @rule(readable=st.booleans())
    def brands_can_be_read(self, readable: bool):
        self.bench.platform.copies_readable = readable

    @rule(push=pushes)
    def a_second_process_comes(self, push: str):
        held, refused = self.bench.runner().hold(push), pytest.raises(TryLaterError)
        with held, refused as caught:
            self.bench.run(self.stored(push))
        assert caught.value.code == "PUSH_HELD"

    @rule(push=consumes(pushes))
    def cancel(self, push: str):
        with contextlib.suppress(YuntuPushError):
            self.bench.tasks.cancel(self.stored(push))

    @rule(push=pushes)
    def decide(self, push: str):
        self.answer(self.stored(push))

    @invariant()
    def promises_hold(self):
        """I1 to I5, and nothing on the platform twice."""
        assert_invariants(self.bench, self.made)
        names = Counter(source.name for source in self.bench.platform.sources.values())
        assert all(count == 1 for count in names.values()), names
        with self.bench.database.read() as connection:
            days = connection.execute(USED_BY_DAY).fetchall()
        assert all(day["used"] <= DAILY_CREATES for day in days), "I3: more than a day's creates"
        for audience in self.bench.platform.made_audiences.values():
            gaps = [
                (b - a).total_seconds()
                for a, b in zip(audience.published, audience.published[1:], strict=False)
            ]
            assert all(gap >= 24 * 3600 for gap in gaps)

    def stored(self, push: str) -> Push:
        found = self.bench.store.get(push)
        assert found is not None
        return found

    def attempt(self, push: str, *, waiting: bool = False, store: object | None = None) -> None:
        before = self.stored(push)
        if before.state is PushState.NEEDS_OPERATOR and before.step is StepName.CREATE_DATA_SOURCE:
            return  # a person would look first; see `decide`
        with contextlib.suppress(Killed, YuntuPushError):
            self.bench.run(before, wait=waiting, store=store)

    def answer(self, push: Push) -> None:
        """What a person does who looks at the platform's pages first."""
        if push.state is not PushState.NEEDS_OPERATOR:
            return
        try:
            for brand in push.brands:
                if brand.state is BrandState.NEEDS_OPERATOR:
                    seen = self.was_copied(push, brand)
                    decision = CopyDecision.DONE if seen else CopyDecision.AGAIN
                    self.bench.copies.copy(self.stored(push.push_id), str(brand.brand_id), decision)
            if push.step is StepName.CREATE_DATA_SOURCE and not self.hidden(push):
                self.bench.run(push)
        except (Killed, YuntuPushError):
            pass

    def was_copied(self, push: Push, brand: PushBrand) -> bool:
        """Whether the lost copy is in Yuntu; the clock stands still while a call is made."""
        lost = push.in_doubt(StepName.COPY, copy_key(brand))
        assert lost is not None
        made = zip(self.bench.platform.copies, self.bench.platform.copied_at, strict=True)
        wanted = (push.custom_audience_id, brand.virtual_adv_id)
        return any(copy == wanted and at == lost.intent_at for copy, at in made)

    def hidden(self, push: Push) -> bool:
        """Whether the platform has the data source but does not list it yet."""
        lag = timedelta(seconds=self.bench.platform.list_lag)
        return any(
            source.ready_at[0] + lag > self.bench.clock.now()
            for source in self.bench.platform.sources.values()
            if source.name == push.audience_name
        )

    def _end_well(self) -> None:
        """Without faults, every push that was not given up comes to a good end."""
        self.bench.platform.plan.clear()
        self.bench.platform.list_lag = 0
        for push in self.made:
            for _ in range(12):
                found = self.stored(push)
                if found.state in (
                    PushState.SUCCEEDED,
                    PushState.CANCELLED,
                    PushState.SUPERSEDED,
                ):
                    break
                self.bench.clock.advance(3600)
                self.answer(found)
                self.attempt(push, waiting=True)
            else:
                raise AssertionError(self.stored(push))
        self.promises_hold()


TestWeek = Week.TestCase
TestWeek.settings = settings(
    max_examples=int(os.environ.get("CRASH_SEQUENCES", "30")),
    stateful_step_count=int(os.environ.get("CRASH_STEPS", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
