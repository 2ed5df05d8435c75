"""What is hidden in words that somebody else wrote, before they are shown or stored.

A platform's message may quote what it was sent: an id, its digest, a token.
"""

import re

HIDDEN = "***"
_NAMED = re.compile(
    r"(?i)((?:access|refresh)_?token|auth_?code|secret|bearer)([\"']?\s*[:=：]\s*[\"']?|\s+)"
    r"[^\s\"',&;，。]{6,}"
)
# Digests and tokens; device ids; phones, with a country's code or gaps; IMEIs; identity cards.
_VALUES = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9A-Fa-f]{32,}"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|[0-9A-Za-z_-]{40,}"
    r"|[0-9A-Za-z+/]{40,}={0,2}"
    r"|(?:(?:00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
    r"|[0-9]{15}"
    r"|[0-9]{17}[0-9Xx]"
    r")(?![0-9A-Za-z])"
)


def scrubbed(text: str) -> str:
    """The text with ids, digests, Secrets and tokens replaced; platform ids and counts stay."""
    return _VALUES.sub(HIDDEN, _NAMED.sub(rf"\1\2{HIDDEN}", text))
