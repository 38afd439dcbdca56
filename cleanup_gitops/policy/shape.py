"""What all shapes of policy documents have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Unknown keys are errors, nothing is converted silently, nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,
        populate_by_name=False,
    )


def some_key(schema: dict[str, Any]) -> None:
    """In the JSON Schema: an empty mapping does not fit."""
    schema["minProperties"] = 1


def one_key(schema: dict[str, Any]) -> None:
    """In the JSON Schema: exactly one key."""
    schema["minProperties"] = schema["maxProperties"] = 1
