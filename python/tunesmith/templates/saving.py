"""A tokenizer's files with the template that was used, so that a finetuned model is prompted as it was trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tunesmith.templates.template import Template
from tunesmith.templates.tokenizer import CONFIG, FILES, TEMPLATE, ModelTokenizer


def save_tokenizer(tokenizer: ModelTokenizer, template: Template, folder: Path) -> None:
    """Write a tokenizer's folder that transformers and `load_tokenizer` open.

    Args:
        tokenizer: Whose files are copied.
        template: Written as `chat_template.jinja`, in place of the tokenizer's own.
        folder: To write into; made if absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (tokenizer.folder / name).is_file() and name not in (TEMPLATE, "chat_template.json"):
            shutil.copyfile(tokenizer.folder / name, folder / name)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) if (folder / CONFIG).is_file() else {}
    config.pop("chat_template", None)  # the file beside it is the one
    config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        if name in tokenizer.special_tokens and not config.get(name):
            config[name] = tokenizer.special_tokens[name]
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / TEMPLATE).write_text(template.source, encoding="utf-8")
