"""The OpenAPI document, and the same as a page that people read. Pure, but for asking which endpoints there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

Json = dict[str, Any]
_METHODS = ("get", "post", "patch")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter or key: its type in words, the shape it leads to (or ""), and what there is to say about it."""

    name: str
    kind: str
    shape: str
    required: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call."""

    name: str
    method: str
    path: str
    said: str
    scope: str
    permission: str
    parameters: tuple[Field, ...]
    body: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One object of requests or answers."""

    name: str
    said: str
    fields: tuple[Field, ...]


@cache
def document() -> Json:
    """Return the OpenAPI document of this version of the code; it does not depend on any setting."""
    schema: Json = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def groups() -> dict[str, list[Operation]]:
    """Return every call, by the first part of its path."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document()["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                found.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    return found


def shapes() -> list[Shape]:
    """Return every shape, by name."""
    listed = document()["components"]["schemas"].items()
    return [_shape(name, schema) for name, schema in sorted(listed) if schema.get("type") == "object"]


def _operation(path: str, method: str, told: Mapping[str, Any]) -> Operation:
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path,
        said=told.get("description", ""),
        scope=told.get("x-scope", ""),
        permission=told.get("x-permission", ""),
        parameters=tuple(_parameter(each) for each in told.get("parameters", ())),
        body=_content(told.get("requestBody", {})),
        answer=_content(told["responses"].get("200", {})),
    )


def _parameter(told: Mapping[str, Any]) -> Field:
    schema = told.get("schema", {})
    said = " ".join([f"In the {told['in']}.", *_bounds(schema), told.get("description", "")]).strip()
    return Field(
        name=told["name"], kind=schema.get("type", ""), shape="", required=told.get("required", False), said=said
    )


def _content(told: Mapping[str, Any]) -> str:
    for content in told.get("content", {}).values():
        return _leads_to(content.get("schema", {}))
    return ""


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    required = set(schema.get("required", ()))
    fields = (_field(key, told, key in required) for key, told in schema.get("properties", {}).items())
    return Shape(name=name, said=schema.get("description", ""), fields=tuple(fields))


def _field(name: str, told: Mapping[str, Any], required: bool) -> Field:
    said = " ".join([*_bounds(told), told.get("description", "")]).strip()
    return Field(name=name, kind=_kind(told), shape=_leads_to(told), required=required, said=said)


def _kind(told: Mapping[str, Any]) -> str:
    if told.get("type") == "array":
        return f"list of {_kind(told.get('items', {})) or 'these'}"
    kind = str(told.get("format") or told.get("type") or "")
    return f"{kind}, null" if told.get("nullable") and kind else kind


def _bounds(told: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in told and len(told["enum"]) < 12:
        yield f"One of {', '.join(str(one) for one in told['enum'] if one)}."
    for low, high, words in (("minimum", "maximum", "{} to {}."), ("minLength", "maxLength", "{} to {} characters.")):
        if high in told:
            yield words.format(told.get(low, 0), f"{told[high]:,}")
    if "default" in told:
        yield f"Else {told['default']}."


def _leads_to(told: Mapping[str, Any]) -> str:
    """Return the name of the shape that a schema refers to, however it is wrapped."""
    if "$ref" in told:
        return str(told["$ref"]).rsplit("/", 1)[-1]
    inner = [told["items"]] if "items" in told else told.get("allOf", [])
    return next((name for one in inner if (name := _leads_to(one))), "")
