"""TLS as it is: real certificates, right and wrong, and a proxy that sees only where a connection goes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import trustme

from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites.exchange import Call, Limits, trusted
from cleanup_gitops.sites.http import Http
from cleanup_gitops.sites.secret import Secret, bearer
from tests.fakes import FakeClock
from tests.patience import STALLED
from tests.sites.scripted import JSON, Reply, Scripted, scripted

CANARY = "canary-77aa-secret"
PROXY_USER = "canary-proxy-user"
LIMITS = Limits(connect=STALLED, read=STALLED, total=STALLED, attempts=2, connect_attempts=2, waiting=20)
GET = Call(method="GET", template="/secret-path")
ANY = msgspec.json.Decoder(dict[str, object])
OURS = trustme.CA()
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of TLS or proxies."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """The file with our own authority."""
    OURS.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def served(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's end with this certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    return tls


def read(url: str, bundle: str | None = None) -> dict[str, object]:
    """One read."""
    http = Http(url, bearer(Secret(CANARY, "KEY")), FakeClock(), limits=LIMITS, trust=trusted(bundle, "site.yaml:7"))
    try:
        return http.read(GET, ANY)
    finally:
        http.close()


def refused(server: Scripted, bundle: str | None) -> str:
    """Why the read was refused; nothing reached the server."""
    with pytest.raises(SiteError) as caught:
        read(server.url, bundle)
    assert server.requests == []
    assert CANARY not in str(caught.value)
    return caught.value.message


def test_the_authority_of_the_site_is_trusted(bundle: str) -> None:
    with scripted(Reply(), tls=served(OURS.issue_cert("127.0.0.1"))) as server:
        assert read(server.url, bundle) == {}
        assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    with scripted(Reply(), tls=served(OURS.issue_cert("127.0.0.1"))) as server:
        assert "could not be verified" in refused(server, None)


def test_another_authority_is_not_trusted(bundle: str) -> None:
    with scripted(Reply(), tls=served(trustme.CA().issue_cert("127.0.0.1"))) as server:
        assert "could not be verified" in refused(server, bundle)


def test_an_expired_certificate_is_refused(bundle: str) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    with scripted(Reply(), tls=served(OURS.issue_cert("127.0.0.1", not_after=past))) as server:
        assert "expired" in refused(server, bundle)


def test_a_certificate_for_another_host_is_refused(bundle: str) -> None:
    with scripted(Reply(), tls=served(OURS.issue_cert("other.example"))) as server:
        assert "127.0.0.1" in refused(server, bundle)


def test_a_certificate_that_signed_itself_is_refused(bundle: str) -> None:
    """The certificate of an authority, used by a server as its own."""
    alone = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with alone.private_key_pem.tempfile() as key, alone.cert_pem.tempfile() as certificate:
        tls.load_cert_chain(certificate, key)
    with scripted(Reply(), tls=tls) as server:
        assert "self-signed" in refused(server, bundle)


def test_the_variable_of_openssl_replaces_the_authorities_of_the_system(
    bundle: str, variables: pytest.MonkeyPatch
) -> None:
    variables.setenv("SSL_CERT_FILE", bundle)
    with scripted(Reply(), tls=served(OURS.issue_cert("127.0.0.1"))) as server:
        assert read(server.url) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHONHTTPSVERIFY", "0"),
        ("SSL_CERT_FILE", ""),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("REQUESTS_CA_BUNDLE", ""),
        ("CURL_CA_BUNDLE", ""),
        ("HTTPX_SSL_VERIFY", "0"),
        ("SSL_VERIFY", "false"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
        ("GIT_SSL_NO_VERIFY", "1"),
    ],
)
def test_no_variable_switches_the_check_off(name: str, value: str, variables: pytest.MonkeyPatch) -> None:
    variables.setenv(name, value)
    with scripted(Reply(), tls=served(trustme.CA().issue_cert("127.0.0.1"))) as server:
        assert "could not be verified" in refused(server, None)


def test_no_code_of_the_client_makes_an_unchecked_connection() -> None:
    package = Path(__file__).parents[2] / "cleanup_gitops"
    for file in package.rglob("*.py"):
        if "sandbox" not in file.relative_to(package).parts:
            text = file.read_text("utf-8")
            for word in (
                "verify=False",
                "CERT_NONE",
                "CERT_OPTIONAL",
                "check_hostname =",
                "_create_unverified_context",
            ):
                assert word not in text, file


def test_a_bundle_that_is_gone_since_the_policies_were_loaded_is_named_by_its_line(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.pem", tmp_path):
        with pytest.raises(SiteError, match=r"site\.yaml:7: the authorities in `ca_bundle` cannot be used any more"):
            trusted(str(path), "site.yaml:7")
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(SiteError, match="cannot be used any more"):
        trusted(str(tmp_path / "empty.pem"), "site.yaml:7")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_takes_no_credential_along(status: int, bundle: str) -> None:
    tls = served(OURS.issue_cert("127.0.0.1"))
    with scripted(Reply()) as plain:
        moved = Reply(status=status, headers=JSON | {"Location": plain.url})
        with scripted(moved, tls=tls) as server, pytest.raises(SiteError, match="answered 30"):
            read(server.url, bundle)
        assert plain.requests == []


# -- proxies ---------------------------------------------------------------------------------------


@dataclass
class Proxy:
    """A proxy that leads every connection to one port, and keeps all bytes that it can see."""

    port: int
    target: int
    heard: bytes = b""
    passed: bytes = b""
    errors: list[OSError] = field(default_factory=list)


def _serve(proxy: Proxy, listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listening.accept()
            threading.Thread(target=_tunnel, args=(proxy, near), daemon=True).start()


def _tunnel(proxy: Proxy, near: socket.socket) -> None:
    with near, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += near.recv(65536)
        proxy.heard += head
        with socket.create_connection(("127.0.0.1", proxy.target)) as far:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(proxy, far, near), daemon=True)
            back.start()
            _pump(proxy, near, far)
            back.join(5)


def _pump(proxy: Proxy, source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            proxy.passed += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def proxied(server: Scripted) -> Iterator[Proxy]:
    """A proxy in front of a server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(listening.getsockname()[1], int(server.url.rpartition(":")[2]))
        thread = threading.Thread(target=_serve, args=(proxy, listening), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@pytest.mark.case("E78")
def test_a_proxy_sees_where_the_connection_goes_and_nothing_else(bundle: str, variables: pytest.MonkeyPatch) -> None:
    answer = Reply(body=b'{"word": "canary-answer"}')
    with scripted(answer, tls=served(OURS.issue_cert("acme.example"))) as server, proxied(server) as proxy:
        variables.setenv("HTTPS_PROXY", f"http://{PROXY_USER}:pw@127.0.0.1:{proxy.port}")
        assert read("https://acme.example", bundle) == {"word": "canary-answer"}
        assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    assert proxy.heard.startswith(b"CONNECT acme.example:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in proxy.heard
    for secret in (CANARY.encode(), b"secret-path", b"canary-answer", b"Bearer"):
        assert secret not in proxy.heard + proxy.passed
    assert "Proxy-Authorization" not in server.requests[0].headers


@pytest.mark.case("E78")
def test_a_proxy_cannot_put_itself_in_the_place_of_the_site(bundle: str, variables: pytest.MonkeyPatch) -> None:
    with scripted(Reply(), tls=served(trustme.CA().issue_cert("acme.example"))) as server, proxied(server) as proxy:
        variables.setenv("HTTPS_PROXY", f"http://{PROXY_USER}:{CANARY}@127.0.0.1:{proxy.port}")
        with pytest.raises(SiteError) as caught:
            read("https://acme.example", bundle)
    assert "could not be verified" in caught.value.message
    assert "ca_bundle" in caught.value.hint
    assert PROXY_USER not in str(caught.value)
    assert CANARY not in str(caught.value)
    assert server.requests == []


def test_a_host_that_needs_no_proxy_gets_none(bundle: str, variables: pytest.MonkeyPatch) -> None:
    with scripted(Reply(), tls=served(OURS.issue_cert("acme.example"))) as server, proxied(server) as proxy:
        variables.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        variables.setenv("NO_PROXY", "acme.example")
        with pytest.raises(SiteError):
            read("https://acme.example", bundle)
    assert proxy.heard == b""
