"""What public clients were seen to send, and what people recorded of the platform's answers.

`ocean_dialects.yaml` has habits of many clients, `ocean_conversation.yaml` a whole way as the
official SDK puts it on the wire, `ocean_answers.yaml` answers of the real platform.
"""

import hashlib
import re
from typing import Any

import pytest
import yaml

from support.ocean_samples import SAMPLES, plain_zip, sample_world
from support.ocean_table import KEYS, VECTORS, conforms, declared_paths, paths_of
from support.sandbox import AGENT, BRAND, OWNER, SECOND_OWNER, WORKBENCH, local_sandbox, phone_zip
from yuntu_push.sandbox.options import read_switches


def vectors(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((VECTORS / name).read_text("utf-8"))
    return entries


DIALECTS = vectors("ocean_dialects.yaml")
ANSWERS = vectors("ocean_answers.yaml")
FILES = {"zip": phone_zip(0, 40), "plain_zip": plain_zip(hashlib.sha256(b"x").hexdigest())}


def filled(text: str, facts: dict[str, Any]) -> str:
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def with_files(text: str, facts: dict[str, Any]) -> bytes:
    body = filled(text, facts).encode()
    for name, content in FILES.items():
        body = body.replace(f"{{{name}}}".encode(), content)
    return body


@pytest.mark.parametrize("dialect", DIALECTS, ids=[each["from"] for each in DIALECTS])
def test_a_dialect_is_understood_or_refused_by_its_field(dialect: dict[str, Any]):
    switches = [f"{name}={value}" for name, value in dialect.get("switches", {}).items()]
    with local_sandbox(**read_switches(switches)) as sb:
        tokens = sb.authorize()
        audience = sb.available(tokens.access)
        facts = {
            "owner": OWNER,
            "second": SECOND_OWNER,
            "brand": BRAND,
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
            options["content"] = with_files(dialect["body"], facts)
        else:
            query = filled(dialect["query"], facts)
            options["params"] = [pair.split("=", 1) for pair in query.split("&") if pair]

        answer = sb.raw(method, path, headers=headers, **options).json()

    assert answer["code"] == dialect["code"], answer
    assert dialect.get("says", "") in answer["message"]


def test_the_official_sdk_gets_all_the_way():
    """Each request as the SDK wrote it, in its order; the answers have every field of its models
    and no other."""
    answered: dict[str, set[str]] = {}
    with local_sandbox(speed=600) as sb:
        facts: dict[str, Any] = {
            "app_id": sb.app_id,
            "secret": sb.secret,
            "code": sb.auth_code(),
            "signature": hashlib.md5(FILES["zip"]).hexdigest(),
        }
        for entry in vectors("ocean_conversation.yaml"):
            method, path = entry["request"].split(" ")
            headers = {"Access-Token": facts.get("access", "")}
            if "content_type" in entry:
                headers["Content-Type"] = entry["content_type"]
            url = f"{path}?{filled(entry['query'], facts)}" if "query" in entry else path
            body = with_files(entry.get("body", ""), facts)

            answer = sb.raw(method, url, headers=headers, content=body).json()

            assert answer["code"] == 0, (entry["request"], answer)
            conforms(entry["request"], answer)
            answered.setdefault(entry["request"], set()).update(paths_of(answer))
            for name, where in entry.get("keep", {}).items():
                found: Any = answer
                for step in where.split("."):
                    found = found[int(step) if step.isdecimal() else step]
                facts[name] = found
            sb.advance(entry.get("then", 0))
        assert len(sb.state()["copies"]) == 1
    assert answered.keys() == set(KEYS)
    # An agent's empty list of companies means all of them.
    unsaid = {".data.list[].company_list[].customer_company_id"}
    unsaid.add(".data.list[].company_list[].customer_company_name")
    missing = {key: declared_paths(key) - seen - unsaid for key, seen in answered.items()}
    assert {key: fields for key, fields in missing.items() if fields} == {}


def in_common(seen: Any, answer: Any, where: str = "") -> None:
    """Assert that the sandbox's answer has what was seen of the platform's."""
    match seen:
        case dict():
            for name, each in seen.items():
                assert name in answer, f"{where}.{name}"
                in_common(each, answer[name], f"{where}.{name}")
        case [item]:
            assert answer, where
            for each in answer:
                in_common(item, each, f"{where}[]")
        case "integer":
            assert type(answer) is int, where
        case "string":
            assert type(answer) is str, where
        case str() if seen.startswith("^"):
            assert re.fullmatch(seen, answer), where
        case _:
            assert answer == seen, where


@pytest.mark.parametrize("recorded", ANSWERS, ids=[each["from"] for each in ANSWERS])
def test_an_answer_is_like_the_platforms(recorded: dict[str, Any]):
    key = recorded["request"]
    with sample_world() as world:
        in_common(recorded["answer"], world.send(key, SAMPLES[key](world)))
