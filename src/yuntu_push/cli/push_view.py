"""Pushes as the envelope and the tables show them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from yuntu_push.cli.errors import as_json, exit_code_for
from yuntu_push.cli.output import Status, Table, details
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import BEIJING, iso, shown
from yuntu_push.domain.errors import StillRunningError, TryLaterError
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import BrandState, Push, PushBrand, PushState
from yuntu_push.domain.settings import seconds
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.push.ending import ending, next_action
from yuntu_push.services.push.labels import (
    brand_label,
    state_label,
    step_label,
    target_label,
)
from yuntu_push.services.push.remains import BrandCopy

MOST_COPIES = 5  # that a sentence names; the table and the envelope have them all


def push_data(session: Session, push: Push) -> dict[str, Any]:
    """A push as scripts read it; every id is a string."""
    return {
        "push_id": push.push_id,
        "name": push.name,
        "audience_name": push.audience_name,
        "channel": push.channel,
        "channel_kind": push.channel_kind,
        "segment": push.segment,
        "segment_version": push.segment_version,
        "audience_type": push.audience_type,
        "id_types": [str(id_type) for id_type in push.id_types],
        "account": {"advertiser_id": str(push.advertiser_id), "name": push.account_name},
        "brands": [
            {
                "brand_id": str(brand.brand_id),
                "brand_name": brand.brand_name,
                "virtual_adv_id": str(brand.virtual_adv_id),
                "state": _brand_state(brand).value,
                "yuntu_audience_id": _id(brand.yuntu_audience_id),
                "copy_due": brand.state is not BrandState.NOT_DUE,
                "submitted_at": iso(brand.submitted_at),
                "error": _failure(session, brand.failure),
            }
            for brand in push.brands
        ],
        "targets": [
            {
                "advertiser_id": str(target.advertiser_id),
                "state": target.state.value,
                "error": _failure(session, target.failure),
            }
            for target in push.targets
            if not target.owner
        ],
        "mode": push.mode.value,
        "entry": push.entry,
        "follows": push.follows,
        "state": push.state.value,
        "step": push.step.value,
        "steps": [
            {
                "name": step.name.value,
                "state": step.state.value,
                "attempts": step.attempts,
                "started_at": iso(step.started_at),
                "finished_at": iso(step.finished_at),
                "error": _failure(session, step.failure),
            }
            for step in push.steps
        ],
        "data_source_id": push.data_source_id,
        "custom_audience_id": _id(push.custom_audience_id),
        "delivery_status": push.delivery_status.value if push.delivery_status else None,
        "upload_num": push.upload_num,
        "cover_num": push.cover_num,
        "reason": _text(session, push.reason),
        "next_action": _text(session, next_action(push)),
        "next_at": iso(push.next_at),
        "expected_end": iso(session.pushes.expected_end(push)),
        "created_at": iso(push.created_at),
        "updated_at": iso(push.updated_at),
        "error": _failure(session, push.failure),
    }


def _brand_state(brand: PushBrand) -> BrandState:
    """What scripts may count on: a copy that is not due leaves the brand with its last one."""
    if brand.state is not BrandState.NOT_DUE:
        return brand.state
    return BrandState.SUBMITTED if brand.submitted_at else BrandState.PENDING


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _text(session: Session, text: Text | None) -> str | None:
    return None if text is None else session.translator.render(text)


def _failure(session: Session, failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else as_json(failure.error(), session.translator)


def copy_data(copy: BrandCopy) -> dict[str, Any]:
    """A copy in a Yuntu brand as scripts read it: when it was made, and of what."""
    return {
        "brand_id": str(copy.brand.brand_id),
        "brand_name": copy.brand.brand_name,
        "copied_at": iso(copy.at),
        "push_id": copy.push.push_id,
        "segment": copy.push.segment,
        "segment_version": copy.push.segment_version,
        "current": copy.current,
        "sure": copy.sure,
    }


def copies_table(copies: Sequence[BrandCopy]) -> Table:
    """Copies with their dates and lineage; all but the newest of a brand are old."""
    return Table(
        title=msg("copies in Yuntu; each is a snapshot"),
        columns=("brand", "copied_at", "segment", "push_id", "state"),
        rows=[
            (
                copy.brand.brand_name,
                shown(copy.at),
                _segment(copy.push),
                copy.push.push_id,
                _copy_state(copy),
            )
            for copy in copies
        ],
    )


def _named(copy: BrandCopy) -> str:
    return f"{copy.brand.brand_name} {shown(copy.at)} ({_segment(copy.push)})"


def _copy_state(copy: BrandCopy) -> Text:
    if not copy.sure:
        return msg("not known to be there")
    return msg("newest") if copy.current else msg("older")


def show_planned(session: Session, push: Push) -> None:
    """Show a push that a dry run would make; there is none to go on with yet."""
    data = {**push_data(session, push), "next_action": None, "dry_run": True}
    session.output.show(data, push_table(session, push, planned=True))


def push_table(session: Session, push: Push, *, planned: bool = False) -> Table:
    """One push as people read it."""
    action = None if planned else next_action(push)
    return details(
        [
            ("push_id", push.push_id),
            ("name", push.name),
            ("audience_name", push.audience_name),
            ("state", state_label(push.state)),
            ("step", step_label(push.step)),
            ("reason", push.reason or (push.failure.message if push.failure else "-")),
            ("segment", _segment(push)),
            ("account", _called(push.account_name, push.advertiser_id)),
            ("brands", [_brand(brand) for brand in push.brands] or "-"),
            (
                "targets",
                [
                    _place(str(t.advertiser_id), target_label(t.state), t.failure)
                    for t in push.targets
                    if not t.owner
                ]
                or "-",
            ),
            ("data_source_id", push.data_source_id or "-"),
            ("custom_audience_id", push.custom_audience_id or "-"),
            ("delivery_status", push.delivery_status or "-"),
            ("upload_num", _count(push.upload_num)),
            ("cover_num", _count(push.cover_num)),
            ("next_at", shown(push.next_at)),
            ("expected_end", shown(session.pushes.expected_end(push))),
            ("next_action", action or "-"),
            ("updated_at", shown(push.updated_at)),
        ]
    )


def _segment(push: Push) -> str:
    """`NAME@VERSION`; none is known of what another machine brought."""
    return f"{push.segment}@{push.segment_version}" if push.segment else "-"


def _called(name: str, number: int) -> str:
    return f"{name} ({number})" if name else str(number)


def _place(name: str, state: Text, failure: Failure | None = None) -> Text:
    if failure is not None:
        return msg("{name} ({state}: {reason})", name=name, state=state, reason=failure.message)
    return msg("{name} ({state})", name=name, state=state)


def _brand(brand: PushBrand) -> Text:
    if brand.submitted_at is None or brand.failure is not None:
        return _place(brand.brand_name, brand_label(brand.state), brand.failure)
    return msg(
        "{name} ({state}, copied {at})",
        name=brand.brand_name,
        state=brand_label(brand.state),
        at=shown(brand.submitted_at),
    )


def _count(value: int | None) -> object:
    return "-" if value is None else value


def pushes_table(pushes: Sequence[Push]) -> Table:
    """Pushes as a list."""
    return Table(
        columns=(
            "push_id", "name", "state", "step", "account", "brands", "upload_num", "cover_num",
            "next_at", "updated_at",
        ),
        rows=[
            (
                push.push_id,
                push.name,
                state_label(push.state),
                step_label(push.step),
                _called(push.account_name, push.advertiser_id),
                [_place(b.brand_name, brand_label(b.state)) for b in push.brands] or "-",
                _count(push.upload_num),
                _count(push.cover_num),
                shown(push.next_at),
                shown(push.updated_at),
            )
            for push in pushes
        ],
        spare=(9, 4, 6, 3, 7, 8),
    )  # fmt: skip


def show_push(session: Session, push: Push, *, more: Mapping[str, Any] | None = None) -> None:
    """Show a push that was read and the copies of its audience: exit code 0 whatever its state.

    `more` is what scripts are told besides.
    """
    copies = session.pushes.copies(push)
    session.output.show(
        {
            **push_data(session, push),
            "copies": [copy_data(copy) for copy in copies],
            **(more or {}),
        },
        push_table(session, push),
        *([copies_table(copies)] if copies else []),
        status=_reading(push),
    )
    old = [copy for copy in copies if not copy.current]
    if old:
        session.messages.notice(
            msg(
                "Yuntu keeps {count} older copies of this audience: {copies}; where they are not "
                "wanted, delete them there by hand",
                count=len(old),
                copies=", ".join(_named(copy) for copy in old[:MOST_COPIES])
                + (", …" if len(old) > MOST_COPIES else ""),
            )
        )


def _reading(push: Push) -> Status:
    if push.is_working:
        return "pending"
    return "partial" if push.state is PushState.PARTIAL else "ok"


def end_with(session: Session, push: Push, *, waited: bool = False) -> None:
    """Show a push that was worked on; its state decides the exit code."""
    session.bars.close()
    error = ending(push, waited=waited)
    if error is None:
        session.output.show(
            push_data(session, push), push_table(session, push), status=_reading(push)
        )
        action = next_action(push)
        if push.is_working:
            session.messages.notice(
                msg("going on at the platform; next: {action}", action=action or "-")
            )
        elif action is not None:
            session.messages.notice(action)
        return
    status: Status = "error"
    if isinstance(error, StillRunningError | TryLaterError):
        status = "pending"
    elif push.state is PushState.PARTIAL:
        status = "partial"
    session.output.show(
        push_data(session, push),
        push_table(session, push),
        status=status,
        exit_code=exit_code_for(error),
        errors=[as_json(error, session.translator)],
    )
    if not session.output.as_json:
        session.messages.error(error)


def moment_of(text: str, now: datetime) -> datetime | None:
    """The moment that `7d`, `12h` or `2026-11-01` (Beijing) means; None when it means none."""
    try:
        return now - timedelta(seconds=seconds(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=BEIJING)).astimezone(UTC)
    except (ValueError, OverflowError):  # overflows at the first and last day of the calendar
        return None
