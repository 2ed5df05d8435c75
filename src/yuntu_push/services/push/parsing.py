"""The step `parse`: wait until the platform has turned the files into an audience."""

import json

from yuntu_push.domain.errors import RefusedError
from yuntu_push.domain.platform import ChangeLog, RemoteDataSource
from yuntu_push.domain.push import WITHOUT_EFFECT, Facts, StepName
from yuntu_push.domain.text import msg
from yuntu_push.services.push.outcomes import Done, Failed, NotYet, Outcome
from yuntu_push.services.push.presence import read_source
from yuntu_push.services.push.sourcing import operations
from yuntu_push.services.push.view import View

PARSE_FAILED = "PARSE_FAILED"
FINISHED = 2
FAILED = 3


def parse(view: View) -> Outcome:
    """Done with the audience's id; this usually takes 20 to 60 minutes."""
    source = read_source(view.api, view.push)
    if source is None:
        return NotYet(msg("the platform does not show the data source yet"))
    changes = _new_changes(view, source)
    failed = next((change for change in changes if change.status == FAILED), None)
    if failed is not None or (not view.push.updates and source.status == FAILED):
        return Failed(_parse_failed(view, failed))
    if not _finished(view, source, changes) or source.audience is None:
        return NotYet(msg("the platform is parsing the files; this takes 20 to 60 minutes"))
    return Done(
        Facts(
            custom_audience_id=source.audience.custom_audience_id,
            upload_num=source.upload_num,
            cover_num=source.cover_num,
            delivery_status=source.audience.delivery_status,
        )
    )


def _new_changes(view: View, source: RemoteDataSource) -> list[ChangeLog]:
    known = set(_before(view).get("logs", ()))
    return [log for log in source.change_logs if log.change_log_id not in known]


def _before(view: View) -> dict[str, list[int] | str]:
    """What the data source was before the first write that can have changed it."""
    calls = view.push.calls_of(StepName.UPDATE_DATA_SOURCE)
    noted = [call.before for call in calls if call.before and call.state not in WITHOUT_EFFECT]
    return dict(json.loads(noted[0])) if noted else {}


def _finished(view: View, source: RemoteDataSource, changes: list[ChangeLog]) -> bool:
    if not view.push.updates:
        return source.status == FINISHED
    if changes:
        # A repeated write may have made two changes: each operation counts once.
        effective = [change.action for change in changes if change.status == FINISHED]
        wanted = operations(view.push.parts)
        return len(effective) >= len(wanted) and all(
            operation in effective or None in effective for operation in wanted
        )
    return source.published_time != _before(view).get("published")


def _parse_failed(view: View, change: ChangeLog | None) -> RefusedError:
    reason = change.message if change is not None and change.message else "-"
    return RefusedError(
        PARSE_FAILED,
        msg("the platform could not parse the data source: {reason}", reason=reason),
        hint=msg(
            "check the id types with `yuntu-push segment show {segment}`, build it again and "
            "create a new push",
            segment=view.push.segment,
        ),
    )
