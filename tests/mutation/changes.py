"""The small changes of one module, as cosmic-ray makes them."""

from __future__ import annotations

import ast
import difflib
import importlib
import pickle
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

KINDS = re.compile(
    r"core/(ReplaceComparisonOperator_"
    r"(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Add|BitOr_BitAnd|BitOr_Sub|BitAnd_BitOr|Sub_BitAnd)"
    r"|ReplaceUnaryOperator_Delete_(Not|USub)|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    r"|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak"
    r"|NumberReplacer|ZeroIterationForLoop)"
)
"""Kinds of changes that say something: the nearest other comparison, the other operator of sets, and so on."""
_HOUSE = re.compile(r"\b(frozen|slots|kw_only)=(True|False)")


Place = tuple[int, int]
"""A line, from 1, and a column, from 0."""


@dataclass(frozen=True, slots=True)
class Change:
    """One changed program: the line (from 1) that differs, what differs, and the whole changed source."""

    line: int
    difference: str
    source: str


def changes_of(path: Path) -> list[Change]:
    """Every change of a module that makes another program of it, in the order of its lines.

    Changes of annotations and of what the house writes at every value (frozen, slots) are left out.
    """
    source = path.read_text("utf-8")
    found: dict[str, Change] = {}
    for changed in _sources(source):
        if changed not in found and _is_python(changed):
            change = _compared(source, changed)
            if not _HOUSE.search(change.difference):
                found[changed] = change
    return sorted(found.values(), key=lambda change: change.line)


def _sources(source: str) -> Iterator[str]:
    plugins, syntax, mutating = (_cosmic_ray(name) for name in ("plugins", "ast", "mutating"))
    tree = syntax.get_ast(source)
    kept = pickle.dumps(tree)  # reading it again is quicker than parsing it again
    annotations = _annotations(source)
    nodes = list(syntax.ast_nodes(tree))
    for name in plugins.operator_names():
        if not KINDS.fullmatch(name):
            continue
        operator = plugins.get_operator(name)()
        for occurrence, (begin, _) in enumerate(at for node in nodes for at in operator.mutation_positions(node)):
            if any(first <= begin < last for first, last in annotations):
                continue
            yield mutating.MutationVisitor(occurrence, operator).walk(pickle.loads(kept)).get_code()


def _annotations(source: str) -> list[tuple[Place, Place]]:
    """Where the annotations stand; no program does anything else when one is changed."""
    return [
        ((one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0))
        for node in ast.walk(ast.parse(source))
        for one in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(one, ast.expr)
    ]


def _cosmic_ray(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"cosmic_ray.{name}")
    except ModuleNotFoundError:
        sys.exit("mutation testing needs cosmic-ray: .venv/bin/pip install cosmic-ray")


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _compared(source: str, changed: str) -> Change:
    old, new = source.splitlines(), changed.splitlines()
    blocks = [
        block for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    first, last = blocks[0], blocks[-1]
    shown = [f"-{line}" for line in old[first[1] : last[2]]] + [f"+{line}" for line in new[first[3] : last[4]]]
    return Change(first[1] + 1, "\n".join(shown), changed)


def codes(code: CodeType) -> list[CodeType]:
    """A program's code objects, outermost first, always in the same order."""
    found = [code]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += codes(constant)
    return found


def own(code: CodeType) -> tuple[object, ...]:
    """What a code object does by itself, without what is defined in it and without its places in the file."""
    constants = tuple((type(one), one) for one in code.co_consts if not isinstance(one, CodeType))
    return code.co_code, repr(constants), code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable
