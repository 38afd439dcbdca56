"""What the language calls an error is one: each sentence that says so, with the golden document that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.documents import policy, problems, site

WRONG = Path(__file__).with_name("wrong")
SAID: tuple[tuple[str, str, str], ...] = (
    ("unknown keys", "misspelt-keys", "unknown key `ownr`; did you mean `owner`?"),
    ("duplicate keys", "yaml-duplicate-key", "twice"),
    ("YAML traps: words that may be true or false", "yaml-no-yes-on-off", "true or false to some YAML readers"),
    ("YAML traps: numbers in another notation", "yaml-octal-and-other-bases", "another number to other YAML readers"),
    ("YAML traps: aliases", "yaml-anchor-and-alias", "aliases"),
    ("empty selectors", "match-empty", "an empty match never means everybody"),
    ("empty lists", "match-empty-lists", "is an empty list"),
    ("a predicate that no configured source of a site can answer", "external-that-nobody-can-answer", "be answered on"),
    ("a source that answers nothing without its file", "site-activity", "says where the file is"),
    ("a status that there is not", "ensure-unknown-status", "did you mean `suspended`?"),
    ("a status that the platform does not have, asked of accounts", "match-accounts", "`status` cannot be `gone`"),
    ("with a suggestion, all of one run at once", "misspelt-keys", "\n"),
    ("`sites` is required when there is more than one Site", "sites-needed", "there are several Sites"),
    ("a Site has no `sites`", "site-has-no-sites", "unknown key `sites`"),
    ("every document has `apiVersion`, `kind` and `metadata.name`", "missing-keys", "`metadata` is missing here"),
    ("`apiVersion` is checked; a newer one is refused", "wrong-version", "is newer than"),
    (
        "names of environment variables, never values",
        "nothing-of-a-pasted-secret-is-repeated",
        "never the secret itself",
    ),
    ("`class` is routine or termination", "class", "did you mean `termination`?"),
    ("`mode` is enforce or report", "class", "did you mean `report`?"),
    ("`standing` has a limit", "standing", "needs `standing: {max_per_day: N}`"),
    ("a standing approval does not cover what cannot be put back", "standing", "does not cover `deleted`"),
    ("standing termination has no soak", "class", "a termination does not wait; leave `after` out"),
    ("a schedule is of cron lines with a time zone", "schedule", "must have five fields"),
    ("`after` has no default", "stages", "there is no default"),
    ("the first stage has no `after`", "stages", "leave `after` out"),
    ("`once` needs `until`", "once", "needs `until: DAY`"),
    ("a policy has `ensure` or `stages`", "stages", "has either `ensure`, a state, or `stages`"),
    (
        "who closes accounts asks for idleness in every product",
        "reach-beyond-confluence",
        "product: any",
    ),
    ("`deleted` needs the guardrails' opt-in", "not-allowed-by-guardrails", "do not allow `user.delete`"),
    ("`removed` needs the guardrails' opt-in", "not-allowed-without-guardrails", "allows `user.remove`"),
    ("`allow_shared_groups` is about memberships", "shared-groups-that-nothing-leaves", "nothing here asks for that"),
    ("lists of people are outside the repository: a place and a column", "match-lists", "needs `env`"),
    ("an owner is a team", "names-that-are-no-names", "`owner` must not be empty"),
    ("accounts are ids, not names or addresses", "protection-accounts", "they change"),
    ("a protection names somebody", "protection-empty", "`spec` says nothing"),
    ("the reason of an exemption is a code", "exemption-wrong", "did you mean `absence`?"),
    ("an exemption lasts at most 12 months", "exemption-too-long", "at most 12 months ahead"),
    ("one closed list of action names serves caps", "guardrails-wrong", "did you mean `user.disable`?"),
    ("one closed list of action names serves allow", "allow-wrong", "did you mean `user.delete`?"),
    ("one closed list of action names serves Override.guard", "override-wrong", "did you mean `membership.remove`?"),
    ("windows have hours and days", "schedule", "must not end before it begins"),
    ("a site is billed by the month or the year", "billing", "`billing` cannot be `yearly`"),
    ("a Roster has a source and what follows of it", "roster", "a Roster needs `leavers`, `joiners` or both"),
)


def test_outsiders_can_be_asked_for_where_every_site_of_the_policy_names_its_own_domains(tmp_path: Path) -> None:
    knows = site("knows", more=", identity: {internal_domains: [acme.com]}")
    asks = policy("{all: [{has_seat: true}, {external: true}]}", top="sites: [knows]\n")
    assert problems(tmp_path / "good", knows, site("bare"), asks) == []
    (found,) = problems(tmp_path / "wrong", knows, site("bare"), asks.replace("[knows]", "[knows, bare]"))
    assert "`external` cannot be answered on `bare`: name" in found


@pytest.mark.parametrize("key", ["all", "any", "none"])
@pytest.mark.parametrize("match", ["{KEY: []}", "{OTHER: [{has_seat: true}], KEY: []}", "{all: [{KEY: []}]}"])
def test_an_empty_list_never_means_everybody(tmp_path: Path, match: str, key: str) -> None:
    other = "any" if key == "all" else "all"
    found = problems(tmp_path / "p", policy(match.replace("KEY", key).replace("OTHER", other)))
    assert any(f"`{key}` is an empty list" in one for one in found), found


@pytest.mark.parametrize("value", ["true", "false"])
def test_no_number_of_days_is_true_or_false(tmp_path: Path, value: str) -> None:
    (found,) = problems(tmp_path / "p", policy(f"{{all: [{{inactive_for: {value}}}]}}"))
    assert found == "p/00.yaml:4:37: `inactive_for` must be a time such as 90d"


@pytest.mark.parametrize(("sentence", "document", "message"), SAID, ids=[one[0] for one in SAID])
def test_what_the_language_calls_an_error_is_one(sentence: str, document: str, message: str) -> None:
    told = (WRONG / f"{document}.txt").read_text("utf-8")
    assert message in told, sentence
    assert told.count(":") >= 2
