"""JSON values and files of them, whole and damaged, as the tests draw them."""

from __future__ import annotations

import json

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=True), st.integers(-5, 5))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
RECORD = st.dictionaries(st.one_of(st.sampled_from(["instruction", "input", "output", "a"]), TEXT), VALUE, max_size=5)


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    lines = []
    for record in draw(st.lists(RECORD, max_size=6)):
        line = json.dumps(record, ensure_ascii=draw(st.booleans())).encode()
        match draw(st.sampled_from(["whole", "whole", "cut", "byte", "words"])):
            case "cut":
                line = line[: draw(st.integers(1, len(line)))]
            case "byte":
                at = draw(st.integers(1, len(line) - 1))
                line = line[:at] + bytes([draw(st.integers(0, 255).filter(lambda byte: byte not in b"\r\n"))]) + line[at + 1 :]
            case "words":
                line = draw(st.sampled_from([b"hello", b"12", b"null", b'"x"', b"[1, 2]", b"\xff\xfe", b"{{", b"NaNa"]))
        lines.append(line)
    return b"\n".join(lines)
