"""Checks a request against the declared fields; what is wrong is refused by its field's name."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yuntu_push.sandbox.answers import Code, Refused, wrong_parameter
from yuntu_push.sandbox.declarations import Array, Choice, Declaration, Field, Record, Type
from yuntu_push.sandbox.limits import GRANT_TYPES, LEGACY_FIELDS, LIMITS, Limit
from yuntu_push.sandbox.options import CopyTo, NameUnit, SandboxOptions

_DIGITS = re.compile(r"-?\d{1,19}", re.ASCII)
_INT64 = 1 << 63
_COPY = "POST /open_api/2/dmp/custom_audience/copy/"


def check_fields(
    declaration: Declaration, given: Mapping[str, Any], options: SandboxOptions
) -> dict[str, Any]:
    """The declared fields of a request with their checked values; wrong ones are refused."""
    limits = LIMITS.get(declaration.key, {})
    fields = _switched(declaration, options)
    if options.strict_fields:
        known = fields.keys() | LEGACY_FIELDS.get(declaration.key, frozenset())
        for name in given:
            if name not in known:
                raise wrong_parameter(f"{name[:60]} 不是该接口的字段")
    grant_type = GRANT_TYPES.get(declaration.key)
    if grant_type is not None and given.get("grant_type", grant_type) != grant_type:
        raise Refused(Code.GRANT_TYPE, f"grant_type 错误,应为 {grant_type}")
    types = _Types(options.strict_fields)
    checked: dict[str, Any] = {}
    for name, field in fields.items():
        limit = limits.get(name, Limit())
        value = given.get(name)
        if value is None or (value == "" and declaration.place != "body"):
            if field.required or limit.required:
                raise wrong_parameter(f"{name} 必填")
            continue
        checked[name] = types.value(name, field.type, value)
        _check_limit(name, limit, checked[name], options.name_unit)
    return checked


def _switched(declaration: Declaration, options: SandboxOptions) -> Mapping[str, Field]:
    if declaration.key == _COPY and options.copy_to is CopyTo.LIST:
        listed = Field(Array("integer"), required=True)
        return {**declaration.fields, "to_advertiser_id": listed}
    return declaration.fields


def from_text(declaration: Declaration, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Query or form text as values: strings go raw, everything else is JSON.

    A value that is no JSON stays text, and is refused later by its type.
    """
    values: dict[str, Any] = {}
    for name, text in pairs.items():
        field = declaration.fields.get(name)
        if field is None or field.type == "string" or _is_text_choice(field.type):
            values[name] = text
        else:
            values[name] = _json_or_text(text)
    return values


def _is_text_choice(kind: Type) -> bool:
    return isinstance(kind, Choice) and isinstance(kind.values[0], str)


def _json_or_text(text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair fits no answer
    except (ValueError, RecursionError):
        return text
    return value


@dataclass(frozen=True)
class _Types:
    """Checks values against declared types; `strict` refuses undeclared members of objects."""

    strict: bool

    def value(self, name: str, kind: Type, value: Any) -> Any:
        """The value, an id in quotes as its number; refused by `name` when it has another type."""
        match kind:
            case "integer":
                return _integer(name, value)
            case "string":
                return _typed(name, value, str, "字符串")
            case "boolean":
                return _typed(name, value, bool, "布尔值")
            case "object":
                return _typed(name, value, dict, "对象")
            case "file":
                return _typed(name, value, bytes, "文件")
            case Array(item):
                items = _typed(name, value, list, "数组")
                return [self.value(f"{name}[{i}]", item, each) for i, each in enumerate(items)]
            case Choice(values):
                return _choice(name, values, value)
            case Record(fields):
                return self._record(name, fields, _typed(name, value, dict, "对象"))

    def _record(
        self, name: str, fields: Mapping[str, Field], value: dict[str, Any]
    ) -> dict[str, Any]:
        for key in value:
            if self.strict and key not in fields:
                raise wrong_parameter(f"{name}.{key[:60]} 不是该接口的字段")
        checked: dict[str, Any] = {}
        for key, field in fields.items():
            if value.get(key) is None:
                if field.required:
                    raise wrong_parameter(f"{name}.{key} 必填")
                continue
            checked[key] = self.value(f"{name}.{key}", field.type, value[key])
        return checked


def _typed(name: str, value: Any, kind: type, word: str) -> Any:
    if not isinstance(value, kind):
        raise wrong_parameter(f"{name} 类型错误,应为{word}")
    return value


def _integer(name: str, value: Any) -> int:
    if isinstance(value, str) and _is_id(name) and _DIGITS.fullmatch(value):
        value = int(value)  # ids in quotes pass: the vendor's own samples quote them
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise wrong_parameter(f"{name} 类型错误,应为整数")
    return value


def _is_id(name: str) -> bool:
    stem = name.partition("[")[0].rpartition(".")[2]
    return stem.endswith(("_id", "_ids"))


def _choice(name: str, values: tuple[str | int, ...], value: Any) -> Any:
    if isinstance(value, bool | float) or value not in values:
        allowed = "、".join(str(each) for each in values)
        raise wrong_parameter(f"{name} 取值错误,应为 {allowed}")
    return value


def _check_limit(name: str, limit: Limit, value: Any, unit: NameUnit) -> None:
    if isinstance(value, str) and limit.chars is not None:
        counted = text_length(value, unit) if limit.unit else len(value)
        if limit.unit and not value.strip():
            raise wrong_parameter(f"{name} 不能为空")
        if counted > limit.chars:
            raise wrong_parameter(f"{name} 长度不能超过 {limit.chars} 个字符")
    if limit.items is not None and not limit.items[0] <= len(value) <= limit.items[1]:
        raise wrong_parameter(f"{name} 数量应为 {limit.items[0]} 至 {limit.items[1]} 个")
    if limit.values is not None and not limit.values[0] <= value <= limit.values[1]:
        raise wrong_parameter(f"{name} 应为 {limit.values[0]} 至 {limit.values[1]}")
    if limit.one_of is not None and value not in limit.one_of:
        allowed = "、".join(str(each) for each in sorted(limit.one_of))
        raise wrong_parameter(f"{name} 取值错误,应为 {allowed}")


def text_length(text: str, unit: NameUnit) -> int:
    """How long `text` is in the unit that name limits are counted in."""
    match unit:
        case NameUnit.CHARACTERS:
            return len(text)
        case NameUnit.BYTES:
            return len(text.encode())
        case NameUnit.WIDE:
            return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
