"""The one HTTP client of all adapters: reads patiently, writes once, explains itself.

* Reads (also those that the API makes POST) are repeated after a lost connection, a timeout, 429, 502, 503, 504, an
  answer that is no JSON and an error behind a 2xx, a bounded number of times, and wait as long as the server asks.
* Writes are sent once. An answer that does not come, a 5xx, or an error behind a 2xx leaves the effect unknown:
  `LostAnswerError`. An idempotent write goes out again after 429 and where no connection was made: nothing was done.
* Every call passes the gate of its family (`gates`) and the breaker of its host (`breaker`), whichever worker makes it.
* stamina drives the repetition, but its own sleep knows no Clock port and cannot be ended, so its hook does the waiting
  and returns the remaining wait of zero. stamina's log of retries is switched off: the errors here say how often
  something was tried, and stdout and stderr belong to the command.

No error text holds a credential, a free text of the server, or anything of a foreign exception.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

import msgspec
import stamina
from stamina.instrumentation import set_on_retry_hooks

from cleanup_gitops.model.errors import CleanupError, LostAnswerError, RefusedError, SiteError
from cleanup_gitops.model.ports import Clock, Progress
from cleanup_gitops.sites.bodies import further_reasons, is_error, is_json, reason_code
from cleanup_gitops.sites.breaker import Breaker
from cleanup_gitops.sites.exchange import Answer, Call, Exchange, Limits, Unanswered
from cleanup_gitops.sites.gates import Gates
from cleanup_gitops.sites.secret import Secret, redacted
from cleanup_gitops.sites.waits import asked_wait, backoff

T = TypeVar("T")

RETRIED = frozenset({429, 502, 503, 504})
SHOWN_WAIT = 5.0
"""Seconds from which on a wait is told."""

set_on_retry_hooks(())


class StatusError(SiteError):
    """The site answered with a status other than 2xx.

    ``code`` is the site's short reason, "" without one; ``reasons`` are those behind it (`further_reasons`).
    """

    def __init__(
        self, message: str, hint: str, *, endpoint: str, status: int, code: str, reasons: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint)
        self.endpoint = endpoint
        self.status = status
        self.code = code
        self.reasons = reasons


Explain = Callable[[StatusError], CleanupError]
"""Turns a status into the error that says what it means for this adapter (or gives it back)."""


class _Refusal(Exception):  # noqa: N818 - never leaves this module
    """An answer other than 2xx, on its way through the retries."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class _Garbled(Exception):  # noqa: N818 - never leaves this module
    """A 2xx that cannot be believed, on its way through the retries. ``again``: the next one may be another."""

    def __init__(self, error: SiteError, *, again: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again


class Http:
    """Calls to one base URL with one credential; shared between threads. ``close`` ends all waits, too."""

    def __init__(
        self,
        base: str,
        authorization: Secret,
        clock: Clock,
        *,
        explain: Explain = lambda error: error,
        progress: Progress | None = None,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._exchange = Exchange(base, authorization, self._limits, trust)
        self._gates = Gates(clock, longest=self._limits.waiting, published=self._limits.published, tell=self._tell)
        self._breaker = Breaker(self._exchange.host, clock, self._limits.fuse)
        self._clock = clock
        self._explain = explain
        self._progress = progress
        self._secrets = (authorization,)

    @property
    def host(self) -> str:
        """Where the calls go."""
        return self._exchange.host

    def read(self, call: Call, decoder: msgspec.json.Decoder[T]) -> T:
        """The decoded answer to a call that changes nothing.

        Raises `SiteError` (`Interrupted` is one), or what ``explain`` makes of it.
        """
        patience = _Patience(self, call, write=False)
        try:
            return self._deliver(call, patience, lambda answer: self._decoded(call, answer, decoder))
        except Unanswered as lost:
            raise SiteError(f"{lost.what} ({call.endpoint}{patience.tries}).", lost.hint) from None
        except _Refusal as refusal:
            raise self._explain(self._status(call, refusal.answer, patience)) from None
        except _Garbled as garbled:
            raise garbled.error from None

    def write(self, call: Call) -> Answer:
        """The 2xx answer to a change, sent once.

        Raises `RefusedError`, `LostAnswerError`, `SiteError` (nothing was sent, or `Interrupted` in the wait after a
        429), or what ``explain`` makes of it.
        """
        patience = _Patience(self, call, write=True)
        try:
            return self._deliver(call, patience, lambda answer: self._done(call, answer))
        except Unanswered as lost:
            if lost.sent:
                raise LostAnswerError(f"{lost.what} ({call.endpoint}).", _LOST) from None
            told = f"{lost.what} ({call.endpoint}{patience.tries}); nothing was sent."
            raise SiteError(told, lost.hint) from None
        except _Refusal as refusal:
            raise self._refused(self._status(call, refusal.answer, patience)) from None
        except _Garbled as garbled:
            raise LostAnswerError(garbled.error.message, _LOST) from None

    def stop_waiting(self) -> None:
        """End waits for the site, here and in workers, because somebody asked to stop. Safe in a signal handler."""
        self._gates.stop()

    def resume_waiting(self) -> None:
        """Wait for the site again where it asks for that."""
        self._gates.resume()

    def give_up(self) -> None:
        """Let workers end at their next call, whether they wait or not: nobody wants their answers any more."""
        self._gates.close()

    def close(self) -> None:
        """End waits and connections."""
        self._gates.close()
        self._exchange.close()

    def _deliver(self, call: Call, patience: _Patience, take: Callable[[Answer], T]) -> T:
        for attempt in stamina.retry_context(on=patience, attempts=None, timeout=None):
            with attempt:
                answer = self._sent(call, patience)
                if not 200 <= answer.status < 300:
                    raise _Refusal(answer)
                return take(answer)
        raise AssertionError(call.endpoint)  # stamina ends its loop only by an exception

    def _sent(self, call: Call, patience: _Patience) -> Answer:
        """One request in its turn, and what gate and breaker learn from it."""
        endpoint, breaker, gates = call.endpoint, self._breaker, self._gates
        slot = gates.enter(endpoint)
        try:
            breaker.admit(writing=patience.write)
            answer = self._exchange.send(call)
        except BaseException as error:
            gates.lost(endpoint)
            if isinstance(error, Unanswered):
                breaker.failed(writing=patience.write)
            elif not isinstance(error, SiteError):
                breaker.undecided()
            raise
        if answer.status == 429:
            gates.refused(endpoint, slot, answer.headers, patience.asked(answer))
            breaker.undecided()
            return answer
        gates.answered(endpoint, slot, answer.headers)
        if answer.status >= 500 or answer.status == 408:
            breaker.failed(writing=patience.write)
        else:
            breaker.worked(writing=patience.write)
        return answer

    def _tell(self, wait: float) -> None:
        if self._progress and wait >= SHOWN_WAIT:
            self._progress.step(f"waiting {wait:.0f} s for the site's rate limit", 0, None)

    def _refused(self, error: StatusError) -> CleanupError:
        if error.status >= 500 or error.status == 408:
            return LostAnswerError(error.message, _LOST)
        explained = self._explain(error)
        if explained is not error or error.status < 400 or error.status == 429:
            return explained
        reason = f", {error.code}" if error.code else ""
        return RefusedError(f"The site refused {error.endpoint} ({error.status}{reason}).")

    def _status(self, call: Call, answer: Answer, patience: _Patience) -> StatusError:
        code = redacted(reason_code(answer.body), self._secrets)
        shown = f" ({code})" if code else ""
        return StatusError(
            f"{self.host} answered {answer.status}{shown} to {call.endpoint}{patience.tries}.",
            _hint(answer.status, patience.unbearable),
            endpoint=call.endpoint,
            status=answer.status,
            code=code,
            reasons=tuple(redacted(reason, self._secrets) for reason in further_reasons(answer.body)),
        )

    def _decoded(self, call: Call, answer: Answer, decoder: msgspec.json.Decoder[T]) -> T:
        self._believed(call, answer)
        broken = True
        try:
            return decoder.decode(answer.body)
        except msgspec.ValidationError as error:
            told, broken = redacted(str(error), self._secrets), False
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            told = redacted(str(error), self._secrets)
        other = SiteError(
            f"{self.host} answered {call.endpoint} with something other than documented: {told}.",
            "Run the command again; if it stays so, the API has changed and cleanup-gitops must follow.",
        )
        raise _Garbled(other, again=broken)

    def _done(self, call: Call, answer: Answer) -> Answer:
        """The answer to a write, whose body, if there is one, must be one of the API."""
        self._believed(call, answer)
        if not is_json(answer.body):
            error = SiteError(f"{self.host} answered {answer.status} to {call.endpoint}, but not in JSON.")
            raise _Garbled(error, again=False)
        return answer

    def _believed(self, call: Call, answer: Answer) -> Answer:
        """The answer, unless its 2xx is contradicted by what it brings."""
        begins, kind = answer.body.lstrip()[:1], answer.headers.get("content-type", "")
        if begins == b"<" or ("html" in kind and begins not in (b"", b"{", b"[")):
            error = SiteError(
                f"{self.host} answered {call.endpoint} with HTML, not JSON.",
                "A proxy or a login page may stand in between, or the URL is not that of the API. Check both.",
            )
            raise _Garbled(error, again=True)
        if is_error(answer.body):
            code = redacted(reason_code(answer.body), self._secrets)
            error = SiteError(
                f"{self.host} answered {answer.status} to {call.endpoint}, but with an error{code and f' ({code})'}.",
                "Run the command again; if it stays so, the service has trouble (https://status.atlassian.com).",
            )
            raise _Garbled(error, again=True)
        return answer


class _Patience:
    """stamina's hook for one call: decides whether to try again, and waits through the Clock port first."""

    def __init__(self, http: Http, call: Call, *, write: bool) -> None:
        self._http = http
        self._call = call
        self.write = write
        self._failed = 0
        self._waited = 0.0
        self.unbearable: float | None = None
        """The wait that was asked for and that is too long."""

    @property
    def tries(self) -> str:
        """How often it was tried, for the end of a sentence."""
        return f", {self._failed} tries" if self._failed > 1 else ""

    def asked(self, answer: Answer) -> float:
        """Seconds that a refusal asks for, at least those of the next backoff."""
        asked = asked_wait(answer.headers, self._http._clock.now())  # noqa: SLF001 - two halves of one thing
        return max(backoff(self._failed + 1), asked or 0.0)

    def __call__(self, error: Exception) -> bool | float:
        """0.0 to try again at once (the wait is over), False to give up."""
        if not isinstance(error, Unanswered | _Refusal | _Garbled):
            return False
        self._failed += 1
        wait = self._wait(error)
        if wait is None:
            return False
        self._waited += wait
        if isinstance(error, _Refusal) and error.answer.status == 429:
            return 0.0  # the gate is shut already, and waits
        gates, progress = self._http._gates, self._http._progress  # noqa: SLF001
        if progress and wait >= SHOWN_WAIT:
            progress.step(f"waiting {wait:.0f} s before trying again", 0, None)
        gates.pause(wait)
        return 0.0

    def _wait(self, error: Unanswered | _Refusal | _Garbled) -> float | None:
        """Seconds to wait before the next try, or ``None`` when there is none."""
        limits = self._http._limits  # noqa: SLF001
        wait = backoff(self._failed)
        most = limits.attempts
        if isinstance(error, Unanswered):
            most = limits.attempts if error.sent else limits.connect_attempts
            again = not error.lasting and (not self.write or (self._call.idempotent and not error.sent))
        elif isinstance(error, _Garbled):
            most = limits.connect_attempts
            again = error.again and not self.write
        else:
            status = error.answer.status
            again = (status == 429 and self._call.idempotent) if self.write else status in RETRIED
            asked = asked_wait(error.answer.headers, self._http._clock.now())  # noqa: SLF001
            wait = max(wait, asked or 0.0)
        if again and self._waited + wait > limits.waiting:
            self.unbearable = wait
        return wait if again and self._failed < most and self.unbearable is None else None


_LOST = "Whether it took effect is not known until the account is read again."


def _hint(status: int, unbearable: float | None) -> str:
    if unbearable is not None:
        return f"The site asks to wait {unbearable:.0f} s more. Run the command again after that."
    if status == 429:
        return "Too many requests are being made with this credential. Run the command again later."
    if 300 <= status < 400:
        return "Redirects are not followed, so that credentials go to the named host only. Check the URL of the site."
    if status >= 500:
        return "The service has trouble (https://status.atlassian.com). Run the command again later."
    return ""
