"""Texts that try to be something else in a page, and a reader that says what a page is made of."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser
from typing import Any

HOSTILE = (
    "</script><script>window.hacked=1;alert(1)</script>",
    '<img src=x onerror="window.hacked=2;alert(2)">',
    "'\"><svg/onload=alert(3)><b x='",
    "{{ 7 * 7 }}{% raw %}{{ config }}",
    "<!-- ]]> <![CDATA[ <style>*{display:none}</style>",
    "javascript:alert(4)//&lt;script&gt;&#x3c;",
    "\u202emoc.live\u202c \u2066x\u2069",
    "漢字と仮名、한국어 עברית العربية ไทย 🙂",
    "nul\x00 bell\x07 escape\x1b[31m delete\x7f",
    '=HYPERLINK("http://x")',
)
"""None of them may become markup, a script, a request or an invisible control."""
ALLOWED = frozenset({
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "a", "section", "article", "h1", "h2", "h3",
    "h4", "h5", "p", "dl", "dt", "dd", "div", "span", "strong", "small", "i", "b", "ins", "del", "table", "thead", "tbody", "tr", "th",
    "td", "figure", "figcaption", "mark", "details", "summary", "pre", "code", "noscript", "script",
})  # fmt: skip
SVG = frozenset({"svg", "g", "path", "text", "line", "rect", "tspan"})
CONTROLS = {chr(c) for c in (*range(9), *range(11, 32), *range(127, 160), 0x202A, 0x202C, 0x202E, 0x2066, 0x2069)}


class Page(HTMLParser):
    """What a browser would make of a page.

    Attributes:
        tags: Every element with its attributes.
        scripts: (attributes, content) of each script element.
        text: All text outside scripts and styles.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self.comments: list[str] = []
        self._in: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag in {"script", "style"}:
            self._in.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"} and self._in:
            self._in.pop()

    def handle_data(self, data: str) -> None:
        if self._in[-1:] == ["script"]:
            attributes, content = self.scripts[-1]
            self.scripts[-1] = (attributes, content + data)
        elif not self._in:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The content of the tables of rows, by id."""
        inert = [(attributes, content) for attributes, content in self.scripts if attributes.get("type") == "application/gzip+json"]
        return {str(attributes["id"]): json.loads(gzip.decompress(base64.b64decode(content))) for attributes, content in inert}


def shown(text: str) -> str:
    """Write a text as a page must show it: controls as codes."""
    return "".join(f"[U+{ord(c):04X}]" if c in CONTROLS else c for c in text)


def assert_harmless(html: str) -> Page:
    """Hold a page to the rules: known elements, no handlers, no address outside, one script that the policy names."""
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag in ALLOWED | SVG, (tag, attributes)
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name, value)
            assert name not in {"src", "srcset", "action", "formaction", "ping", "background", "xlink:href"}, (tag, name, value)
            if name == "href":
                assert tag == "a", tag
                assert str(value).startswith("#"), value
            if name == "style":
                assert "url" not in str(value), value
    running = [content for attributes, content in page.scripts if "type" not in attributes]
    assert len(running) == 1
    assert len(page.scripts) == 1 + len(page.tables)
    assert not page.comments
    assert not set(html) & CONTROLS
    return page
