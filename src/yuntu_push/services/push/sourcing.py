"""The steps `create_data_source` and `update_data_source`: the content handed to the platform."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice

from yuntu_push.domain.errors import GuardError, YuntuPushError
from yuntu_push.domain.platform import Operation, RemoteDataSource
from yuntu_push.domain.push import Call, CallState, Facts, PushPart, StepName
from yuntu_push.domain.push_record import Verdict
from yuntu_push.domain.quota import QuotaClaim, QuotaKind
from yuntu_push.domain.text import msg
from yuntu_push.services.push.outcomes import (
    Act,
    Acts,
    Done,
    Failed,
    Learned,
    NeedsOperator,
    NotYet,
    Outcome,
)
from yuntu_push.services.push.presence import audience_gone, read_source, source_gone
from yuntu_push.services.push.uploading import forget_uploads, missing_uploads
from yuntu_push.services.push.view import View

CREATE_KEY = "create"
READ_AT_ONCE = 400  # data sources that one read may name


def create_data_source(view: View) -> Outcome:
    """Create the data source once, and only once.

    The platform has no key against duplicates and no list of data sources, so the unique name is
    the key: a create whose answer was lost is looked for under it before another one is made.
    """
    if view.push.data_source_id is not None:
        return Done()
    lost = view.push.in_doubt(StepName.CREATE_DATA_SOURCE, CREATE_KEY) or _taken_by_us(view)
    if lost is not None:
        return _reconcile_create(view, lost)
    return _create(view, None)


def _taken_by_us(view: View) -> Call | None:
    """The refusal of our unique name after a lost create: the lost one was carried out."""
    calls = view.push.calls_of(StepName.CREATE_DATA_SOURCE, CREATE_KEY)
    if len(calls) > 1 and calls[-1].state is CallState.REFUSED and _absent_before(view):
        return calls[-1]
    return None


def _create(view: View, verdict: CallState | None) -> Outcome:
    stale = missing_uploads(view)
    if stale:
        return Acts(stale)
    push = view.push
    paths = _paths(push.parts)

    def call() -> Facts:
        return Facts(
            data_source_id=view.api.create_data_source(
                advertiser_id=push.advertiser_id,
                name=push.audience_name,
                description=push.description,
                file_paths=paths,
                source_type=push.source_type,
            )
        )

    return Act(
        key=CREATE_KEY,
        request=(
            push.audience_name,
            push.description,
            push.source_type,
            [part.md5 for part in push.parts],
            paths,
        ),
        call=call,
        claim=QuotaClaim(QuotaKind.CREATE, str(push.advertiser_id), view.now),
        verdict=verdict,
        on_refused=lambda error: _after_refused_create(view, verdict, error),
    )


def _after_refused_create(
    view: View, verdict: CallState | None, error: YuntuPushError
) -> Facts | None:
    if error.code == "NAME_TAKEN" and (verdict is not None or _absent_before(view)):
        return Facts()  # our own name: the lost create was carried out after all
    if error.code == "UPLOAD_EXPIRED" and not view.push.was_refused(view.push.step, CREATE_KEY):
        return forget_uploads(view.push.parts)
    return None


def _reconcile_create(view: View, lost: Call) -> Outcome:
    found = find_by_name(view)
    if len(found) == 1:
        return Done(
            Facts(data_source_id=found[0].data_source_id),
            (Verdict(CREATE_KEY, CallState.FOUND),),
        )
    if found:
        return NeedsOperator(_found_twice(view, found))
    if view.decided(lost):
        return _create(view, CallState.DECIDED)
    left = view.remaining(lost, view.settings.reconcile_wait)
    if left > 0:
        return NotYet(msg("looking for the data source whose creation got no answer"), within=left)
    if _absent_before(view):
        return NeedsOperator(_lost_twice(view))
    return _create(view, CallState.ABSENT)


def find_by_name(view: View) -> list[RemoteDataSource]:
    """The data sources of the push's account that bear its name.

    They can only be found through the audiences they make, once parsed.
    """
    owner = view.push.advertiser_id
    ids = dict.fromkeys(
        audience.data_source_id
        for audience in view.api.audiences(advertiser_id=owner)
        if audience.data_source_id
    )
    return [
        source
        for batch in _batches(list(ids), READ_AT_ONCE)
        for source in view.api.data_sources(advertiser_id=owner, ids=batch)
        if source.name == view.push.audience_name
    ]


def _absent_before(view: View) -> bool:
    calls = view.push.calls_of(StepName.CREATE_DATA_SOURCE, CREATE_KEY)
    return any(call.state is CallState.ABSENT for call in calls)


def _found_twice(view: View, found: Sequence[RemoteDataSource]) -> GuardError:
    return GuardError(
        "DATA_SOURCE_TWICE",
        msg(
            "the platform has {count} data sources named {name}: {ids}",
            count=len(found),
            name=view.push.audience_name,
            ids=", ".join(source.data_source_id for source in found),
        ),
        hint=msg(
            "delete all but one of them in the DMP pages, then run `yuntu-push push resume {push}`",
            push=view.push.push_id,
        ),
    )


def _lost_twice(view: View) -> GuardError:
    return GuardError(
        "CREATE_UNKNOWN",
        msg(
            "two creations of {name} got no answer, and the platform shows no such data source",
            name=view.push.audience_name,
        ),
        hint=msg(
            "look for it in the DMP pages; `yuntu-push push resume {push}` looks again and, "
            "when it is not there, creates it once more",
            push=view.push.push_id,
        ),
    )


def update_data_source(view: View) -> Outcome:
    """Hand each operation's parts to the data source, one operation after the other."""
    push = view.push
    for operation in operations(push.parts):
        key = operation_key(operation)
        if not _carried_out(push.calls_of(StepName.UPDATE_DATA_SOURCE, key)):
            return _update(view, operation, push.in_doubt(StepName.UPDATE_DATA_SOURCE, key))
    return Done()


def operations(parts: Sequence[PushPart]) -> list[Operation]:
    """The operations of an update in order: removals first, so that nothing re-added is lost."""
    found = {part.operation for part in parts if part.operation is not None}
    return [o for o in (Operation.RESET, Operation.DELETE, Operation.ADD) if o in found]


def operation_key(operation: Operation) -> str:
    """The key of one operation's write."""
    return f"operation:{operation.name.lower()}"


def _carried_out(calls: Sequence[Call]) -> bool:
    return any(call.state in (CallState.DONE, CallState.FOUND) for call in calls)


def _update(view: View, operation: Operation, lost: Call | None) -> Outcome:
    source = read_source(view.api, view.push)
    if source is None:
        return Failed(source_gone(view.push))
    gone = audience_gone(source)
    if gone is not None:
        return Failed(gone)
    parts = [part for part in view.push.parts if part.operation is operation]
    if lost is not None:
        if _took_effect(source, lost, parts):
            return Learned(verdicts=(Verdict(lost.key, CallState.FOUND),))
        left = view.remaining(lost, view.settings.settle)
        if left > 0:
            return NotYet(msg("looking for the update that got no answer"), within=left)
    elif any(log.status in (0, 1) for log in source.change_logs):
        return NotYet(msg("the platform is still working on an earlier change"))
    stale = missing_uploads(view)
    if stale:
        return Acts(stale)
    # The same set added, removed or reset twice is the same content; it costs one of the day's 50.
    return _update_act(view, operation, parts, source, CallState.REPEATABLE if lost else None)


def _update_act(
    view: View,
    operation: Operation,
    parts: Sequence[PushPart],
    source: RemoteDataSource,
    verdict: CallState | None,
) -> Act:
    push = view.push
    paths = _paths(parts)

    def call() -> Facts:
        view.api.update_data_source(
            advertiser_id=push.advertiser_id,
            data_source_id=source.data_source_id,
            operation=operation,
            file_paths=paths,
        )
        return Facts()

    return Act(
        key=operation_key(operation),
        request=(source.data_source_id, int(operation), [part.md5 for part in parts], paths),
        call=call,
        before=noted(source),
        claim=QuotaClaim(QuotaKind.UPDATE, source.data_source_id, view.now),
        verdict=verdict,
    )


def noted(source: RemoteDataSource) -> str:
    """What tells a later change of a data source from the ones it has now."""
    logs = [log.change_log_id for log in source.change_logs]
    return json.dumps({"logs": logs, "published": source.published_time})


def _took_effect(source: RemoteDataSource, lost: Call, parts: Sequence[PushPart]) -> bool:
    known = set(json.loads(lost.before)["logs"])
    sent = set(_paths(parts))
    return any(
        log.change_log_id not in known and set(log.file_paths) == sent for log in source.change_logs
    )


def _paths(parts: Sequence[PushPart]) -> list[str]:
    return [part.file_path for part in parts if part.file_path is not None]


def _batches(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, size)):
        yield batch
