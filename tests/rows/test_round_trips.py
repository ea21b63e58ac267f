"""Any format to any other and back: what is not named in `lost` is there again, whatever the row."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tunesmith.rows import convert, read
from tunesmith.rows.formats.writing import TARGETS as WRITERS
from tunesmith.rows.formats.writing import Writer

TARGETS = ("alpaca", "sharegpt", "messages", "openai", "prompt-completion", "preference")
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
SAID = TEXT.filter(str.strip)
MAYBE = st.none() | TEXT
TRAIN = st.sampled_from([{}, {}, {"train": True}, {"train": False}])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
CALL = st.fixed_dictionaries({"name": SAID, "arguments": st.dictionaries(TEXT, VALUES, max_size=2)})
TOOLS = st.lists(st.fixed_dictionaries({"name": SAID, "parameters": st.dictionaries(TEXT, VALUES, max_size=2)}), min_size=1, max_size=2)


@st.composite
def answers(draw, tools=True):
    """What follows a user turn: calls and results perhaps, then an answer, which may be empty."""
    turns = []
    for _ in range(draw(st.integers(0, 2)) if tools else 0):
        calls = [
            {**({"id": f"c{draw(st.integers(0, 9))}"} if draw(st.booleans()) else {}), "type": "function", "function": call}
            for call in draw(st.lists(CALL, min_size=1, max_size=2))
        ]
        turns.append({"role": "assistant", "content": draw(TEXT), "tool_calls": calls, **draw(TRAIN)})
        turns.append({"role": "tool", "content": draw(SAID), **({"name": draw(SAID)} if draw(st.booleans()) else {})})
    reasoning = {"reasoning_content": draw(SAID)} if draw(st.integers(0, 4)) == 0 else {}
    return [*turns, {"role": "assistant", "content": draw(TEXT), **reasoning, **draw(TRAIN)}]


@st.composite
def conversations(draw, tools=True):
    """A conversation that every check accepts."""
    turns = [{"role": "system", "content": draw(SAID)} for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2])))]
    for _ in range(draw(st.integers(0, 2))):
        turns += [{"role": "user", "content": draw(SAID), **draw(TRAIN)}, *draw(answers(tools))]
    turns.append({"role": "user", "content": draw(SAID)})
    return turns, draw(answers(tools))


@st.composite
def messages(draw):
    before, after = draw(conversations())
    tools = {"tools": draw(TOOLS)} if draw(st.booleans()) else {}
    return {"messages": [*before, *(after if draw(st.integers(0, 4)) else [])], **tools}


@st.composite
def sharegpt(draw):
    before, after = draw(conversations(tools=False))
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    turns = [
        {"from": names[turn["role"]], "value": turn["content"], **({"train": turn["train"]} if "train" in turn else {})}
        for turn in before + after
    ]
    if draw(st.booleans()):
        call = {"from": "function_call", "value": json.dumps(draw(CALL | st.lists(CALL, min_size=2, max_size=2)))}
        turns += [{"from": "human", "value": "?"}, call, {"from": "observation", "value": draw(SAID)}, {"from": "gpt", "value": draw(TEXT)}]
    return {"conversations": turns, "tools": json.dumps(draw(TOOLS))}


@st.composite
def preference(draw):
    before, after = draw(conversations())
    return {"prompt": before, "chosen": after, "rejected": draw(answers(tools=False))}


ALPACA = st.fixed_dictionaries(
    {"instruction": SAID, "input": TEXT, "output": TEXT},
    optional={"system": TEXT, "history": st.lists(st.tuples(SAID, TEXT).map(list), max_size=2)},
)
SOURCES = {
    "alpaca": ALPACA,
    "sharegpt": sharegpt(),
    "messages": messages(),
    "openai": messages(),
    "prompt-completion": st.fixed_dictionaries({"prompt": SAID, "completion": TEXT}),
    "preference": preference(),
    "question-answer": st.fixed_dictionaries({"question": SAID, "answer": TEXT}),
    "dolly": st.fixed_dictionaries({"instruction": SAID, "context": TEXT, "response": TEXT, "category": SAID}),
    "text": st.fixed_dictionaries({"text": SAID}),
}


def asked(row):
    return "\n".join(part for part in (row["instruction"], row["input"]) if part)


def content(row, lost):
    """A row as a conversation, without what is said to be lost; null, missing and empty are one."""
    turns = row["messages"]
    if turns is None:
        system = [{"role": "system", "content": row["system"]}] if row["system"] else []
        turns = [
            *system,
            {"role": "user", "content": asked(row)},
            *([] if row["output"] is None else [{"role": "assistant", "content": row["output"]}]),
        ]
    told = []
    for turn in turns:
        calls = json.loads(turn.get("tool_calls") or "[]")
        ids = [] if "tool_call_id" in lost else [call.get("id") for call in calls]
        made = {
            "role": turn["role"],
            "content": turn["content"] or "",
            "calls": [call["function"] for call in calls],
            **({"reasoning": turn.get("reasoning")} if "reasoning" not in lost else {}),
            **({"name": turn.get("name")} if "name" not in lost else {}),
            **({"id": turn.get("tool_call_id"), "ids": ids} if "tool_call_id" not in lost else {}),
            **({"train": turn.get("train")} if "train" not in lost else {}),
        }
        told.append(made)
    return told


def bare(tools):
    return [tool.get("function", tool) for tool in json.loads(tools or "[]")]


def spoken(turns):
    """The texts alone: who said what, empty answers left out, calls and their results, too."""
    return [(turn["role"], turn["content"]) for turn in turns if turn["role"] in ("user", "assistant") and turn["content"]]


def same(before, after, lost, to):
    """Everything that is not said to be lost."""
    first, second = content(before, lost), content(after, lost)
    if to == "openai":  # which invents the ids that it must have, and trains on no other turns than answers
        for turn in first + second:
            turn.pop("id", None), turn.pop("ids", None)
            if turn["role"] != "assistant":
                turn.pop("train", None)
    if "system" in lost:
        first, second = ([turn for turn in turns if turn["role"] != "system"] for turns in (first, second))
    if to == "prompt-completion" and "messages" in lost:
        assert "\n".join(text for _, text in spoken(first)[:-1]) in "\n".join(text for _, text in spoken(second))
    elif not {"messages", "tool_calls"} & set(lost):
        assert first == second
    if "tools" not in lost:
        assert bare(before["tools"]) == bare(after["tools"])
    if "rejected" not in lost:
        assert content({**before, "messages": before["rejected"] or []}, lost) == content(
            {**after, "messages": after["rejected"] or []}, lost
        )
    if "input" not in lost and before["messages"] is None:
        assert asked(before) == asked(after)
        assert before["input"] in (None, "") or (before["input"], before["instruction"]) == (after["input"], after["instruction"])


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_there_and_back(tmp_path_factory, source, data):
    folder = tmp_path_factory.mktemp("trip")
    records = [{**record, "topic": f"t{k}"} for k, record in enumerate(data.draw(st.lists(SOURCES[source], min_size=3, max_size=8)))]
    came = read(records)
    assert came.rejected.is_empty(), came.rejected.rows(named=True)
    rows = list(came.frame.iter_rows(named=True))
    for to in TARGETS:
        file = folder / f"{to}.{data.draw(st.sampled_from(['json', 'jsonl', 'parquet']))}"
        done = convert(came, file, to=to)
        lost = [losses(to, row) for row in rows]
        assert done.lost == total([{*each, *(came.frame.columns[12:] if to == "openai" and "row" not in each else [])} for each in lost])
        held = [(row, each) for row, each in zip(rows, lost, strict=True) if "row" not in each]
        assert (done.rows_out, done.rejected) == (len(held), 0)
        if not held:
            continue
        back = read(file)
        assert back.rejected.is_empty(), back.rejected.rows(named=True)
        for (row, each), other in zip(held, back.frame.iter_rows(named=True), strict=True):
            same(row, other, each, to)
            assert other.get("topic") == (None if to == "openai" else row["topic"])
        # What came whole goes back whole, to the letter.
        name = source if source in ("alpaca", "sharegpt", "prompt-completion", "preference") else "messages"
        whole = [row["topic"] for row, each in held if not each]
        if whole and to != "openai":
            convert(came, folder / "direct.json", to=name, force=True)
            convert(back, folder / "back.json", to=name, force=True)
            direct, again = (
                {record["topic"]: record for record in json.loads((folder / f"{which}.json").read_text())} for which in ("direct", "back")
            )
            for topic in whole:
                assert topic not in direct or plain(direct[topic]) == plain(again[topic])


def losses(to, row):
    """What one row loses."""
    writer = Writer()
    writer.write(WRITERS[to], row)
    return set(writer.lost)


def total(lost):
    return {name: sum(name in each for each in lost) for name in sorted({name for each in lost for name in each})}


def plain(value):
    """Null, missing and empty are one in a row's content; schemas are compared as what they say."""
    if isinstance(value, dict):
        value = {key: json.loads(item) if key == "tools" and isinstance(item, str) else item for key, item in value.items()}
        return {key: plain(item) for key, item in value.items() if item not in (None, "", [])}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("field", "value"), [("weight", 0), ("loss_weight", 0.0), ("train", False), ("training", False)])
def test_every_dialect_of_unlearnt_turns_is_read_and_written(tmp_path, field, value):
    record = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", field: value},
                           {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}  # fmt: skip
    written = {}
    for to in ("messages", "openai", "sharegpt"):
        assert convert([record], tmp_path / f"{to}.json", to=to).lost == {}
        (written[to],) = json.loads((tmp_path / f"{to}.json").read_text())
        assert [m["train"] for m in read(tmp_path / f"{to}.json").frame["messages"][0]] == [None, False, None, None]
    assert written["messages"]["messages"][1]["weight"] == written["openai"]["messages"][1]["weight"] == 0
    assert written["sharegpt"]["conversations"][1]["train"] is False
