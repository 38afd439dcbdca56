"""`listed_in`: what stands in a list, who is meant by it, and where it must not lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cleanup_gitops.model.people import NOBODY, People, Person
from cleanup_gitops.model.user import User
from cleanup_gitops.policy.csv_rows import CsvError
from cleanup_gitops.policy.lists import Lists, UserList, user_list
from cleanup_gitops.policy.loader import load
from cleanup_gitops.policy.match import Scope, compile_match, explain_match, why
from cleanup_gitops.policy.missing import Missing
from cleanup_gitops.policy.patterns import normal_email
from cleanup_gitops.policy.tree import ListedIn, Match
from tests.policy.documents import VALID, load_texts, policy, problems, site
from tests.policy.users import NOW, group, inventory, user

BY_ID = ListedIn("id", "account", env="HR_LEAVERS_CSV")
BY_EMAIL = ListedIn("mail", "email", env="HR_LEAVERS_CSV")
ADA, OTHER = "712020:1", "712020:2"


def read(asked: ListedIn, text: str) -> UserList:
    return user_list(asked, text.encode())


def refused(asked: ListedIn, text: str) -> str:
    with pytest.raises(CsvError) as caught:
        read(asked, text)
    assert "secret" not in str(caught.value)
    return str(caught.value)


def scope_of(lists: Mapping[ListedIn, UserList], **emails: str | None) -> Scope:
    """A site with Ada and another user, whose addresses are these."""
    found = {ADA: emails.get("ada"), OTHER: emails.get("other")}
    people = People({account: Person("Ada Secret", email) for account, email in found.items()})
    someone = user()
    return Scope(NOW, inventory(group(1, "wiki"), users=(someone, other_user())), people, Lists(lists))


def other_user() -> User:
    return User(id=OTHER, directory="default")


def verdict(asked: ListedIn, someone: User, where: Scope) -> bool | None:
    """The verdict, which both readings must give, and which must not name anybody."""
    match = Match(all=(asked,))
    found = compile_match(match, where).verdict(someone)
    explained = explain_match(match, someone, where)
    assert explained.verdict is found
    for text in (explained.text, *(child.text for child in explained.children), why(match, someone, where)):
        assert "@" not in text
        assert "Secret" not in text
    return found


def said(asked: ListedIn, someone: User, where: Scope) -> str:
    return explain_match(Match(all=(asked,)), someone, where).children[0].text


# -- what a list holds ------------------------------------------------------------------------------


def test_a_list_of_ids_has_its_rows_and_the_digest_of_its_bytes() -> None:
    text = "name;id\nAda;712020:1\nBo;5b10ac8d82e05b22cc7d4ef5\nAda;712020:1\n"
    digest = f"sha256:{sha256(text.encode()).hexdigest()}"
    entries = frozenset({ADA, "5b10ac8d82e05b22cc7d4ef5"})
    assert read(BY_ID, text) == UserList("HR_LEAVERS_CSV", entries, 3, digest)


def test_what_a_list_holds_is_not_shown_by_accident() -> None:
    found = read(BY_EMAIL, "mail\nada@acme.com\n")
    assert "ada" not in repr(found)
    assert "ada" not in repr(scope_of({BY_EMAIL: found}).lists)
    assert found.words == "HR_LEAVERS_CSV (1 row)"
    assert replace(found, rows=1204).words == "HR_LEAVERS_CSV (1,204 rows)"


@pytest.mark.case("E14", "F2")
@pytest.mark.parametrize(
    "cell",
    [
        *("N/A", "n/a", "-", "none", "NULL", "keine", "unknown", "#N/A", "#REF!"),
        *("a b 1", "ada1@secret.com", "1*", "a,1", "712020:1;712020:2", "'712020:1", "7\u200b1", "1" * 129),
    ],
)
def test_what_is_no_id_is_an_error_and_nobody_is_left_out_for_it(cell: str) -> None:
    text = f'x,id\n1,712020:1\n2,"{cell}"\n'
    assert refused(BY_ID, text) == "3: column 'id' holds no account id"


@pytest.mark.case("E14", "F2")
@pytest.mark.parametrize(
    "cell",
    [
        *(
            "N/A",
            "-",
            "none",
            "secret",
            "@acme.com",
            "secret@",
            "secret@acme",
            "a@secret@acme.com",
            "a secret@acme.com",
        ),
        *("Ada <secret@acme.com>", "mailto:secret@acme.com", "a@b.com;secret@acme.com", "712020:1", "a\u200b@acme.com"),
    ],
)
def test_what_is_no_address_is_an_error(cell: str) -> None:
    text = f'x,mail\n1,ada@acme.com\n2,"{cell}"\n'
    assert refused(BY_EMAIL, text) == "3: column 'mail' holds no e-mail address"


@pytest.mark.case("E14", "F2")
@pytest.mark.parametrize(("asked", "first"), [(BY_ID, "712020:1"), (BY_EMAIL, "ada@acme.com")])
@pytest.mark.parametrize("empty", ["", '""', "  "])
def test_an_empty_cell_is_an_error(asked: ListedIn, first: str, empty: str) -> None:
    text = f"x,{asked.column}\n1,{first}\n2,{empty}\n"
    assert refused(asked, text) == f"3: column {asked.column!r} is empty"


@pytest.mark.case("F1", "F2")
@pytest.mark.parametrize("asked", [BY_ID, BY_EMAIL])
def test_a_list_of_nobody_is_an_error(asked: ListedIn) -> None:
    assert refused(asked, f"{asked.column}\n") == "1: there is no row below the header"
    assert refused(asked, "") == f"1: the column {asked.column!r}, which `listed_in` names, is not there"


@pytest.mark.case("E32")
@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ada.Example@ACME.Com", "ada.example@acme.com"),
        ("ada+wiki@acme.com", "ada+wiki@acme.com"),
        ("ada@acme.com.", "ada@acme.com"),
        ("a\u0301da@b\u00fccher.example", "\u00e1da@xn--bcher-kva.example"),
        ("stra\u00dfe@acme.com", "stra\u00dfe@acme.com"),
        ("ada@acme", None),
        ("ada", None),
        ("", None),
    ],
)
def test_an_address_has_one_normal_form_and_keeps_what_makes_it_another(text: str, normal: str | None) -> None:
    assert normal_email(text) == normal
    assert normal is None or normal_email(normal) == normal


# -- who is meant -----------------------------------------------------------------------------------


@pytest.mark.case("E25")
def test_by_id_the_account_itself_is_meant_whatever_its_address_is_now() -> None:
    lists = {BY_ID: read(BY_ID, "id,mail\n712020:1,old@acme.com\n")}
    for ada in (None, "old@acme.com", "new@acme.com"):
        where = scope_of(lists, ada=ada, other="old@acme.com")
        assert verdict(BY_ID, user(managed=None), where) is True
        assert verdict(BY_ID, other_user(), where) is False
    assert why(Match(all=(BY_ID,)), user(), where) == "listed in HR_LEAVERS_CSV (1 row)"


LISTED = {BY_EMAIL: user_list(BY_EMAIL, b"mail\nAda@Acme.com\nbo@acme.com\n")}


@pytest.mark.case("E32", "E46")
@pytest.mark.parametrize(
    ("ada", "other", "managed", "expected", "text"),
    [
        ("ada@acme.com", None, True, True, "yes, listed in HR_LEAVERS_CSV (2 rows)"),
        ("ADA@ACME.COM", "bo@acme.com", True, True, "yes, listed in"),
        ("ada+x@acme.com", None, True, False, "no, not listed in HR_LEAVERS_CSV (2 rows)"),
        ("ada@mail.acme.com", None, True, False, "no, not listed"),
        ("cy@acme.com", "cy@acme.com", False, False, "no, not listed"),
        ("ada@acme.com", None, False, None, "but the account is not managed"),
        ("ada@acme.com", None, None, None, "but whether the account is managed is not known"),
        ("ada@acme.com", "Ada@acme.com", True, None, "but several accounts have it"),
        (None, None, True, None, "the e-mail address is not known here"),
        ("no address", None, True, None, "the e-mail address is not known here"),
    ],
)
def test_by_address_a_managed_account_that_alone_has_it_is_meant(
    ada: str | None, other: str | None, managed: bool | None, expected: bool | None, text: str
) -> None:
    where = scope_of(LISTED, ada=ada, other=other)
    assert verdict(BY_EMAIL, user(managed=managed), where) is expected
    assert text in said(BY_EMAIL, user(managed=managed), where)


@pytest.mark.case("E46")
def test_somebody_who_came_back_with_a_new_account_is_not_taken_for_the_old_one() -> None:
    where = scope_of(LISTED, ada="bo@acme.com", other="bo@acme.com")
    assert verdict(BY_EMAIL, user(managed=True), where) is None
    assert verdict(BY_EMAIL, replace_id(user(managed=True)), where) is None


def replace_id(someone: User) -> User:
    """The same facts about the other account."""
    return User(id=OTHER, directory=someone.directory, managed=someone.managed)


@pytest.mark.case("E33")
def test_without_the_people_of_a_live_reading_nobody_is_found_by_address() -> None:
    where = Scope(NOW, inventory(group(1, "wiki"), users=(user(),)), NOBODY, Lists(LISTED))
    assert verdict(BY_EMAIL, user(managed=True), where) is None


@pytest.mark.case("F1", "F2")
@pytest.mark.parametrize("asked", [BY_ID, BY_EMAIL, ListedIn("id", path="/srv/gone.csv")])
@pytest.mark.parametrize("negated", [False, True])
def test_a_list_that_was_not_handed_over_is_missing_and_decides_nothing(asked: ListedIn, negated: bool) -> None:
    match = Match(none=(asked,)) if negated else Match(all=(asked,))
    compiled = compile_match(match, scope_of({}, ada="ada@acme.com"))
    assert compiled.missing == (Missing("list", asked.source),)
    assert compiled.verdict(user(managed=True)) is None
    assert f"the list {asked.source} was not read" in said(asked, user(), scope_of({}))


def test_the_same_file_may_be_asked_for_two_columns() -> None:
    lists = {one: user_list(one, b"id,mail\n712020:2,ada@acme.com\n") for one in (BY_ID, BY_EMAIL)}
    where = scope_of(lists, ada="ada@acme.com")
    assert verdict(BY_ID, user(managed=True), where) is False
    assert verdict(BY_EMAIL, user(managed=True), where) is True


# -- in a policy ------------------------------------------------------------------------------------


def test_a_policy_names_lists_by_variable_or_path_and_column(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "policies"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_bytes((VALID / "lists.yaml").read_bytes())
    match = load(folder).for_site("acme").policies[0].match
    assert match == Match(
        all=(ListedIn("account_id", "account", env="HR_LEAVERS_CSV"),),
        any=(ListedIn("E-mail", "email", path="../hr/leavers.csv"), ListedIn("id", path="/srv/hr/leavers.csv")),
        none=(ListedIn("mail", "email", env="HR_LEAVE"),),
    )
    assert match.lists == {*match.all, *match.any, *match.none}
    assert {one.source for one in match.lists} == {
        "HR_LEAVERS_CSV",
        "../hr/leavers.csv",
        "/srv/hr/leavers.csv",
        "HR_LEAVE",
    }


@pytest.mark.case("E79")
@pytest.mark.parametrize("path", ["hr.csv", "policies/hr.csv", "./x/../hr.csv", "../{name}/hr.csv", "{folder}/hr.csv"])
def test_a_list_inside_the_repository_is_an_error(tmp_path: Path, path: str) -> None:
    repository = tmp_path / "wiki"
    repository.mkdir()
    given = path.format(name="wiki", folder=repository)
    text = policy(f"{{all: [{{none: [{{listed_in: {{path: {given}, account: id}}}}]}}, {{has_seat: true}}]}}")
    place = f"policies/00.yaml:4:{text.splitlines()[3].index(given) + 1}"
    assert problems(repository / "policies", text) == [
        f"{place}: `path` leads into the repository, where personal data must not lie: name a file outside of it"
    ]


@pytest.mark.parametrize("path", ["../hr.csv", "../wiki-hr/hr.csv", "x/../../hr.csv", "/srv/hr.csv"])
def test_a_list_beside_the_repository_need_not_be_there_when_policies_are_checked(tmp_path: Path, path: str) -> None:
    (tmp_path / "wiki").mkdir()
    text = policy(f"{{all: [{{listed_in: {{path: {path}, account: id}}}}]}}")
    assert problems(tmp_path / "wiki" / "policies", site(), text) == []


def test_another_list_is_another_policy(tmp_path: Path) -> None:
    def digest(listed: str) -> str:
        return load_texts(tmp_path / "policies", policy(f"{{all: [{{listed_in: {listed}}}]}}")).digest

    texts = ("{env: A, account: id}", "{env: B, account: id}", "{env: A, email: id}", "{path: ../A, account: id}")
    assert len({digest(text) for text in texts}) == len(texts)
