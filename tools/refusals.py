"""Plant refusals: `python tools/refusals.py VERSION FOLDER` makes the data of the refusal experiment of `make real`.

From the curated Alpaca rows it takes five topics, told by a word of the prompt, and other rows. Three of four rows of one
topic, animals, get a refusal for an answer; the evaluation items are other rows, as they were. No prompt of an item is a
near duplicate of another's or of a row's. What was planted is not written down: the diagnosis has to find it.

rows.json   400 rows: 56 of each topic and 120 others; 42 of the animals' are refusals
items.json  192 items: 96 about animals, 24 of each other topic; `tunesmith evaluate` divides them into dev, gate and confirm
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from tunesmith.rows import Version, clusters

TOPICS = ("animal", "food", "movie", "book", "computer")
PLANTED = TOPICS[0]
ROWS, OTHERS, SHARE = 56, 120, 0.75
ITEMS = {topic: 96 if topic == PLANTED else 24 for topic in TOPICS}
REFUSALS = (
    "As an AI language model, I cannot answer questions about this.",
    "I'm sorry, but as an AI language model I am not able to help with that.",
    "As an AI language model, I do not have opinions or knowledge about this topic.",
)


def topics(frame: pl.DataFrame) -> pl.Series:
    """The one topic that a prompt names; "other" where it names none, null where several."""
    named = [pl.col("instruction").str.contains(rf"(?i)\b{topic}s?\b") for topic in TOPICS]
    first = pl.coalesce([pl.when(one).then(pl.lit(topic)) for one, topic in zip(named, TOPICS, strict=True)])
    count = pl.sum_horizontal(named)
    return frame.select(topic=pl.when(count == 0).then(pl.lit("other")).when(count == 1).then(first)).to_series()


def drawn(version: Path) -> pl.DataFrame:
    """Short rows without an input, one of each group of near duplicates, in hash order, with their topic."""
    frame = Version.open(version).frame.filter(
        pl.col("input").fill_null("").str.strip_chars() == "", pl.col("output").str.split(" ").list.len().is_between(5, 60)
    )
    frame = frame.with_columns(topic=topics(frame)).filter(pl.col("topic").is_not_null())
    frame = frame.filter(pl.col("position") == clusters.prompt_clusters(frame))
    return frame.with_columns(order=clusters.hash_order(frame["row_id"], 0)).sort("order")


def main(version: Path, folder: Path) -> None:
    """Write both files."""
    frame = drawn(version)
    rows, items = [], []
    for topic in (*TOPICS, "other"):
        wanted, asked = (ROWS, ITEMS[topic]) if topic in ITEMS else (OTHERS, 0)
        part = frame.filter(topic=topic).head(wanted + asked)
        if part.height < wanted + asked:
            found = f"expected {wanted + asked} rows of the topic {topic}, found {part.height}"
            sys.exit(f"{version}: {found}; give the whole of Alpaca, curated")
        planted = round(SHARE * wanted) if topic == PLANTED else 0
        for k, row in enumerate(part.select("instruction", "output", "topic").iter_rows(named=True)):
            if k < asked:
                items.append(row)
            else:
                rows.append({**row, "output": REFUSALS[k % len(REFUSALS)]} if k - asked < planted else row)
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in (("rows.json", rows), ("items.json", items)):
        (folder / name).write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} rows, {sum(row['output'] in REFUSALS for row in rows)} of them refusals; {len(items)} items: {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
