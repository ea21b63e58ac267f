"""What a row asks and answers, whatever its kind."""

from tunesmith.rows import fields, read

CHAT = [
    {"role": "system", "content": "secret"},
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {}}]},
    {"role": "tool", "content": "tool result"},
    {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"},
    {"role": "assistant", "content": "four"},
]


def test_prompts_leave_out_system_tools_and_the_answer():
    frame = read([{"messages": CHAT, "tools": [{"name": "f"}]}, {"messages": CHAT[:-1]}]).frame
    assert fields.prompt(frame).to_list() == ["one\ntwo\nthree"] * 2
    assert fields.response(frame).to_list() == ["four", None]


def test_prompts_of_instructions_beside_conversations():
    frame = read([{"instruction": "a", "input": "b", "system": "s"}, {"instruction": "a"}, {"instruction": "", "input": "b"},
                  {"instruction": "x", "history": [["y", "z"]]}]).frame  # fmt: skip
    assert fields.prompt(frame).to_list() == ["a\nb", "a", "b", "y\nz\nx"]


def test_text_asks_nothing():
    assert fields.prompt(read([{"text": "t"}]).frame).to_list() == [""]


def test_no_rows():
    frame = read([{"instruction": "a"}]).frame.clear()
    assert len(fields.prompt(frame)) == len(fields.response(frame)) == 0
