"""Ids and masks against transformers' own rendering and tokenization, for the shapes that real templates have."""

from __future__ import annotations

import pytest

import chats
from tunesmith.rows import read
from tunesmith.templates import encode, load_tokenizer, prompts, resolve

CONVERSATIONS = {
    "one turn": chats.chat("What is the capital of France?", "Paris."),
    "three turns": chats.chat("Hi there", "Hello!", "What is 1+1?", "It is 2.", "Thanks", "You are welcome, friend."),
    "unicode": chats.chat("Привет 你好 👋🏽\nzweite Zeile", "naïve café\n\n- eins\n- zwei"),
    "code": chats.chat("Write\n\n```python\nprint('x')\n```", "  indented\n\ttab"),
    "system": chats.chat("Hi", "Hello", "Again", "Yes", system="Be brief."),
}
REFUSED = {("mistral", "system"), ("gemma", "system")}  # these templates take no system message


def rendered(theirs, messages, *, asking=False):
    return theirs.apply_chat_template(messages, tokenize=True, add_generation_prompt=asking, return_dict=True)["input_ids"]


def supervised_starts(labels):
    return [k for k, label in enumerate(labels) if label != -100 and labels[k - 1] == -100]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = {}

    def get(shape, style="bytes"):
        if (shape, style) not in made:
            template, eos = chats.SHAPES[shape]
            folder = chats.tokenizer_folder(tmp_path_factory.mktemp(shape) / style, template=template, eos=eos, style=style)
            ours = load_tokenizer(folder)
            made[shape, style] = (ours, resolve(None, ours), chats.transformers_tokenizer(folder))
        return made[shape, style]

    return get


CASES = [(s, c) for s in chats.SHAPES for c in CONVERSATIONS if (s, c) not in REFUSED]


@pytest.mark.parametrize(("shape", "case"), CASES)
@pytest.mark.parametrize("style", ["bytes", "first", "always"])
def test_every_prompt_and_sequence_is_what_transformers_renders(model, shape, case, style):
    ours, template, theirs = model(shape, style)
    row = CONVERSATIONS[case]
    messages = row["messages"]
    made = encode(read([row]).frame, tokenizer=ours, template=template)
    assert made.dropped.is_empty()
    answers = [k for k, m in enumerate(messages) if m["role"] == "assistant"]
    expected = [rendered(theirs, messages[:k], asking=True) for k in answers]
    found = [ids[:start] for ids, labels in made.frame.select("input_ids", "labels").iter_rows() for start in supervised_starts(labels)]
    assert found == expected
    # What is learnt ends with the end of turn, after the answer's own text.
    for k, (ids, labels) in enumerate(made.frame.select("input_ids", "labels").iter_rows()):
        learnt = [label for label in labels if label != -100]
        assert all(label in (-100, i) for label, i in zip(labels, ids, strict=True))
        assert learnt[-1] == template.end_of_turn_id
        assert messages[answers[k] if made.unrolled else answers[-1]]["content"].strip() in theirs.decode(learnt)
    asked = prompts(read([row]).frame, tokenizer=ours, template=template)
    assert asked["input_ids"].to_list() == [expected[-1]]


# GPT-2's pattern splits "\n\n" in two before a letter, and keeps it whole at the end of a prompt: with this tokenizer
# llama3's prompts are not prefixes of its whole conversations. Its rows are unrolled, as the test above sees.
@pytest.mark.parametrize(("shape", "case"), [case for case in CASES if case[0] not in ("thinking", "llama3")])
def test_a_byte_level_row_is_one_sequence_equal_to_the_whole_rendering(model, shape, case):
    ours, template, theirs = model(shape)
    messages = CONVERSATIONS[case]["messages"]
    made = encode(read([CONVERSATIONS[case]]).frame, tokenizer=ours, template=template)
    assert made.frame["input_ids"].to_list() == [rendered(theirs, messages)]


@pytest.mark.parametrize("case", CONVERSATIONS)
def test_the_mask_is_the_one_that_generation_tags_give(model, case):
    ours, template, theirs = model("chatml")
    messages = CONVERSATIONS[case]["messages"]
    both = theirs.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    made = encode(read([CONVERSATIONS[case]]).frame, tokenizer=ours, template=template)
    assert [int(label != -100) for label in made.frame["labels"][0]] == list(both["assistant_masks"])


def test_the_end_of_turn_is_learnt_even_where_the_tags_leave_it_out(tmp_path):
    source = chats.CHATML.replace(
        "message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n'", "message['content'] }}{% endgeneration %}{{ '<|im_end|>\\n'"
    )
    assert source != chats.CHATML
    ours = load_tokenizer(chats.tokenizer_folder(tmp_path, template=source, eos="<|im_end|>"))
    made = encode(read([chats.chat("Hi", "Hello")]).frame, tokenizer=ours, template=resolve(None, ours))
    assert [label for label in made.frame["labels"][0] if label != -100][-1] == ours.special_ids["<|im_end|>"]


def test_a_template_that_rewrites_history_is_unrolled_and_its_reasoning_learnt(model):
    ours, template, theirs = model("thinking")
    messages = [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", "reasoning_content": "greet"},
        {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Goodbye", "reasoning_content": "part"},
    ]  # fmt: skip
    made = encode(read([{"messages": messages}]).frame, tokenizer=ours, template=template)
    assert made.unrolled == 1
    learnt = [theirs.decode([label for label in labels if label != -100]) for labels in made.frame["labels"]]
    assert learnt == ["<think>\ngreet\n</think>\n\nHello<|im_end|>", "<think>\npart\n</think>\n\nGoodbye<|im_end|>"]
    assert made.frame["input_ids"].to_list() == [rendered(theirs, messages[:2]), rendered(theirs, messages)]


def test_tools_and_tool_calls_reach_the_template(model):
    ours, template, theirs = model("qwen")
    tools = [
        {"type": "function", "function": {"name": "weather", "description": "now", "parameters": {"type": "object", "properties": {}}}}
    ]
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Paris"}}}
    messages = [
        {"role": "user", "content": "Rain in Paris?"}, {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sunny"}, {"role": "assistant", "content": "No."},
    ]  # fmt: skip
    made = encode(read([{"messages": messages, "tools": tools}]).frame, tokenizer=ours, template=template)
    whole = theirs.apply_chat_template(messages, tools=tools, tokenize=True, return_dict=True)["input_ids"]
    # The opening "assistant\n" is how the template writes a call, so the call is learnt as well.
    assert made.frame["input_ids"].to_list() == [whole]
    learnt = theirs.decode([label for label in made.frame["labels"][0] if label != -100])
    assert learnt == '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call><|im_end|>No.<|im_end|>'


def test_a_row_that_cannot_hold_parity_is_dropped_and_counted(tmp_path):
    ours = load_tokenizer(chats.tokenizer_folder(tmp_path, template=chats.BROKEN, eos="<|im_end|>"))
    made = encode(read([chats.chat("Hi", "Hello")]).frame, tokenizer=ours, template=resolve(None, ours))
    assert made.frame.is_empty()
    assert made.dropped.select("position", "rule").rows() == [(0, "template.parity")]


def test_a_row_that_the_template_refuses_is_dropped_with_its_words(model):
    ours, template, _ = model("gemma")
    frame = read([CONVERSATIONS["system"], CONVERSATIONS["one turn"]]).frame
    made = encode(frame, tokenizer=ours, template=template)
    assert made.frame["position"].to_list() == [1]
    assert made.dropped.select("rule", "evidence").rows() == [("template.render", "TemplateError: System role not supported")]
    asked = prompts(frame, tokenizer=ours, template=template)
    assert asked["prompt"].is_null().to_list() == [True, False]
    assert "System role not supported" in asked["problem"][0]
