"""Text for people that is translated late, at the edge that shows it.

The message catalogue is keyed by the English sentence. Code below the command line never
translates: it makes a `Text` with `msg("… {fact} …", fact=value)` and passes it on; `cli` looks up
the reader's language and fills the facts in. Only literal sentences are found by the extractor
(`make messages`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A sentence of the catalogue and the facts that fill its `{placeholders}`.

    `context` tells apart what is one word in English and several in Chinese.
    """

    msgid: str
    facts: Mapping[str, object] = field(default_factory=dict)
    context: str = ""

    def __str__(self) -> str:
        """The English sentence, for logs and tests."""
        return self.msgid.format(**self.facts) if self.facts else self.msgid


def msg(msgid: str, /, **facts: object) -> Text:
    """A translatable sentence with its facts; a fact may itself be a `Text`."""
    return Text(msgid, facts)


def term(context: str, msgid: str) -> Text:
    """A word whose translation depends on what it is said of: a `failed` push, a `failed` check."""
    return Text(msgid, context=context)
