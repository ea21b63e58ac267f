"""Tokenizers with their special tokens, chat templates, and spans: which tokens are supervised, what a model is prompted with.

Training rows (`encode`) and prompts for generation (`prompts`) come from the same rendering, so they hold the same ids.
May import: core, rows and the foundation; jinja2; never transformers or torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from tunesmith.templates.encoding import Encoded as Encoded
    from tunesmith.templates.encoding import encode as encode
    from tunesmith.templates.encoding import prompts as prompts
    from tunesmith.templates.named import NAMES as NAMES
    from tunesmith.templates.previews import Preview as Preview
    from tunesmith.templates.previews import preview as preview
    from tunesmith.templates.template import Template as Template
    from tunesmith.templates.template import resolve as resolve
    from tunesmith.templates.tokenizer import ModelTokenizer as ModelTokenizer
    from tunesmith.templates.tokenizer import load_tokenizer as load_tokenizer

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Encoded": ".encoding",
        "encode": ".encoding",
        "prompts": ".encoding",
        "NAMES": ".named",
        "Preview": ".previews",
        "preview": ".previews",
        "Template": ".template",
        "resolve": ".template",
        "ModelTokenizer": ".tokenizer",
        "load_tokenizer": ".tokenizer",
    },
)
