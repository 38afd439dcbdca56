"""Makes published schemas strict: what a schema does not name is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_LISTS = ("allOf", "anyOf", "oneOf")


def closed(api: dict[str, Any]) -> dict[str, Any]:
    """The file `api` itself, changed: objects with named properties allow no others unless they say so.

    Published files leave that open everywhere, and so would find no misspelled key and no invented one. An ``allOf`` of
    objects becomes one object first, as each part alone would forbid what the others name. Discriminators go: they only
    point at the alternative that fits, which ``oneOf`` finds without them, and some point at nothing. An empty
    ``content`` goes too: it describes nothing, and is not meant to forbid a body. So does OAuth,
    which nobody here speaks.
    """
    _plain_references(api)
    for answer in _answers(api):
        if not answer.get("content", True):
            del answer["content"]
    _no_oauth(api)
    for schema in schemas(api):
        schema.pop("discriminator", None)
    for schema in list(schemas(api)):
        _merge(api, schema)
    for schema in schemas(api):
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    return api


def schemas(api: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema of the file, each once, those inside others too."""
    seen: set[int] = set()
    waiting = list(_roots(api))
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen or "$ref" in schema:
            continue
        seen.add(id(schema))
        yield schema
        waiting += schema.get("properties", {}).values()
        waiting += [part for name in _LISTS for part in schema.get(name, ())]
        waiting += [schema[name] for name in ("items", "not", "additionalProperties") if name in schema]


def _plain_references(node: Any) -> None:  # noqa: ANN401 - JSON
    """What stands beside a reference is to be ignored, says OpenAPI 3.0; some of it is not even valid."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            for word in node.keys() - {"$ref"}:
                del node[word]
        for part in node.values():
            _plain_references(part)
    elif isinstance(node, list):
        for part in node:
            _plain_references(part)


def _no_oauth(api: dict[str, Any]) -> None:
    schemes = api.get("components", {}).get("securitySchemes", {})
    spoken = {name for name, scheme in schemes.items() if scheme["type"] != "oauth2"}
    operations = [item[method] for item in api["paths"].values() for method in METHODS & item.keys()]
    for holder in (api, *operations):
        if "security" in holder:
            holder["security"] = [one for one in holder["security"] if one.keys() <= spoken]


def _answers(api: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from api.get("components", {}).get("responses", {}).values()
    for item in api["paths"].values():
        for method in METHODS & item.keys():
            yield from item[method]["responses"].values()


def _roots(api: dict[str, Any]) -> Iterator[Any]:
    parts = api.get("components", {})
    yield from parts.get("schemas", {}).values()
    for place in ("parameters", "headers"):
        yield from (one.get("schema") for one in parts.get(place, {}).values())
    for holder in [*parts.get("requestBodies", {}).values(), *_answers(api)]:
        yield from _bodies(holder)
    for item in api["paths"].values():
        for method in METHODS & item.keys():
            yield from (one.get("schema") for one in item[method].get("parameters", ()))
            yield from _bodies(item[method].get("requestBody", {}))


def _bodies(holder: dict[str, Any]) -> Iterator[Any]:
    for media in holder.get("content", {}).values():
        yield media.get("schema")


def _merge(api: dict[str, Any], schema: dict[str, Any]) -> None:
    if "allOf" not in schema:
        return
    parts = [target(api, part) for part in schema["allOf"]]
    for part in parts:
        _merge(api, part)
    if not all(part.get("type", "object") == "object" and not set(_LISTS) & set(part) for part in parts):
        return
    own = dict(schema)
    del own["allOf"]
    for part in [*parts, own]:
        for word, value in part.items():
            if word == "properties":
                schema[word] = {**schema.get(word, {}), **value}
            elif word == "required":
                schema[word] = sorted({*schema.get(word, ()), *value})
            else:
                schema[word] = value
    del schema["allOf"]


def target(api: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference inside the file leads to; anything else as it is."""
    while "$ref" in node:
        found: Any = api
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node
