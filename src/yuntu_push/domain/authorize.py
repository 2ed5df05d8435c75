"""The authorisation page's URL and what comes back from it."""

import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from yuntu_push.domain.channel import AUTH_PAGES, Channel
from yuntu_push.domain.secret import SecretText

_CODE_NAMES = ("auth_code", "code")  # the platform says `auth_code`
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MAX_FIELDS = 30


def authorization_url(channel: Channel, state: str) -> str:
    """The page that asks the person, for one login.

    Of the console's 授权URL only `state` is replaced, byte for byte; `redirect_uri` is added when
    it has neither that nor `rid`.
    """
    template = channel.auth_url or f"{AUTH_PAGES[channel.kind]}?app_id={channel.app_id}"
    parts = urlsplit(template)
    fields = [field for field in parts.query.split("&") if field]
    names = [field.partition("=")[0] for field in fields]
    if "state" in names:
        place = names.index("state")
        fields[place] = f"state={quote(state, safe='')}"
        fields = [f for i, f in enumerate(fields) if i == place or names[i] != "state"]
    else:
        fields.append(f"state={quote(state, safe='')}")
    if "redirect_uri" not in names and "rid" not in names:
        fields.append(f"redirect_uri={quote(channel.callback_url, safe='')}")
    return urlunsplit(parts._replace(query="&".join(fields)))


def query_value(url: str, name: str) -> str | None:
    """The decoded value of a parameter of a URL, or None."""
    found = [v for k, v in parse_qsl(urlsplit(url).query, keep_blank_values=True) if k == name]
    return found[0] if found else None


def is_loopback(host: str | None) -> bool:
    """Whether a host name stays on this machine."""
    return host is not None and (host in _LOOPBACK or _is_loopback_v4(host))


def _is_loopback_v4(host: str) -> bool:
    numbers = host.split(".")
    return (
        len(numbers) == 4
        and numbers[0] == "127"
        and all(n.isascii() and n.isdigit() and int(n) < 256 for n in numbers)
    )


def listens_here(callback_url: str) -> bool:
    """Whether the callback comes to this machine over plain HTTP, so that we can listen for it."""
    parts = urlsplit(callback_url)
    return parts.scheme == "http" and is_loopback(parts.hostname)


class Verdict(StrEnum):
    """What an answer of the authorisation page is."""

    CODE = "code"
    REFUSED = "refused"  # the right state, and no code
    FOREIGN = "foreign"  # another state, or none: not the answer to this login
    NOTHING = "nothing"  # neither a URL nor a code


@dataclass(frozen=True)
class Answer:
    """An answer of the authorisation page; `code` is set when the verdict is CODE."""

    verdict: Verdict
    code: SecretText = field(default_factory=lambda: SecretText(""))


def answer_in_query(query: str, state: str) -> Answer:
    """The answer in the query of a callback; the state is compared in constant time.

    A parameter that is there twice makes the answer foreign: nobody can say which one counts.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return Answer(Verdict.FOREIGN)
    states = [value for name, value in pairs if name == "state"]
    codes = [value for name, value in pairs if name in _CODE_NAMES]
    if len(states) != 1 or not hmac.compare_digest(states[0].encode(), state.encode()):
        return Answer(Verdict.FOREIGN)
    if len(codes) > 1:
        return Answer(Verdict.FOREIGN)
    if not codes or not codes[0]:
        return Answer(Verdict.REFUSED)
    return Answer(Verdict.CODE, SecretText(codes[0]))


def answer_in_text(text: str, state: str) -> Answer:
    """The answer in what a person pasted: the whole redirected URL, its query, or the bare code.

    A bare code comes without a state; pasting it is the person's own act.
    """
    pasted = text.strip().strip("'\"<>").strip()
    if not pasted:
        return Answer(Verdict.NOTHING)
    if "://" in pasted:
        return answer_in_query(urlsplit(pasted).query, state)
    if "=" in pasted.rstrip("="):
        return answer_in_query(pasted.lstrip("?&"), state)
    if any(char.isspace() for char in pasted):
        return Answer(Verdict.NOTHING)
    return Answer(Verdict.CODE, SecretText(pasted))
