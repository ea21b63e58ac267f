"""`curate`: rows accounted for, versions on disk, the same result whatever the chunks."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

import tunesmith as ts
from tunesmith import core
from tunesmith.curation import curate
from tunesmith.curation.local import LocalEngine
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.rows import Version, schema

WORDS = [
    "red",
    "old",
    "tall",
    "small",
    "green",
    "house",
    "tree",
    "ship",
    "river",
    "stone",
    "of",
    "the",
    "in",
    "a",
    "an",
    "and",
    "please",
    "now",
    "describe",
    "name",
    "list",
]
_FOLDER = tempfile.TemporaryDirectory()
ITEMS = Path(_FOLDER.name) / "items.jsonl"
ITEMS.write_text("".join(f'{{"instruction": "{a} {b}", "output": ""}}\n' for a in WORDS[::2] for b in WORDS[1::3]))
RECIPE = {
    "steps": [
        {"filter": {"name": "short", "words": {"min": 2}, "rules": {"set": "fineweb", "skip": ["line_punct_ratio", "short_line_ratio"]}}},
        "fix",
        "detect",
        "exact_duplicates",
        {"near_duplicates": {"name": "near", "of": ["prompt", "response"], "threshold": 0.6, "keep": "longest", "shingle": 2}},
        {"near_duplicates": {"name": "flagged", "threshold": 0.5, "shingle": 1, "action": "flag"}},
        {"decontaminate": {"against": str(ITEMS), "of": "response", "contain": 2}},
        {"fix": {"name": "late"}},
        {"select": {"rows": 0.8}},
    ]
}


def everyday(seed: int, n: int = 150) -> list[dict]:
    """Rows with everyday defects: copies, near copies, empty and placeholder fields, entities, rejects, conversations."""
    rng = random.Random(seed)
    made: list[dict] = []
    for _ in range(n):
        text = " ".join(rng.choices(WORDS, k=rng.randint(3, 12)))
        row = {
            "instruction": text,
            "input": rng.choice(["", "", "n/a", "no input"]),
            "output": " ".join(rng.choices(WORDS, k=rng.randint(0, 9))),
        }
        if made and rng.random() < 0.2:
            row = dict(rng.choice(made))
        elif made and rng.random() < 0.2:
            row = {**rng.choice(made), "input": "more"}
        if rng.random() < 0.05:
            row["output"] = row["output"] + " &lt;b&gt;"
        if rng.random() < 0.03:
            row["instruction"] = ""
        made.append(row)
    return made


@pytest.mark.parametrize("seed", range(2))
def test_chunks_change_nothing(seed):
    data = ts.read(everyday(seed))
    whole = curate(data, RECIPE, engine=LocalEngine(chunk=10_000))
    assert whole.dropped > 20
    assert whole.edited > 5
    for chunk in (17, 64):
        parts = curate(data, RECIPE, engine=LocalEngine(chunk=chunk))
        for name in ("frame", "removed", "ledger", "values", "edges"):
            assert getattr(parts, name).equals(getattr(whole, name)), (chunk, name)
            assert core.content_hash(getattr(parts, name)) == core.content_hash(getattr(whole, name))


def test_counts_above_a_byte_are_kept_beside_small_ones(tmp_path):
    rows = [{"instruction": f"Say word {k}", "output": "ja " * count} for k, count in enumerate([3, 255, 4, 256, 70_000, 1, 2])]
    recipe = {"steps": [{"filter": {"name": "short", "words": {"min": 3}}}, {"exact_duplicates": {}}]}
    whole = curate(rows, recipe)
    assert whole.values["short.words"].to_list() == [3, 255, 4, 256, 70_000, 1, 2]
    for chunk in (1, 2):
        parts = curate(rows, recipe, engine=LocalEngine(chunk=chunk), out=tmp_path / f"v{chunk}")
        version = Version.open(tmp_path / f"v{chunk}")
        version.verify()
        assert parts.values.equals(whole.values)
        assert version.values.equals(whole.values)
        assert version.values.schema == whole.values.schema
    assert set(whole.values.dtypes[1:]) == {pl.UInt32()}


def test_several_passes_show_rows_as_they_were_read():
    rows = [{"instruction": f"Sum {k} and 2", "input": "n/a" if k % 2 else "", "output": f"It &lt; {k}"} for k in range(9)]
    fixes = [{"fix": {"only": ["html_entity"]}}, {"exact_duplicates": {}}, {"fix": {"name": "late", "only": ["input_placeholder"]}}]
    data = ts.read(rows)
    for chunk in (2, 100):
        made = curate(data, {"steps": fixes}, engine=LocalEngine(chunk=chunk))
        assert made.removed.equals(data.frame)
        first = made.ledger.filter(step="fix")["row_id"]
        assert first.to_list() == data.frame["row_id"].to_list()
        assert made.ledger.filter(step="late")["row_id"].to_list() == made.ledger.filter(step="fix")["new_id"].to_list()[1::2]


_HASHES = """
import json, sys
from tunesmith import core
from tunesmith.curation import curate
made = curate(json.loads(sys.stdin.read()), json.loads(sys.argv[1]))
print([core.content_hash(table) for table in (made.frame, made.removed, made.ledger, made.values, made.edges)])
"""


def test_threads_change_nothing():
    found = set()
    for threads in ("1", "4"):
        names = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        process = subprocess.run(
            [sys.executable, "-c", _HASHES, json.dumps(RECIPE)], input=json.dumps(everyday(7, 400)),
            env={**os.environ, **dict.fromkeys(names, threads)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.add(process.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(3))
def test_every_row_is_accounted_for(seed):
    data = ts.read(everyday(seed))
    made = curate(data, RECIPE)
    kept, gone, rejected = (set(table["position"]) for table in (made.frame, made.removed, made.rejects))
    assert made.rows_in == 150 == made.kept + made.dropped + made.rejected
    assert kept | gone | rejected == set(range(150))
    dropped = set(made.ledger.filter(action="drop")["position"])
    assert dropped == set(range(150)) - kept - rejected
    assert len(dropped) == made.dropped
    assert set(made.ledger.filter(action="reject")["position"]) == rejected
    assert made.ledger.schema == schema.LEDGER
    assert made.ledger["rule"].null_count() == 0
    assert made.values["position"].to_list() == sorted(kept | dropped)
    assert made.edges.schema == schema.EDGES


def test_ids_in_the_ledger_are_those_of_the_rows():
    data = ts.read(everyday(5))
    made = curate(data, RECIPE)
    first = dict(data.frame.select("position", "row_id").iter_rows())
    for position, entries in made.ledger.filter(pl.col("action") != "reject").group_by("position", maintain_order=True):
        current = first[position[0]]
        by_step = entries.group_by("step", maintain_order=True).agg("row_id", pl.col("new_id").drop_nulls())
        for _, ids, new in by_step.iter_rows():
            assert set(ids) == {current}
            current = new[0] if new else current
    last = dict(made.ledger.drop_nulls("new_id").select("position", "new_id").iter_rows())
    for position, row_id in made.frame.select("position", "row_id").iter_rows():
        assert row_id == last.get(position, first[position])


def test_curating_again_changes_nothing_more():
    made = curate(everyday(1), {"steps": ["fix", "detect", "exact_duplicates"]})
    again = curate(made.frame, {"steps": ["fix", "detect", "exact_duplicates"]})
    assert (again.kept, again.dropped, again.edited) == (made.kept, 0, 0)
    assert again.frame["row_id"].equals(made.frame["row_id"])


def test_a_version_on_disk_is_what_was_made(tmp_path):
    made = curate(everyday(2), RECIPE, out=tmp_path / "v")
    version = Version.open(tmp_path / "v")
    version.verify()
    assert version.frame.equals(made.frame)
    assert version.removed.equals(made.removed)
    assert version.ledger.equals(made.ledger)
    assert version.values.equals(made.values)
    assert version.edges.equals(made.edges)
    assert version.manifest.result["kept"] == made.kept
    assert sorted(path.name for path in (tmp_path / "v").iterdir()) == [
        "README.md", "edges.parquet", "ledger.parquet", "manifest.json", "rejects.jsonl", "removed.parquet", "rows.parquet",
        "values.parquet",
    ]  # fmt: skip
    assert not (tmp_path / "v.work").exists()


def test_the_same_work_is_reused_and_other_work_refused(tmp_path):
    data = everyday(2)
    first = curate(data, RECIPE, out=tmp_path / "v")
    again = curate(data, RECIPE, out=tmp_path / "v")
    assert again.reused
    assert not first.reused
    assert again.summary == first.summary
    assert again.frame.equals(first.frame)
    with pytest.raises(ArtefactError, match="--force"):
        curate(data[1:], RECIPE, out=tmp_path / "v")
    with pytest.raises(ArtefactError, match="--force"):
        curate(data, None, out=tmp_path / "v")
    assert curate(data, None, out=tmp_path / "v", force=True).reused is False


def test_a_moved_source_is_the_same_source(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.json").write_text(json.dumps(everyday(2, 20)))
        (tmp_path / name / "r.yaml").write_text("sources: [{path: rows.json}]\nsteps: [exact_duplicates]\n")
    curate(None, tmp_path / "a" / "r.yaml", out=tmp_path / "v")
    assert curate(None, tmp_path / "b" / "r.yaml", out=tmp_path / "v").reused


def test_a_dry_run_writes_nothing(tmp_path):
    made = curate(everyday(2), RECIPE, out=tmp_path / "v", dry_run=True)
    assert made.kept
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing_that_counts(tmp_path, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", interrupted)
    with pytest.raises(KeyboardInterrupt):
        curate(everyday(2, 20), out=tmp_path / "v")
    assert not (tmp_path / "v").exists()
    monkeypatch.undo()
    assert curate(everyday(2, 20), out=tmp_path / "v").reused is False
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_several_sources_are_numbered_on(tmp_path):
    a, b = tmp_path / "a.json", tmp_path / "b.jsonl"
    a.write_text(json.dumps([{"instruction": "x", "output": "1"}, {"instruction": "", "output": "1"}]))
    b.write_text(json.dumps({"instruction": "y", "output": "1", "topic": "t"}) + "\n" + json.dumps({"instruction": "x", "output": "1"}))
    made = curate([a, b], {"steps": ["exact_duplicates"]})
    assert made.frame["position"].to_list() == [0, 2]
    assert made.removed["position"].to_list() == [3]
    assert made.rejects["position"].to_list() == [1]
    assert made.frame["topic"].to_list() == [None, "t"]
    assert made.rows_in == 4


def test_versions_as_sources_keep_their_positions(tmp_path):
    curate(everyday(2), RECIPE, out=tmp_path / "v")
    kept = Version.open(tmp_path / "v").frame
    assert curate(tmp_path / "v", {"steps": ["exact_duplicates"]}).frame["position"].equals(kept["position"])
    two = curate([tmp_path / "v", tmp_path / "v"], {"steps": ["exact_duplicates"]})
    assert two.kept == kept.height
    assert two.rows_in == 2 * kept.height


def test_sources_and_rules_of_the_recipe(tmp_path):
    (tmp_path / "rows.json").write_text(
        json.dumps([{"q": "a", "output": "x", "topic": "t"}, {"q": "b", "output": "x"}, {"q": "c" * 90, "output": "x", "topic": "t"}])
    )
    (tmp_path / "r.yaml").write_text(
        "sources: [{name: mine, path: rows.json, weight: 0.5, map: {q: instruction}}]\n"
        "schema: {required: [topic], max_characters: 80}\nsteps: []\n"
    )
    made = curate(None, tmp_path / "r.yaml")
    assert made.frame.select("instruction", "weight").rows() == [("a", 0.5)]
    assert made.rejects.select("position", "field", "code").rows() == [(1, "topic", "missing_field"), (2, "instruction", "too_long")]
    assert json.loads(made.rejects["raw"][0])["instruction"] == "b"
    assert (made.rows_in, made.kept, made.rejected) == (3, 1, 2)
    assert made.ledger.select("step", "rule", "action").rows() == [("read", "missing_field", "reject"), ("read", "too_long", "reject")]


def test_rules_of_values_and_of_turns():
    talk = [{"role": "user", "content": "a" * 30}, {"role": "assistant", "content": "b"}]
    rows = [
        {"instruction": "a", "output": "x", "language": "en", "stars": 1, "checked": True},
        {"instruction": "b", "output": "x", "language": "de", "stars": 2, "checked": False},
        {"instruction": "c", "output": "x", "stars": 5, "checked": True},
    ]
    made = curate(rows, {"schema": {"allowed": {"language": ["en", "fr"], "stars": [1, 2.0, 3], "checked": [True]}}, "steps": []})
    assert made.frame["instruction"].to_list() == ["a"]
    assert made.rejects.select("position", "field", "code", "found", "expected").rows() == [
        (1, "language", "not_allowed", "de", "one of en, fr"),
        (1, "checked", "not_allowed", "false", "one of true"),
        (2, "stars", "not_allowed", "5", "one of 1, 2.0, 3"),
    ]
    long = curate([{"messages": talk}, {"messages": [{"role": "user", "content": "a"}, talk[1]]}], {"schema": {"max_characters": 20}})
    assert long.rejects.select("position", "field", "found").rows() == [
        (0, "instruction", "30 characters"),
        (0, "messages", "30 characters"),
    ]
    with pytest.raises(OptionError, match='no source has a column "lang"; did you mean "language"'):
        curate(rows, {"schema": {"allowed": {"lang": ["en"]}}})
    with pytest.raises(OptionError, match="schema, allowed"):
        curate(rows, {"schema": {"allowed": {"origin": ["x"]}}})


def test_a_required_column_that_no_source_has():
    with pytest.raises(OptionError, match='no source has a column "topc"; did you mean "topic"'):
        curate([{"instruction": "a", "output": "x", "topic": "t"}], {"schema": {"required": ["topc"]}})


def test_nothing_to_curate():
    with pytest.raises(OptionError, match="expected a source of rows"):
        curate()


def test_all_rows_rejected_and_no_rows_at_all():
    with pytest.raises(InputError, match=r'record 0, line 1, field "instruction": expected a prompt.*1 rejected'):
        curate([{"instruction": "", "output": "x"}])
    made = curate([{"instruction": "", "output": "x"}, {"instruction": "a", "output": ""}])
    assert (made.rows_in, made.kept, made.dropped, made.rejected) == (2, 0, 1, 1)
    again = curate(made.frame, RECIPE)
    assert (again.rows_in, again.kept) == (0, 0)


def test_it_shows_itself_and_data_is_not_markup():
    made = curate([{"instruction": "a", "output": "x"}], {"steps": [{"fix": {"name": "f"}}]})
    assert "<td>f</td>" in made._repr_html_()
    assert made.summary["kept"] == made.kept == 1


def test_format_and_mapping_are_those_of_the_sources_given(tmp_path):
    rows = [{"asked": "Say hi", "instruction": None, "text": "x", "output": "hi"}]
    assert curate(rows, {"steps": []}, format="text").frame["kind"].to_list() == ["text"]
    rows = [{"asked": "Say hi", "answered": "hi"}]
    made = curate([rows, rows], {"steps": []}, mapping={"asked": "instruction", "answered": "output"})
    assert made.frame["instruction"].to_list() == ["Say hi"] * 2
