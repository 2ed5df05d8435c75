"""Custom audiences (人群包): publish, push, copy, read, select, delete."""

from collections.abc import Iterator, Sequence

from yuntu_push.adapters.ocean import models
from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.domain.platform import RemoteAudience

PUBLISH = "/open_api/2/dmp/custom_audience/publish/"
PUSH = "/open_api/2/dmp/custom_audience/push_v2/"
COPY = "/open_api/2/dmp/custom_audience/copy/"
READ = "/open_api/2/dmp/custom_audience/read/"
SELECT = "/open_api/2/dmp/custom_audience/select/"
DELETE = "/open_api/2/dmp/custom_audience/delete/"
MOST_PER_CALL = 100  # targets of a push, ids of a read, rows of a page
MOST_PAGES = 1000
OWN_AND_PUSHED = 0  # `select_type`


def publish(caller: Caller, *, advertiser_id: int, custom_audience_id: int) -> None:
    """Put the present content in force; the platform takes one a day for each audience."""
    caller.post(PUBLISH, advertiser_id=advertiser_id, custom_audience_id=custom_audience_id)


def push(
    caller: Caller, *, advertiser_id: int, custom_audience_id: int, targets: Sequence[int]
) -> None:
    """Share with advertisers of the same legal subject, a hundred in a call."""
    for start in range(0, len(targets), MOST_PER_CALL):
        caller.post(
            PUSH,
            advertiser_id=advertiser_id,
            custom_audience_id=custom_audience_id,
            target_advertiser_ids=list(targets[start : start + MOST_PER_CALL]),
        )


def copy(
    caller: Caller, *, advertiser_id: int, custom_audience_id: int, virtual_adv_id: int
) -> int | None:
    """Duplicate into a Yuntu brand; the id in the answer, if there is one.

    The vendor's SDKs disagree whether `to_advertiser_id` is a number or a list (a setting decides)
    and on what the id means, so nothing may depend on it.
    """
    scalar = caller.api.copy_to == "scalar"
    data = caller.post(
        COPY,
        advertiser_id=advertiser_id,
        custom_audience_id=custom_audience_id,
        to_advertiser_id=virtual_adv_id if scalar else [virtual_adv_id],
    )
    return models.number(models.record(data).get("custom_audience_id"))


def read(caller: Caller, *, advertiser_id: int, ids: Sequence[int]) -> list[RemoteAudience]:
    """Audiences by id, deleted ones too, in the order asked for; unknown ones are left out."""
    found: dict[int, RemoteAudience] = {}
    for start in range(0, len(ids), MOST_PER_CALL):
        batch = list(ids[start : start + MOST_PER_CALL])
        data = caller.get(READ, advertiser_id=advertiser_id, custom_audience_ids=batch)
        for audience in _listed(data):
            found[audience.custom_audience_id] = audience
    return [found[each] for each in dict.fromkeys(ids) if each in found]


def select(caller: Caller, *, advertiser_id: int) -> Iterator[RemoteAudience]:
    """All audiences created by or pushed to an advertiser, page by page."""
    for page in range(MOST_PAGES):
        offset = page * MOST_PER_CALL
        data = models.record(
            caller.get(
                SELECT,
                advertiser_id=advertiser_id,
                select_type=OWN_AND_PUSHED,
                offset=offset,
                limit=MOST_PER_CALL,
            )
        )
        rows = models.records(data.get("custom_audience_list"))
        yield from _listed(data)
        total = models.number(data.get("total_num"))
        reached = offset + MOST_PER_CALL
        if not rows or (reached >= total if total is not None else len(rows) < MOST_PER_CALL):
            return


def delete(caller: Caller, *, advertiser_id: int, custom_audience_id: int) -> None:
    """Delete an audience; copies in brands stay."""
    caller.post(DELETE, advertiser_id=advertiser_id, custom_audience_id=custom_audience_id)


def _listed(data: object) -> list[RemoteAudience]:
    items = models.records(models.record(data).get("custom_audience_list"))
    found = (models.audience(item) for item in items)
    return [audience for audience in found if audience is not None]
