"""The message catalogue: `--update` takes new sentences in, `--check` finds what is missing.

Sentences come from `msg("…")` and `Text("…")` in the source and from the help of the command tree.
"""

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "yuntu_push"
PO = SOURCE / "locale" / "zh_CN" / "LC_MESSAGES" / "yuntu_push.po"
MO = PO.with_suffix(".mo")
_KEYWORDS = {"msg": None, "Text": None, "term": ((1, "c"), 2)}
_HALF_WIDTH = re.compile(
    r"[\u4e00-\u9fff）」`}][,;](?=[\u4e00-\u9fff`{「])|[A-Za-z0-9%][,;](?=[\u4e00-\u9fff])"
    r"|[\u4e00-\u9fff）」]:"
)
_PLACEHOLDER = re.compile(r"\{(\w+(?::[^}]*)?)\}")


# A sentence, and the context that it is said in, if that decides its translation.
Key = tuple[str, str | None]


def sentences() -> set[Key]:
    """Every sentence of the source."""
    found: set[Key] = set()
    for _name, _line, message, _comments, context in extract_from_dir(
        str(SOURCE), method_map=[("**.py", "python")], keywords=_KEYWORDS
    ):
        sentence = message[-1] if isinstance(message, tuple) else message
        if sentence:
            found.add((sentence, context))
    return found | {(sentence, None) for sentence in _help()}


def _sorted(keys: set[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key[0], key[1] or ""))


def _help() -> list[str]:
    import typer

    from yuntu_push.cli.help import help_sentences
    from yuntu_push.cli.main import app

    return help_sentences(typer.main.get_command(app))


def _read() -> Catalog:
    if not PO.exists():
        return Catalog(locale="zh_CN", project="yuntu-push", fuzzy=False)
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_CN")


def _render(catalogue: Catalog) -> tuple[bytes, bytes]:
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalogue, width=100, omit_header=False, sort_output=True, no_location=True)
    write_mo(mo, catalogue)
    return po.getvalue(), mo.getvalue()


def problems() -> list[str]:
    """What is wrong with the Chinese catalogue; empty when it is complete and fresh."""
    catalogue, wanted = _read(), sentences()
    found = []
    for sentence, context in _sorted(wanted):
        entry = catalogue.get(sentence, context)
        if entry is None or not entry.string or entry.fuzzy:
            found.append(f"not translated: {sentence!r}")
        elif set(_PLACEHOLDER.findall(sentence)) != set(_PLACEHOLDER.findall(str(entry.string))):
            found.append(f"other placeholders: {sentence!r}")
        elif entry.string != sentence and _HALF_WIDTH.search(str(entry.string)):
            found.append(f"Chinese with half-width punctuation: {sentence!r}")
    found += [
        f"no longer said: {e.id!r}"
        for e in catalogue
        if e.id and (e.id, e.context or None) not in wanted
    ]
    if not MO.exists() or _render(catalogue)[1] != MO.read_bytes():
        found.append("the compiled catalogue is stale: run `make messages`")
    return found


def update() -> None:
    """Add new sentences (untranslated), drop those no longer said, compile."""
    old, wanted = _read(), sentences()
    new = Catalog(locale="zh_CN", project="yuntu-push", version="1", fuzzy=False)
    new.creation_date = new.revision_date = old.creation_date
    for sentence, context in _sorted(wanted):
        entry = old.get(sentence, context)
        new.add(sentence, entry.string if entry is not None else "", context=context)
    PO.parent.mkdir(parents=True, exist_ok=True)
    po, mo = _render(new)
    PO.write_bytes(po)
    MO.write_bytes(mo)


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    report = problems()
    sys.stdout.write("".join(f"{line}\n" for line in report))
    sys.exit(bool(report) and "--update" not in sys.argv)
