"""Results of policy tests: as text, as annotations of GitHub Actions, and as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from cleanup_gitops.rehearsal.gaps import Gap
from cleanup_gitops.rehearsal.policy_tests import Tested
from cleanup_gitops.views.safe import plain
from cleanup_gitops.views.words import counted

_IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


def text(tested: Sequence[Tested], gaps: Sequence[Gap] | None) -> str:
    """One line for each test, what is wrong below it, and what no test touches if that was asked for."""
    several = len({one.site for one in tested}) > 1
    lines = []
    for one in tested:
        name = f"{one.site}/{one.name}" if several else one.name
        lines.append(f"{'ok    ' if one.passed else 'FAILED'}  {name}")
        lines += [f"        {failure.where}: {plain(failure.message)}" for failure in one.failures]
    if gaps is not None:
        lines += _gaps(gaps)
    failed = sum(1 for one in tested if not one.passed)
    lines.append(f"{counted(len(tested), 'policy test')}, {failed} failed." if tested else "There is no policy test.")
    return "".join(f"{line}\n" for line in lines)


def _gaps(gaps: Sequence[Gap]) -> list[str]:
    if not gaps:
        return ["", "Every policy, stage and condition is touched, conditions with both outcomes.", ""]
    return ["", "No test touches:", *(f"  {one.where}: {plain(one.message)}" for one in gaps), ""]


def github(tested: Sequence[Tested], gaps: Sequence[Gap] | None, folder: str = "") -> str:
    """The text, after an annotation for each failure and gap at its line; paths begin at ``folder``."""
    lines = [
        _annotation("error", failure.where, one.name, failure.message, folder)
        for one in tested
        for failure in one.failures
    ]
    lines += [_annotation("notice", gap.where, "not tested", gap.message, folder) for gap in gaps or ()]
    return "".join(f"{line}\n" for line in lines) + text(tested, gaps)


def _annotation(level: str, where: str, title: str, message: str, folder: str) -> str:
    """A workflow command as GitHub documents it ("Workflow commands for GitHub Actions")."""
    file, _, line = where.rpartition(":")
    path = _escaped(f"{folder}/{file}" if folder else file, _IN_PROPERTY)
    return f"::{level} file={path},line={line},title={_escaped(title, _IN_PROPERTY)}::{_escaped(message, _IN_MESSAGE)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in plain(text))


def junit(tested: Sequence[Tested]) -> bytes:
    """JUnit XML, as build servers read it: a suite for each site, a case for each test."""
    root = ET.Element("testsuites", name="cleanup-gitops")
    for site in dict.fromkeys(one.site for one in tested):
        own = [one for one in tested if one.site == site]
        failed = sum(1 for one in own if not one.passed)
        suite = ET.SubElement(
            root, "testsuite", name=site, tests=str(len(own)), failures=str(failed), errors="0", skipped="0"
        )
        for one in own:
            file, _, line = one.where.rpartition(":")
            case = ET.SubElement(suite, "testcase", name=one.name, classname=site, file=file, line=line)
            if not one.passed:
                first = one.failures[0].message
                failure = ET.SubElement(case, "failure", message=plain(first), type="expectation")
                failure.text = "".join(f"{each.where}: {plain(each.message)}\n" for each in one.failures)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
