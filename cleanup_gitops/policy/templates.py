"""Templates of notices: files of one folder, read with the policies and checked as they are.

A template ``NAME`` is the file ``NAME.txt.j2``: ``Subject: ...`` on the first line, an empty line, the text. Beside it
may be ``NAME.html.j2`` with the same as HTML, and other languages as ``NAME.de.txt.j2`` and ``NAME.de.html.j2``.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleanup_gitops.model.canonical import digest, sha256
from cleanup_gitops.policy.files import label
from cleanup_gitops.policy.notifying import Body, Languages, Notifications, Template
from cleanup_gitops.policy.problems import Problem
from cleanup_gitops.policy.samples import MARK, samples
from cleanup_gitops.policy.template_text import LARGEST, Flaw, UnusableTemplateError, flaws, render, variables

SUFFIX = ".j2"
MOST_FILES = 400
_FILE = re.compile(
    r"(?P<name>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)"
    r"(\.(?P<language>[a-z]{2,3}(-[a-z0-9]{2,8})?))?\.(?P<part>txt|html)\.j2"
)
_SUBJECT = re.compile(r"Subject:[ \t]*(?P<text>\S.*)")
_INSIDE_TAG = re.compile(rf"<[^<>]*{MARK}|<(script|style)\b(?:(?!</\1).)*{MARK}", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a template as it was read."""

    label: str
    name: str
    language: str
    part: str
    data: bytes
    source: str


def read_templates(
    folder: Path, root: Path, default: str | None
) -> tuple[dict[str, Template], list[Problem], frozenset[str]]:
    """The templates of a folder below the policies' folder ``root``, what is wrong, and the names of all there are.

    ``default`` is the language of files that name none; ``None``: nobody chooses a language.
    """
    files, problems = _files(folder, root)
    found: dict[str, Template] = {}
    for name in sorted({one.name for one in files}):
        own = [one for one in files if one.name == name]
        wrong = list(_problems_of(own, default))
        problems += wrong
        if not wrong:
            found[name] = _template(name, own, default)
    return found, problems, frozenset(one.name for one in files)


def _files(folder: Path, root: Path) -> tuple[list[_File], list[Problem]]:
    found: list[_File] = []
    problems: list[Problem] = []
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX) and path.name[0] != ".")
    except OSError as error:
        return [], [Problem(label(folder, root), 1, 1, f"this folder cannot be read ({error.strerror})")]
    if len(paths) > MOST_FILES:
        return [], [Problem(label(folder, root), 1, 1, f"holds more than {MOST_FILES} templates")]
    for path in paths:
        named = label(path, root)
        read = _read(path, root)
        parts = _FILE.fullmatch(path.name)
        if parts is None:
            message = "a template is named NAME.txt.j2, NAME.html.j2, or NAME.de.txt.j2 for another language"
            problems.append(Problem(named, 1, 1, message))
        elif isinstance(read, str):
            problems.append(Problem(named, 1, 1, read))
        else:
            source = read.decode("utf-8-sig").replace("\r\n", "\n")
            found.append(_File(named, parts["name"], parts["language"] or "", parts["part"], read, source))
    return found, problems


def _read(path: Path, root: Path) -> bytes | str:
    """The bytes of a template, or why it is not read."""
    try:
        if path.is_symlink() or not path.resolve(strict=True).is_relative_to(root):
            return "a linked template is not read; put a real file here"
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a regular file"
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        data.decode("utf-8-sig")
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return "the file is not in UTF-8"
    return data if len(data) <= LARGEST else f"a template must be at most {LARGEST // 1024} KiB"


def _problems_of(files: list[_File], default: str | None) -> Iterator[Problem]:
    """What is wrong with one template, file by file, and then with the set of its files."""
    for one in files:
        for flaw in _flaws_of(one):
            yield Problem(one.label, flaw.line, 1, flaw.message)
    first = files[0]
    texts = {_tag(one, default) for one in files if one.part == "txt"}
    for one in files:
        if one.part == "html" and _tag(one, default) not in texts:
            message = f"there is HTML, but no text beside it: write {Path(one.label).name.replace('.html.', '.txt.')}"
            yield Problem(one.label, 1, 1, message)
        if one.language and one.language == default and any(_same(one, other) for other in files):
            message = f"another file without `.{default}` is in the same language: remove one of them"
            yield Problem(one.label, 1, 1, message)
    if texts and "" not in texts:
        message = f"there is no text in the default language: write {first.name}.txt.j2"
        yield Problem(first.label, 1, 1, message)


def _same(one: _File, other: _File) -> bool:
    return one.part == other.part and not other.language


def _tag(file: _File, default: str | None) -> str:
    """The language of a file; "" is the default one."""
    return "" if file.language == default else file.language


def _flaws_of(file: _File) -> Iterator[Flaw]:
    if "\0" in file.source:
        yield Flaw(1, "holds a zero byte")
        return
    if file.part == "html":
        found = list(flaws(file.source))
        yield from found or _flaws_of_rendering(file.source, html=True)
        return
    first, _, rest = file.source.partition("\n")
    subject = _SUBJECT.fullmatch(first.rstrip())
    if subject is None:
        yield Flaw(1, "the first line must be the subject: `Subject: ...`")
        return
    if rest.partition("\n")[0].strip():
        yield Flaw(2, "an empty line must stand between the subject and the text")
    if not rest.strip():
        yield Flaw(1, "there is no text below the subject")
    for number, part in ((1, subject["text"]), (2, rest)):
        found = list(flaws(part)) or list(_flaws_of_rendering(part, html=False))
        yield from (Flaw(flaw.line + number - 1, flaw.message) for flaw in found)


def _flaws_of_rendering(source: str, *, html: bool) -> Iterator[Flaw]:
    """What fails, or says nothing, for somebody of whom something is not known."""
    seen: set[Flaw] = set()
    for values in samples():
        flaw = None
        try:
            text = render(source, values, html=html)
        except UnusableTemplateError as error:
            flaw = error.flaw
        else:
            if not text.strip():
                flaw = Flaw(1, "is empty where nothing follows, or a day is not known")
            elif html and (found := _INSIDE_TAG.search(text)):
                line = text.count("\n", 0, found.end()) + 1
                flaw = Flaw(line, "the name of a person must stand in the text, not inside a tag, a script or a style")
        if flaw and flaw not in seen:
            seen.add(flaw)
            yield flaw


def _template(name: str, files: list[_File], default: str | None) -> Template:
    texts = {_tag(one, default): one for one in files if one.part == "txt"}
    pages = {_tag(one, default): one for one in files if one.part == "html"}
    bodies: dict[str, Body] = {}
    for tag, file in texts.items():
        first, _, rest = file.source.partition("\n")
        subject = _SUBJECT.fullmatch(first.rstrip())
        page = pages.get(tag)
        bodies[tag] = Body(
            subject=subject["text"] if subject else "",
            text=rest.lstrip("\n"),
            file=file.label,
            html=page.source if page else None,
            html_file=page.label if page else "",
        )
    return Template(name=name, bodies=bodies, digest=digest({Path(one.label).name: sha256(one.data) for one in files}))


def warnings(found: Notifications) -> tuple[str, ...]:
    """What works, and may not be what people need: sorted, each with its file."""
    return tuple(sorted({text for one in found.templates.values() for text in _warnings_of(one, found.languages)}))


def _warnings_of(template: Template, languages: Languages | None) -> Iterator[str]:
    reachable = {"", *(languages.values.values() if languages else ())}
    for tag, body in template.bodies.items():
        said = variables(body.subject) | variables(body.text)
        parts = [(body.file, said)] + ([(body.html_file, variables(body.html))] if body.html is not None else [])
        for file, names in parts:
            if not {"next_does", "next_stage"} & names:
                yield f"{file}: does not say what happens next (`next_does` or `next_stage`)"
            if "next_day" not in names:
                yield f"{file}: does not say when (`next_day`)"
            if not {"owner", "url"} & names:
                yield f"{file}: does not say whom to ask (`owner`) or where to go (`url`)"
        if tag and languages is None:
            yield f"{body.file}: is never used: `language` of the Notifications document chooses no languages"
        elif tag and languages and languages.values and tag not in reachable:
            yield f"{body.file}: is used only where the attribute says `{tag}` itself: no entry of `values` leads to it"
    with_page = {tag for tag, body in template.bodies.items() if body.html is not None}
    for tag in with_page and template.bodies.keys() - with_page:
        yield f"{template.bodies[tag].file}: has no HTML beside it, though other languages have"
