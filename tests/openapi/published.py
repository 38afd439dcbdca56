"""The vendor's published OpenAPI files, and what openapi-core finds wrong with an exchange according to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from jsonschema_path import SchemaPath
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.validation.request.exceptions import ParameterValidationError, RequestBodyValidationError
from openapi_core.validation.request.validators import V30RequestValidator
from openapi_core.validation.response.exceptions import DataValidationError
from openapi_core.validation.response.validators import V30ResponseValidator
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.openapi.exchanges import Exchange
from tests.openapi.schemas import closed, target

HOST = "http://sandbox.invalid"
SERVED = (
    ("/admin/api-access", ""),
    ("/admin/user-provisioning", ""),
    ("/admin", "admin-organization"),
    ("/users", "admin-user-management"),
    ("/scim", "admin-user-provisioning"),
    ("/wiki/api/v2", "confluence-cloud-v2"),
    ("/wiki", "confluence-cloud-v1"),
)
"""Which file describes what is served below a path; none where no published file is at hand."""
LEFT_OUT = frozenset({"/admin", "/wiki/api/v2"})
"""Prefixes that the file's own paths leave out."""
REFUSED = frozenset({401, 403, 404, 405, 410, 429})
"""What may be said to a request for something that is not published."""

_MORE: dict[str, Any] = {"extra_media_type_deserializers": {"application/scim+json": json.loads}}
"""JSON by another name, which openapi-core does not know."""
_NAME = re.compile(r"[\w.$-]{1,40}\Z", re.ASCII)


@dataclass(frozen=True, order=True)
class Problem:
    """One way in which an exchange is not as published.

    `at` is a JSON path, where ``*`` is any element of a list or a key that is no name, or the name of a parameter.
    `rule` is a word of JSON Schema, or ``path``, ``method``, ``status``, ``media-type``, ``parameter``, ``security``,
    ``body`` or ``crash``.
    """

    file: str
    operation: str
    side: str
    status: int
    at: str
    rule: str
    message: str = field(compare=False)

    def __str__(self) -> str:
        where = f"{self.operation} -> {self.status}" if self.side == "response" else self.operation
        return f"{self.side} of {where}: {self.at or 'whole'}: {self.rule}: {self.message} ({self.file or 'no file'})"


@dataclass(frozen=True)
class Operation:
    """Where an exchange belongs.

    `template` is empty where no file describes the path; `known` is false where none describes path and method.
    """

    file: str
    method: str
    template: str
    known: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


@dataclass
class Described:
    """One OpenAPI file."""

    name: str
    text: dict[str, Any]
    prefix: str = ""
    _specs: dict[str, SchemaPath] = field(default_factory=dict)

    @cached_property
    def templates(self) -> list[tuple[re.Pattern[str], str]]:
        """A pattern for each path, those with the fewest variables first."""
        found = sorted(self.text["paths"], key=lambda path: (path.count("{"), path))
        return [(re.compile(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path)) + r"\Z"), path) for path in found]

    def operation(self, method: str, path: str) -> Operation:
        """The operation that describes `path`, which is as it is on the wire."""
        rest = path.removeprefix(self.prefix)
        found = [template for pattern, template in self.templates if pattern.match(rest)]
        for template in found:
            if method.lower() in self.text["paths"][template]:
                return Operation(self.name, method, template)
        return Operation(self.name, method, found[0] if found else "", known=False)

    def parameters(self, operation: Operation, place: str) -> set[str]:
        """Names of the operation's parameters in `place`."""
        item = self.text["paths"][operation.template]
        told = [*item.get("parameters", ()), *item[operation.method.lower()].get("parameters", ())]
        return {one["name"] for one in (target(self.text, one) for one in told) if one["in"] == place}

    def spec(self, template: str) -> SchemaPath:
        """One path of the file, for openapi-core: looking it up among all of them would take it long."""
        if template not in self._specs:
            part = {
                "openapi": self.text["openapi"],
                "info": {"title": self.name, "version": "1"},
                "servers": [{"url": HOST + self.prefix}],
                "security": self.text.get("security", []),
                "paths": {template: self.text["paths"][template]},
                "components": self.text.get("components", {}),
            }
            self._specs[template] = SchemaPath.from_dict(part)
        return self._specs[template]


class Asked:
    """A request as openapi-core wants it."""

    host_url = HOST

    def __init__(self, exchange: Exchange) -> None:
        self.path = _readable(exchange.path)
        self.method = exchange.method.lower()
        self.body = exchange.body or None
        self.content_type = exchange.content_type.lower()
        pairs = parse_qsl(exchange.query, keep_blank_values=True)
        header = Headers({"Authorization": f"{exchange.scheme} secret"} if exchange.scheme else {})
        self.parameters = RequestParameters(query=ImmutableMultiDict(pairs), header=header)


class Answered:
    """An answer as openapi-core wants it."""

    headers = Headers()

    def __init__(self, exchange: Exchange) -> None:
        self.status_code = exchange.status
        self.content_type = exchange.answer_type.lower()
        self.data = exchange.answer or None


class Published:
    """All files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Described] = {}
        for prefix, name in SERVED:
            if not name:
                continue
            (path,) = sorted(folder.glob(f"{name}.*.json"))
            text = closed(json.loads(path.read_text("utf-8")))
            self.files[name] = Described(name, text, prefix if prefix in LEFT_OUT else "")

    def operation(self, method: str, path: str) -> Operation:
        """Where a request belongs."""
        for prefix, name in SERVED:
            if path == prefix or path.startswith(prefix + "/"):
                if name:
                    return self.files[name].operation(method, path)
                break
        return Operation("", method, "", known=False)

    def problems(self, exchange: Exchange) -> list[Problem]:
        """What is wrong with the request, if the client sent it, and with the answer in any case."""
        operation = self.operation(exchange.method, exchange.path)
        told = str(operation) if operation.template else f"{exchange.method} {anonymous(exchange.path)}"
        found = dict[Problem, None]()
        if exchange.crash:
            found[Problem(operation.file, told, "response", 500, "", "crash", exchange.crash)] = None
        if operation.known:
            sides = self._known(exchange, operation)
        else:
            sides = _unknown(exchange, "method" if operation.template else "path")
        for side, at, rule, message in sides:
            status = exchange.status if side == "response" else 0
            found.setdefault(Problem(operation.file, told, side, status, at, rule, message))
        return sorted(found)

    def _known(self, exchange: Exchange, operation: Operation) -> Iterator[tuple[str, str, str, str]]:
        file, asked = self.files[operation.file], Asked(exchange)
        spec = file.spec(operation.template)
        if exchange.ours:
            for found in _told(V30RequestValidator(spec, **_MORE).iter_errors(asked)):
                yield "request", *found
            for name in sorted(asked.parameters.query.keys() - file.parameters(operation, "query")):
                yield "request", name, "parameter", "is not published"
            if exchange.body and "requestBody" not in file.text["paths"][operation.template][asked.method]:
                yield "request", "", "body", "none is published"
        if exchange.status:
            for found in _told(V30ResponseValidator(spec, **_MORE).iter_errors(asked, Answered(exchange))):
                yield "response", *found


def _readable(path: str) -> str:
    """What was percent-encoded in a path, as it is; but for slashes, which would be separators then."""
    return unquote(re.sub("%2[Ff]", "%252F", path))


def anonymous(path: str) -> str:
    """A path without the parts that name something."""
    return re.sub(r"(?<=/)(?!v[12]/)[^/]*[\d%:][^/]*", "{}", path)


def _unknown(exchange: Exchange, rule: str) -> Iterator[tuple[str, str, str, str]]:
    if exchange.ours:
        yield "request", "", rule, "is not published"
    if exchange.status and exchange.status not in REFUSED:
        yield "response", "", rule, "is not published, and yet answered"


def _told(errors: Iterable[Exception]) -> Iterator[tuple[str, str, str]]:
    """Where, which rule and in which words: of each error, and of each defect of a value that is not as described."""
    for error in errors:
        cause = _cause(error, InvalidSchemaValue)
        at = f"{error.location} {error.name}" if isinstance(error, ParameterValidationError) else ""
        if cause is not None:
            for defect in cause.schema_errors:
                yield _defect(defect, at)
        elif isinstance(error, ResponseNotFound):
            yield "", "status", "is not published"
        elif _cause(error, MediaTypeNotFound) is not None:
            yield "", "media-type", _short(_cause(error, MediaTypeNotFound))
        elif isinstance(error, ParameterValidationError):
            yield at, "parameter", _short(error.__cause__ or error)
        else:
            rule = "body" if isinstance(error, (RequestBodyValidationError, DataValidationError)) else "security"
            yield at, rule, _short(error.__cause__ or error)


def _defect(defect: Any, at: str) -> tuple[str, str, str]:  # noqa: ANN401 - of a library without types
    parts = ["*" if isinstance(part, int) or not _NAME.match(part) else part for part in defect.absolute_path]
    return ".".join([at] * bool(at) + parts), str(defect.validator), _short(defect.message)


def _short(message: object) -> str:
    text = str(message)
    return text if len(text) < 200 else f"{text[:200]}..."


def _cause(error: BaseException | None, kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind, or none
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error
