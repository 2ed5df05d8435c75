"""Copies that a person asks for, or decides about: `push copy`."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import GuardError, YuntuPushError
from yuntu_push.domain.names import unknown
from yuntu_push.domain.push import (
    BrandState,
    CallState,
    Facts,
    Push,
    PushBrand,
    PushState,
    StepName,
)
from yuntu_push.domain.push_record import Verdict
from yuntu_push.domain.settings import PushSettings
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import AudienceApi, ChannelStore, Clock, Progress
from yuntu_push.services.push.acting import Actor
from yuntu_push.services.push.copying import copy_act, copy_key, copy_unknown
from yuntu_push.services.push.outcomes import Failed, Stuck, Waiting
from yuntu_push.services.push.ports import Directory, PushStore
from yuntu_push.services.push.runner import PushRunner
from yuntu_push.services.push.view import View


class CopyDecision(StrEnum):
    """What a person says about a copy."""

    MAKE = "make"  # on demand: nothing is known to be there
    AGAIN = "again"  # make one more, whatever is there
    DONE = "done"  # it was seen in Yuntu: make none


class PushCopies:
    """Copies into one brand, outside the steps of a push."""

    def __init__(
        self,
        *,
        store: PushStore,
        runner: PushRunner,
        channels: ChannelStore,
        directory: Directory,
        api_for: Callable[[Channel], AudienceApi],
        clock: Clock,
        settings: PushSettings,
        progress: Progress,
    ) -> None:
        self._store = store
        self._runner = runner
        self._channels = channels
        self._directory = directory
        self._api_for = api_for
        self._clock = clock
        self._settings = settings
        self._progress = progress

    def copy(self, push: Push, brand: str, decision: CopyDecision) -> Push:
        """The push after one copy into `brand`, or after the decision that there is one.

        Goes on with a push that waited for the decision. The error of a copy that failed.
        """
        with self._runner.hold(push.push_id):
            push = self._store.get(push.push_id) or push
            wanted = self._brand(push, brand)
            _check(push, wanted, decision)
            if decision is CopyDecision.DONE:
                push = self._note_done(push, wanted)
            else:
                push = self._make(push, wanted)
        if push.state is PushState.NEEDS_OPERATOR:
            return self._runner.run(push.push_id)
        return push

    def _brand(self, push: Push, text: str) -> PushBrand:
        for brand in push.brands:
            if text in (str(brand.brand_id), str(brand.virtual_adv_id), brand.brand_name):
                return brand
        account = self._directory.resolve_account(push.channel, str(push.advertiser_id))
        found = self._directory.resolve_brands(account, [text])[0]
        return PushBrand(found.brand_id, found.brand_name, found.virtual_adv_id)

    def _note_done(self, push: Push, brand: PushBrand) -> Push:
        now = self._clock.now()
        seen = replace(brand, state=BrandState.SUBMITTED, submitted_at=now, failure=None)
        return self._store.learn(
            push.push_id,
            Facts(brands=[seen]),
            now,
            step=StepName.COPY,
            verdict=Verdict(copy_key(brand), CallState.DECIDED),
        )

    def _make(self, push: Push, brand: PushBrand) -> Push:
        channel = self._channels.channels().get(push.channel)
        if channel is None:
            raise unknown(
                "channel",
                push.channel,
                self._channels.channels(),
                hint=msg("`yuntu-push channel add` brings it back"),
            )
        api = self._api_for(channel)
        earlier = self._store.copies(_audience(push), brand.virtual_adv_id)
        view = View(
            push=push,
            api=api,
            now=self._clock.now(),
            settings=self._settings,
            earlier_copies={brand.virtual_adv_id: earlier},
        )
        lost = push.in_doubt(StepName.COPY, copy_key(brand))
        act = copy_act(view, brand, CallState.DECIDED if lost else None)
        actor = Actor(self._store, api, self._clock, self._progress, side_by_side=1)
        result = actor.make(push, [act], step=StepName.COPY)
        push = self._store.get(push.push_id) or push
        match result:
            case Failed() | Stuck():
                raise result.error
            case Waiting():
                raise AssertionError("a copy has no quota")
        made = next(b for b in push.brands if b.brand_id == brand.brand_id)
        if made.failure is not None:
            raise made.failure.error()
        return push


def _audience(push: Push) -> int:
    names = [step.name for step in push.steps]
    if push.custom_audience_id is None or push.position < names.index(StepName.COPY):
        raise GuardError(
            "AUDIENCE_NOT_READY",
            msg("the audience of push {push} cannot be copied yet", push=push.push_id),
            hint=msg("go on with it: `yuntu-push push resume {push} --wait`", push=push.push_id),
        )
    return push.custom_audience_id


def _check(push: Push, brand: PushBrand, decision: CopyDecision) -> None:
    _audience(push)
    lost = push.in_doubt(StepName.COPY, copy_key(brand)) is not None
    error: YuntuPushError | None = None
    match decision:
        case CopyDecision.MAKE if lost:
            error = copy_unknown(push, brand)
        case CopyDecision.MAKE if brand.state in (BrandState.SUBMITTED, BrandState.CONFIRMED):
            error = GuardError(
                "COPY_TWICE",
                msg("push {push} was copied to {brand} already", push=push.push_id,
                    brand=brand.brand_name),
                hint=msg("with --again Yuntu gets a second audience of the same name"),
            )  # fmt: skip
        case CopyDecision.DONE if not lost:
            error = GuardError(
                "COPY_NOT_UNKNOWN",
                msg("no copy into {brand} waits for a decision", brand=brand.brand_name),
                hint=msg("`yuntu-push push confirm {push} --brand {brand_id}` notes that it was "
                         "seen", push=push.push_id, brand_id=str(brand.brand_id)),
            )  # fmt: skip
        case _:
            pass
    if error is not None:
        raise error
