"""A small JSON Schema validator: the keywords that our own schema uses, and an error for any other."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Json = Any
"""A value as JSON has it."""
Schema = dict[str, Any]
_NOTES = {"$schema", "$defs", "title", "description", "default", "discriminator", "format"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def is_valid(value: Json, schema: Schema, root: Schema) -> bool:
    """Whether the value fits the schema. Raises KeyError for a keyword that is not known here."""
    return all(
        _KEYWORDS[keyword](value, argument, schema, root)
        for keyword, argument in schema.items()
        if keyword not in _NOTES
    )


def _type(value: Json, argument: str, _: Schema, __: Schema) -> bool:
    fits = isinstance(value, _TYPES[argument])
    return fits and not (argument == "integer" and isinstance(value, bool))


def _reference(value: Json, argument: str, _: Schema, root: Schema) -> bool:
    return is_valid(value, root["$defs"][argument.removeprefix("#/$defs/")], root)


def _properties(value: Json, argument: Schema, _: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    return all(is_valid(value[key], one, root) for key, one in argument.items() if key in value)


def _others(value: Json, argument: bool | Schema, schema: Schema, root: Schema) -> bool:
    others = set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else set()
    others = {key for key in others if not any(re.search(one, key) for one in schema.get("patternProperties", {}))}
    if isinstance(argument, dict):
        return all(is_valid(value[key], argument, root) for key in others)
    assert argument is False
    return not others


def _fitting(value: Json, argument: dict[str, Schema], _: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    return all(
        is_valid(one, argument[name], root) for name in argument for key, one in value.items() if re.search(name, key)
    )


def _any_of(value: Json, argument: list[Schema], _: Schema, root: Schema) -> bool:
    return any(is_valid(value, one, root) for one in argument)


def _one_of(value: Json, argument: list[Schema], _: Schema, root: Schema) -> bool:
    return sum(is_valid(value, one, root) for one in argument) == 1


def _items(value: Json, argument: Schema, _: Schema, root: Schema) -> bool:
    return not isinstance(value, list) or all(is_valid(one, argument, root) for one in value)


def _names(value: Json, argument: Schema, _: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(is_valid(one, argument, root) for one in value)


def _only(kind: type, test: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Schema, Schema], bool]:
    return lambda value, argument, _, __: not isinstance(value, kind) or test(value, argument)


_KEYWORDS: dict[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    "type": _type,
    "$ref": _reference,
    "properties": _properties,
    "additionalProperties": _others,
    "patternProperties": _fitting,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "items": _items,
    "propertyNames": _names,
    "const": lambda value, argument, _, __: value == argument and type(value) is type(argument),
    "enum": lambda value, argument, _, __: value in argument,
    "required": _only(dict, lambda value, argument: set(argument) <= set(value)),
    "minProperties": _only(dict, lambda value, argument: len(value) >= argument),
    "maxProperties": _only(dict, lambda value, argument: len(value) <= argument),
    "minItems": _only(list, lambda value, argument: len(value) >= argument),
    "uniqueItems": _only(list, lambda value, _: len(value) == len({repr(one) for one in value})),
    "minLength": _only(str, lambda value, argument: len(value) >= argument),
    "maxLength": _only(str, lambda value, argument: len(value) <= argument),
    "pattern": _only(str, lambda value, argument: re.search(argument, value) is not None),
    "minimum": _only(int, lambda value, argument: value >= argument),
    "maximum": _only(int, lambda value, argument: value <= argument),
}
