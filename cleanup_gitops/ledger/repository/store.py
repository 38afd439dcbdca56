"""The recorded state in a git repository: read from the newest commit of a branch, written as one commit of its own.

What counts is what is committed, and where there is a remote, what the remote has. A commit takes nothing along but the
files it was given, is built without any working tree, and is published only on top of what was there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath

from msgspec import Struct

from cleanup_gitops.ledger import layout
from cleanup_gitops.ledger.repository.branches import Branch, LocalBranch, RemoteBranch
from cleanup_gitops.ledger.repository.checkout import NOTHING_DONE, Checkout, worktrees_with
from cleanup_gitops.ledger.repository.command import Git
from cleanup_gitops.ledger.repository.exclusive import exclusive, holder
from cleanup_gitops.ledger.repository.hidden import (
    check_attributes,
    check_not_deleted,
    check_nothing_hidden,
    plain_rows,
)
from cleanup_gitops.ledger.repository.objects import Row, blobs_of, listed, tree_with
from cleanup_gitops.ledger.repository.place import Here, Place, find_here, find_place
from cleanup_gitops.ledger.repository.policies import policy_commit
from cleanup_gitops.ledger.repository.signatures import head_signature, trial_commit
from cleanup_gitops.ledger.repository.signed import allowed_signers, check_signed
from cleanup_gitops.model.errors import LeaseTakenError, StateError, StateMovedError, StoreError
from cleanup_gitops.model.ports import Clock
from cleanup_gitops.policy.site import USUAL_PLACE, StateSettings

ATTEMPTS = 5


class _Look(Struct, frozen=True):
    """What was found: where, the newest commit there, and the tree and the files of the site in it."""

    here: Here
    place: Place
    tip: str
    tree: str
    rows: dict[str, Row]


class GitStore:
    """The state of one site below ``root``, a folder in a git working tree. See ``model.ports.Store``.

    ``environment`` is what git inherits (the command line hands over its own). On a branch of its own the state has the
    same path as it would have beside the policies. Commits are dated by the ``clock``, without one by git itself.
    Raises ``StateError`` when the site's name is no folder name.
    """

    def __init__(
        self,
        root: Path,
        site: str,
        environment: Mapping[str, str] | None = None,
        settings: StateSettings = USUAL_PLACE,
        clock: Clock | None = None,
    ) -> None:
        self._root = root.absolute()  # git runs in this folder, so no path of ours may be relative
        self._site = site
        self._folder = layout.site_folder(site)
        self._git = Git(self._root, environment)
        self._settings = settings
        self._clock = clock
        self._read: _Look | None = None
        self._last: _Look | None = None
        self._notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """See ``model.ports.Store``: "main", or "origin/main"."""
        _, place = self._found()
        return str(place)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people about the last record, such as that the branch here could not follow."""
        return self._notes

    def exclusive(self) -> AbstractContextManager[None]:
        """See ``model.ports.Store``. The lock is a file in git's own folder, one a site."""
        return exclusive(find_here(self._git).common / f"cleanup-gitops-{self._site}.lock", self._site)

    def worker(self) -> str:
        """The number of the process of this machine that works on the site with this clone; "" when there is none."""
        return holder(find_here(self._git).common / f"cleanup-gitops-{self._site}.lock")

    def read(self, *, fresh: bool = True) -> dict[str, bytes]:
        """See ``model.ports.Store``. Where there is a remote it is asked first, if ``fresh``.

        Raises ``StateError`` for a folder with local edits, for anything that hides what is stored, and for a last
        record without the signature that is asked for; ``StoreError`` when there is no repository, the remote does
        not answer, or the branch here is not the remote's.
        """
        look = self._read = self._last = self._look(fresh=fresh)
        names = {path: row.name for path, row in look.rows.items() if not path.startswith(layout.RUNS)}
        return dict(zip(names, self._git.objects(list(names.values())), strict=True))

    def run_files(self, run: str) -> dict[str, bytes]:
        """See ``model.ports.Store``."""
        rows = self._as_read().rows
        names = {path: row.name for path, row in rows.items() if path.startswith(layout.run_file(run, ""))}
        return dict(zip(names, self._git.objects(list(names.values())), strict=True))

    def leases(self) -> dict[str, bytes]:
        """See ``model.ports.Store``."""
        look = self._as_read()
        return self._leases(look.here, look.tip)

    def still_has(self, files: Mapping[str, bytes]) -> bool:
        """See ``model.ports.Store``. Where there is a remote it is asked."""
        look = self._last or self._look()
        folder = f"{look.here.prefix}{self._folder}"
        wanted = {f"{folder}/{path}": data for path, data in files.items()}
        rows = listed(self._git, self._branch(look.place, []).newest(), *wanted)
        stored = self._git.objects([row.name for row in rows])
        return dict(zip((row.path for row in rows), stored, strict=True)) == wanted

    def check_writable(self) -> None:
        """See ``model.ports.Store``: try out all that a commit needs, down to a push that is not carried out."""
        here, place = self._found()
        place.check_recordable()
        checkouts = self._checkouts(here, place)
        for checkout in checkouts:
            checkout.check_clean()
            checkout.try_out()
        self._git.run("hash-object", "-w", "--no-filters", "--stdin")
        probe = trial_commit(self._git, sign=self._settings.sign)
        self._check_own_signature(here, probe)
        self._branch(place, checkouts).try_out(probe)

    def commit(
        self,
        files: Mapping[str, bytes | None],
        subject: str,
        trailers: Mapping[str, str],
        *,
        free: Collection[str] = (),
    ) -> str:
        """See ``model.ports.Store``. A commit that others published meanwhile is built upon, up to five times."""
        look = self._last or self._look()
        look.place.check_recordable()
        checkouts = self._checkouts(look.here, look.place)
        for checkout in checkouts:
            checkout.check_clean()
        branch, folder = self._branch(look.place, checkouts), f"{look.here.prefix}{self._folder}"
        message = _message(subject, trailers)
        with _nothing_done():
            given = {_safe(name): data for name, data in files.items()}
            stored = blobs_of(self._git, {name: data for name, data in given.items() if data is not None})
            placed = {f"{folder}/{name}": stored.get(name) for name in given}
            base = branch.base(look.tip)
            for _ in range(ATTEMPTS):
                self._check_base(look, base, free)
                commit = self._commit(base, tree_with(self._git, base, placed), message)
                if branch.publish(commit, base, message.decode().partition("\n")[0]):
                    break
                base = branch.newest()
            else:
                raise StoreError(f"Others commit to {look.place} so often that no record found its turn.")
        self._last = _Look(look.here, look.place, commit, self._tree(look.here, commit), {})
        self._notes = tuple(branch.notes)
        if any(name.startswith(layout.LEDGER) for name in given):
            self.tidy()
        return commit

    def tidy(self) -> None:
        """Let git pack what lies about, when it finds it worthwhile by the settings of its user. Never fails."""
        self._git.but(gc_auto=None).attempt("gc", "--auto", "--quiet")

    def policy_commit(self, folder: Path | None = None) -> str:
        """The last commit that changed ``folder`` (default: ``policies/``); "" when it has local edits or no commit."""
        return policy_commit(self._git.at(folder or self._root / "policies"))

    def _look(self, *, fresh: bool = True) -> _Look:
        """Find the newest commit, and make sure that it can be trusted as far as git can tell."""
        here, place = self._found()
        if place.separate and fresh:
            place.check_decided()
        check_nothing_hidden(self._git)
        checkouts = self._checkouts(here, place)
        for checkout in checkouts:
            checkout.check_clean()
        branch = self._branch(place, checkouts)
        tip = branch.newest() if fresh else branch.known()
        if fresh:
            self._check_readable(branch, here, tip)
        folder = f"{here.prefix}{self._folder}"
        rows = plain_rows(self._git, tip, folder)
        if not rows:
            check_not_deleted(self._git, tip, self._folder)
        check_attributes(self._git, tip, [row.path for row in rows])
        if rows and (allowed := allowed_signers(self._git, here, self._settings)):
            check_signed(self._git, tip, folder, allowed)
        below = {row.path.removeprefix(f"{folder}/"): row for row in rows}
        return _Look(here, place, tip, self._tree(here, tip), below)

    def _check_readable(self, branch: Branch, here: Here, tip: str) -> None:
        """Who is behind because another run has begun is told of that run."""
        try:
            branch.check_readable(tip)
        except StoreError as error:
            for path, data in self._leases(here, tip).items():
                if path.startswith(f"{self._site}/"):
                    raise LeaseTakenError(path, data, f"{error.message} {error.hint}") from None
            raise

    def _as_read(self) -> _Look:
        if self._read is None:
            self._read = self._last = self._look()
        return self._read

    def _found(self) -> tuple[Here, Place]:
        return find_here(self._git), find_place(self._git, self._settings)

    def _branch(self, place: Place, checkouts: list[Checkout]) -> Branch:
        sort = RemoteBranch if place.remote else LocalBranch
        return sort(self._git, place, checkouts)

    def _checkouts(self, here: Here, place: Place) -> list[Checkout]:
        """The working trees that show the branch; the one with the policies also when no branch is checked out."""
        folder = f"{here.prefix}{self._folder}"
        tops = worktrees_with(self._git, place.ref) if place.branch else [here.top]
        return [
            Checkout(self._git.at(top), folder, self._folder, "git")
            if top.resolve() == here.top.resolve()
            else Checkout(self._git.at(top), folder, folder, f"git -C {top}")
            for top in tops
        ]

    def _tree(self, here: Here, commit: str) -> str:
        """What the commit holds for this site: the name of the folder's tree, "" when there is none."""
        rows = listed(self._git, commit, f"{here.prefix}{self._folder}", deep=False)
        return rows[0].name if rows else ""

    def _check_base(self, look: _Look, base: str, free: Collection[str]) -> None:
        """What is built upon must be what was read, and have none of the leases that are to be taken."""
        if free:
            taken = self._leases(look.here, base)
            for path, data in taken.items():
                if path.partition("/")[2] in free:
                    raise LeaseTakenError(path, data)
        if self._tree(look.here, base) != look.tree:
            raise StateMovedError(
                f"{self._folder} was committed by somebody else while this run was under way.",
                "Nothing was recorded. Plan again: the new plan reads the newer state and the live site.",
            )

    def _leases(self, here: Here, commit: str) -> dict[str, bytes]:
        """The leases of all sites in this commit, by path below the folder of all states."""
        state = f"{here.prefix}{layout.STATE}/"
        sites = [row.path for row in listed(self._git, commit, state, deep=False) if row.folder]
        if not sites:
            return {}
        rows = listed(self._git, commit, *(f"{site}/{layout.LEASES}" for site in sites))
        for row in rows:
            if not row.plain:
                raise StateError(f"{row.path} is not a plain file.", "Only cleanup-gitops writes there; remove it.")
        names = [row.path.removeprefix(state) for row in rows]
        return dict(zip(names, self._git.objects([row.name for row in rows]), strict=True))

    def _commit(self, base: str, tree: str, message: bytes) -> str:
        parents = ["-p", base] if base else []
        sign = ["-S"] if self._settings.sign else []
        answer = self._git.attempt("commit-tree", *sign, tree, *parents, stdin=message, variables=self._dates())
        if answer.good:
            return answer.output.decode().strip()
        if sign:
            trial_commit(self._git, sign=True)  # says why, without git's words, which may repeat a key
            raise StoreError("git did not sign the record.")
        raise StoreError(f"git commit-tree failed in {self._root}: {answer.words}")

    def _dates(self) -> dict[str, str]:
        """The time of a commit, as git takes it."""
        if self._clock is None:
            return {}
        now = self._clock.now().isoformat()
        return {"GIT_AUTHOR_DATE": now, "GIT_COMMITTER_DATE": now}

    def _check_own_signature(self, here: Here, probe: str) -> None:
        """Records that would be refused when they are read must not be made."""
        allowed = allowed_signers(self._git, here, self._settings)
        if allowed is None:
            return
        if not self._settings.sign:
            raise StoreError(
                "Only signed records count here (`spec.state.allowed_signers`), and none are made.",
                "Set `spec.state.sign: true` for the Site.",
            )
        if why := head_signature(self._git, probe, allowed):
            raise StoreError(
                f"A record that is signed here would not count: {why}.",
                f"Add the public key of `user.signingKey` to {allowed}, or sign with one of the keys there.",
            )


@contextmanager
def _nothing_done() -> Iterator[None]:
    """Whatever fails before the publication left everything as it was; say so where nothing better is said."""
    try:
        yield
    except StoreError as error:
        error.hint = error.hint or NOTHING_DONE
        raise


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\n" in name or "\0" in name or not path.parts:
        raise StateError(f"{name!r} is no path below the folder of a site.")
    return str(path)


def _message(subject: str, trailers: Mapping[str, str]) -> bytes:
    """A commit message whose trailers git can parse: one line each."""
    lines = [" ".join(subject.split()), ""]
    lines += [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    return ("\n".join(lines) + "\n").encode()
