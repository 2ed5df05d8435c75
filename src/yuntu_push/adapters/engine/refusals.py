"""Why a build stops: each reason with its figures and the next step."""

from collections.abc import Mapping

from yuntu_push.domain.errors import GuardError, SourceError, TryLaterError, YuntuPushError
from yuntu_push.domain.identifiers import Form, IdType, RejectReason
from yuntu_push.domain.reject_words import counted
from yuntu_push.domain.segment_build import BuildPlan, Combination, IdColumn, RejectLimit
from yuntu_push.domain.text import Text, msg


def personal_data(column: IdColumn, reason: RejectReason, row: int) -> SourceError:
    """A phone, identity card or bank card in a column whose ids travel in clear."""
    hint = msg("name the right column, or hash it as its own type")
    if column.id_type == "UID" and reason is not RejectReason.IDENTITY_CARD:
        hint = msg("name the right column; if these are user ids, pass --id UID=COLUMN:raw")
    return SourceError(
        "SOURCE_PERSONAL_DATA",
        msg(
            "column {column} holds personal data ({reason}, row {row}) that would leave unhashed",
            column=repr(column.column),
            reason=reason,
            row=row,
        ),
        hint=hint,
    )


def wrong_type(column: IdColumn, kind: str, count: int, values: int) -> SourceError:
    """A column that is clearly something else than what it was named as."""
    hint = msg("name the type that the column holds, or another column, with --id TYPE=COLUMN")
    if column.form is not Form.AUTO:
        hint = msg(
            "pass --id {type}={column} without :{form}, and each value is looked at by itself",
            type=column.id_type,
            column=column.column,
            form=column.form,
        )
    elif column.id_type is IdType.MOBILE_HASH_SHA256 and kind in {"MD5", "SHA-1"}:
        hint = _fix(RejectReason.WRONG_HASH)
    return SourceError(
        "SOURCE_WRONG_TYPE",
        msg(
            "column {column} looks like {kind}, not {id_type}: {count} of {values} values",
            column=repr(column.column),
            kind=kind,
            id_type=column.id_type,
            count=count,
            values=values,
        ),
        hint=hint,
    )


def too_many_rejects(
    what: str, rejects: Mapping[RejectReason, int], values: int, limit: RejectLimit
) -> SourceError:
    """More rejects than the limit allows, with the main reasons."""
    total = sum(rejects.values())
    main = sorted(rejects.items(), key=lambda item: -item[1])[:4]
    return SourceError(
        "SOURCE_TOO_MANY_REJECTS",
        msg(
            "{rejected} of {values} values of {column} are invalid, over {limit}: {why}",
            rejected=total,
            values=values,
            column=what,
            limit=limit,
            why=counted(main),
        ),
        hint=_fix(main[0][0]),
    )


def _fix(reason: RejectReason) -> Text:
    if reason is RejectReason.SCIENTIFIC_NOTATION:
        return msg("a spreadsheet shortened the numbers: export the column as text and build again")
    if reason is RejectReason.WRONG_HASH:
        return msg("this interface takes SHA-256: ask for raw numbers or SHA-256")
    if reason is RejectReason.MASKED:
        return msg("the source hides part of the values: ask for the full ones or for SHA-256")
    if reason is RejectReason.RAGGED_ROW:
        return msg("check --delimiter and the quoting of the file")
    return msg("look at them with --dry-run; raise the limit with --max-rejects if this is right")


def empty(rows: int, plan: BuildPlan) -> YuntuPushError:
    """Fewer rows than there must be; where none may be enough, still no audience is emptied."""
    if plan.min_rows == 0:
        return GuardError(
            "GUARD_EMPTY",
            msg("the source is empty"),
            hint=msg("the platform is unchanged, as no push empties an audience; check the source"),
        )
    message = msg(
        "the source has {rows} rows, at least {least} expected",
        rows=rows,
        least=plan.min_rows,
    )
    if plan.on_empty == "later":
        return TryLaterError(
            "SOURCE_NOT_READY", message, hint=msg("run it again when the source is filled")
        )
    return SourceError("SOURCE_EMPTY", message, hint=msg("check the file or the query"))


def no_ids(plan: BuildPlan) -> SourceError:
    """Rows, but no id in any of them."""
    return SourceError(
        "SOURCE_NO_IDS",
        msg(
            "no id was found in {columns}",
            columns=", ".join(repr(column.column) for column in plan.ids),
        ),
        hint=msg("check that --id names the right columns"),
    )


def outside_bounds(ids: int, plan: BuildPlan) -> GuardError:
    """More or fewer ids than the person allowed."""
    least = plan.min_ids if plan.min_ids is not None else 0
    most = plan.max_ids if plan.max_ids is not None else "∞"
    return GuardError(
        "SEGMENT_SIZE_OUT_OF_BOUNDS",
        msg("{ids} ids, but {least} to {most} are allowed", ids=ids, least=least, most=most),
        hint=msg("check the source, or change --min-ids and --max-ids"),
    )


def too_large(ids: int) -> SourceError:
    """More ids than one data source can hold."""
    return SourceError(
        "SEGMENT_TOO_LARGE",
        msg("{ids} ids do not fit the files of one data source", ids=ids),
        hint=msg("split the source into several segments"),
    )


def nothing_left(how: Combination) -> SourceError:
    """A combination without any id."""
    return SourceError(
        "SEGMENT_NOTHING_LEFT",
        msg("the {operation} of these segments has no ids", operation=how),
        hint=msg("check which segments are combined, and that they hold the same id types"),
    )
