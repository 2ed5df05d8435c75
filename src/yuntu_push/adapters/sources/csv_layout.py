"""What a CSV file's first bytes say: its encoding, its delimiter, its columns."""

import codecs
import csv
import io
from dataclasses import dataclass

from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.text import msg

HEAD = 4 << 20  # bytes on which the encoding is judged
_DELIMITERS = (",", "\t", ";", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_BINARY = {
    b"PK\x03\x04": "--excel",
    b"\xd0\xcf\x11\xe0": "--excel",
    b"PAR1": "--parquet",
}


@dataclass(frozen=True)
class CsvLayout:
    """How to read one file; `skip` lines stand before its first record.

    `is_even` when all lines end alike, as far as was looked, in LF or CRLF.
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    skip: int
    has_header: bool
    bytes_per_row: float
    is_even: bool


def layout_of(
    head: bytes,
    *,
    path: str,
    complete: bool,
    encoding: str | None,
    delimiter: str | None,
    has_header: bool,
    header_row: int,
) -> CsvLayout:
    """The layout of a file that begins with `head`, or `SourceError`."""
    for magic, option in _BINARY.items():
        if head.startswith(magic):
            raise SourceError(
                "SOURCE_NOT_TEXT",
                msg("{path} is not a CSV file", path=repr(path)),
                hint=msg("read it with {option}", option=option),
            )
    name, text = _decoded(head, path, complete=complete, wanted=encoding)
    skip, body = _below(text, header_row - 1)
    chosen = _delimiter(body, path, delimiter)
    first = _first_record(body, chosen)
    if not any(cell.strip() for cell in first):
        raise SourceError(
            "SOURCE_EMPTY",
            msg("{path} is empty", path=repr(path)),
            hint=msg("check the file; with a title above the header pass --header-row"),
        )
    columns = (
        tuple(cell.strip() for cell in first)
        if has_header
        else tuple(f"c{place}" for place in range(1, len(first) + 1))
    )
    rows = max(body.count("\n"), 1)
    return CsvLayout(name, chosen, columns, skip, has_header, len(head) / rows, _is_even(text))


def _below(text: str, skip: int) -> tuple[int, str]:
    """How many lines stand above the first record below `skip` lines, and the text from there."""
    if not skip and not text.startswith(("\r", "\n")):
        return 0, text
    lines = io.StringIO(text, newline="").readlines()
    while skip < len(lines) and not lines[skip].strip("\r\n"):
        skip += 1
    return skip, "".join(lines[skip:])


def _is_even(text: str) -> bool:
    returns = text.count("\r", 0, -1)
    return not returns or returns == text.count("\r\n") == text.count("\n")


def _decoded(head: bytes, path: str, *, complete: bool, wanted: str | None) -> tuple[str, str]:
    """The encoding and the text of the first bytes."""
    if wanted:
        name = _codec(wanted)
        if name is None:
            raise ConfigError(
                "ENCODING_UNKNOWN",
                msg("there is no encoding {name}", name=repr(wanted)),
                hint=msg("pass --encoding utf-8, gb18030, gbk or utf-16"),
            )
        candidates = [name]
    else:
        marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
        candidates = [marked] if marked else ["utf-8", "gb18030"]
    for name in candidates:
        try:
            text = codecs.getincrementaldecoder(name)().decode(head, complete)
        except UnicodeError:  # also that UTF-16 has no mark which says the order of its bytes
            continue
        if "\0" in text[:65536]:
            break
        return name, text.removeprefix("\ufeff")
    raise SourceError(
        "SOURCE_ENCODING",
        msg("{path} is not text in {encodings}", path=repr(path), encodings=" / ".join(candidates)),
        hint=msg("save it as UTF-8, or name its encoding with --encoding, such as gb18030"),
    )


def _codec(wanted: str) -> str | None:
    """The name of a text encoding; others that Python knows (zip, hex, idna …) are none."""
    try:
        name = codecs.lookup(wanted).name
        "1".encode(name)
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):
        return None
    return name


def bad_byte(path: str, encoding: str, line: int) -> SourceError:
    """The error for text that stops being text further down."""
    other = "gb18030" if encoding.startswith("utf") else "utf-8"
    return SourceError(
        "SOURCE_ENCODING",
        msg(
            "{path} is not {encoding} throughout: a wrong byte stands near line {line}",
            path=repr(path),
            encoding=encoding,
            line=line,
        ),
        hint=msg("try --encoding {other}, or save the file as UTF-8", other=other),
    )


def _delimiter(text: str, path: str, wanted: str | None) -> str:
    if wanted is not None:
        chosen = _NAMED.get(wanted.lower(), wanted)
        if len(chosen) != 1 or not chosen.isascii() or chosen in '"\r\n':
            raise ConfigError(
                "DELIMITER_INVALID",
                msg("{delimiter} cannot separate cells", delimiter=repr(wanted)),
                hint=msg("pass one character, or tab"),
            )
        return chosen
    if path.lower().removesuffix(".gz").removesuffix(".zst").endswith((".tsv", ".tab")):
        return "\t"
    return max(_DELIMITERS, key=lambda mark: len(_first_record(text, mark)))


def _first_record(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
