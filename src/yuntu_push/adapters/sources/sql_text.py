"""A query as its database will read it: without comments, cut at its parameters."""

from collections.abc import Callable
from itertools import pairwise

from yuntu_push.adapters.sources.parameters import fitted
from yuntu_push.adapters.sources.sql_gate import not_parsed, syntax_of


class SqlText:
    """The text of one query for a family of databases.

    Comments and closing semicolons are left out, so that what a server executes is what the gate
    has judged, whatever either takes for a comment. A parameter is `:name` as a word of its own.
    """

    def __init__(self, sql: str, family: str) -> None:
        from sqlglot import TokenType
        from sqlglot.dialects.dialect import Dialect
        from sqlglot.errors import SqlglotError

        try:
            tokens = Dialect.get_or_raise(syntax_of(family)).tokenize(sql)
        except (SqlglotError, RecursionError, ValueError):
            raise not_parsed() from None
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            tokens.pop()
        self._pieces: list[str] = []
        self.names: list[str] = []
        marks = {
            colon.start: sql[name.start : name.end + 1]
            for colon, name in pairwise(tokens)
            if colon.token_type == TokenType.COLON
            and name.start == colon.end + 1
            and _is_name(sql[name.start : name.end + 1])
            and not _belongs_to_word(sql[: colon.start])
        }
        text, end, named = "", 0, -1
        for token in tokens:
            gap = sql[end : token.start]
            text += "\n" if "\n" in gap else " " if gap else ""
            end = token.end + 1
            if token.start in marks:
                self._pieces.append(text)
                self.names.append(marks[token.start])
                text, named = "", end
            elif token.start != named:
                text += sql[token.start : end]
        self._pieces.append(text)

    def with_marks(self, mark: Callable[[str], str], *, percent: bool = False) -> str:
        """The query with each `:name` written as `mark(name)`; with `%` doubled when asked."""
        pieces = [piece.replace("%", "%%") if percent else piece for piece in self._pieces]
        text = pieces[0]
        for name, piece in zip(self.names, pieces[1:], strict=True):
            text += fitted(mark(name), text, piece) + piece
        return text


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def _belongs_to_word(before: str) -> bool:
    """As in `a[1:n]` or `{day:Date}`."""
    return before[-1:].isalnum() or before[-1:] in {"_", ":"}
