"""Chat templates rendered the way transformers renders them: the same sandbox, filters, globals and `{% generation %}` tag."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from tunesmith.errors import OptionError

RENDER_ERRORS = (jinja2.TemplateError, TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, RecursionError)
"""What a template raises on messages it does not take: its own `raise_exception`, or plain mistakes."""

OPEN, CLOSE = "\ufdd2", "\ufdd3"
"""Noncharacters around what `{% generation %}` holds; removed before anything is read."""


class _Generation(jinja2.ext.Extension):
    """`{% generation %} ... {% endgeneration %}`: what the assistant writes, by the template's own word."""

    tags = {"generation"}  # noqa: RUF012  (jinja2 declares it so)

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    @staticmethod
    def _mark(caller: Any) -> str:
        return f"{OPEN}{caller()}{CLOSE}"


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


@lru_cache(maxsize=32)
def compiled(source: str) -> jinja2.Template:
    """Compile a chat template in a sandbox: it may come from anywhere.

    Raises:
        OptionError: If the text is no Jinja template.
    """
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals |= {"raise_exception": _raise, "strftime_now": _now}
    try:
        return environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise OptionError(f"chat template, line {error.lineno}: expected a Jinja template, found: {error.message}") from error


def render(
    source: str,
    messages: Sequence[Mapping[str, Any]],
    *,
    tools: Sequence[Any] | None = None,
    generation_prompt: bool = False,
    tokens: Mapping[str, str],
) -> str:
    """Render messages, with `OPEN` and `CLOSE` around what the template says the assistant writes.

    Args:
        source: The template's Jinja text.
        messages: `{"role", "content", ...}`.
        tools: Tool schemas, None where there are none.
        generation_prompt: Whether to end with the opening of an answer.
        tokens: `bos_token`, `eos_token`, ... as the template reads them.

    >>> source = "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"
    >>> render(source, [{"role": "user", "content": "Hi"}], tokens={"eos_token": "."})
    'Hi.'
    """
    return compiled(source).render(messages=list(messages), tools=tools, documents=None, add_generation_prompt=generation_prompt, **tokens)
