"""Recall, precision and speed of the detectors, from planted sets, people's fixes, and labels made by reading.

    python benchmarks/detectors.py                      # the table
    python benchmarks/detectors.py --flags NAME         # flags of a detector that have no label yet, to be read
    python benchmarks/detectors.py --write              # the table into docs/explanation/detectors.md, the figures into the package

The public files (see ../shared/data/README.md) are needed; none of their text is kept here. `labels/*.csv` hold what a reader
said of a flag: file, row, turn, detector, `right` or `wrong`. Detectors that judge lengths by limits have none here: what is
longest or shortest of a hundred is so by definition.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from cuts import cuts  # noqa: E402
from detection.corrupting import CORRUPTED  # noqa: E402
from detection.planting import PLANTED  # noqa: E402
from detection.planting_review import LIMITED, MORE, REVIEW, reviewed  # noqa: E402
from detection.planting_tasks import MADE, rows  # noqa: E402
from tunesmith.detection import DETECTORS, view  # noqa: E402
from tunesmith.detection.findings import examine, find  # noqa: E402
from tunesmith.detection.limits import NO_LIMITS, Limits, fit  # noqa: E402
from tunesmith.detection.measured import FIGURES, interval, shown  # noqa: E402
from tunesmith.detection.strata import STRATA, strata  # noqa: E402
from tunesmith.detection.supervised import prepare  # noqa: E402
from tunesmith.rows import read  # noqa: E402

DATA = next((each / "shared" / "data" for each in HERE.parents if (each / "shared" / "data").is_dir()), HERE)
LABELS = HERE / "labels"
PAGE = HERE.parent / "docs" / "explanation" / "detectors.md"
FIGURES_FILE = HERE.parent / "python" / "tunesmith" / "detection" / "measurements.json"
BEGIN, END = "<!-- table: benchmarks/detectors.py --write -->", "<!-- end of table -->"
ALPACA = "alpaca/alpaca_data.json"
P3 = (
    "ag_news_classify", "common_gen_Put_together", "dream_answer_to_dialogue", "gigaword_make_a_title", "glue_qqp_duplicate",
    "kilt_tasks_hotpotqa_formulate", "paws_labeled_final_Rewrite",
)  # fmt: skip
FILES = (
    ALPACA,
    "formats/alpaca_gpt4_demo_1k.json",
    "formats/dolly_alpagasus_3k.json",
    "formats/lima.json",
    "formats/messages_sft_demo.jsonl",
    "formats/sharegpt_toolcall_demo.json",
    "formats/preference_dpo_demo.json",
    "formats/oasst_trees_100.jsonl",
    "gsm8k/train.jsonl",
    "gsm8k/test.jsonl",
    *(f"formats/p3_{name}.jsonl" for name in P3),
    "dedup/toolformer_similarity_0.8.json",
    "multilingual/alpaca_de_12k.json",
    "multilingual/alpaca_fr.jsonl",
    "multilingual/alpaca_zh_mt_html_entities.json",
)
SELF_INSTRUCT = ("davinci", "davinci-self-instruct", "text-davinci-001", "text-davinci-003")
ALPACA_EVAL = (
    "alpaca-7b",
    "alpaca-7b_concise",
    "alpaca-7b_verbose",
    "falcon-7b-instruct",
    "pythia-12b-mix-sft",
    "text_davinci_003",
    "NullModel",
)
ANSWERS = (
    *(f"eval/self_instruct_252/{system}_predictions.jsonl" for system in SELF_INSTRUCT),
    *(f"eval/alpaca_eval/{system}.json" for system in ALPACA_EVAL),
    "eval/llmbar/natural.json",
    "eval/llmbar/adversarial_neighbor.json",
)
"""Answers of models, the other side that detectors are used on. LLMBar's pairs give two rows: first all first answers, then the others."""


def _letters(row: dict[str, str]) -> str:
    return re.sub(r"\W", "", row["output"]).lower()


FIXED_FOR: dict[str, Callable[[dict[str, Any]], bool]] = {
    "input_placeholder": lambda fix: any("placeholder" in change for change in fix["change"]),
    "output_empty": lambda fix: not fix["orig"]["output"].strip(),
    "sort_wrong": lambda fix: "alphabetical" in fix["orig"]["instruction"].lower() and _letters(fix["orig"]) != _letters(fix["cleaned"]),
}


def lines_of(data: Path, name: str) -> pl.DataFrame:
    """Read one file as a view."""
    if name.startswith("eval/self_instruct_252/"):
        rows = [json.loads(line) for line in (data / name).read_text().splitlines()]
        return _plain((row.get("instruction"), row.get("input"), row.get("response")) for row in rows)
    if name.startswith("eval/alpaca_eval/"):
        return _plain((row["instruction"], "", row["output"]) for row in json.loads((data / name).read_text()))
    if name.startswith("eval/llmbar/"):
        rows = json.loads((data / name).read_text())
        return _plain((row["input"], "", row[answer]) for answer in ("output_1", "output_2") for row in rows)
    if name.startswith("dedup/"):
        return _plain((row["instruction"], row.get("input"), row["response"]) for row in json.loads((data / name).read_text()))
    return view(read(data / name).frame)


def _plain(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    return view(
        pl.DataFrame([{key: str(text or "") for key, text in zip(("instruction", "input", "output"), row, strict=True)} for row in rows])
    )


def labels() -> dict[tuple[str, int, int | None, str], bool]:
    """Read what was said of each flag: (file, row, turn, detector) to right."""
    made = {}
    for path in sorted(LABELS.glob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                turn = int(row["turn"]) if row["turn"] else None
                made[row["file"], int(row["row"]), turn, row["detector"]] = row["verdict"] == "right"
    return made


def by_stratum(data: Path) -> tuple[dict[str, Counter[str]], dict[str, dict[str, Counter[str]]], pl.DataFrame]:
    """Run everything over all files: lines, labels and flags by stratum, and the verifiers' coverage of Alpaca."""
    said = labels()
    lines: Counter[str] = Counter()
    figures: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    coverage = pl.DataFrame()
    for name in (*FILES, *ANSWERS):
        here = lines_of(data, name)
        of = strata(here)
        lines.update(of.to_list())
        examined = examine(here)
        if name == ALPACA:
            coverage = examined.coverage
        at = {(position, turn): stratum for position, turn, stratum in zip(here["position"], here["turn"], of, strict=True)}
        asked = {(position, turn): stratum for position, turn, stratum in zip(here["position"], here["asked"], of, strict=True)}
        for position, detector, field, turn in examined.findings.select("position", "detector", "field", "turn").iter_rows():
            stratum = (at if field == "response" else asked)[position, turn]
            counts = figures[detector][stratum]
            counts["flags"] += 1
            verdict = said.get((name, position, turn, detector))
            if verdict is not None:
                counts["read"] += 1
                counts["right"] += verdict
    return {"lines": lines}, figures, coverage


def kept_rows(data: Path) -> pl.DataFrame:
    """Rows of Alpaca that people saw and kept."""
    whole = pl.DataFrame(json.loads((data / ALPACA).read_text()))
    return whole[json.loads((data / "alpaca" / "human_unchanged_dev.json").read_text())]


def planted(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Plant into clean real rows, and make prompts in many wordings: what is found of each set."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kept = kept_rows(data)
    rng = random.Random(1)
    clean = kept.filter(pl.col("output").str.len_chars() > 40).sample(400, seed=1).to_dicts()
    for name, plant in PLANTED.items():
        bad = [plant(dict(row), rng) for row in clean]
        found[name].append(_found(name, bad, "planted into 400 kept rows of Alpaca"))
    for name, corrupt in CORRUPTED.items():
        bad = list(corrupted(data, name, corrupt))
        if len(bad) >= 100:
            source = "right rows of GSM8K" if name == "equation_false" else "right rows of Alpaca that could be read"
            found[name].append(_found(name, bad, f"{source}, the answer changed"))
    for name in MADE:
        found[name].append(_found(name, rows(name, 200)[1], "made prompts in several wordings, a wrong answer each"))
    shuffled = kept.filter(pl.col("output").str.len_chars() > 40).sample(fraction=1, shuffle=True, seed=2).to_dicts()
    limits = fit(kept["output"], prompts=kept.select("instruction", "input"))
    whole = pl.DataFrame(json.loads((data / ALPACA).read_text())).sample(fraction=1, shuffle=True, seed=3).to_dicts()
    for name in MORE:
        bad = reviewed(name, whole)
        if name != "truncated":
            found[name].append(_found(name, bad, f"planted into {len(bad)} rows of Alpaca"))
    for sample, bad in cuts(data, lines_of).items():
        found["truncated"].append(_found("truncated", bad, sample))
        found["truncated"].append(_found("truncated", bad, f"{sample}, with limits", limits))
    for name in REVIEW:
        bad = reviewed(name, shuffled)
        sample = f"planted into {len(bad)} kept rows of Alpaca, or the prompt put in their place"
        found[name].append(_found(name, bad, sample, limits if name in LIMITED else NO_LIMITS))
    return found


def limited(data: Path) -> dict[str, int]:
    """Count what `truncated` flags in answers of models where limits say that references end with full stops."""
    kept, said = kept_rows(data), labels()
    limits = fit(kept["output"], prompts=kept.select("instruction", "input"))
    verdicts = [
        said.get((name, position, turn, "truncated"))
        for name in ANSWERS
        for position, turn in find(lines_of(data, name), only=["truncated"], limits=limits).select("position", "turn").iter_rows()
    ]
    return {"right": verdicts.count(True), "read": len(verdicts) - verdicts.count(None), "flags": len(verdicts)}


def corrupted(data: Path, name: str, corrupt: Callable[[dict[str, str], random.Random], dict[str, str] | None]) -> Iterator[dict[str, str]]:
    """Change the answers of real rows that a verifier reads, and finds right."""
    detector = DETECTORS[name]
    assert detector.judge is not None
    prepared = prepare(lines_of(data, "gsm8k/train.jsonl" if name == "equation_false" else ALPACA))
    right = [judged.row for judged in detector.judge(prepared, NO_LIMITS) if judged.parsed and judged.hit is None]
    rng = random.Random(name)
    rng.shuffle(right)
    for _ in range(max(1, 200 // max(1, len(right)))):
        for line in right[:300]:
            row = prepared.row(line, named=True)
            made = corrupt({"instruction": row["instruction"], "input": row["input"], "output": row["response"]}, rng)
            if made is not None:
                yield made


def _found(name: str, rows: list[dict[str, str]], sample: str, limits: Limits = NO_LIMITS) -> dict[str, Any]:
    found = find(pl.DataFrame(rows), only=[name], limits=limits)["position"].n_unique()
    return {"found": found, "of": len(rows), "sample": sample}


def fixes(data: Path) -> tuple[dict[str, dict[str, int]], Counter[str]]:
    """Recall on the rows that people changed for one reason, and flags on those that they kept."""
    changed = [json.loads(line) for line in (data / "alpaca" / "human_fixes_dev.jsonl").read_text().splitlines()]
    found = find(pl.DataFrame([fix["orig"] for fix in changed]))
    made = {}
    for name, why in FIXED_FOR.items():
        rows = {k for k, fix in enumerate(changed) if why(fix)}
        hits = set(found.filter(pl.col("detector") == name)["position"]) & rows
        made[name] = {"found": len(hits), "of": len(rows)}
    flags = find(kept_rows(data)).group_by("detector").agg(pl.col("position").n_unique())
    return made, Counter(dict(flags.iter_rows()))


def measure(data: Path) -> dict[str, Any]:
    """Everything that the package keeps of each detector."""
    counted, figures, coverage = by_stratum(data)
    recalls, (fixed, kept) = planted(data), fixes(data)
    read_of = {name: (asked, parsed) for name, asked, parsed, _ in coverage.iter_rows()}
    made: dict[str, Any] = {}
    for name in DETECTORS:
        one: dict[str, Any] = {"planted": recalls.get(name, [])}
        one["strata"] = {
            stratum: {
                "right": figures[name][stratum]["right"],
                "read": figures[name][stratum]["read"],
                "flags": figures[name][stratum]["flags"],
                "lines": counted["lines"][stratum],
            }
            for stratum in STRATA
        }
        if name in read_of:
            one["asked"], one["parsed"] = read_of[name]
        if name in fixed:
            one["fixes"] = fixed[name]
        if name == "truncated":
            one["limited"] = limited(data)
        one["kept"] = kept[name]
        made[name] = one
    return made


def speed(data: Path) -> str:
    """Time all detectors over all of Alpaca, in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    frame = read(data / ALPACA).frame
    count = find(view(frame)).height
    return (
        f"{frame.height:,} rows read and judged by {len(DETECTORS)} detectors: {time.perf_counter() - wall:.2f} s, "
        f"{time.process_time() - cpu:.2f} CPU s, {count:,} findings"
    )


def table(figures: dict[str, Any]) -> str:
    """The table of the docs: recall, precision by stratum, unparsed share, and where it drops."""
    header = ["detector", "class", "promise", "recall (planted)", *[f"precision: {stratum}" for stratum in STRATA], "unparsed", "drops in"]
    rows = [header, ["---"] * len(header)]
    for name, detector in DETECTORS.items():
        one = figures.get(name, {})
        recall = "; ".join(map(_recall, one.get("planted", ()))) or "-"
        precise = [_precision(one.get("strata", {}).get(stratum)) for stratum in STRATA]
        unparsed = _interval(one["asked"] - one["parsed"], one["asked"]) if one.get("asked") else ""
        drops = ", ".join(shown(name)) if detector.severity == "fatal" else "flags"
        rows.append(
            [
                f"[{name}](../reference/detectors.md#{name})",
                detector.grade,
                promise(detector.grade, one),
                recall,
                *precise,
                unparsed,
                drops or "flags",
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


PROMISED = {"A": (0.95, 0.95), "B": (0.9, 0.95), "C": (0.9, 0.9), "D": (0.0, 0.75)}
"""Least recall on the planted set that it does worst on, and least precision of all flags read, by class."""


def promise(grade: str, figures: dict[str, Any]) -> str:
    """Say whether a class's promise is kept, and what is below it; fewer than 50 flags read is said, too."""
    least_recall, least_precision = PROMISED[grade]
    recall = min((each["found"] / each["of"] for each in figures.get("planted", ())), default=1.0)
    right, seen = (sum(each[key] for each in figures.get("strata", {}).values()) for key in ("right", "read"))
    below = [f"recall {recall:.0%}"] if recall < least_recall else []
    below += [f"precision {right / seen:.0%}"] if seen and right / seen < least_precision else []
    few = "" if seen >= 50 else f" ({seen or 'no'} flag{'s' if seen != 1 else ''} to read)"
    return (f"below: {', '.join(below)}" if below else "kept") + few


def _recall(planted: dict[str, Any]) -> str:
    """Show one planted set; where there are several of a detector's own, say which it is."""
    said = f" {planted['sample']}" if planted["sample"].startswith("cut ") else ""
    return _interval(planted["found"], planted["of"]) + said


def _interval(right: int, of: int) -> str:
    low, high = interval(right, of)
    return f"{right / of:.0%} of {of} ({low:.0%}-{high:.0%})"


def _precision(figures: dict[str, int] | None) -> str:
    if figures is None or not figures["flags"]:
        return "no flag"
    if not figures["read"]:
        return f"{figures['flags']} unread"
    return f"{_interval(figures['right'], figures['read'])} of {figures['flags']:,}"


def flags(data: Path, name: str, count: int, width: int, files: list[str]) -> None:
    """Print flags without a label: file, row, turn, and what there is to read."""
    said = labels()
    for file in files or (*FILES, *ANSWERS):
        here = lines_of(data, file)
        found = find(here, only=[name])
        left = [f for f in found.iter_rows(named=True) if (file, f["position"], f["turn"], name) not in said]
        random.Random(1).shuffle(left)
        if left:
            print(f"## {file}: {found.height} flags")
        for each in left[:count]:
            at = pl.col("asked" if each["field"] == "instruction" else "turn").eq_missing(pl.lit(each["turn"], pl.UInt32))
            line = here.filter(pl.col("position") == each["position"], at).row(0, named=True)
            shown_text = " | ".join((line[key] or "")[:width].replace("\n", "/") for key in ("instruction", "input", "response"))
            print(f"{each['position']},{'' if each['turn'] is None else each['turn']} | {shown_text} << {each['evidence']}")


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--flags", metavar="NAME")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--file", action="append", default=[])
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"{options.data} is not there; the public files are needed (--data)")
    if options.flags:
        flags(options.data, options.flags, options.count, options.width, options.file)
        return
    figures = measure(options.data)
    if options.write:
        FIGURES_FILE.write_text(json.dumps(figures, indent=1) + "\n")
        FIGURES.clear()
        FIGURES.update(figures)
        text = PAGE.read_text()
        PAGE.write_text(f"{text.partition(BEGIN)[0]}{BEGIN}\n\n{table(figures)}\n\n{END}{text.partition(END)[2]}")
    print(table(figures))
    print(speed(options.data))


if __name__ == "__main__":
    main()
