"""The only writer of stdout: JSON envelope, tables on a terminal, tab-separated lines in a pipe."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from yuntu_push.cli.i18n import Translator
from yuntu_push.domain.text import Text, msg

SCHEMA = "yuntu-push/1"
Status = Literal["ok", "pending", "partial", "error"]


@dataclass(frozen=True)
class Table:
    """A view of a result: headings, rows, and a title that only a terminal shows.

    `most` rows are shown on a terminal, where the table is beside the point of the command;
    `spare` are the places of columns that a narrow terminal does without, first to go first.
    """

    columns: Sequence[Text | str]
    rows: Sequence[Sequence[object]]
    title: Text | None = None
    most: int | None = None
    spare: Sequence[int] = ()


def details(pairs: Sequence[tuple[Text | str, object]], *, title: Text | None = None) -> Table:
    """The view of one thing: a line for each of its fields."""
    rows = [(k if isinstance(k, Text) else Text(k), v) for k, v in pairs]
    return Table(columns=("field", "value"), rows=rows, title=title)


class Output:
    """Shows each command's result once, in the form that the reader asked for."""

    def __init__(
        self,
        *,
        translator: Translator,
        as_json: bool,
        quiet: bool,
        color: bool,
        stream: TextIO | None = None,
    ) -> None:
        self.translator = translator
        self.as_json = as_json
        self.command = ""
        self.exit_code = 0
        self._quiet = quiet
        self._color = color
        self._stream = stream

    @property
    def stream(self) -> TextIO:
        """Where results go; looked up late, so that a replaced stdout is honoured."""
        return self._stream or sys.stdout

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at stdout."""
        return self.stream.isatty()

    def show(
        self,
        data: Mapping[str, Any],
        *tables: Table,
        table: Table | Sequence[Table] | None = None,
        status: Status = "ok",
        exit_code: int = 0,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Show a result: `data` as the envelope under `--json`, else its tables."""
        self.exit_code = exit_code
        if self.as_json:
            self.envelope(data, status=status, exit_code=exit_code, errors=errors)
            return
        views = list(tables)
        if isinstance(table, Table):
            views.append(table)
        elif table is not None:
            views.extend(table)
        if self.is_terminal:
            for view in views:
                self._pretty(view)
        elif views:
            # One header and one kind of row: what a script reads is the first view.
            self._plain(views[0])

    def envelope(
        self,
        data: Mapping[str, Any],
        *,
        status: Status,
        exit_code: int,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """The one JSON document of this run."""
        document = {
            "schema": SCHEMA,
            "command": self.command,
            "status": status,
            "exit_code": exit_code,
            "data": data,
            "errors": list(errors),
        }
        self.line(json.dumps(document, ensure_ascii=False, default=self._jsonable))

    def line(self, text: str) -> None:
        """One bare line of result."""
        encoding = self.stream.encoding or "utf-8"
        safe = text.encode(encoding, "backslashreplace").decode(encoding)
        self.stream.write(safe + "\n")
        self.stream.flush()

    def _jsonable(self, value: object) -> object:
        if isinstance(value, Text):
            return self.translator.render(value)
        return str(value)

    def _cell(self, value: object) -> str:
        if isinstance(value, bool):
            return self.translator.render(Text("yes") if value else Text("no"))
        if isinstance(value, list | tuple):
            return ", ".join(self._cell(item) for item in value)
        return self.translator.render(value)

    def _plain(self, view: Table) -> None:
        for row in (view.columns, *view.rows):
            # A script reads this: headings and states are the same in every language.
            self.line("\t".join(_one_line(_stable(value)) for value in row))

    def _pretty(self, view: Table) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text as RichText

        from yuntu_push.cli.columns import fitting

        console = Console(
            file=self.stream,
            color_system="auto" if self._color else None,  # None: no bold either
            highlight=False,
            soft_wrap=False,
        )
        title = self.translator.render(view.title) if view.title else None
        drawn = RichTable(
            box=box.SIMPLE_HEAD,
            title=title,
            title_justify="left",
            title_style="bold",
            pad_edge=False,
        )
        headings = [self._heading(column) for column in view.columns]
        rows = [[self._cell(value) for value in row] for row in view.rows[: view.most]]
        places = fitting([headings, *rows], console.width, view.spare)
        for place, whole in places.items():
            drawn.add_column(headings[place], overflow="fold", no_wrap=whole)
        for row in rows:
            drawn.add_row(*(RichText(row[place]) for place in places))
        console.print(drawn)
        hidden = len(view.rows) - len(rows)
        if hidden:
            console.print(self.translator.render(msg("… and {count} more", count=hidden)))

    def _heading(self, column: Text | str) -> str:
        return self.translator.render(column if isinstance(column, Text) else Text(column))


def _stable(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_stable(item) for item in value)
    return "" if value is None else str(value)


def _one_line(cell: str) -> str:
    return cell.replace("\t", " ").replace("\r", " ").replace("\n", " ")
