"""JSON Schema (draft 2020-12) of one policy document, for editors and other programs."""

from __future__ import annotations

import ast
import inspect
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from cleanup_gitops.policy import (
    condition_shapes,
    group_shapes,
    guard_shapes,
    notice_shapes,
    policytest_shapes,
    roster_shapes,
    shapes,
    site_shapes,
    state_shapes,
)
from cleanup_gitops.policy.documents import API_VERSION

_Any = Annotated[shapes.AnyDocument, Field(discriminator="kind")]


def json_schema() -> dict[str, Any]:
    """The schema, as JSON-like values. One of several shapes, told apart by ``kind``."""
    schema = TypeAdapter[Any](_Any).json_schema(by_alias=True)
    definitions = schema["$defs"]
    for name, texts in _docstrings().items():
        if name in definitions:
            _describe(definitions[name], texts)
    for definition in definitions.values():
        for key, value in definition.get("properties", {}).items():
            definition["properties"][key] = _tidy(value)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{API_VERSION} document",
        "description": "One document of a policy folder; a file may hold several, separated by `---`.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": list(shapes.SHAPES)},
        },
        "discriminator": schema["discriminator"],
        "oneOf": schema["oneOf"],
        "$defs": definitions,
    }


def _describe(definition: dict[str, Any], texts: dict[str, str]) -> None:
    for key, value in definition.get("properties", {}).items():
        if key in texts:
            value["description"] = texts[key]


def _tidy(value: dict[str, Any]) -> dict[str, Any]:
    """Without pydantic's generated titles, and without ``null``: a key that says nothing is left out of the file."""
    kept = {key: one for key, one in value.items() if key != "title" and not (key == "default" and one is None)}
    options = [_tidy(one) for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    if len(options) == 1:
        return options[0] | kept
    return kept | ({"anyOf": options} if options else {})


def _docstrings() -> dict[str, dict[str, str]]:
    """Texts below the fields of each shape, inherited ones included, under the names that files use."""
    found: dict[str, dict[str, str]] = {}
    modules = (
        condition_shapes,
        group_shapes,
        guard_shapes,
        notice_shapes,
        state_shapes,
        roster_shapes,
        policytest_shapes,
        site_shapes,
        shapes,
    )
    for module in modules:
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.ClassDef):
                texts: dict[str, str] = {}
                for base in statement.bases:
                    texts |= found.get(base.id, {}) if isinstance(base, ast.Name) else {}
                found[statement.name] = texts | _texts_of(statement, getattr(module, statement.name))
    return found


def _texts_of(statement: ast.ClassDef, shape: type[BaseModel]) -> dict[str, str]:
    fields = shape.model_fields
    texts: dict[str, str] = {}
    for field, text in zip(statement.body, statement.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            alias = fields[field.target.id].alias
            texts[alias or field.target.id] = str(text.value.value)
    return texts
