"""The files of templates: which are read, in which languages, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanup_gitops.policy.notifying import Body, Languages, Notifications, Template
from cleanup_gitops.policy.template_text import LARGEST
from cleanup_gitops.policy.templates import read_templates, warnings

GOOD = "Subject: About {{ site }}\n\n{{ next_does }} {{ owner }} {{ policy }}\n"
PAGE = "<p>{{ name }}</p>\n<p>{{ policy }}</p>\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "policies"
    (found / "t").mkdir(parents=True)
    return found


def put(root: Path, **files: str) -> None:
    """Files by their names, with ``_`` for a dot and without ``.j2``."""
    for name, text in files.items():
        (root / "t" / f"{name.replace('_', '.')}.j2").write_text(text, "utf-8")


def read(root: Path, default: str | None = None) -> tuple[dict[str, Template], list[str]]:
    found, problems, names = read_templates(root / "t", root, default)
    assert set(found) <= names
    return found, [str(one).removeprefix("policies/") for one in problems]


def test_a_template_has_a_subject_a_text_and_perhaps_a_page(root: Path) -> None:
    put(root, a_txt=f"\ufeff{GOOD}".replace("\n", "\r\n"), a_html=PAGE, a_de_txt=GOOD.replace("\n\n", "\n\n\n\n"))
    found, problems = read(root)
    assert problems == []
    text = GOOD.partition("\n\n")[2]
    assert dict(found["a"].bodies) == {
        "": Body(
            subject="About {{ site }}",
            text=text,
            file="policies/t/a.txt.j2",
            html=PAGE,
            html_file="policies/t/a.html.j2",
        ),
        "de": Body(subject="About {{ site }}", text=text, file="policies/t/a.de.txt.j2"),
    }


def test_other_files_and_hidden_ones_are_passed_over(root: Path) -> None:
    put(root, a_txt=GOOD)
    for name in ("notes.md", ".a.txt.j2", "a.txt", "a.j2.bak"):
        (root / "t" / name).write_text("x")
    assert [*read(root)[0]] == ["a"]
    assert read(root)[1] == []


@pytest.mark.case("F26")
def test_what_is_no_file_of_this_folder_is_not_read(root: Path) -> None:
    put(root, a_txt=GOOD)
    (root / "t" / "b.txt.j2").symlink_to("a.txt.j2")
    (root / "t" / "c.txt.j2").mkdir()
    (root / "t" / "d.txt.j2").symlink_to("nowhere")
    assert read(root)[1] == [
        "t/b.txt.j2:1:1: a linked template is not read; put a real file here",
        "t/c.txt.j2:1:1: not a regular file",
        "t/d.txt.j2:1:1: a linked template is not read; put a real file here",
    ]
    assert [*read(root)[0]] == ["a"]
    found, (problem,), names = read_templates(root / "gone", root, None)
    assert (found, names, str(problem)) == (
        {},
        frozenset(),
        "policies/gone:1:1: this folder cannot be read (No such file or directory)",
    )


def test_a_template_and_their_number_end_somewhere(root: Path) -> None:
    fill = "x" * (LARGEST - len(GOOD))
    put(root, a_txt=GOOD + fill, b_txt=f"{GOOD}{fill}y")
    assert read(root)[1] == ["t/b.txt.j2:1:1: a template must be at most 64 KiB"]
    for number in range(398):
        (root / "t" / f"X{number}.j2").touch()
    assert len(read(root)[1]) == 399
    (root / "t" / "X.j2").touch()
    assert read(root) == ({}, ["t:1:1: holds more than 400 templates"])


@pytest.mark.parametrize(
    ("files", "default", "problems"),
    [
        ({"a_txt": GOOD, "a_de_txt": GOOD}, None, []),
        ({"a_en_txt": GOOD, "a_de_txt": GOOD}, "en", []),
        ({"a_txt": GOOD, "a_de_txt": GOOD}, "en", []),
        ({"a_txt": GOOD, "a_de_txt": GOOD, "a_de_html": PAGE}, "en", []),
        ({"a_en_txt": GOOD, "a_html": PAGE}, "en", []),
        ({"a_txt": GOOD, "a_en_html": PAGE}, "en", []),
        (
            {"a_txt": GOOD, "a_en_txt": GOOD},
            "en",
            ["t/a.en.txt.j2:1:1: another file without `.en` is in the same language: remove one of them"],
        ),
        ({"a_txt": GOOD, "a_en_txt": GOOD}, None, []),
        (
            {"a_en_txt": GOOD},
            None,
            ["t/a.en.txt.j2:1:1: there is no text in the default language: write a.txt.j2"],
        ),
        (
            {"a_de_txt": GOOD, "a_fr_txt": GOOD},
            "en",
            ["t/a.de.txt.j2:1:1: there is no text in the default language: write a.txt.j2"],
        ),
        (
            {"a_txt": GOOD, "a_de_html": PAGE},
            "en",
            ["t/a.de.html.j2:1:1: there is HTML, but no text beside it: write a.de.txt.j2"],
        ),
        ({"a_html": PAGE}, "en", ["t/a.html.j2:1:1: there is HTML, but no text beside it: write a.txt.j2"]),
        ({"a_txt": f"{GOOD}\0"}, None, ["t/a.txt.j2:1:1: holds a zero byte"]),
        ({"a_txt": "Hello\n\nx\n"}, None, ["t/a.txt.j2:1:1: the first line must be the subject: `Subject: ...`"]),
        (
            {"a_txt": "Subject: x\nyou\n"},
            None,
            ["t/a.txt.j2:2:1: an empty line must stand between the subject and the text"],
        ),
        (
            {"a_txt": "Subject: {{ nmae }}\n\n\n{{ nmae }}\n"},
            None,
            [
                "t/a.txt.j2:1:1: there is no variable `nmae`; did you mean `name`?",
                "t/a.txt.j2:4:1: there is no variable `nmae`; did you mean `name`?",
            ],
        ),
        (
            {"a_txt": GOOD, "a_html": "<p>\n<a\ntitle='{{ name }}'>x</a>"},
            None,
            [
                "t/a.html.j2:3:1: the name of a person must stand in the text, not inside a tag, a script or a style",
            ],
        ),
        (
            {"a_txt": GOOD, "a_html": "<SCRIPT>\n{{ name }}\n</SCRIPT>"},
            None,
            [
                "t/a.html.j2:2:1: the name of a person must stand in the text, not inside a tag, a script or a style",
            ],
        ),
        (
            {"a_txt": GOOD, "a_html": "\n<b title='{{ name }}'>x</b>"},
            None,
            [
                "t/a.html.j2:2:1: the name of a person must stand in the text, not inside a tag, a script or a style",
            ],
        ),
        ({"a_txt": GOOD, "a_html": "<script>1</script>{{ name }}"}, None, []),
        ({"a_txt": GOOD.replace("{{ policy }}", "<b {{ name }}>")}, None, []),
    ],
)
def test_every_language_has_one_text_and_a_page_never_stands_alone(
    root: Path, files: dict[str, str], default: str | None, problems: list[str]
) -> None:
    put(root, **files)
    found, told = read(root, default)
    assert told == problems
    assert [*found] == ([] if problems else ["a"])


def test_a_language_without_the_page_that_others_have_is_warned_of(root: Path) -> None:
    full = GOOD.replace("{{ policy }}", "{% if next_day %}{{ next_day }}{% endif %}")
    page = f"<p>{full.partition(chr(10) * 2)[2]}</p>"
    put(root, a_txt=full, a_de_txt=full, a_html=page)
    languages = Languages("location", "en", {"berlin": "de"})
    assert warnings(Notifications(name="n", folder="t", templates=read(root)[0], languages=languages)) == (
        "policies/t/a.de.txt.j2: has no HTML beside it, though other languages have",
    )
