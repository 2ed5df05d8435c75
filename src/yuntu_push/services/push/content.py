"""What an update sends, and how it changes the audience."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.guards import Sizes
from yuntu_push.domain.identifiers import IdType, id_type_named
from yuntu_push.domain.platform import Operation
from yuntu_push.domain.push import Mode, Push, PushPart
from yuntu_push.domain.segment import Segment, SegmentRef
from yuntu_push.domain.segment_build import Combination
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.lineage import WHOLE, Holding
from yuntu_push.services.push.planning import chosen_parts
from yuntu_push.services.push.ports import SegmentChanges


@dataclass(frozen=True)
class Content:
    """What is sent, what it changes, and what was decided.

    `parts` makes the parts with their operations: those of a difference are written by it.
    """

    parts: Callable[[], tuple[PushPart, ...]]
    sizes: Sizes
    note: Text | None = None


@dataclass(frozen=True)
class _Change:
    """How one version of a segment became another, in the ids of `id_types`."""

    old: Segment
    new: Segment
    id_types: Collection[IdType]
    sizes: Sizes


class ContentPlanner:
    """Decides what is sent; compares it with the last content where that is at hand."""

    def __init__(self, segments: Callable[[], SegmentChanges]) -> None:
        self._segments = segments

    def content(
        self, held: Holding, segment: Segment, whole: tuple[PushPart, ...], mode: Mode
    ) -> Content:
        """What a mode sends to a data source that holds `held`."""
        total, before = sum(part.ids for part in whole), held.ids
        match mode:
            case Mode.APPEND:
                sizes = Sizes(after=total, before=before, added=total)
                return Content(partial(_marked, whole, Operation.ADD), sizes)
            case Mode.REMOVE:
                sizes = Sizes(after=total, before=before, removed=total)
                return Content(partial(_marked, whole, Operation.DELETE), sizes)
            case Mode.MIRROR:
                change = self._change(held, segment, whole)
                if change is not None:
                    return self._mirrored(change, whole)
                note = msg("what was last pushed is not at hand: the content is replaced whole")
                return _reset(whole, Sizes.of_totals(before, total), note)
            case Mode.RESET | Mode.CREATE:
                change = self._change(held, segment, whole)
                sizes = Sizes.of_totals(before, total) if change is None else change.sizes
                return _reset(whole, sizes)

    def put_away(self, segment: str) -> None:
        """Seal the earlier contents that a mirror keeps for a later difference."""
        for name in (segment, *(self._difference(segment, sign) for sign in ("add", "delete"))):
            self._segments().seal_replaced(name)

    def _change(
        self, held: Holding, segment: Segment, whole: tuple[PushPart, ...]
    ) -> _Change | None:
        """From the last content to this one; None when the last is not at hand."""
        last, wanted = held.push, {part.id_type for part in whole}
        if not held.certain or last.mode not in WHOLE:
            return None
        if last.segment != segment.name or wanted != set(last.id_types):
            return None
        total = sum(part.ids for part in whole)
        if last.fingerprint == segment.fingerprint:  # nothing to read: most runs find this
            return _Change(segment, segment, wanted, Sizes(after=total, before=last.ids_total))
        try:
            old, new, changes = self._segments().diff(
                segment.name, last.segment_version, segment.version
            )
        except (ConfigError, SourceError):
            return None  # that version was erased, or what is left of it cannot be read
        if old.fingerprint != last.fingerprint:
            return None  # another home's version of that number was pushed
        sizes = Sizes(
            after=total,
            before=last.ids_total,
            removed=sum(changes[t].removed for t in wanted if t in changes),
            added=sum(changes[t].added for t in wanted if t in changes),
        )
        return _Change(old, new, wanted, sizes)

    def _mirrored(self, change: _Change, whole: tuple[PushPart, ...]) -> Content:
        """The smaller of difference and whole."""
        added, removed = change.sizes.added, change.sizes.removed
        if not added + removed or added + removed >= change.sizes.after:
            note = msg("the content is replaced whole: that sends less")
            return _reset(whole, change.sizes, note)
        old, new, wanted = change.old, change.new, change.id_types

        def made() -> tuple[PushPart, ...]:
            parts: tuple[PushPart, ...] = ()
            if removed:
                parts += _marked(self._minus(old, new, wanted, "delete"), Operation.DELETE)
            if added:
                parts += _marked(self._minus(new, old, wanted, "add"), Operation.ADD)
            return tuple(replace(part, position=place) for place, part in enumerate(parts))

        note = msg("{added} ids are added, {removed} removed", added=added, removed=removed)
        return Content(made, change.sizes, note)

    def _minus(
        self, some: Segment, others: Segment, wanted: Collection[IdType], sign: str
    ) -> tuple[PushPart, ...]:
        made = self._segments().combine(
            self._difference(some.name, sign),
            Combination.MINUS,
            [SegmentRef(each.name, each.version) for each in (some, others)],
        )
        return chosen_parts(made, [t for t in made.id_types if t in wanted])

    def _difference(self, segment: str, sign: str) -> str:
        """The segment of what a mirror adds or deletes: never one that a person built."""
        name = f"{segment[:50]}-{sign}"
        for number in count(2):
            if self._may_hold(name, segment):
                break
            name = f"{segment[:50]}-{sign}-{number}"
        return name

    def _may_hold(self, name: str, segment: str) -> bool:
        try:
            kept = self._segments().newest(name)
        except SourceError:
            return False  # a damaged manifest: nobody knows whose it is
        return kept is None or _is_difference(kept, segment)


def _is_difference(kept: Segment, segment: str) -> bool:
    """Whether what is kept is a difference between two versions of a segment."""
    return all(
        text.startswith(f"{segment}@") for text in kept.source.split(f" {Combination.MINUS} ")
    )


def wanted_types(
    push: Push, segment: Segment, chosen: Sequence[str] | None = None
) -> Sequence[IdType]:
    """The `chosen` id types, all for none; without a choice the push's, as far as the segment has
    them."""
    if chosen is not None:
        return [id_type_named(text) for text in chosen]
    return [t for t in push.id_types if t in segment.id_types] or list(segment.id_types)


def _reset(whole: Sequence[PushPart], sizes: Sizes, note: Text | None = None) -> Content:
    return Content(partial(_marked, whole, Operation.RESET), sizes, note)


def _marked(parts: Sequence[PushPart], operation: Operation) -> tuple[PushPart, ...]:
    return tuple(replace(part, operation=operation) for part in parts)
