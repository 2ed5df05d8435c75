"""The platform's codes and the envelope that every answer of its interface wears."""

import secrets
from datetime import datetime
from enum import IntEnum

from yuntu_push.sandbox.clock import BEIJING


class Code(IntEnum):
    """Codes of the vendor's appendix that the sandbox answers by itself."""

    OK = 0
    PARAMETER = 40001
    NO_PERMISSION = 40002
    TOO_MANY_REQUESTS = 40100
    INVALID_PARTNER = 40101
    ACCESS_TOKEN_EXPIRED = 40102
    REFRESH_TOKEN_EXPIRED = 40103
    ACCESS_TOKEN_MISSING = 40104
    ACCESS_TOKEN_WRONG = 40105
    REFRESH_TOKEN_WRONG = 40107
    GRANT_TYPE = 40108
    DEVELOPER_RATE_LIMIT = 40110
    NOT_AUTHORISED = 40118
    SIGNATURE = 40900
    SYSTEM = 50000


class Refused(Exception):  # noqa: N818 - a verdict of the platform, not a failure of ours
    """The platform says no: its code and its words, which never quote a token or a person's id."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def wrong_parameter(message: str, code: int = Code.PARAMETER) -> Refused:
    """A parameter error; `message` begins with the field it is about.

    Business rules most likely answer with the same code, which the options can change.
    """
    return Refused(code, f"参数错误:{message}")


def no_permission(message: str) -> Refused:
    """The application or the token may not do that."""
    return Refused(Code.NO_PERMISSION, f"无权限:{message}")


def request_id(moment: float) -> str:
    """A request id of the platform's form: Beijing time and 18 hex digits."""
    stamp = datetime.fromtimestamp(moment, BEIJING).strftime("%Y%m%d%H%M%S")
    return f"{stamp}{secrets.token_hex(9).upper()}"


def envelope(code: int, message: str, data: object, rid: str) -> dict[str, object]:
    """The JSON object around an answer; `data` is left out when it is None."""
    answer: dict[str, object] = {"code": code, "message": message, "request_id": rid}
    if data is not None:
        answer["data"] = data
    return answer
