"""What pydantic found, in the words of the policy language and with the place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cleanup_gitops.policy.condition_shapes import PREDICATES, MatchSpec
from cleanup_gitops.policy.problems import Problem, did_you_mean, named, shown
from cleanup_gitops.policy.state_shapes import WhenSpec
from cleanup_gitops.policy.yaml_values import Map, Place, Seq, Trap

Loc = tuple[int | str, ...]


def problems_of(error: ValidationError, document: Map, shape: type[BaseModel], file: str) -> Iterator[Problem]:
    """One problem for each of pydantic's errors; values that were reported before are passed over."""
    for one in error.errors(include_url=False):
        if not isinstance(one["input"], Trap):
            line, col = _place(one, document)
            yield Problem(file, line, col, _message(one, document, shape))


def _place(error: ErrorDetails, document: Map) -> Place:
    loc = error["loc"]
    if error["type"] == "extra_forbidden":
        owner = value_at(document, loc[:-1])
        return owner.at_key(str(loc[-1])) if isinstance(owner, Map) else place_of(document, loc)
    if error["type"] == "missing":
        return key_of(document, loc[:-1])
    return place_of(document, loc)


def value_at(document: Map, loc: Loc) -> object:
    """The value at a path; the nearest one above it where the path leads nowhere."""
    steps = _steps(document, loc)
    return steps[-1].value if steps else document


def place_of(document: Map, loc: Loc) -> Place:
    """Line and column of the value at a path, or of the nearest one above it."""
    steps = _steps(document, loc)
    return steps[-1].at if steps else (document.line, document.col)


def key_of(document: Map, loc: Loc) -> Place:
    """Line and column of the key that leads to a value (of the entry itself in a list)."""
    owner = value_at(document, loc[:-1]) if loc else None
    if isinstance(owner, Map) and isinstance(loc[-1], str):
        return owner.at_key(loc[-1])
    return place_of(document, loc)


class _Step(NamedTuple):
    """One step along a path: the key or number as written, and the value it leads to."""

    part: int | str
    value: object
    at: Place


def _steps(document: Map, loc: Loc) -> list[_Step]:
    """The steps along a path as far as it leads. A key that stands for a short form in the file is passed over."""
    steps: list[_Step] = []
    node: object = document
    for part in loc:
        if isinstance(node, Map) and isinstance(part, str) and part in node:
            steps.append(_Step(part, node[part], node.at_value(part)))
        elif isinstance(node, Seq) and isinstance(part, int) and part < len(node):
            steps.append(_Step(part, node[part], node.marks[part]))
        elif not (isinstance(node, Seq) and isinstance(part, str)):
            break
        node = steps[-1].value
    return steps


def _message(error: ErrorDetails, document: Map, shape: type[BaseModel]) -> str:
    loc, context = error["loc"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"`{loc[-1]}` is missing here"
        case "extra_forbidden":
            return _unknown_key(str(loc[-1]), _owner(shape, loc[:-1]))
        case "policy":
            text = context["text"]
        case "literal_error":
            text = _not_one_of(error["input"], re.findall(r"'([^']*)'", context["expected"]))
        case other if other in _LIMITS:
            text = _LIMITS[other].format(**context)
        case _:
            text = _wrong_type(error)
    return f"{_label(document, loc)} {text}"


_LIMITS = {
    "too_short": "is an empty list; name something, or leave the key out",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def _not_one_of(value: object, known: list[str]) -> str:
    if value == "":
        return "must not be empty"
    if isinstance(value, str):
        return f"cannot be {shown(value)}{did_you_mean(value, known)}"
    return f"must be one of {', '.join(known)}, not {_kind(value)}"


def _wrong_type(error: ErrorDetails) -> str:
    value = error["input"]
    match error["type"]:
        case "string_type" if isinstance(value, int | float | date):
            return f"must be text; {_kind(value)} as text needs quotes"
        case "string_type":
            return f"must be text, not {_kind(value)}"
        case "int_type" if isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
            return f"must be a whole number in plain digits: write {int(value)}"
        case "int_type" if isinstance(value, float):
            return "must be a whole number"
        case "int_type":
            return f"must be a whole number, not {_kind(value)}"
        case "bool_type":
            return f"must be true or false, not {_kind(value)}"
        case "list_type":
            return f"must be a list, not {_kind(value)}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"must be a mapping (keys and values), not {_kind(value)}"
        case _:
            return f"is not right: {error['msg']}"


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case date():
            return "a day"
        case str():
            return "text"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _label(document: Map, loc: Loc) -> str:
    """The value by its key as written: ``inactive_for: 90d`` is checked as if it were ``{for: 90d}``."""
    written = [step.part for step in _steps(document, loc)]
    names = [part for part in written if isinstance(part, str)]
    if not names:
        return "the document"
    return f"an entry of `{names[-1]}`" if isinstance(written[-1], int) else f"`{names[-1]}`"


def _unknown_key(key: str, owner: type[BaseModel] | None) -> str:
    if owner in (MatchSpec, WhenSpec) and key in PREDICATES:
        return f"`{key}` is a condition: write it into a list under `all`, `any` or `none`"
    if key in _BELONGS:
        return f"`{key}` belongs into {_BELONGS[key]}"
    known = [field.alias or name for name, field in owner.model_fields.items()] if owner else []
    return f"unknown key{named(key)}{did_you_mean(key, known)}"


_BELONGS = {
    "include_admins": "`match`, beside `all`, `any` and `none`",
    "allow_shared_groups": "`ensure`, beside `groups` or `product_access`",
}
"""Keys that are easily written one level too high or too low."""


def _owner(shape: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """The model whose keys stand at a path."""
    found: type[BaseModel] | None = shape
    for part in loc:
        if isinstance(part, str) and found:
            fields = found.model_fields
            field = fields.get(part) or next((one for one in fields.values() if one.alias == part), None)
            found = _model_in(field.annotation) if field else None
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type expression
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
