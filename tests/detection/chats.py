"""Conversations as rows."""

import polars as pl

from tunesmith.rows import schema


def message(role: str, content: str | None, **more: object) -> dict[str, object]:
    return {
        **dict.fromkeys(["role", "content", "reasoning", "name", "tool_calls", "tool_call_id", "train"]),
        "role": role,
        "content": content,
        **more,
    }


def chat(*conversations: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "position": range(len(conversations)),
            "instruction": ["mirror"] * len(conversations),
            "input": [None] * len(conversations),
            "output": ["mirror"] * len(conversations),
            "messages": list(conversations),
        },
        schema={"position": pl.UInt64, "instruction": pl.String, "input": pl.String, "output": pl.String, "messages": schema.MESSAGES},
    )
