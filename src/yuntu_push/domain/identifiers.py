"""Identifiers: which values are ids of which type."""

from enum import StrEnum


class IdType(StrEnum):
    """The platform's id types, in the order of their numbers in the upload schema."""

    IMEI = "IMEI"
    IDFA = "IDFA"
    UID = "UID"
    IMEI_MD5 = "IMEI_MD5"
    IDFA_MD5 = "IDFA_MD5"
    MOBILE_HASH_SHA256 = "MOBILE_HASH_SHA256"
    OAID = "OAID"
    OAID_MD5 = "OAID_MD5"
