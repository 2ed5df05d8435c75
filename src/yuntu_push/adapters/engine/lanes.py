"""Which fast lanes a column has."""

from yuntu_push.adapters.engine.lane import Lane
from yuntu_push.adapters.engine.lanes_device import device_lanes
from yuntu_push.adapters.engine.lanes_phone import phone_lanes
from yuntu_push.domain.identifiers import Form, IdType
from yuntu_push.domain.segment_build import IdColumn
from yuntu_push.domain.settings import IdSettings


def lanes_for(column: IdColumn, rules: IdSettings) -> list[Lane]:
    """The lanes of a column, in the order in which they are tried."""
    if column.id_type is IdType.MOBILE_HASH_SHA256:
        return phone_lanes(raw=column.form is not Form.HASHED, hashed=column.form is not Form.RAW)
    return device_lanes(column.id_type, column.form, rules)
