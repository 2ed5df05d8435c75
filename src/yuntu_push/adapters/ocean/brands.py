"""Yuntu brands (云图品牌) bound to an advertiser."""

from yuntu_push.adapters.ocean import models
from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.domain.channel import Brand

GET = "/open_api/2/dmp/brand/get/"


def of_advertiser(caller: Caller, advertiser_id: int) -> list[Brand]:
    """The brands of an advertiser; none when it has no relation with Yuntu."""
    data = models.record(caller.get(GET, advertiser_id=advertiser_id))
    found = (models.brand(item) for item in models.records(data.get("brand_info")))
    return [brand for brand in found if brand is not None]
