"""What a push that is given up leaves on the platform, and which copies its audience has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from yuntu_push.domain.push import (
    WITHOUT_EFFECT,
    BrandState,
    CallState,
    Push,
    PushBrand,
    StepName,
    StepState,
    TargetState,
)
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.copying import copy_key
from yuntu_push.services.push.publishing import PUBLISHED

# Writes that were carried out, or may have been.
_PERHAPS = frozenset(CallState) - WITHOUT_EFFECT
_COPIED = {
    CallState.DONE: True,
    CallState.FOUND: True,
    CallState.DECIDED: False,
    CallState.UNKNOWN: False,
    CallState.OPEN: False,
}


def remains(push: Push, chain: Sequence[Push] = ()) -> tuple[Text, ...]:
    """Sentences on what stays, and how it is undone where it can be; a person gives `push` up.

    `chain` are all pushes into its data source.
    """
    return (*_content(push, chain), *_shares(push), *_copies(push))


def _content(push: Push, chain: Sequence[Push]) -> list[Text]:
    name = push.audience_name
    if _wrote(push, StepName.PUBLISH):
        return [
            msg(
                "its content is published and stays in force; to go back, push the earlier "
                "content: `yuntu-push push update {push} --segment NAME@VERSION`",
                push=push.push_id,
            )
        ]
    if _wrote(push, StepName.CREATE_DATA_SOURCE):
        return [
            msg(
                "the data source {name} stays on the platform; delete it in the DMP pages if it "
                "is not wanted",
                name=name,
            )
        ]
    if _wrote(push, StepName.UPDATE_DATA_SOURCE):
        if not any(map(_was_published, chain)):
            return [
                msg(
                    "the data source {name} has the new content; its audience was never published, "
                    "so nothing is in force before a later push is published",
                    name=name,
                )
            ]
        return [
            msg(
                "the data source {name} has the new content; the audience keeps the old one until "
                "a later push is published",
                name=name,
            )
        ]
    if _wrote(push, StepName.UPLOAD):
        return [msg("only files were uploaded; the platform forgets them after 14 days")]
    return [msg("nothing was sent to the platform")]


def _shares(push: Push) -> list[Text]:
    shared = [t for t in push.targets if not t.owner and t.state is TargetState.SHARED]
    if not shared:
        return []
    return [
        msg(
            "{count} advertisers keep the audience: a share cannot be taken back here",
            count=len(shared),
        )
    ]


def _copies(push: Push) -> list[Text]:
    states = (BrandState.SUBMITTED, BrandState.CONFIRMED, BrandState.NEEDS_OPERATOR)
    brands = [b.brand_name for b in push.brands if b.state in states]
    if not brands:
        return []
    return [msg("copies stay in {brands}; delete them in Yuntu by hand", brands=", ".join(brands))]


def _was_published(push: Push) -> bool:
    """Whether its audience has been in force, by what was written or is known of it."""
    if _wrote(push, StepName.PUBLISH) or push.delivery_status in PUBLISHED:
        return True
    # One that was taken over was not published by us: what was seen then decides.
    done = any(s.name is StepName.PUBLISH and s.state is StepState.SUCCEEDED for s in push.steps)
    return done and push.delivery_status is None


def _wrote(push: Push, step: StepName) -> bool:
    return any(call.state in _PERHAPS for call in push.calls_of(step))


@dataclass(frozen=True)
class BrandCopy:
    """One copy of an audience in a Yuntu brand, made at `at` with the content of `push`.

    Only the newest of a brand is `current`; not `sure` when only a person can know whether it is
    there.
    """

    push: Push
    brand: PushBrand
    at: datetime
    sure: bool
    current: bool = False


def copies_of(chain: Sequence[Push]) -> list[BrandCopy]:
    """The copies that the pushes into one data source made, newest first."""
    found = [
        BrandCopy(push, brand, call.intent_at, _COPIED[call.state])
        for push in chain
        for brand in push.brands
        for call in push.calls_of(StepName.COPY, copy_key(brand))
        if call.state in _COPIED
    ]
    found.sort(key=lambda copy: copy.at, reverse=True)
    seen: set[int] = set()
    marked = []
    for copy in found:
        marked.append(replace(copy, current=copy.brand.brand_id not in seen))
        seen.add(copy.brand.brand_id)
    return marked
