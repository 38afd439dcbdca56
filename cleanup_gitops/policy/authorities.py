"""The file with a company's own certificate authorities: checked while policies are loaded, not when a call fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cleanup_gitops.policy.rules import Broken
from cleanup_gitops.policy.yaml_values import Map

LARGEST = 1024 * 1024
"""Bytes; the bundle of all public authorities is a quarter of that."""


def broken_bundle(document: Map, folder: Path) -> Iterator[Broken]:
    """What is wrong with the file that ``spec.tls.ca_bundle`` of a Site names, seen from the policies' folder."""
    spec = document.get("spec")
    tls = spec.get("tls") if isinstance(spec, Map) else None
    name = tls.get("ca_bundle") if isinstance(tls, Map) else None
    if document.get("kind") != "Site" or not isinstance(tls, Map) or not isinstance(name, str) or not name.strip():
        return  # of another kind, or reported elsewhere
    problem = bundle_problem(folder / name)
    if problem:
        yield Broken(tls.at_value("ca_bundle"), f"`ca_bundle` {problem}")


def bundle_problem(path: Path) -> str:
    """Why the file cannot serve, for the end of a sentence; "" when it can."""
    try:
        if not path.is_file():
            return "names no file; the path starts in the policies' folder"
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or 'no such path'})"
    if len(data) > LARGEST:
        return f"must be at most {LARGEST >> 20} MiB"
    if b"PRIVATE KEY" in data:
        return "holds a private key; only certificates belong there, and the key should be replaced"
    return "" if _holds_certificates(data) else "holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)"


def _holds_certificates(data: bytes) -> bool:
    import ssl  # noqa: PLC0415 - few sites need it, and it takes time at the start of every command

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=data.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        return False
    return b"BEGIN CERTIFICATE" in data
