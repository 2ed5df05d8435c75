"""The step `upload`: every part on the platform, with a path that it still knows."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.push import CallState, Facts, PushPart
from yuntu_push.domain.segment import segment_of
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.outcomes import Act, Acts, Done, Outcome
from yuntu_push.services.push.view import View

PATH_GOOD_FOR = timedelta(days=13)  # the platform forgets a path after 14


def upload(view: View) -> Outcome:
    """Send what has no usable path yet."""
    acts = missing_uploads(view)
    return Acts(acts) if acts else Done()


def missing_uploads(view: View) -> list[Act]:
    """One write per part that was never sent, or whose path is about to be forgotten."""
    missing = [
        part
        for part in view.push.parts
        if part.file_path is None
        or part.uploaded_at is None
        or part.uploaded_at + PATH_GOOD_FOR < view.now
    ]
    _open(view, missing)
    return [_upload(view, part) for part in missing]


def _open(view: View, parts: Sequence[PushPart]) -> None:
    """Have parts at hand that a mirror has sealed since the push was made.

    Seen from here the push is under way, so that nothing is sealed any more until they are sent.
    """
    for ref in set(filter(None, (segment_of(part.path) for part in parts))):
        try:
            view.open_segment(ref)
        except (ConfigError, SourceError) as error:
            if error.code == "SEGMENT_SEALED":
                raise ConfigError(
                    error.code, error.message, hint=_build_again(view.push.segment)
                ) from None
            # What is gone or changed is told of when it is to be sent.


def forget_uploads(parts: Sequence[PushPart]) -> Facts:
    """What is learned when the platform no longer knows the paths: all is to be sent again."""
    return Facts(parts=[replace(part, file_path=None, uploaded_at=None) for part in parts])


def _upload(view: View, part: PushPart) -> Act:
    key = f"part:{part.position}"
    in_doubt = view.push.in_doubt(view.push.step, key)
    return Act(
        key=key,
        request=(part.md5, part.size),
        call=_sender(view, part),
        # Another path for the same bytes costs bandwidth and nothing else.
        verdict=CallState.REPEATABLE if in_doubt else None,
        size=part.size,
    )


def _sender(view: View, part: PushPart) -> Callable[[], Facts]:
    def send() -> Facts:
        check_part(part.path, part.md5, view.push.segment, hint=_build_again(view.push.segment))
        path = view.api.upload(advertiser_id=view.push.advertiser_id, path=part.path, md5=part.md5)
        return Facts(parts=(replace(part, file_path=path, uploaded_at=view.now),))

    return send


def check_part(path: Path, md5: str, segment: str, *, hint: Text) -> None:
    """Raise `SourceError` with `hint` when a part is gone or is not the file that was built."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    except FileNotFoundError:
        raise SourceError(
            "SEGMENT_PART_MISSING",
            msg("a part of segment {segment} is gone: {path}", segment=segment, path=str(path)),
            hint=hint,
        ) from None
    if found.hexdigest() != md5:
        raise SourceError(
            "SEGMENT_PART_CHANGED",
            msg(
                "a part of segment {segment} is not the file that was built: {path}",
                segment=segment,
                path=str(path),
            ),
            hint=hint,
        )


def _build_again(segment: str) -> Text:
    # A fresh build is another version, and this push is of the old one.
    return msg(
        "build {segment} again and create the push anew; "
        "`yuntu-push push cancel` gives this one up",
        segment=segment,
    )
