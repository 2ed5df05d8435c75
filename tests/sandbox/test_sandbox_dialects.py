"""How public clients write requests (`vectors/ocean_dialects.yaml`), and what they are told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from support.sandbox import AGENT, OWNER, SECOND_OWNER, WORKBENCH, Sandbox, phone_zip

VECTORS = Path(__file__).parents[1] / "vectors" / "ocean_dialects.yaml"
DIALECTS: list[dict[str, Any]] = yaml.safe_load(VECTORS.read_text("utf-8"))


def filled(text: str, facts: dict[str, Any]) -> str:
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@pytest.mark.parametrize("dialect", DIALECTS, ids=[each["from"] for each in DIALECTS])
def test_a_dialect_is_understood_or_refused_by_its_field(sb: Sandbox, dialect: dict[str, Any]):
    tokens = sb.authorize()
    audience = sb.available(tokens.access)
    facts = {
        "owner": OWNER,
        "second": SECOND_OWNER,
        "audience": audience,
        "source": sb.state()["data_sources"][0]["id"],
        "path": sb.file_path(tokens.access, phone_zip(0, 1)),
        "token": tokens.access,
        "app_id": sb.app_id,
        "secret": sb.secret,
        "code": sb.auth_code(),
        "workbench": WORKBENCH,
        "agent": AGENT,
    }
    method, path = dialect["request"].split(" ")
    headers = {"Access-Token": tokens.access, **dialect.get("headers", {})}
    options: dict[str, Any] = {}
    if "body" in dialect:
        headers.setdefault("Content-Type", "application/json")
        options["content"] = filled(dialect["body"], facts).encode()
    else:
        query = filled(dialect["query"], facts)
        options["params"] = [pair.split("=", 1) for pair in query.split("&") if pair]

    answer = sb.raw(method, path, headers=headers, **options).json()

    assert answer["code"] == dialect["code"], answer
    assert dialect.get("says", "") in answer["message"]
