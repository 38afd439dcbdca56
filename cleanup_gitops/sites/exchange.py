"""One request and one answer over HTTP/1.1: no retries, no opinions about statuses.

Everything that can go wrong below HTTP becomes an `Unanswered` with one plain sentence; texts of foreign exceptions
are not carried along, as they may hold data. Cookies are refused, redirects are never followed. The credential is
put into a request when that is sent, and taken out of an answer before anybody sees that.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import truststore

from cleanup_gitops import __version__
from cleanup_gitops.model.errors import SiteError
from cleanup_gitops.sites import proxies
from cleanup_gitops.sites.breaker import Fuse
from cleanup_gitops.sites.secret import Secret, blotted

WORKERS = 8
"""Requests under way at once to one host."""
LARGEST_ANSWER = 64 * 1024 * 1024
USUAL_FUSE = Fuse()

for _name in ("httpcore", "httpx"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below, headers of answers as they came are logged


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: ``template`` is the path with ``{names}`` that ``parts`` fill in, percent-encoded.

    ``idempotent``: an equal second call has no further effect, so that a write may go out again when it is known that
    the first one did nothing.
    """

    method: str
    template: str
    parts: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    idempotent: bool = True

    @property
    def endpoint(self) -> str:
        """How errors, receipts and rate limits name it: without the ids."""
        return f"{self.method} {self.template}"

    @property
    def path(self) -> str:
        """The path as sent."""
        return self.template.format(**{name: quote(part, safe="") for name, part in self.parts.items()})


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer of any status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and tries. ``total`` bounds one request, ``waiting`` all waits of one call together.

    ``fuse`` is what is borne of a failing site (`breaker`). Without ``published`` only what the site itself says and
    does limits the calls: for a site that has no limits, such as a sandbox without them.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 180.0
    attempts: int = 6
    connect_attempts: int = 3
    waiting: float = 900.0
    fuse: Fuse = USUAL_FUSE
    published: bool = True


class Unanswered(Exception):  # noqa: N818 - turned into an error of the model before anybody sees it
    """No complete answer came. ``sent``: the request may have reached the site. ``lasting``: trying again is idle."""

    def __init__(self, what: str, hint: str = "", *, sent: bool, lasting: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.sent = sent
        self.lasting = lasting


def checked_base(url: str) -> str:
    """``url`` as the base of requests. Raises `SiteError` unless it is https, or http on the loopback interface."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        if parts.hostname and not parts.username and not parts.query and not parts.fragment:
            return url.rstrip("/")
        raise SiteError(f"{parts.hostname or 'An URL of the site'}: not a plain base URL.", _URL_HINT)
    raise SiteError(f"{parts.hostname or 'An URL of the site'}: credentials are sent over https only.", _URL_HINT)


_URL_HINT = "Write the URL of the site as https://name.atlassian.net."


def is_loopback(host: str | None) -> bool:
    """Whether the host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class _InTime(httpx.SyncByteStream):
    """A body as it comes from the network, with a look at the time at every piece.

    What is decompressed from it is too late for that: a slow sender can keep it back for long.
    """

    def __init__(self, stream: httpx.SyncByteStream, check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._check()
            yield piece

    def close(self) -> None:
        self._stream.close()


def trusted(bundle: str | None = None, where: str = "") -> ssl.SSLContext:
    """What certificates are checked against: the system's authorities, and those in ``bundle``, which ``where`` names.

    The system's may be replaced by SSL_CERT_FILE and SSL_CERT_DIR, as OpenSSL does it; nothing switches the check off.
    Raises `SiteError` when the file cannot be used.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if bundle is not None:
            context.load_verify_locations(cafile=bundle)
    except OSError:  # of ssl as well
        raise SiteError(
            f"{where}: the authorities in `ca_bundle` cannot be used any more.",
            "Look whether the file is still there and holds certificates in PEM form.",
        ) from None
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        raise SiteError("This Python does not check certificates; nothing was sent.", _TLS_HINT)
    return context


class _Authorization(httpx.Auth):
    """Puts the header into each request as it is sent: no other object of the client's holds it."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._secret.reveal()
        yield request


class Exchange:
    """Sends requests to one base URL with one credential. Safe to share between threads."""

    def __init__(self, base: str, authorization: Secret, limits: Limits, trust: ssl.SSLContext | None = None) -> None:
        self.base = checked_base(base)
        self.host = urlsplit(self.base).netloc
        self._limits = limits
        self._trust = trust or trusted()
        here = is_loopback(urlsplit(self.base).hostname)
        self._trust_env = not here  # a proxy has no business between two ends of one machine
        self._authorization = authorization
        headers = {
            "Accept": "application/json",
            "User-Agent": f"cleanup-gitops/{__version__}",
        }
        try:
            self._client = self._new_client(headers)
        except (ImportError, ValueError, TypeError, httpx.InvalidURL):
            if here:
                raise  # no proxy is asked for, so this is a defect of ours
        else:
            return
        raise proxies.unusable_proxy()  # out here it has no context: that may hold the proxy's password

    def _new_client(self, headers: Mapping[str, str]) -> httpx.Client:
        """The client, which reads the proxy settings and takes offence at some."""
        limits = self._limits
        return httpx.Client(
            http1=True,
            http2=False,
            follow_redirects=False,
            trust_env=self._trust_env,
            verify=self._trust,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=limits.total),
            limits=httpx.Limits(max_connections=WORKERS, max_keepalive_connections=WORKERS),
            headers=headers,
            auth=_Authorization(self._authorization),
        )

    def send(self, call: Call) -> Answer:
        """The answer to ``call``, sent once. Raises `Unanswered`."""
        deadline = time.monotonic() + self._limits.total
        try:
            response = self._client.send(self._request(call), stream=True)
            try:
                response.stream = _InTime(cast("httpx.SyncByteStream", response.stream), lambda: self._check(deadline))
                body = b"".join(self._chunks(response))
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            told = self._told(error)
        except Unanswered as cut_off:
            told = Unanswered(cut_off.what, cut_off.hint, sent=cut_off.sent)
        except RuntimeError:
            if not self._client.is_closed:
                raise
            told = Unanswered(f"the connection to {self.host} was closed here before the answer came", sent=True)
        else:
            return self._answer(response, body)
        raise told  # out here it has no context: frames of the library hold what was sent

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        """The answer without the credential, should the server have repeated it."""
        secret = self._authorization
        headers = httpx.Headers([(name, blotted(value, secret)) for name, value in response.headers.raw])
        return Answer(response.status_code, headers, blotted(body, secret))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _request(self, call: Call) -> httpx.Request:
        body = None if call.body is None else msgspec.json.encode(call.body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._client.build_request(
            call.method, self.base + call.path, params=call.query or None, content=body, headers=headers
        )

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise Unanswered(f"{self.host} sent more than {LARGEST_ANSWER >> 20} MiB", sent=True)
            yield chunk

    def _check(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise Unanswered(f"{self.host} did not finish its answer within {self._limits.total:g} s", sent=True)

    def _told(self, error: Exception) -> Unanswered:
        """The plain sentence for a failure below HTTP."""
        end, hint = self._far_end()
        for cause in _chain(error):
            if told := self._below_http(cause, end, hint, sent=_sent(error)):
                return told
        return self._in_http(error, end, hint)

    def _far_end(self) -> tuple[str, str]:
        """What a connection is made to, in words, and what to check when none is made: the host, or a proxy for it."""
        variable = proxies.proxy_in_use(self.base) if self._trust_env else None
        if variable is None:
            return self.host, _HOST_HINT
        return f"The proxy for {self.host} ({variable} is set)", proxies.HINT

    def _in_http(self, error: Exception, end: str, hint: str) -> Unanswered:
        host = self.host
        match error:
            case httpx.ConnectTimeout() | httpx.PoolTimeout():
                return Unanswered(f"{end} could not be reached in time", hint, sent=False)
            case httpx.TimeoutException():
                return Unanswered(f"{host} did not answer within {self._limits.read:g} s", sent=True)
            case httpx.ProxyError():
                return Unanswered(f"{end} refused to connect", hint, sent=False)
            case httpx.ConnectError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
                return Unanswered(f"{end} could not be reached", hint, sent=False)
            case httpx.DecodingError():
                return Unanswered(f"{host} sent an answer whose compression is broken", sent=True)
        return Unanswered(f"{host} closed the connection before its answer was complete", sent=_sent(error))

    def _below_http(self, cause: BaseException, end: str, hint: str, *, sent: bool) -> Unanswered | None:
        match cause:
            case ssl.SSLCertVerificationError():
                reason = getattr(cause, "verify_message", "") or "not trusted"
                told = f"{self.host}: the TLS certificate could not be verified ({reason})"
                return Unanswered(told, _TLS_HINT, sent=False, lasting=True)
            case ssl.SSLError():
                return Unanswered(f"{self.host}: the TLS connection failed", _TLS_HINT, sent=sent)
            case socket.gaierror():
                return Unanswered(f"{end}: there is no such host (DNS)", hint, sent=False)
            case ConnectionRefusedError():
                return Unanswered(f"{end} refused the connection", hint, sent=False)
        return None


_TLS_HINT = (
    "Check the URL; where a proxy inspects TLS, name the file with its authority in spec.tls.ca_bundle of the site."
)
_HOST_HINT = "Check the URL of the site, the network and the proxy settings."


def _sent(error: Exception) -> bool:
    return not isinstance(error, httpx.ConnectError | httpx.LocalProtocolError)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
