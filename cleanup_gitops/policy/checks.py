"""Rules between documents: names, sites, limits given twice, exemptions given twice or for too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cleanup_gitops.policy.acting_rules import ends_access
from cleanup_gitops.policy.messages import key_of, place_of
from cleanup_gitops.policy.patterns import glob
from cleanup_gitops.policy.problems import Problem, did_you_mean, shown
from cleanup_gitops.policy.roster import welcome_of
from cleanup_gitops.policy.rules import asked_states, asked_status, reach
from cleanup_gitops.policy.shapes import AnyDocument, ExemptionsDocument, PolicyDocument
from cleanup_gitops.policy.yaml_values import Map, Place, Seq


@dataclass(frozen=True, slots=True)
class Source:
    """One document of a known kind. ``shape`` is ``None`` when something in it is wrong."""

    file: str
    kind: str
    data: Map
    shape: AnyDocument | None

    @property
    def name(self) -> str | None:
        """The document's name, if it has one."""
        metadata = self.data.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Map) else None
        return name if isinstance(name, str) else None

    @property
    def patterns(self) -> list[str] | None:
        """Names and globs of the sites it is about; ``None`` when it does not say."""
        sites = self.data.get("sites")
        return [one for one in sites if isinstance(one, str)] if isinstance(sites, Seq) else None

    def concerns(self, site: str) -> bool:
        """Whether it is about this site."""
        patterns = self.patterns
        return patterns is None or any(glob(one).fullmatch(site) for one in patterns)

    def problem(self, at: Place, message: str) -> Problem:
        """A problem at a place of this document."""
        return Problem(self.file, *at, message)

    @property
    def where(self) -> str:
        """file:line of the document's name, or of its start."""
        return f"{self.file}:{place_of(self.data, ('metadata', 'name'))[0]}"


def check_together(sources: Sequence[Source], *, whole: bool, today: date | None) -> Iterator[Problem]:
    """Every broken rule between documents. ``whole``: no document was lost to a syntax error."""
    sites = [one.name for one in sources if one.kind == "Site" and one.name]
    scoped = [one for one in sources if one.kind != "Site"]
    yield from _names(sources)
    yield from _sites(scoped, sites, whole=whole)
    yield from _records([one for one in sources if one.kind == "Site" and one.shape and _on_cloud(one)])
    universe = universe_of(sources)
    yield from one_for_a_site("Guardrails", [one for one in scoped if one.kind == "Guardrails"], universe)
    yield from _exemptions([one for one in scoped if one.kind == "Exemptions"], universe, today)
    if whole:
        yield from _on_request(scoped, universe)
    yield from _once([one for one in scoped if one.kind == "Policy"], today)
    cloud = {one.name for one in sources if one.kind == "Site" and _on_cloud(one)}
    yield from _reach([one for one in scoped if one.kind == "Policy"], sorted(filter(None, cloud)))


def universe_of(sources: Sequence[Source]) -> list[str]:
    """The sites there are; where no Site document tells, the names that documents give."""
    sites = [one.name for one in sources if one.kind == "Site" and one.name]
    scoped = (one for one in sources if one.kind != "Site")
    return sites or sorted({one for source in scoped for one in source.patterns or ()}) or [""]


def _names(sources: Sequence[Source]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Source] = {}
    for source in sources:
        if source.name is None:
            continue
        kind = "Policy" if source.kind in ("Roster", "Groups") else source.kind  # they stand for policies
        for name in (source.name, *_welcoming(source)):
            earlier = first.setdefault((kind, name), source)
            if earlier is not source:
                at = place_of(source.data, ("metadata", "name"))
                other = "another" if earlier.kind == source.kind else "a"
                told = f"{earlier.kind} {shown(earlier.name)}"
                uses = "" if name == earlier.name else f", which needs the name {shown(name)} for its welcome"
                yield source.problem(at, f"there is {other} {told} ({earlier.where}){uses}")


def _welcoming(source: Source) -> tuple[str, ...]:
    """The name that a Roster needs beside its own, when it welcomes people."""
    spec = source.data.get("spec")
    joiners = spec.get("joiners") if source.kind == "Roster" and isinstance(spec, Map) else None
    return (welcome_of(source.name),) if source.name and isinstance(joiners, Map) and "notify" in joiners else ()


def _sites(scoped: Sequence[Source], sites: Sequence[str], *, whole: bool) -> Iterator[Problem]:
    for source in scoped:
        if "sites" not in source.data and len(set(sites)) > 1:
            message = f"`sites` is missing: there are several Sites ({', '.join(sorted(set(sites)))})"
            yield source.problem((source.data.line, source.data.col), message)
        entries = source.data.get("sites")
        if not isinstance(entries, Seq) or not sites or not whole:
            continue
        for index, pattern in enumerate(entries):
            if isinstance(pattern, str) and not any(glob(pattern).fullmatch(site) for site in sites):
                message = f"no Site matches {shown(pattern)}{did_you_mean(pattern, sites)}"
                yield source.problem(entries.marks[index], message)


def _records(sites: Sequence[Source]) -> Iterator[Problem]:
    """Runs on one directory keep each other away by leases in the record: it must be one record."""
    for number, site in enumerate(sites):
        for other in sites[:number]:
            if _share_a_directory(site, other) and _record_of(site) != _record_of(other):
                message = (
                    f"{shown(site.name)} and {shown(other.name)} ({other.where}) may share a directory, so that their"
                    " runs must see each other: give both the same `branch` and `remote` under `state`"
                )
                yield site.problem(place_of(site.data, ("metadata", "name")), message)
                break


def _share_a_directory(one: Source, other: Source) -> bool:
    """Whether two Cloud sites are of one organization, and are not said to be of different directories of it."""
    organizations = {_said(site, "cloud", "organization") for site in (one, other)}
    directories = {_said(site, "cloud", "directory") for site in (one, other)}
    return len(organizations) == 1 and organizations != {None} and (None in directories or len(directories) == 1)


def _record_of(site: Source) -> tuple[str | None, str | None]:
    """The branch and the remote that hold the record, as far as the document says."""
    return _said(site, "state", "branch"), _said(site, "state", "remote")


def _said(site: Source, part: str, key: str) -> str | None:
    """A text below ``spec`` of the document; ``None`` when it is not there."""
    spec = site.data.get("spec")
    inner = spec.get(part) if isinstance(spec, Map) else None
    text = inner.get(key) if isinstance(inner, Map) else None
    return text if isinstance(text, str) else None


def one_for_a_site(kind: str, documents: Sequence[Source], universe: Sequence[str]) -> Iterator[Problem]:
    """Documents of a kind of which a site has one."""
    for site in universe:
        several = [one for one in documents if one.concerns(site)]
        for other in several[1:]:
            message = (
                f"a site has one {kind} document, but {site or 'this one'} has {shown(several[0].name)}"
                f" ({several[0].where}) and {shown(other.name)} ({other.where})"
            )
            yield other.problem(place_of(other.data, ("metadata", "name")), message)


def _exemptions(documents: Sequence[Source], universe: Sequence[str], today: date | None) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    latest = a_year_after(today) if today else None
    for source in documents:
        if not isinstance(source.shape, ExemptionsDocument):
            continue
        about = [site for site in universe if source.concerns(site)]
        for index, entry in enumerate(source.shape.spec):
            at = place_of(source.data, ("spec", index, "account"))
            here = f"{source.file}:{at[0]}"
            earlier = {first.setdefault((entry.account, site), here) for site in about} - {here}
            if earlier:
                message = f"this account has another exemption for the same site ({min(earlier)})"
                yield source.problem(at, message)
            if latest and entry.until > latest:
                message = f"`until` must be at most 12 months ahead, {latest.isoformat()}; renew it then"
                yield source.problem(place_of(source.data, ("spec", index, "until")), message)


def _once(policies: Sequence[Source], today: date | None) -> Iterator[Problem]:
    """What is to happen once is remembered for a year and a bit."""
    for policy in policies:
        spec = policy.shape.spec if isinstance(policy.shape, PolicyDocument) else None
        if today and spec and spec.once and spec.until and spec.until > (latest := a_year_after(today)):
            message = f"`until` must be at most 12 months ahead, {latest.isoformat()}, for what is done once"
            yield policy.problem(place_of(policy.data, ("spec", "until")), message)


def a_year_after(day: date) -> date:
    """The same day a year later; the last of February for a leap day."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28) if leap_day else day.replace(year=day.year + 1)


def _on_request(scoped: Sequence[Source], universe: Sequence[str]) -> Iterator[Problem]:
    """Policies that ask for what cannot simply be taken back, where Guardrails do not allow it by name."""
    guardrails = [one for one in scoped if one.kind == "Guardrails"]
    for policy in scoped:
        spec = policy.data.get("spec")
        for ensure, _ in asked_states(spec) if policy.kind in _ASKING and isinstance(spec, Map) else ():
            action = _ON_REQUEST.get(asked_status(ensure) or "")
            for site in universe:
                limits = next((one for one in guardrails if one.concerns(site)), None)
                if action and policy.concerns(site) and not (limits and action in _allowed(limits)):
                    yield policy.problem(ensure.at_key("status"), _permit(action, site, limits))


_ASKING = ("Policy", "Roster")
_ON_REQUEST = {"removed": "user.remove", "deleted": "user.delete"}
"""What a policy must be allowed to do for a status; see ``documents.ON_REQUEST``."""


def _allowed(guardrails: Source) -> list[object]:
    spec = guardrails.data.get("spec")
    allow = spec.get("allow") if isinstance(spec, Map) else None
    return allow if isinstance(allow, Seq) else []


def _permit(action: str, site: str, guardrails: Source | None) -> str:
    where = f" on {site}" if site else ""
    if guardrails is None:
        return (
            f"no Guardrails document{where} allows `{action}`; write one whose `allow` lists it with all else it allows"
        )
    spec = guardrails.data.get("spec")
    place = spec.at_key("allow") if isinstance(spec, Map) and "allow" in spec else key_of(guardrails.data, ("spec",))
    todo = f"add it to `allow` in {guardrails.file}:{place[0]}"
    if not _allowed(guardrails):
        todo = f"{guardrails.file}:{place[0]} needs an `allow` that lists it with all else it allows"
    return f"Guardrails{where} do not allow `{action}`; {todo}"


def _on_cloud(site: Source) -> bool:
    spec = site.data.get("spec")
    return isinstance(spec, Map) and spec.get("hosting") == "cloud"


def _reach(policies: Sequence[Source], cloud: Sequence[str]) -> Iterator[Problem]:
    for policy in policies:
        spec = policy.data.get("spec")
        sites = [site for site in cloud if policy.concerns(site)]
        if not isinstance(spec, Map) or ends_access(spec):
            continue  # who leaves is to lose everything
        for asked in asked_states(spec) if sites else ():
            if reach(spec.get("match"), asked):
                there = ", or of the stage's `when`" if "stages" in spec else ""
                message = (
                    f"closing an account on Cloud ({', '.join(sites)}) takes away every product, not Confluence alone:"
                    f" add `- inactive_for: {{for: 90d, product: any}}` to the top-level `all` of `match`{there}"
                )
                yield policy.problem(asked.ensure.at_key("status"), message)
