"""Whether the audience of a push is still on the platform, and for how long."""

from datetime import datetime

from yuntu_push.domain.audience import (
    AUDIENCE_GONE_HINT,
    AudienceState,
    audience_state,
    expires_soon,
    expiry_warning,
)
from yuntu_push.domain.errors import LoginError, RefusedError, TryLaterError
from yuntu_push.domain.platform import RemoteDataSource
from yuntu_push.domain.push import Push
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import AudienceApi


def read_source(api: AudienceApi, push: Push) -> RemoteDataSource | None:
    """The push's data source as the platform has it now."""
    wanted = push.data_source_id
    if wanted is None:
        raise AssertionError(f"push {push.push_id} has no data source at {push.step}")
    found = api.data_sources(advertiser_id=push.advertiser_id, ids=[wanted])
    return next((source for source in found if source.data_source_id == wanted), None)


def source_gone(push: Push) -> RefusedError:
    """The error for a data source that the platform does not have."""
    return RefusedError(
        "DATA_SOURCE_GONE",
        msg(
            "account {account} has no data source {source}",
            account=str(push.advertiser_id),
            source=push.data_source_id,
        ),
        hint=AUDIENCE_GONE_HINT,
    )


def audience_gone(source: RemoteDataSource) -> RefusedError | None:
    """Why the audience of a data source can never be used again; None while it can."""
    state = audience_state(source.audience) if source.audience is not None else None
    match state:
        case AudienceState.DELETED:
            what = msg(
                "the audience of data source {source} was deleted", source=source.data_source_id
            )
        case AudienceState.EXPIRED:
            what = msg(
                "the audience of data source {source} has expired", source=source.data_source_id
            )
        case _:
            return None
    return RefusedError(
        "DATA_SOURCE_GONE", what, hint=msg("create a new push: `yuntu-push push create …`")
    )


def look_after(api: AudienceApi, push: Push, now: datetime) -> Text | None:
    """What a person should know about the audience of a push that brings nothing new.

    `RefusedError` when it is gone for good. A platform that does not answer is only told: the
    content is unchanged, so nothing is lost.
    """
    try:
        source = read_source(api, push)
    except (TryLaterError, LoginError, RefusedError) as error:
        return msg(
            "whether the audience is still on the platform could not be checked: {reason}",
            reason=error.message,
        )
    gone = source_gone(push) if source is None else audience_gone(source)
    if gone is not None:
        raise gone
    audience = source.audience if source is not None else None
    if audience is not None and expires_soon(audience, now):
        return expiry_warning(audience)
    return None
