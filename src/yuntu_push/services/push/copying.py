"""The steps `copy` and `verify`: into the Yuntu brands, and what can be seen afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from yuntu_push.domain.errors import (
    GuardError,
    LoginError,
    PartialError,
    RefusedError,
    TryLaterError,
    YuntuPushError,
)
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import (
    BrandState,
    Call,
    CallState,
    Facts,
    Push,
    PushBrand,
    StepName,
    TargetState,
)
from yuntu_push.domain.push_record import Verdict
from yuntu_push.domain.text import msg
from yuntu_push.services.push.outcomes import (
    Act,
    Done,
    Failed,
    Learned,
    NeedsOperator,
    NotYet,
    Outcome,
)
from yuntu_push.services.push.publishing import late_shares
from yuntu_push.services.push.sharing import owner_refusal
from yuntu_push.services.push.view import View, audience_facts


def copy(view: View) -> Outcome:
    """Copy into each brand once; a brand that fails does not repeat the others.

    The platform gives no sure way to see a copy, and a second one may be a duplicate: what was lost
    is looked for under the brand, and where nothing shows, a person decides.
    """
    waiting = [b for b in view.push.brands if b.state is BrandState.PENDING]
    fresh = [b for b in waiting if _doubt(view, b) is None]
    if fresh:
        return copy_act(view, fresh[0], None)
    if waiting:
        return _first_settled([_reconcile(view, brand) for brand in waiting])
    return _summary(view.push)


def copy_key(brand: PushBrand) -> str:
    """The key of the write into one brand."""
    return f"brand:{brand.brand_id}"


def _doubt(view: View, brand: PushBrand) -> Call | None:
    return view.push.in_doubt(StepName.COPY, copy_key(brand))


def copy_act(view: View, brand: PushBrand, verdict: CallState | None) -> Act:
    """The write that copies the audience into one brand."""
    audience = view.audience_id()

    def call() -> Facts:
        try:
            answer = view.api.copy(
                advertiser_id=view.push.advertiser_id,
                custom_audience_id=audience,
                virtual_adv_id=brand.virtual_adv_id,
            )
        except TryLaterError as error:
            raise _never_ready(view, error) or error from error
        return Facts(brands=[_submitted(view, brand, answer)])

    return Act(
        key=copy_key(brand),
        request=(audience, brand.virtual_adv_id),
        call=call,
        before=str(view.earlier_copies.get(brand.virtual_adv_id, 0)),
        verdict=verdict,
        on_refused=_refused(brand),
    )


def _never_ready(view: View, error: TryLaterError) -> YuntuPushError | None:
    """The owner's refused share, when that is why the audience will never be ready to be copied."""
    if error.code != "AUDIENCE_NOT_READY" or not owner_refusal(view):
        return None
    owner = next(target for target in view.push.targets if target.owner)
    return owner.failure.error() if owner.failure is not None else None


def _submitted(view: View, brand: PushBrand, audience_id: int | None) -> PushBrand:
    return replace(
        brand,
        state=BrandState.SUBMITTED,
        yuntu_audience_id=audience_id,
        submitted_at=view.now,
        failure=None,
    )


def _refused(brand: PushBrand) -> Callable[[YuntuPushError], Facts]:
    def learn(error: YuntuPushError) -> Facts:
        return Facts(brands=[replace(brand, state=BrandState.FAILED, failure=Failure.of(error))])

    return learn


def _reconcile(view: View, brand: PushBrand) -> Outcome:
    lost = _doubt(view, brand)
    if lost is None:
        raise AssertionError(f"copy into brand {brand.brand_id} is not in doubt")
    shown, before = _seen_under_brand(view, brand), int(lost.before or 0)
    if shown is not None and len(shown) > before:
        found = _submitted(view, brand, max(shown))
        return Learned(Facts(brands=[found]), (Verdict(lost.key, CallState.FOUND),))
    # A brand that shows what was copied before shows this one once the platform has made it.
    shows_copies = shown is not None and len(shown) >= before
    settings = view.settings
    left = view.remaining(lost, settings.reconcile_wait if shows_copies else settings.settle)
    if left > 0:
        return NotYet(msg("looking for the copy that got no answer"), within=left)
    match view.settings.copy_unknown:
        case "again":
            return copy_act(view, brand, CallState.DECIDED)
        case "done":
            taken = _submitted(view, brand, None)
            return Learned(Facts(brands=[taken]), (Verdict(lost.key, CallState.DECIDED),))
        case _:
            asked = replace(
                brand,
                state=BrandState.NEEDS_OPERATOR,
                failure=Failure.of(copy_unknown(view.push, brand)),
            )
            return Learned(Facts(brands=[asked]))


def _first_settled(outcomes: Sequence[Outcome]) -> Outcome:
    """The first outcome that moves something; else the one that has to wait longest."""
    moving = [o for o in outcomes if not isinstance(o, NotYet)]
    return moving[0] if moving else outcomes[-1]


def _seen_under_brand(view: View, brand: PushBrand) -> list[int] | None:
    """The audiences of this push's name that the platform shows under the brand; None when it
    refuses to show any."""
    try:
        return [
            audience.custom_audience_id
            for audience in view.api.audiences(advertiser_id=brand.virtual_adv_id)
            if audience.name == view.push.audience_name
            or audience.custom_audience_id == view.push.custom_audience_id
        ]
    except (RefusedError, LoginError):
        return None


def copy_unknown(push: Push, brand: PushBrand) -> GuardError:
    """What a person is told about a copy that nothing shows."""
    return GuardError(
        "COPY_UNKNOWN",
        msg(
            "the copy into brand {brand} got no answer, and the platform does not show it",
            brand=brand.brand_name,
        ),
        hint=msg(
            "look for {name} in Yuntu (自定义分析); `yuntu-push push copy {push} "
            "--brand {brand_id} --done` when it is there, `--again` when it is not",
            name=push.audience_name,
            push=push.push_id,
            brand_id=str(brand.brand_id),
        ),
    )


def _summary(push: Push) -> Outcome:
    asking = [b for b in push.brands if b.state is BrandState.NEEDS_OPERATOR]
    if asking:
        return NeedsOperator(copy_unknown(push, asking[0]))
    failed = [b for b in push.brands if b.state is BrandState.FAILED]
    if not failed:
        return Done()
    done = [b for b in push.brands if b.state in (BrandState.SUBMITTED, BrandState.CONFIRMED)]
    shared = [t for t in push.targets if not t.owner and t.state is TargetState.SHARED]
    if not done and not shared and failed[0].failure is not None:
        return Failed(failed[0].failure.error())
    return Failed(
        PartialError(
            "BRANDS_FAILED",
            msg(
                "{failed} of {count} brands failed: {names}",
                failed=len(failed),
                count=len(push.brands),
                names=", ".join(b.brand_name for b in failed),
            ),
            hint=msg(
                "`yuntu-push push status {push}` says why; `yuntu-push push resume {push}` tries "
                "these again",
                push=push.push_id,
            ),
        )
    )


def verify(view: View) -> Outcome:
    """Read the counts once more; a copy itself can be seen by a person only.

    Targets that an earlier run failed to share with are tried again, and what one of them took is
    published once more, as the platform wants it after each share.
    """
    late = late_shares(view)
    if late is not None:
        return late
    audience = view.read_audience()
    facts = audience_facts(audience) if audience is not None else Facts()
    refused = [t for t in view.push.targets if not t.owner and t.state is TargetState.FAILED]
    if not refused:
        return Done(facts)
    return Failed(
        PartialError(
            "TARGETS_FAILED",
            msg(
                "the platform refused {count} targets: {targets}",
                count=len(refused),
                targets=", ".join(str(t.advertiser_id) for t in refused),
            ),
            hint=msg(
                "targets must belong to the legal subject (主体) of the account; see "
                "`yuntu-push push status {push}`",
                push=view.push.push_id,
            ),
        ),
        facts,
    )
