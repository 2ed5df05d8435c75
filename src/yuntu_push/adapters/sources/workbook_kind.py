"""Whether a file is a workbook at all, and what it really is when it is none."""

from pathlib import Path

from yuntu_push.domain.errors import SourceError, TryLaterError
from yuntu_push.domain.text import Text, msg

HEAD = 8192  # bytes that tell what a file is
_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SAVE_AGAIN = msg("open it in Excel or WPS and save it as .xlsx")
_AS_CSV = msg("pass it with --csv; its --delimiter and --encoding can be named")

# The first bytes of what goes by the name of a workbook: what it is, and what to do.
_MARKS: tuple[tuple[bytes, Text, Text], ...] = (
    (b"E-SafeNet", msg("a file locked by document protection"), msg("have it released first")),
    (b"schemas-microsoft-com:office:spreadsheet", msg("an XML spreadsheet of 2003"), _SAVE_AGAIN),
    (b"mime-version:", msg("a web archive"), _SAVE_AGAIN),
    (b"<html", msg("a web page (HTML)"), _SAVE_AGAIN),
    (b"<!doctype html", msg("a web page (HTML)"), _SAVE_AGAIN),
    (b"<table", msg("a web page (HTML)"), _SAVE_AGAIN),
)
_STARTS: tuple[tuple[bytes, Text, Text], ...] = (
    (b"PAR1", msg("a Parquet file"), msg("pass it with --parquet")),
    (b"%PDF", msg("a PDF document"), msg("ask for the workbook, or for a CSV file")),
    (b"\x1f\x8b", msg("a compressed file"), msg("unpack it first")),
    (b"\x28\xb5\x2f\xfd", msg("a compressed file"), msg("unpack it first")),
    (b"Rar!", msg("a compressed file"), msg("unpack it first")),
    (b"7z\xbc\xaf", msg("a compressed file"), msg("unpack it first")),
    (b"\x09\x00\x04\x00", msg("a workbook of Excel before 1993"), _SAVE_AGAIN),
    (b"\x09\x02", msg("a workbook of Excel before 1993"), _SAVE_AGAIN),
    (b"\x09\x04", msg("a workbook of Excel before 1993"), _SAVE_AGAIN),
)


def check_workbook(path: str) -> None:
    """Raise `SourceError` unless the file starts as workbooks do (.xlsx, .xlsb, .ods; .xls)."""
    with Path(path).open("rb") as file:
        head = file.read(HEAD)
    if head.startswith((_ZIP, _COMPOUND)):
        return
    what, hint = _really(head)
    raise SourceError(
        "SOURCE_NOT_WORKBOOK",
        msg("{path} is no workbook but {what}", path=repr(path), what=what),
        hint=hint,
    )


def _really(head: bytes) -> tuple[Text, Text]:
    if not head.strip(b"\0"):
        return msg("an empty file"), msg("export or copy it again")
    for mark, what, hint in _STARTS:
        if head.startswith(mark):
            return what, hint
    # UTF-16 pages and archives carry the same words with a zero byte in every second place.
    squeezed = head.replace(b"\0", b"").lower()
    for mark, what, hint in _MARKS:
        if mark.lower() in squeezed:
            return what, hint
    if not head.startswith(_TEXT_BOMS) and (b"\0" in head or _odd_bytes(head) > len(head) // 20):
        return msg("something else"), msg("check the file; Excel should open it")
    if b"\t" in squeezed.partition(b"\n")[0]:
        return msg("text, separated by tabs"), _AS_CSV
    return msg("text"), _AS_CSV


def _odd_bytes(head: bytes) -> int:
    """How many control characters there are that text does not have."""
    return sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def check_not_open(path: str) -> None:
    """Raise `TryLaterError` when Excel, WPS or LibreOffice has the workbook open."""
    file = Path(path)
    is_lock = file.name.startswith(("~$", ".~lock."))
    locks = [file.name] if is_lock else [n for n in _lock_names(file) if (file.parent / n).exists()]
    if locks:
        raise TryLaterError(
            "SOURCE_IN_USE",
            msg("{path} is open in a spreadsheet program", path=repr(path)),
            hint=msg(
                "save and close it there; when nobody has it open, delete {names} beside it",
                names=" / ".join(locks),
            ),
        )


def _lock_names(file: Path) -> list[str]:
    return [f"~${file.name}", f".~lock.{file.name}#"]
