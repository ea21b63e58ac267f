"""The templates that have a name, as Jinja texts: what a base model without a chat template is taught.

`alpaca` is Stanford Alpaca's prompt, letter by letter (train.py of tatsu-lab/stanford_alpaca): it ends in
`### Response:` without a newline. `alpaca-lora` is tloen/alpaca-lora's (templates/alpaca.json): the same with one.
A row's `input` reaches them as a message's own field; the other templates see it as the end of the content.
"""

from __future__ import annotations

from dataclasses import dataclass

_WITHOUT = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
_WITH = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
)
INSTRUCTION, INPUT, RESPONSE = "\n\n### Instruction:\n", "\n\n### Input:\n", "\n\n### Response:"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A template whose prompt is text around `instruction` and `input`, so that whole columns are rendered at once.

    Attributes:
        without: Before the instruction of a row without input.
        with_input: Before the instruction of a row with input.
        between: Between instruction and input.
        end: After both.
    """

    without: str
    with_input: str
    between: str
    end: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """A template with a name.

    Attributes:
        source: Jinja text.
        needs: Special tokens that the tokenizer must have.
        columns: The columns-wise form, where there is one.
    """

    source: str
    needs: tuple[str, ...] = ()
    columns: Columns | None = None


def _alpaca(end: str) -> Named:
    """Build the Alpaca prompt; a system message takes the preamble's place, further turns follow after a blank line."""
    source = (
        "{%- set ns = namespace(preamble=none, first=true) -%}"
        "{%- for message in messages -%}"
        "{%- if message.role == 'system' -%}{%- set ns.preamble = message.content -%}"
        "{%- elif message.role == 'user' -%}"
        "{%- if not ns.first -%}{{ '\\n\\n' }}"
        f"{{%- elif ns.preamble is not none -%}}{{{{ ns.preamble + '{_j(INSTRUCTION)}' }}}}"
        f"{{%- elif message.input -%}}{{{{ '{_j(_WITH + INSTRUCTION)}' }}}}"
        f"{{%- else -%}}{{{{ '{_j(_WITHOUT + INSTRUCTION)}' }}}}{{%- endif -%}}"
        f"{{%- if not ns.first -%}}{{{{ '{_j(INSTRUCTION.lstrip())}' }}}}{{%- endif -%}}"
        "{{ message.content }}"
        f"{{%- if message.input -%}}{{{{ '{_j(INPUT)}' + message.input }}}}{{%- endif -%}}"
        f"{{{{ '{_j(RESPONSE + end)}' }}}}{{%- set ns.first = false -%}}"
        "{%- elif message.role == 'assistant' -%}{% generation %}{{ message.content + eos_token }}{% endgeneration %}"
        "{%- else -%}{{ raise_exception('this template has no place for a message of role ' + message.role) }}"
        "{%- endif -%}{%- endfor -%}"
    )
    columns = Columns(without=_WITHOUT + INSTRUCTION, with_input=_WITH + INSTRUCTION, between=INPUT, end=RESPONSE + end)
    return Named(source=source, columns=columns)


def _j(text: str) -> str:
    """Write a text as the inside of a Jinja string."""
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


_CHATML = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.role == 'assistant' -%}{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{%- else -%}{{ message.content + '<|im_end|>\\n' }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)

_PLAIN = (
    "{%- set names = {'system': 'System', 'user': 'User', 'assistant': 'Assistant', 'tool': 'Tool'} -%}"
    "{%- for message in messages -%}"
    "{%- if message.role == 'assistant' -%}{{ 'Assistant:' }}{% generation %}{{ ' ' + message.content + eos_token }}{% endgeneration %}"
    "{{ '\\n' }}"
    "{%- else -%}{{ names[message.role] + ': ' + message.content + '\\n' }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ 'Assistant:' }}{%- endif -%}"
)

NAMED: dict[str, Named] = {
    "alpaca": _alpaca(""),
    "alpaca-lora": _alpaca("\n"),
    "chatml": Named(source=_CHATML, needs=("<|im_start|>", "<|im_end|>")),
    "plain": Named(source=_PLAIN),
}
NAMES = tuple(NAMED)
