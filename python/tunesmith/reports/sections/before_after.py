"""Before and after: the answers of all arms to the same items, a few in full by a stated rule, and all of them to look through."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from tunesmith.reports.blocks import TABLES, Block, Column, Parts, Rows, Sample, Samples, Section, Words
from tunesmith.reports.differences import difference, same
from tunesmith.reports.sections.arms import KEY, LABELS, Arms
from tunesmith.reports.texts import clip, counted

LIMIT = 2_000
"""Items that a report holds."""
TABLE = "answers-table"
SAMPLES = "samples"
FATES = {
    "fixed": "a finding of the patch's categories before, none of them after",
    "broken": "no finding of any category before, one after",
    "still failing": "a finding of the patch's categories before and after",
    "as before": "any other item",
    "not asked again": "an item of dev: the patch was chosen on it, so that the retrained models are not judged on it",
}
BROKEN, STILL = 3, 2
BRIEF = 160
"""Characters of the base model's answers: what they are like, not what differs."""
MARKS = "Words that the reference lacks are underlined, words of the reference that are missing are struck through."


class BeforeAfter:
    """The answers of a turn's arms, with what became of each item.

    Attributes:
        arms: The arms that answered.
        targets: The categories that the patch is about.
        frame: A line an item: texts, `found_ARM`, `fate`, `category` (found before or after) and `slice`.
    """

    def __init__(
        self, arms: Arms, *, targets: Sequence[str], categories: Collection[str], slices: Mapping[tuple[str, int], Sequence[str]]
    ) -> None:
        self.arms, self.targets = arms, targets
        frame = arms.answers(categories)
        before, after = (
            pl.col(f"found_{arm}") if f"found_{arm}" in frame.columns else pl.lit(None, pl.List(pl.String)) for arm in ("current", "patch")
        )
        failed, fails = (found.list.set_intersection(list(targets)).list.len() > 0 for found in (before, after))
        fate = (
            pl.when(before.is_null() | after.is_null()).then(pl.lit("not asked again"))
            .when(failed & ~fails).then(pl.lit("fixed"))
            .when(failed).then(pl.lit("still failing"))
            .when((before.list.len() == 0) & (after.list.len() > 0)).then(pl.lit("broken"))
            .otherwise(pl.lit("as before"))
        )  # fmt: skip
        either = before.fill_null([]).list.set_union(after.fill_null([])).list.sort()
        own = pl.Series([list(slices.get(key, ())) for key in frame.select(KEY).iter_rows()], dtype=pl.List(pl.String))
        self.frame = frame.with_columns(fate=fate, category=either, slice=own)

    @property
    def judged(self) -> bool:
        """Whether there is an after."""
        return "patch" in self.arms.names

    @property
    def _sides(self) -> list[str]:
        """The arms in the order in which answers are compared: before and after side by side."""
        return [arm for arm in ("current", "patch", "placebo", "base") if arm in self.arms.names]

    @property
    def fates(self) -> dict[str, int]:
        """How many gate items met each fate."""
        return dict(self._gate().group_by("fate").len().iter_rows())

    def _gate(self) -> pl.DataFrame:
        asked = self.frame.filter(pl.col("fate") != "not asked again")
        return asked.filter(pl.col("part") == "gate") if (asked["part"] == "gate").any() else asked

    def section(self) -> Section:
        """Draw a few items in full."""
        chosen = self._chosen()
        fates = self.fates
        names = ("fixed", "broken", "still failing", "as before")
        told = ", ".join(f"{fates.get(name, 0):,} {name}" for name in names)
        blocks: list[Block] = []
        if chosen:
            lead = (
                f"One fixed item for each category of the patch, {BROKEN} broken ones and {STILL} that still fail, if there are as many: "
                "of each kind the gate items with the first row ids, which are hashes of the content, so that nobody picked them. "
                f"{MARKS} All answers are in the table below."
            )
            blocks.append(Samples(id=SAMPLES, title="A few in full", lead=lead, samples=[self._sample(*each) for each in chosen]))
        else:
            blocks.append(Words(text="No gate item was fixed, broken or still fails in the categories of the patch."))
        lead = f"Of {counted(sum(fates.values()), 'gate item')}: {told}. " + " ".join(
            f"{name[0].upper()}{name[1:]}: {FATES[name]}." for name in names[:3]
        )
        return Section(id="before-after", title="Answers before and after", lead=lead, blocks=blocks)

    def _chosen(self) -> list[tuple[str, dict[str, Any]]]:
        gate = self._gate().sort("row_id", "copy")
        chosen: list[tuple[str, dict[str, Any]]] = []
        taken: set[Any] = set()

        def take(title: str, lines: pl.DataFrame, most: int) -> None:
            fresh = lines.filter(~pl.col("item").is_in(list(taken))).head(most)
            chosen.extend((title, line) for line in fresh.iter_rows(named=True))
            taken.update(fresh["item"])

        for name in self.targets:
            if "found_current" in gate.columns:
                take(f"Fixed: {name}", gate.filter((pl.col("fate") == "fixed") & pl.col("found_current").list.contains(name)), 1)
        take("Broken", gate.filter(pl.col("fate") == "broken"), BROKEN)
        take("Still failing", gate.filter(pl.col("fate") == "still failing"), STILL)
        return chosen

    def _sample(self, title: str, line: dict[str, Any]) -> Sample:
        texts: list[tuple[str, str, Parts]] = [("reference", "", same(line["reference"] or ""))]
        for arm in self._sides:
            if line[f"output_{arm}"] is None:
                continue
            note = ", ".join(line[f"found_{arm}"]) or "no finding"
            texts.append((LABELS[arm], note, same(brief(line["output_base"])) if arm == "base" else marked(line, arm)))
        tags = {"category": line["category"], "slice": line["slice"]}
        return Sample(title=f"{title} (item {line['item']}, {line['part']})", prompt=clip(prompt(line)), texts=texts, tags=tags)

    def table(self) -> Section:
        """Draw all answers as a table to look through."""
        columns = [
            Column(name="item", type="id"), *([Column(name="fate", filter=True)] if self.judged else []),
            Column(name="category", type="tags", filter=True, shared=True),
            Column(name="prompt"), Column(name="reference"),
            *(Column(name=LABELS[arm], type="text" if arm == "base" else "diff") for arm in self._sides),
            Column(name="part", filter=True), Column(name="slice", type="tags", filter=True, shared=True),
        ]  # fmt: skip
        records = []
        order = {name: k for k, name in enumerate(FATES)}
        ordered = self.frame.sort(pl.col("fate").replace_strict(order, return_dtype=pl.Int8), "item")
        for line in ordered.head(LIMIT).iter_rows(named=True):
            texts = [brief(line["output_base"]) if arm == "base" else marked(line, arm) for arm in self._sides]
            fate = [line["fate"]] if self.judged else []
            head = [line["item"], *fate, line["category"], clip(prompt(line)), clip(line["reference"] or "")]
            records.append([*head, *texts, line["part"], line["slice"]])
        there = [name for name in FATES if name in set(self.frame["fate"])]
        told = "; ".join(f"{name}: {FATES[name]}" for name in there)
        about = (
            f"fixed ones first. Category: findings before or after. Fate, from finetuned to patched: {told}."
            if self.judged
            else "as the finetuned model answers. Category: findings in its answer."
        )
        lead = f"{counted(self.frame.height, 'item')}, {about} {MARKS}"
        rows = Rows(id=TABLE, title="", columns=columns, records=records, total=self.frame.height)
        return Section(id="answers", title="All answers", lead=lead, blocks=[rows], rank=TABLES)


def marked(line: dict[str, Any], arm: str) -> Parts:
    """Mark the words of an answer that differ from the reference; white space at the ends is none of them."""
    output = line[f"output_{arm}"]
    if output is None:
        return []
    return difference(line["reference"].strip(), output.strip()) if line["reference"] else same(output.strip())


def brief(text: str | None) -> str:
    """Shorten an answer on one line."""
    return clip(" ".join((text or "").split()), BRIEF)


def prompt(line: dict[str, Any]) -> str:
    """Give what was asked."""
    return "\n".join(part for part in (line["instruction"], line["input"]) if part)
