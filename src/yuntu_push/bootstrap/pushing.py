"""Segments and what is done with them, built at first use."""

import functools
import secrets as randomness
from typing import TYPE_CHECKING

from yuntu_push.bootstrap.access import Access
from yuntu_push.domain.audience_name import ID_ALPHABET, ID_LENGTH
from yuntu_push.domain.segment import SegmentRef, parse_ref

if TYPE_CHECKING:
    from yuntu_push.services.audiences import Audiences
    from yuntu_push.services.push.adoption import PushAdoption
    from yuntu_push.services.push.copies import PushCopies
    from yuntu_push.services.push.counts import PresentCounts
    from yuntu_push.services.push.entries import PushEntries
    from yuntu_push.services.push.planning import PushPlanner
    from yuntu_push.services.push.runner import PushRunner
    from yuntu_push.services.push.schedule_watch import ScheduleWatch
    from yuntu_push.services.push.tasks import PushTasks
    from yuntu_push.services.push.updates import PushUpdates
    from yuntu_push.services.segment_ports import SegmentEngine
    from yuntu_push.services.segments import SegmentService


def _new_push_id() -> str:
    return "".join(randomness.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


class Pushing(Access):
    """Segments, pushes and audiences."""

    @functools.cached_property
    def segments(self) -> "SegmentService":
        """Builds and keeps segments."""
        from yuntu_push.services.segments import SegmentService

        def engine() -> "SegmentEngine":
            from yuntu_push.adapters.engine.vector_engine import VectorEngine

            return VectorEngine()

        return SegmentService(
            engine=engine,
            store=self.segment_store,
            sources=self.source_catalog,
            clock=self.clock,
            progress=self.progress,
            notice=self.notice,
            needed=self._is_needed,
            ids=self.settings.ids,
            settings=self.settings.segments,
        )

    def _is_needed(self, ref: SegmentRef) -> bool:
        """Whether a push has still to upload a segment, or the config leaves its people out."""
        named = [*self.settings.segments.exclude]
        for entry in self.settings.pushes.values():
            named += entry.segment.exclude
        return ref.name in {parse_ref(text).name for text in named} or bool(
            self.pushes.needing(ref)
        )

    @functools.cached_property
    def push_runner(self) -> "PushRunner":
        """Takes pushes through their steps."""
        from yuntu_push.services.push.runner import PushRunner

        return PushRunner(
            store=self.push_store,
            channels=self.channel_store,
            api_for=self.audience_api,
            segments=self.segment_store,
            locks=self.locks,
            clock=self.clock,
            settings=self.settings.push,
            notice=self.notice,
            progress=self.progress,
        )

    @functools.cached_property
    def _planner(self) -> "PushPlanner":
        from yuntu_push.services.push.planning import PushPlanner

        return PushPlanner(
            store=self.push_store,
            channels=self.channel_store,
            directory=self.lookup,
            segments=self.segment_store,
            clock=self.clock,
            api=self.settings.api,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def pushes(self) -> "PushTasks":
        """The pushes of this home."""
        from yuntu_push.services.push.tasks import PushTasks

        return PushTasks(
            store=self.push_store,
            planner=self._planner,
            runner=self.push_runner,
            channels=self.channel_store,
            clock=self.clock,
        )

    @functools.cached_property
    def present_counts(self) -> "PresentCounts":
        """The counts that audiences show now."""
        from yuntu_push.services.push.counts import PresentCounts

        return PresentCounts(
            store=self.push_store,
            channels=self.channel_store,
            api_for=self.brief_api,
            clock=self.clock,
        )

    @functools.cached_property
    def push_updates(self) -> "PushUpdates":
        """New content into data sources that are there."""
        from yuntu_push.services.push.updates import PushUpdates

        return PushUpdates(
            store=self.push_store,
            planner=self._planner,
            runner=self.push_runner,
            channels=self.channel_store,
            api_for=self.audience_api,
            segments=lambda: self.segments,
            clock=self.clock,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def push_entries(self) -> "PushEntries":
        """The `pushes:` entries of the config."""
        from yuntu_push.services.push.entries import PushEntries

        return PushEntries(
            entries=self.settings.pushes,
            store=self.push_store,
            tasks=self.pushes,
            updates=self.push_updates,
            channels=self.channel_store,
            segments=lambda: self.segments,
            settings=self.settings.segments,
            locks=self.locks,
            notice=self.notice,
            warning=self.warning,
            runs=self.entry_runs,
            clock=self.clock,
        )

    @functools.cached_property
    def schedule_watch(self) -> "ScheduleWatch":
        """Compares schedules with what was done."""
        from yuntu_push.services.push.schedule_watch import ScheduleWatch

        return ScheduleWatch(
            entries=self.settings.pushes,
            runs=self.entry_runs,
            store=self.push_store,
            clock=self.clock,
        )

    @functools.cached_property
    def push_adoption(self) -> "PushAdoption":
        """Takes over data sources that another tool or machine made."""
        from yuntu_push.services.push.adoption import PushAdoption

        return PushAdoption(
            store=self.push_store,
            planner=self._planner,
            api_for=self.audience_api,
            clock=self.clock,
            new_id=_new_push_id,
        )

    @functools.cached_property
    def push_copies(self) -> "PushCopies":
        """Copies into one brand, on demand."""
        from yuntu_push.services.push.copies import PushCopies

        return PushCopies(
            store=self.push_store,
            runner=self.push_runner,
            channels=self.channel_store,
            directory=self.lookup,
            api_for=self.audience_api,
            clock=self.clock,
            settings=self.settings.push,
            progress=self.progress,
        )

    @functools.cached_property
    def audiences(self) -> "Audiences":
        """The audiences that are on the platform."""
        from yuntu_push.services.audiences import Audiences

        return Audiences(
            channel=self._planner.channel,
            directory=self.lookup,
            api_for=self.audience_api,
            store=self.push_store,
            clock=self.clock,
        )
