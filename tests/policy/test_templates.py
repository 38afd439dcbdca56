"""Templates of notices are read with the policies: what is wrong with them is found then, and nothing in them runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.documents import PolicySet
from cleanup_gitops.policy.notifying import Notifications, told_nobody
from cleanup_gitops.policy.samples import sample
from cleanup_gitops.policy.template_text import LARGEST, VARIABLES, UnusableTemplateError, render
from cleanup_gitops.policy.templates import warnings
from tests.policy.documents import document, load_texts, problems

ROOT = Path(__file__).parents[2]
GOOD = (
    "Subject: About {{ site }}\n\n"
    "Hello {{ name }}. {% if next_day %}{{ next_day }}: {{ next_does }}{% endif %} {{ owner }}\n"
)
LANGUAGES = ", language: {attribute: location, default: en}"


def telling(more: str = "") -> str:
    return document("Notifications", f"{{outbox: out, templates: templates{more}}}", name="mail")


def policy_that_tells(template: str) -> str:
    stages = f"[{{name: notice, notify: {template}}}, {{name: end, after: 14d, ensure: {{status: disabled}}}}]"
    return document("Policy", f"{{match: {{all: [{{inactive_for: {{for: 90d, product: any}}}}]}}, stages: {stages}}}")


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "templates" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def wrong(tmp_path: Path, files: dict[str, str | bytes], more: str = "") -> list[str]:
    found = problems(write(tmp_path / "policies", files), telling(more))
    return [one.removeprefix("policies/templates/") for one in found]


def own(loaded: PolicySet) -> Notifications:
    found = loaded.for_site("acme").notifications
    assert found is not None
    return found


def body(text: str) -> str:
    return f"Subject: x\n\n{text}\n"


@pytest.mark.case("F26")
@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(10**9) %}{% endfor %}",
        "{% set x = name %}",
        "{% macro a() %}{% endmacro %}",
        "{% include 'b' %}",
        "{% import 'b' as b %}",
        "{% extends 'b' %}",
        "{{ name * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ name ~ name }}",
        "{{ name + name }}",
        "{{ name.__class__ }}",
        "{{ name['__class__'] }}",
        "{{ ''.join('a') }}",
        "{{ range(9) }}",
        "{{ lipsum(9) }}",
        "{{ self }}",
        "{{ name|center(1000000000) }}",
        "{{ name|safe }}",
        "{{ name|attr('__class__') }}",
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{% filter upper %}a{% endfilter %}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% block a %}{% endblock %}",
        "{% with a = 1 %}{% endwith %}",
        "{% raw %}{% endraw %}{% call a() %}{% endcall %}",
        "{{ name is defined }}",
        "{% if name %}" * 400 + "{% endif %}" * 400,
        "{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}",
        "{{ " + "9" * 5000 + " }}",
    ],
)
def test_what_runs_repeats_reads_or_grows_is_no_part_of_a_template(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, {"a.txt.j2": body(text)})
    with pytest.raises(UnusableTemplateError):
        render(text, sample(), html=False)


@pytest.mark.parametrize(
    ("files", "first"),
    [
        ({"a.txt.j2": "Hello\n\nthere\n"}, "a.txt.j2:1:1: the first line must be the subject: `Subject: ...`"),
        (
            {"a.txt.j2": "Subject: x\nthere\n"},
            "a.txt.j2:2:1: an empty line must stand between the subject",
        ),
        ({"a.txt.j2": "Subject: x\n\n"}, "a.txt.j2:1:1: there is no text below the subject"),
        ({"a.txt.j2": body("\n{{ nmae }}")}, "a.txt.j2:4:1: there is no variable `nmae`; did you mean `name`?"),
        ({"a.txt.j2": body("{{ name|uper }}")}, "a.txt.j2:3:1: there is no filter `uper`; did you mean `upper`?"),
        ({"a.txt.j2": body("{% if name %}")}, "a.txt.j2:3:1: cannot be read: Unexpected end of template"),
        ({"a.txt.j2": body("a\nb {{ next_day }}")}, "a.txt.j2:4:1: a value may be missing here: write it inside"),
        ({"a.txt.j2": body("{{ last_seen|day('%d.%m.%Y') }}")}, "a.txt.j2:3:1: a value may be missing here"),
        ({"a.txt.j2": body("{{ as_of|day('%B') }}")}, "a.txt.j2:3:1: a form of `day` has `%d`, `%m`, `%Y`"),
        ({"a.txt.j2": body("{% if days > 90 %}a{% endif %}b")}, "a.txt.j2:3:1: cannot be rendered: a number or a day"),
        ({"a.txt.j2": body("{% if next_day %}a{% endif %}")}, "a.txt.j2:2:1: is empty where nothing follows"),
        ({"a.html.j2": "<p>x</p>"}, "a.html.j2:1:1: there is HTML, but no text beside it: write a.txt.j2"),
        (
            {"a.txt.j2": GOOD, "a.html.j2": "<a title='{{ name }}'>x</a>"},
            "a.html.j2:1:1: the name of a person must",
        ),
        ({"a.de.txt.j2": GOOD}, "a.de.txt.j2:1:1: there is no text in the default language: write a.txt.j2"),
        ({"A.txt.j2": GOOD}, "A.txt.j2:1:1: a template is named NAME.txt.j2"),
        ({"a.txt.j2": b"Subject: \xff\n\nx\n"}, "a.txt.j2:1:1: the file is not in UTF-8"),
        ({"a.txt.j2": GOOD + "x" * LARGEST}, "a.txt.j2:1:1: a template must be at most 64 KiB"),
    ],
)
def test_what_is_wrong_with_a_template_is_an_error_at_its_line(
    tmp_path: Path, files: dict[str, str | bytes], first: str
) -> None:
    found = wrong(tmp_path, files)
    assert found
    assert found[0].startswith(first)


def test_two_files_of_one_language_are_one_too_many(tmp_path: Path) -> None:
    (found,) = wrong(tmp_path, {"a.txt.j2": GOOD, "a.en.txt.j2": GOOD}, LANGUAGES)
    assert found == "a.en.txt.j2:1:1: another file without `.en` is in the same language: remove one of them"


@pytest.mark.case("F26")
def test_a_link_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.j2"
    secret.write_text(GOOD)
    folder = write(tmp_path / "policies", {})
    (folder / "templates" / "a.txt.j2").symlink_to(secret)
    assert problems(folder, telling()) == [
        "policies/templates/a.txt.j2:1:1: a linked template is not read; put a real file here"
    ]


@pytest.mark.case("F26")
def test_a_folder_that_leads_out_of_the_policies_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "else", {"a.txt.j2": GOOD})
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "templates").symlink_to(tmp_path / "else" / "templates")
    found = problems(tmp_path / "policies", telling())
    assert [one for one in found if "`templates` must be a folder below the policies' folder" in one]


def test_every_variable_can_be_put_in_and_is_explained_in_the_reference() -> None:
    reference = (ROOT / "docs" / "policy-reference.md").read_text("utf-8")
    for name in VARIABLES:
        assert render(f"{{{{ {name} }}}}", sample(), html=False)
        assert f"`{name}`" in reference


def test_a_stage_names_a_template_that_there_is(tmp_path: Path) -> None:
    folder = write(tmp_path / "policies", {"soon.txt.j2": GOOD})
    assert problems(folder, telling(), policy_that_tells("soon")) == []
    (found,) = problems(folder, telling(), policy_that_tells("son"))
    assert found.endswith("there is no template `son` in `templates`; did you mean `soon`?")
    assert found.startswith("policies/01.yaml:4:")


def test_what_a_template_says_is_part_of_what_the_policies_mean(tmp_path: Path) -> None:
    folder = write(tmp_path / "policies", {"a.txt.j2": GOOD, "b.txt.j2": GOOD})
    before = load_texts(folder, telling())
    write(folder, {"a.de.txt.j2": GOOD})
    after = load_texts(folder, telling())
    one, other = own(before).templates, own(after).templates
    assert one["a"].digest != other["a"].digest
    assert one["b"].digest == other["b"].digest
    assert before.for_site("acme").digest != after.for_site("acme").digest


def test_a_notice_that_does_not_say_what_happens_and_when_is_warned_of(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.txt.j2": body("Hello {{ name }}"), "b.txt.j2": GOOD, "b.de.txt.j2": GOOD}
    found = warnings(own(load_texts(write(tmp_path / "policies", files), telling())))
    assert found == (
        "policies/templates/a.txt.j2: does not say what happens next (`next_does` or `next_stage`)",
        "policies/templates/a.txt.j2: does not say when (`next_day`)",
        "policies/templates/a.txt.j2: does not say whom to ask (`owner`) or where to go (`url`)",
        "policies/templates/b.de.txt.j2: is never used: `language` of the Notifications document chooses no languages",
    )


def test_the_example_reads_well_and_nothing_is_to_be_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    files = {path.name: path.read_bytes() for path in (ROOT / "policies" / "templates").iterdir()}
    found = own(load_texts(write(folder, dict(files)), telling(LANGUAGES)))
    assert warnings(found) == ()
    assert set(found.templates["inactivity-notice"].bodies) == {"", "de"}


@pytest.mark.case("E70")
def test_where_nobody_is_told_it_is_said_and_that_the_vendor_may_write(tmp_path: Path) -> None:
    folder = write(tmp_path / "policies", {"a.txt.j2": GOOD})
    silent = document("Notifications", "{silent: true, templates: templates}", name="mail")
    told = told_nobody(own(load_texts(folder, silent)))
    assert "notices are silent: people are not told, and stages go on as if they had been" in told
    assert "Atlassian itself may still write to them" in told
    assert "written to out: people are not told" in told_nobody(own(load_texts(folder, telling())))
    assert told_nobody(Notifications(name="a", folder="b")) == ""
