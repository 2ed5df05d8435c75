"""The documented limits (`vectors/ocean_additions.yaml`): the last value within is taken, the first
beyond is a parameter error that names the field."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.ocean_samples import SAMPLES, World, sample_world
from support.ocean_table import ADDITIONS, KEYS

LIMITS: list[dict[str, Any]] = ADDITIONS["limits"]
PAGED = [key for key in KEYS if key.endswith(("account/list/", "advertiser/list/", "list/get/"))]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with sample_world() as made:
        yield made


def ident(limit: dict[str, Any]) -> str:
    return f"{limit['request'].split()[1].removeprefix('/open_api/')} {limit['field']}"


def with_size(world: World, limit: dict[str, Any], beyond: int, *, least: bool = False) -> Any:
    """The sample request with the field at its limit, or `beyond` it."""
    values = SAMPLES[limit["request"]](world)
    field = limit["field"]
    if "characters" in limit:
        values[field] = "名" * (limit["characters"] + beyond)
    elif "items" in limit:
        size = limit["least"] - beyond if least else limit["items"] + beyond
        values[field] = [values[field][0]] * size
    else:
        values[field] = limit["least"] - beyond if least else limit["value"] + beyond
    return values


@pytest.mark.parametrize("limit", LIMITS, ids=ident)
def test_a_limit_is_where_the_documents_have_it(world: World, limit: dict[str, Any]):
    if not limit.get("only_refused"):
        within = world.send(limit["request"], with_size(world, limit, 0))
        assert within["code"] == 0, within
    answer = world.send(limit["request"], with_size(world, limit, 1))
    assert answer["code"] == 40001
    assert limit["field"] in answer["message"]


@pytest.mark.parametrize("limit", [each for each in LIMITS if "least" in each], ids=ident)
def test_fewer_than_the_least_is_refused_too(world: World, limit: dict[str, Any]):
    answer = world.send(limit["request"], with_size(world, limit, 1, least=True))
    assert answer["code"] == 40001
    assert limit["field"] in answer["message"]


@pytest.mark.parametrize("key", PAGED)
def test_nobody_pages_beyond_ten_thousand_rows(world: World, key: str):
    values = SAMPLES[key](world)
    for page, size, code in ((100, 100, 0), (101, 100, 40001), (10_000, 1, 0), (10_001, 1, 40001)):
        answer = world.send(key, {**values, "page": page, "page_size": size})
        assert answer["code"] == code, (page, size)
