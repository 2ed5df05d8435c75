"""`segment diff` and `segment combine`: segments as sets of ids."""

from typing import Annotated, ClassVar

import typer

from yuntu_push.cli import segment_view as view
from yuntu_push.cli.greedy import GreedyCommand
from yuntu_push.cli.output import Table
from yuntu_push.cli.segment_request import parse_size
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.segment import parse_ref
from yuntu_push.domain.segment_build import Combination
from yuntu_push.domain.text import msg


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command(epilog="Example: `yuntu-push segment diff vip 1 3`")(diff)
    app.command(
        cls=CombineCommand,
        epilog="Example: `yuntu-push segment combine both --intersect vip buyers`",
    )(combine)


def diff(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The segment.", metavar="NAME")],
    old: Annotated[int | None, typer.Argument(help="A version.", metavar="V1")] = None,
    new: Annotated[int | None, typer.Argument(help="A later one.", metavar="V2")] = None,
) -> None:
    """Compare two versions of a segment: ids added, removed and kept."""
    first, second, differences = ctx.obj.segments.diff(parse_ref(name).name, old, new)
    ctx.obj.bars.close()
    rows = [
        (str(kind), change.added, change.removed, change.kept)
        for kind, change in differences.items()
    ]
    ctx.obj.output.show(
        {
            "name": first.name,
            "from_version": first.version,
            "to_version": second.version,
            "by_type": {
                kind: {"added": added, "removed": removed, "kept": kept}
                for kind, added, removed, kept in rows
            },
        },
        table=Table(columns=("id type", "added", "removed", "kept"), rows=rows),
    )


class CombineCommand(GreedyCommand):
    """`segment combine`: the operation takes all segments that follow."""

    greedy: ClassVar[frozenset[str]] = frozenset({"--union", "--intersect", "--minus"})


def combine(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The new segment.", metavar="NAME")],
    union: Annotated[list[str] | None, typer.Option(help="Ids of any.", metavar="A B…")] = None,
    intersect: Annotated[list[str] | None, typer.Option(help="Ids of all.", metavar="A B…")] = None,
    minus: Annotated[
        list[str] | None, typer.Option(help="Ids of the first alone.", metavar="A B…")
    ] = None,
    part_size: Annotated[
        str | None, typer.Option(help="Largest size of a part; 10MB.", metavar="SIZE")
    ] = None,
) -> None:
    """Make a segment of others: union, intersection or difference."""
    asked = {
        Combination.UNION: union,
        Combination.INTERSECT: intersect,
        Combination.MINUS: minus,
    }
    given = [(how, refs) for how, refs in asked.items() if refs]
    if len(given) != 1 or len(given[0][1]) < 2:
        raise _not_one_operation()
    how, refs = given[0]
    size = parse_size(part_size, "--part-size") if part_size else None
    segment = ctx.obj.segments.combine(name, how, [parse_ref(ref) for ref in refs], size)
    ctx.obj.bars.close()
    ctx.obj.output.show(view.segment_data(segment), table=view.segment_tables(segment))


def _not_one_operation() -> ConfigError:
    return ConfigError(
        "COMBINE_INVALID",
        msg("combine takes one operation and at least two segments"),
        hint=msg("pass --union A B, --intersect A B or --minus A B"),
    )
