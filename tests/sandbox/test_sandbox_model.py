"""The sandbox against a small model of it: any order of calls keeps sets and windows right."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from support.sandbox import BRAND, OWNER, SECOND_OWNER, Sandbox, local_sandbox, phone_zip

HOUR = 3600.0
RANGES = st.tuples(st.integers(0, 40), st.integers(1, 30))


@dataclass
class Known:
    """What a client would know of one data source and its audience."""

    source: str
    audience: int
    ids: set[int]
    published: float | None = None
    content_in_force: set[int] | None = None
    pushed: dict[int, float] = field(default_factory=dict)
    updates: dict[str, int] = field(default_factory=dict)
    copies: list[int] = field(default_factory=list)
    changed_since_publish: bool = True


class Platform(RuleBasedStateMachine):
    """Calls of a client in any order; work is done as soon as the clock is stepped."""

    def __init__(self) -> None:
        super().__init__()
        self._context = local_sandbox()
        self.sb: Sandbox = self._context.__enter__()
        self.known: list[Known] = []
        self.hours = 0

    @initialize()
    def authorise(self) -> None:
        self.sb.set_time("2026-11-24T00:00:00+08:00")
        self.token = self.sb.authorize().access

    def teardown(self) -> None:
        self._context.__exit__(None, None, None)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self.sb.post(f"2/dmp/{path}/", {"advertiser_id": OWNER, **body}, self.token)

    def path(self, span: tuple[int, int]) -> str:
        return self.sb.file_path(self.token, phone_zip(*span))

    def settle(self) -> None:
        self.sb.advance(1)

    def now(self) -> float:
        return float(self.sb.world.clock.now())

    @rule(span=RANGES)
    def create(self, span: tuple[int, int]) -> None:
        if len(self.known) >= 4:
            return
        answer = self.post(
            "data_source/create",
            data_source_name=f"n{len(self.known)}",
            data_format=0,
            file_storage_type=0,
            file_paths=[self.path(span)],
        )
        self.settle()
        source = answer["data"]["data_source_id"]
        audience = self.sb.world.state.data_sources[source].audience_id
        assert audience is not None
        self.known.append(Known(source, audience, set(range(span[0], sum(span)))))

    @precondition(lambda self: self.known)
    @rule(pick=st.integers(0, 3), operation=st.integers(1, 3), span=RANGES)
    def update(self, pick: int, operation: int, span: tuple[int, int]) -> None:
        it = self.known[pick % len(self.known)]
        answer = self.post(
            "data_source/update",
            data_source_id=it.source,
            operation_type=operation,
            data_format=0,
            file_storage_type=0,
            file_paths=[self.path(span)],
        )
        assert answer["code"] == 0
        self.settle()
        given = set(range(span[0], sum(span)))
        it.ids = {1: it.ids | given, 2: it.ids - given, 3: given}[operation]
        it.changed_since_publish = True

    @precondition(lambda self: self.known)
    @rule(pick=st.integers(0, 3))
    def publish(self, pick: int) -> None:
        it = self.known[pick % len(self.known)]
        now = self.now()
        allowed = it.published is None or now >= it.published + 24 * HOUR
        answer = self.post("custom_audience/publish", custom_audience_id=it.audience)
        assert (answer["code"] == 0) == allowed
        if allowed:
            it.published, it.content_in_force = now, set(it.ids)
            it.changed_since_publish = False
            self.settle()

    @precondition(lambda self: self.known)
    @rule(pick=st.integers(0, 3), viewer=st.sampled_from([OWNER, SECOND_OWNER]))
    def push(self, pick: int, viewer: int) -> None:
        it = self.known[pick % len(self.known)]
        answer = self.post(
            "custom_audience/push_v2",
            custom_audience_id=it.audience,
            target_advertiser_ids=[viewer],
        )
        assert answer["code"] == 0
        it.pushed.setdefault(viewer, self.now())
        self.settle()

    def expected(self, it: Known, viewer: int) -> str:
        pushed_at = it.pushed.get(viewer)
        current = it.published is not None and not it.changed_since_publish
        in_time = pushed_at is None or (it.published or 0.0) >= pushed_at
        match pushed_at is not None, current and in_time:
            case True, True:
                return "AVAILABLE"
            case True, False:
                return "NEED_PUBLISH"
            case False, True:
                return "NEED_PUSH"
            case _:
                return "UNAVAILABLE"

    @precondition(lambda self: self.known)
    @rule(pick=st.integers(0, 3))
    def copy(self, pick: int) -> None:
        it = self.known[pick % len(self.known)]
        answer = self.post(
            "custom_audience/copy", custom_audience_id=it.audience, to_advertiser_id=BRAND
        )
        allowed = self.expected(it, OWNER) == "AVAILABLE"
        assert (answer["code"] == 0) == allowed
        if allowed:
            assert it.content_in_force is not None
            it.copies.append(len(it.content_in_force))

    @rule(hours=st.integers(1, 13))
    def wait(self, hours: int) -> None:
        self.sb.advance(hours=hours)
        self.token = self.sb.authorize().access

    @invariant()
    def the_platform_has_what_the_client_did(self) -> None:
        if not self.known:
            return
        state = self.sb.state()
        audiences = {each["id"]: each for each in state["audiences"]}
        for it in self.known:
            seen = audiences[it.audience]
            assert seen["upload_num"] == len(it.ids)
            if it.content_in_force is not None:
                assert seen["published_upload_num"] == len(it.content_in_force)
            delivery = seen["delivery"][str(OWNER)]
            assert delivery.endswith(f"STATUS_{self.expected(it, OWNER)}")
            copies = [c["upload_num"] for c in state["copies"] if c["audience_id"] == it.audience]
            assert copies == it.copies


def test_any_order_of_calls_keeps_the_platform_in_step_with_the_model():
    run_state_machine_as_test(
        Platform,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
