"""The reader's language: Chinese or English, from gettext catalogues keyed by the English text."""

import gettext
import locale
from collections.abc import Mapping
from pathlib import Path

from yuntu_push.domain.text import Text

DOMAIN = "yuntu_push"
LOCALE_DIR = Path(__file__).parent.parent / "locale"
LANGUAGES = {"zh": "zh_CN", "en": "en"}


def choose_language(option: str | None, environ: Mapping[str, str]) -> str:
    """`zh` or `en`: the option, `YUNTU_PUSH_LANG`, else the locale's; English for any other."""
    for wanted in (option, environ.get("YUNTU_PUSH_LANG")):
        if wanted:
            return "zh" if wanted.lower().startswith("zh") else "en"
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        value = environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    system = locale.getlocale()[0] or ""
    return "zh" if system.lower().startswith(("zh", "chinese")) else "en"


class Translator:
    """Sentences in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = gettext.translation(
            DOMAIN, LOCALE_DIR, [LANGUAGES[language]], fallback=True
        )

    def sentence(self, msgid: str) -> str:
        """The translation of a catalogue sentence; itself when there is none."""
        return self._catalogue.gettext(msgid) if msgid else ""

    def _looked_up(self, text: Text) -> str:
        if text.context:
            return self._catalogue.pgettext(text.context, text.msgid)
        return self.sentence(text.msgid)

    def render(self, value: object) -> str:
        """A `Text` with its facts filled in; any other value as it prints."""
        if isinstance(value, Text):
            facts = {
                name: fact if isinstance(fact, int | float) else self.render(fact)
                for name, fact in value.facts.items()
            }
            sentence = self._looked_up(value)
            return sentence.format(**facts) if facts else sentence
        return "" if value is None else str(value)
