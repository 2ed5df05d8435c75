"""`segment`: build audience segments from files and SQL, and look after them."""

from typing import Annotated, Any, ClassVar

import typer

from yuntu_push.cli import segment_sets
from yuntu_push.cli import segment_view as view
from yuntu_push.cli.errors import as_json
from yuntu_push.cli.greedy import GreedyCommand
from yuntu_push.cli.prompts import secret_from_stdin
from yuntu_push.cli.segment_request import (
    chosen_source,
    hashed_there,
    needs_sql,
    needs_workbook,
    parse_params,
    parse_size,
)
from yuntu_push.domain.errors import GuardError
from yuntu_push.domain.segment import parse_ref
from yuntu_push.domain.segment_build import (
    BuildRequest,
    RejectLimit,
    SourceSpec,
    parse_id_column,
)
from yuntu_push.domain.text import msg

app = typer.Typer(help="Audience segments (分群), built here and pushed later.")


class BuildCommand(GreedyCommand):
    """`segment build`: file options take all words up to the next option."""

    greedy: ClassVar[frozenset[str]] = frozenset(
        {"--csv", "--parquet", "--excel", "--exclude", "--exclude-csv"}
    )


@app.command(
    cls=BuildCommand,
    epilog="Example: `yuntu-push segment build vip members.csv --id phone=mobile`",
)
def build(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The segment's name.", metavar="NAME")],
    path: Annotated[
        str | None, typer.Argument(help="A file; `-` is stdin.", metavar="SOURCE")
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", help="An id type and its column.", metavar="TYPE=COLUMN"),
    ] = None,
    csv: Annotated[list[str] | None, typer.Option(help="CSV files.", metavar="PATH…")] = None,
    parquet: Annotated[
        list[str] | None, typer.Option(help="Parquet files.", metavar="PATH…")
    ] = None,
    excel: Annotated[list[str] | None, typer.Option(help="Workbooks.", metavar="PATH…")] = None,
    sheet: Annotated[
        str | None, typer.Option(help="A sheet of the workbook, or `*` for all.", metavar="NAME")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the workbook's password from stdin.")
    ] = False,
    sql: Annotated[str | None, typer.Option(help="A SELECT.", metavar="TEXT")] = None,
    sql_file: Annotated[
        str | None, typer.Option(help="A file with a SELECT.", metavar="FILE")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="A database of `sources:`.", metavar="NAME")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the SQL.", metavar="KEY=VALUE")
    ] = None,
    push_down: Annotated[
        bool, typer.Option("--push-down", help="The database hashes: raw ids never leave it.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="The CSV's encoding.", metavar="NAME")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="The CSV's delimiter.", metavar="CHAR")
    ] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is data: columns c1, c2 …")
    ] = False,
    header_row: Annotated[int, typer.Option(help="The line of the header.", min=1)] = 1,
    max_rejects: Annotated[
        str, typer.Option(help="Rejects allowed in a column.", metavar="N|P%")
    ] = "5%",
    exclude: Annotated[
        list[str] | None, typer.Option(help="People of a segment to leave out.", metavar="SEGMENT")
    ] = None,
    exclude_csv: Annotated[
        list[str] | None, typer.Option(help="People of a file to leave out.", metavar="PATH")
    ] = None,
    min_ids: Annotated[int | None, typer.Option(help="Refuse fewer ids.", min=0)] = None,
    max_ids: Annotated[int | None, typer.Option(help="Refuse more ids.", min=0)] = None,
    part_size: Annotated[
        str | None, typer.Option(help="Largest size of a part; 10MB.", metavar="SIZE")
    ] = None,
    client: Annotated[
        str | None, typer.Option(help="For whom it is; a push for another is refused.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, check and profile; write nothing.")
    ] = False,
) -> None:
    """Build a segment from rows: recognise, hash, dedupe and pack its ids."""
    session = ctx.obj
    kind, paths, text = chosen_source(
        path,
        csv=csv or (),
        parquet=parquet or (),
        excel=excel or (),
        sql=sql,
        sql_file=sql_file,
    )
    needs_sql(source, param or (), kind)
    needs_workbook(sheet, password_stdin, kind)
    columns = tuple(parse_id_column(item) for item in ids or ())
    if push_down:
        columns = hashed_there(columns, source)
    settings = session.settings.segments
    request = BuildRequest(
        name=name,
        source=SourceSpec(
            kind=kind,
            paths=paths,
            sql=text,
            source=source,
            params=parse_params(param or ()),
            encoding=encoding,
            delimiter=delimiter,
            has_header=not no_header,
            header_row=header_row,
            sheet=sheet,
            password=secret_from_stdin("--password-stdin") if password_stdin else None,
            push_down=tuple((c.column, c.id_type) for c in columns) if push_down else (),
        ),
        ids=columns,
        max_rejects=RejectLimit.parse(max_rejects),
        exclude=tuple(exclude or ()),
        exclude_csv=tuple(exclude_csv or ()),
        min_ids=min_ids,
        max_ids=max_ids,
        part_size=parse_size(part_size, "--part-size") if part_size else settings.part_size,
        client=client,
    )
    if dry_run:
        _survey(session, request)
        return
    segment = session.segments.build(request)
    session.bars.close()
    _warn(session, segment.warnings)
    session.output.show(view.segment_data(segment), table=view.segment_tables(segment))


def _survey(session: Any, request: BuildRequest) -> None:
    began = session.clock.monotonic()
    built = session.segments.survey(request)
    took = session.clock.monotonic() - began
    session.bars.close()
    refusal = as_json(built.refusal, session.translator) if built.refusal else None
    if built.refusal is not None:
        session.messages.warning(built.refusal.message)
    _warn(session, built.warnings)
    session.output.show(
        view.survey_data(request.name, built, refusal, seconds=round(took, 3)),
        table=[view.columns_table(built), view.funnel(built), *view.rejects_tables(built.rejects)],
    )


@app.command("list", epilog="Example: `yuntu-push segment list`")
def list_segments(ctx: typer.Context) -> None:
    """List the latest version of every segment."""
    segments = ctx.obj.segments.latest()
    ctx.obj.output.show({"segments": view.list_data(segments)}, table=view.list_table(segments))
    if not segments:
        ctx.obj.messages.notice(
            msg("there is no segment yet: `yuntu-push segment build` makes one")
        )


@app.command(epilog="Example: `yuntu-push segment show vip@2`")
def show(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(help="NAME, or NAME@VERSION.", metavar="SEGMENT")],
) -> None:
    """Show a segment: its counts, its funnel, its parts."""
    segment = ctx.obj.segments.show(parse_ref(ref))
    _warn(ctx.obj, segment.warnings)
    ctx.obj.output.show(view.segment_data(segment), table=view.segment_tables(segment))


@app.command(epilog="Example: `yuntu-push segment rejects vip`")
def rejects(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(help="NAME, or NAME@VERSION.", metavar="SEGMENT")],
) -> None:
    """Show what was rejected, by reason, and the file that lists it."""
    segment = ctx.obj.segments.rejects(parse_ref(ref))
    path = str(segment.rejects_path) if segment.rejects_path else None
    ctx.obj.output.show(
        {
            "name": segment.name,
            "version": segment.version,
            "rejects": dict(segment.rejects),
            "rejects_path": path,
        },
        table=view.rejects_tables(segment.rejects),
    )
    if path is None:
        ctx.obj.messages.notice(msg("nothing was rejected"))
    else:
        ctx.obj.messages.notice(msg("row by row: {path}", path=path))


@app.command(epilog="Example: `yuntu-push segment verify vip`")
def verify(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(help="NAME, or NAME@VERSION.", metavar="SEGMENT")],
) -> None:
    """Decode every part with the platform's schema and check counts, digests and patterns."""
    segment = ctx.obj.segments.verify(parse_ref(ref))
    ctx.obj.bars.close()
    ctx.obj.output.show(view.segment_data(segment), table=view.segment_tables(segment))
    ctx.obj.messages.notice(
        msg("{count} parts decoded, all as they were built", count=len(segment.parts))
    )


@app.command(epilog="Example: `yuntu-push segment remove vip`")
def remove(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(help="NAME, or NAME@VERSION.", metavar="SEGMENT")],
) -> None:
    """Erase a segment, or one version of it."""
    session, segment = ctx.obj, parse_ref(ref)
    needing = ", ".join(push.push_id for push in session.pushes.needing(segment))
    question = msg("push {pushes} has still to upload {segment}; erase it?", pushes=needing,
                   segment=ref)  # fmt: skip
    if needing and not session.prompts.confirm(question):
        raise GuardError(
            "SEGMENT_IN_USE",
            msg("push {pushes} has still to upload {segment}", pushes=needing, segment=ref),
            hint=msg("let it go on or cancel it first; --yes erases the segment all the same"),
        )
    gone = session.segments.remove(segment)
    session.output.show({"segments": view.list_data(gone)}, table=view.list_table(gone))


def _warn(session: Any, warnings: Any) -> None:
    for text in view.warning_texts(warnings):
        session.messages.warning(text)


segment_sets.register(app)
