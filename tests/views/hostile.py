"""Texts that were written to do harm, and what a real Markdown parser makes of a document."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

HOSTILE = (
    '=HYPERLINK("http://evil.example","y")',
    "a|b",
    "</td><script>alert(1)</script>",
    "line\nbreak\r\n\r\nbreak",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "@everyone @org/team",
    "``` `code` ```",
    "::error::boom",
    " \t::set-output name=a::b",
    "##[error]boom ##vso[task.setvariable]x",
    "\x1b[31mred\x1b]0;title\x07",
    "<!-- comment -->",
    "[link](http://evil.example) ![pic](https://evil.example/p.png)",
    "https://evil.example www.evil.example someone@evil.example",
    "fixes #123, GH-7, org/repo#4",
    "*bold* _it_ ~~gone~~ $x^2$ :tada:",
    "- item",
    "1. item",
    "    indented",
    "# heading",
    "\u200bzero\u2060width\ufeff",
    "\ud800 half",
    "\U000e0041\U000e0042 tags",
    "&lt;b&gt; &#64;name",
    "\\",
    "",
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shape(markdown: str) -> list[str]:
    """What a document consists of, its texts left out."""
    found: list[str] = []

    def walk(tokens: list[Token]) -> None:
        for token in tokens:
            if token.type == "html_block":
                found.append(re.sub(r"(<summary>).*(</summary>)", r"\1\2", token.content))
            elif token.type not in ("text", "inline"):
                found.append(token.type)
            walk(token.children or [])

    walk(PARSER.parse(markdown))
    return found


def words_of(markdown: str) -> str:
    """All text of a document as a reader sees it."""
    tokens = [token for block in PARSER.parse(markdown) for token in (block.children or [])]
    return "".join(token.content for token in tokens)
