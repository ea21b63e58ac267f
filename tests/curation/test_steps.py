"""Each step on rows made for it, through `curate`."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tunesmith.curation import curate
from tunesmith.curation.alternatives import NeedsRunError, what_if
from tunesmith.curation.recipe import load_recipe
from tunesmith.curation.steps.filter import check_row_wise
from tunesmith.errors import OptionError


def rows(*pairs: tuple[str, str], **columns: list) -> list[dict]:
    made = [{"instruction": prompt, "output": answer} for prompt, answer in pairs]
    return [{**row, **{name: values[k] for name, values in columns.items()}} for k, row in enumerate(made)]


def steps(*listed: dict | str) -> dict:
    return {"steps": list(listed)}


def fired(made, step: str | None = None) -> list[tuple]:
    book = made.ledger if step is None else made.ledger.filter(step=step)
    return book.select("position", "rule", "action").rows()


class TestFilter:
    def test_words_characters_and_bounds_are_inclusive(self):
        data = rows(("Count", "one"), ("Count", "one two"), ("Count", "one two three"))
        made = curate(data, steps({"filter": {"words": {"min": 2, "max": 2}}}))
        assert fired(made) == [(0, "words.min", "drop"), (2, "words.max", "drop")]
        assert made.ledger.select("value", "threshold", "field").rows() == [(1, 2, "response"), (3, 2, "response")]
        assert made.values["filter.words"].to_list() == [1, 2, 3]
        assert curate(data, steps({"filter": {"characters": {"max": 7}}})).kept == 2

    def test_characters_of_scripts_without_spaces_are_words(self):
        assert curate(rows(("Say", "你好世界")), steps({"filter": {"words": {"min": 4}}})).kept == 1

    def test_of_names_another_text(self):
        made = curate(rows(("One two three", "x"), ("One", "x")), steps({"filter": {"words": {"min": 2, "of": "prompt"}}}))
        assert made.frame["position"].to_list() == [0]

    def test_an_absent_answer_has_no_words(self):
        assert fired(curate(rows(("Say", "")), steps({"filter": {"words": {"min": 1}}}))) == [(0, "words.min", "drop")]

    def test_tokens(self, tmp_path):
        model = {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "?": 2}, "unk_token": "?"}
        empty = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
        (tmp_path / "tok").mkdir()
        (tmp_path / "tok" / "tokenizer.json").write_text(
            json.dumps({"version": "1.0", **empty, "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": model})
        )
        (tmp_path / "r.yaml").write_text("steps:\n  - filter: {tokens: {tokenizer: tok, max: 3}}\n")
        made = curate(rows(("Say", "a b"), ("Say", "a, b?")), tmp_path / "r.yaml")
        assert made.values["filter.tokens"].to_list() == [2, 4]
        assert fired(made) == [(1, "tokens.max", "drop")]

    def test_where_is_sql_and_null_is_not_true(self):
        data = rows(("a", "x"), ("b", "x"), ("c", "x"), topic=["spam", "tea", None])
        made = curate(data, steps({"filter": {"name": "mine", "where": "topic <> 'spam'"}}))
        assert fired(made) == [(0, "where", "drop"), (2, "where", "drop")]
        assert made.ledger["evidence"].to_list() == ["topic <> 'spam'"] * 2
        assert made.values["mine.where"].to_list() == [False, True, None]

    @pytest.mark.parametrize(
        "where", ["topic IN ('a', 'b')", "length(output) > 3 AND topic LIKE 'a.sum(%'", "upper(topic) = 'A' OR n > 2", "n + 1 > 2"]
    )
    def test_conditions_on_a_row_are_taken(self, where):
        check_row_wise(where, pl.Schema({"output": pl.String, "topic": pl.String, "n": pl.Int64}))

    @pytest.mark.parametrize(
        ("where", "message"),
        [
            ("avg(n) > 3", "looks at other rows"),
            ("row_number() OVER (ORDER BY n) > 3", "looks at other rows"),
            ("lag(n) OVER (ORDER BY n) > 3", "looks at other rows"),
            ("count(*) > 3", "looks at other rows"),
            ("n IN (SELECT n FROM rows)", "found a query"),
            ("n", "found a value of type"),
            ("nosuch = 1", "expected a Polars SQL expression over"),
            ("n >", "expected a Polars SQL expression over"),
        ],
    )
    def test_others_are_refused(self, where, message):
        with pytest.raises(OptionError, match=message):
            check_row_wise(where, pl.Schema({"output": pl.String, "n": pl.Int64}))

    def test_an_unknown_text_is_told(self):
        with pytest.raises(OptionError, match='did you mean "response"'):
            curate(rows(("a", "b")), steps({"filter": {"words": {"min": 1, "of": "respons"}}}))

    def test_rules_of_the_web_under_their_names(self):
        data = rows(("a", "The cat sat. " * 20), ("b", "Short."), ("c", ""), ("d", "one { two three."))
        made = curate(data, steps({"filter": {"name": "web", "rules": "gopher:dolma"}}))
        assert (1, "rules.bounds.word_count_min", "drop") in fired(made)
        assert made.values["web.rules.word_count"].to_list() == [60, 1, 0, 4]
        dropped = made.ledger.filter(rule="rules.bounds.word_count_min").row(0, named=True)
        assert (dropped["field"], dropped["value"], dropped["threshold"]) == ("response", 1, 50)
        fewer = {"set": "c4", "bounds": {"too_few_sentences": 0}}
        assert fired(curate(data, steps({"filter": {"rules": fewer}}))) == [(3, "rules.bounds.curly_bracket", "drop")]
        assert curate(data, steps({"filter": {"rules": {**fewer, "skip": ["curly_bracket"]}}})).kept == 4
        assert curate(data, steps({"filter": {"rules": {**fewer, "of": "prompt"}}})).kept == 4

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ("gopher", "gopher:datatrove"),
            ({"set": "c4", "bounds": {"few_sentences": 1}}, 'did you mean "too_few_sentences"'),
            ({"set": "c4", "skip": ["nosuch"]}, "rules.skip"),
            ({"set": "c4", "of": "respons"}, 'did you mean "response"'),
        ],
    )
    def test_unknown_rules_are_told(self, options, message):
        with pytest.raises(OptionError, match=message):
            curate(rows(("a", "b")), steps({"filter": {"rules": options}}))


class TestFix:
    def test_a_fix_is_an_edit_with_both_ids(self):
        made = curate([{"instruction": "Sing", "input": "N/A", "output": "La"}], steps("fix"))
        entry = made.ledger.row(0, named=True)
        assert (entry["rule"], entry["action"], entry["field"], entry["evidence"]) == ("input_placeholder", "edit", "input", "N/A")
        assert entry["row_id"] == made.removed["row_id"][0]
        assert entry["new_id"] == made.frame["row_id"][0] != entry["row_id"]
        assert (made.removed["input"][0], made.frame["input"][0]) == ("N/A", "")

    def test_a_mark_that_was_left_over_is_cut_and_the_text_as_it_was_is_kept(self):
        made = curate([{"instruction": "Tell of the mill", "output": "It is old.\n##"}], steps("fix"))
        assert made.ledger.select("rule", "action", "field", "evidence").rows() == [("template_leak", "edit", "response", "It is old.\n##")]
        assert (made.removed["output"].to_list(), made.frame["output"].to_list()) == (["It is old.\n##"], ["It is old."])

    def test_turns_of_a_conversation_are_fixed_and_mirrored(self):
        turns = [("user", "Hi"), ("assistant", "one &lt; two"), ("user", "And?"), ("assistant", "3 &gt; 2")]
        data = [
            {"messages": [{"role": role, "content": text} for role, text in turns]},
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        ]
        made = curate(data, steps({"fix": {"only": ["html_entity"]}}))
        assert [turn["content"] for turn in made.frame["messages"][0]] == ["Hi", "one < two", "And?", "3 > 2"]
        assert made.frame["output"].to_list() == ["3 > 2", "b"]
        assert made.frame["instruction"].to_list() == ["And?", "a"]
        assert made.removed["messages"][0][1]["content"] == "one &lt; two"
        assert made.edited == 1

    def test_later_steps_see_the_edit(self):
        data = [{"instruction": "Sing", "input": "n/a", "output": "La"}, {"instruction": "Sing", "input": "", "output": "La"}]
        assert curate(data, steps("exact_duplicates")).kept == 2
        made = curate(data, steps("fix", "exact_duplicates"))
        assert made.frame["position"].to_list() == [0]
        assert made.ledger.filter(action="drop")["row_id"][0] == made.frame["row_id"][0]

    def test_a_dropped_row_is_fixed_too_and_both_texts_are_kept(self):
        made = curate([{"instruction": "Sing", "input": "n/a", "output": "La"}], steps({"filter": {"words": {"min": 5}}}, "fix"))
        assert made.removed["input"].to_list() == ["n/a", ""]
        assert fired(made) == [(0, "words.min", "drop"), (0, "input_placeholder", "edit")]
        assert (made.kept, made.dropped, made.edited) == (0, 1, 0)

    def test_two_steps_chain_their_ids(self):
        data = [{"instruction": "Sing", "input": "n/a", "output": "a &lt; b"}]
        made = curate(
            data, steps({"fix": {"name": "one", "only": ["input_placeholder"]}}, {"fix": {"name": "two", "only": ["html_entity"]}})
        )
        one, two = made.ledger.rows(named=True)
        assert one["new_id"] == two["row_id"]
        assert two["new_id"] == made.frame["row_id"][0]


class TestDetect:
    DATA = (
        ("Say hi", ""),
        ("Draw a house for me", "<img src=house.png>"),
        ("Say hi", "hi there"),
        ("Tell me", "The town lies north of the"),
    )

    def test_severities(self):
        made = curate(rows(*self.DATA), steps("detect"))
        book = dict(made.ledger.select(pl.concat_str("position", "rule", separator=" "), "action").iter_rows())
        assert book["0 output_empty"] == "drop"
        assert 2 in made.frame["position"]
        assert set(book.values()) <= {"drop", "flag"}

    def test_nothing_dropped_and_nothing_flagged(self):
        assert curate(rows(*self.DATA), steps({"detect": {"drop": "none"}})).dropped == 0
        made = curate(rows(*self.DATA), steps({"detect": {"drop": "none", "flag": "none"}}))
        assert made.ledger.is_empty()
        assert made.values["detect.output_empty.fatal"].to_list() == [1, 0, 0, 0]

    def test_skipped_detectors_are_not_measured(self):
        made = curate(rows(*self.DATA), steps({"detect": {"skip": ["output_empty"]}}))
        assert "detect.output_empty.fatal" not in made.values.columns
        only = curate(rows(*self.DATA), steps({"detect": {"only": ["output_empty"]}}))
        assert only.values.columns == ["position", "detect.output_empty.fatal"]

    def test_a_condition_of_ones_own_flags(self):
        own = {"short": "LENGTH(output) < 5", "unknown": "input = 'x'"}
        made = curate(rows(*self.DATA), steps({"detect": {"only": [], "where": own}}))
        assert made.ledger.select("position", "rule", "action", "evidence").rows() == [(0, "short", "flag", own["short"])]
        assert made.values.columns == ["position", "detect.short.review", "detect.unknown.review"]
        assert curate(rows(*self.DATA), steps({"detect": {"only": [], "where": own, "drop": "review"}})).dropped == 1

    @pytest.mark.parametrize(
        ("where", "says"),
        [
            ({"refusal": "output = ''"}, "name of a detector"),
            ({"Not this": "output = ''"}, "small letters"),
            ({"mine": "SUM(1) > 2"}, "one row"),
            ({"mine": "no_such_column = 1"}, "expected a Polars SQL expression"),
            ({"mine": "output"}, "expected a condition"),
        ],
    )
    def test_what_is_no_condition_is_refused(self, where, says):
        with pytest.raises(OptionError, match=says):
            curate(rows(*self.DATA), steps({"detect": {"where": where}}))


class TestDuplicates:
    LONG = "Please describe the old red house at the corner of the street in the town"

    def test_exact_keeps_the_first(self):
        made = curate(rows(("a", "x"), ("b", "x"), ("a", "x"), ("a", "x")), steps("exact_duplicates"))
        assert made.frame["position"].to_list() == [0, 1]
        assert made.edges.select("position", "twin_position", "similarity").rows() == [(2, 0, 1.0), (3, 0, 1.0)]
        assert made.ledger["twin_position"].to_list() == [0, 0]

    def test_fields_are_compared_apart(self):
        assert curate(rows(("a\nb", "c"), ("a", "b\nc")), steps("exact_duplicates")).kept == 2

    def test_normalized(self):
        assert curate(rows(("Say  Hi", "x"), ("say hi", "x")), steps({"exact_duplicates": {"normalize": "space"}})).kept == 1

    def test_what_a_row_teaches_beside_its_texts_is_compared(self):
        def called(name, answer, thought=None, **identity):
            call = {**identity, "type": "function", "function": {"name": name, "arguments": {"city": "Ulm"}}}
            asked = [{"role": "user", "content": "Will it rain?"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
            said = [{"role": "tool", "content": "no"}, {"role": "assistant", "content": answer, "reasoning_content": thought}]
            return {"messages": [*asked, *(said if answer else [])]}

        same = [called("rain", None, id="c1"), called("rain", None, id='c"2'), called("rain", "No."), called("rain", "No.")]
        assert curate(same, steps("exact_duplicates")).frame["position"].to_list() == [0, 2]
        other = [called("rain", None), called("sun", None), called("rain", "No."), called("sun", "No."), called("rain", "No.", "So.")]
        assert curate(other, steps("exact_duplicates")).kept == 5
        assert curate(other, steps({"exact_duplicates": {"of": "prompt"}})).kept == 1
        pairs = [{"prompt": "Sing.", "chosen": "La.", "rejected": answer} for answer in ("No.", "No.", "Why?")]
        assert curate(pairs, steps("exact_duplicates")).frame["position"].to_list() == [0, 2]

    def test_near_flags_without_dropping(self):
        data = rows((self.LONG, "x"), (self.LONG + " please", "y"))
        made = curate(data, steps({"near_duplicates": {"action": "flag"}}))
        assert (made.kept, made.flagged) == (2, 1)
        entry = made.ledger.row(0, named=True)
        assert (entry["position"], entry["twin_position"]) == (1, 0)
        assert 0.7 < entry["similarity"] < 1

    def test_pairs_are_recorded_down_to_the_floor(self):
        data = rows((self.LONG, "x"), (self.LONG + " and the green garden", "y"))
        made = curate(data, steps({"near_duplicates": {"threshold": 0.8}}))
        assert made.kept == 2
        assert made.edges["similarity"].to_list() == pytest.approx([11 / 15])

    def test_a_preset_fills_in_what_is_not_said(self):
        data = rows(("Divide 100 by 7!", "x"), ("divide: 14 by 6", "y"))
        assert curate(data, steps({"near_duplicates": {"preset": "text-dedup"}})).kept == 2
        recipe = steps({"near_duplicates": {"preset": "datatrove", "threshold": 0.9, "of": ["prompt"]}})
        assert curate(data, recipe).kept == 1
        (step,) = load_recipe(recipe).steps
        assert (step.unit, step.threshold, step.floor, step.fold_marks) == ("space", 0.9, 0.8, True)
        with pytest.raises(OptionError, match="preset: expected 'tunesmith', 'datatrove'"):
            load_recipe(steps({"near_duplicates": {"preset": "datatrov"}}))

    def test_against_a_file(self, tmp_path):
        (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(("Other", "x"), (self.LONG, "x"))))
        (tmp_path / "r.yaml").write_text("steps:\n  - near_duplicates: {name: leaked, against: test.jsonl}\n")
        data = rows((self.LONG + " please", "y"), ("Name a tree", "oak"), ("Name a tree", "oak"))
        made = curate(data, tmp_path / "r.yaml")
        assert made.frame["position"].to_list() == [1, 2]
        entry = made.ledger.row(0, named=True)
        assert (entry["rule"], entry["twin_position"]) == ("against", None)
        assert entry["evidence"].startswith("test.jsonl, row 1: Please describe")
        assert entry["value"] > 0.7

    def test_against_a_missing_file(self):
        with pytest.raises(OptionError, match=r"near_duplicates, against: .*nope\.jsonl"):
            curate(rows(("a", "b")), steps({"near_duplicates": {"against": "nope.jsonl"}}))

    def test_each_field_must_be_near(self):
        data = rows((self.LONG, "one two three four five six"), (self.LONG, "a b c d e f g"), (self.LONG, "one two three four five six"))
        made = curate(data, steps({"near_duplicates": {"of": ["prompt", "response"], "each": True}}))
        assert made.frame["position"].to_list() == [0, 1]


class TestDecontaminate:
    ITEM = "Please explain why the tall old ships sailed around the cape in the storm"

    @pytest.fixture
    def recipe(self, tmp_path):
        items = rows((self.ITEM, "Wind"), ("Name the four seasons", "x"), ("Rhyme?", "x"), ("", "unasked"))
        (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in items))

        def write(**options):
            (tmp_path / "r.yaml").write_text(json.dumps({"steps": [{"decontaminate": {"against": "test.jsonl", **options}}]}))
            return tmp_path / "r.yaml"

        return write

    DATA = (
        ("Sing a song", "la"),
        ("A riddle", f"You asked: {ITEM.lower()}?"),
        ("Please explain why the tall old ships sailed there", "no"),
        ("Now: name the four seasons!", "spring"),
        ("A rhyme? Rhyme? No", "no"),
        ("rhyme", "no"),
        ("Please explain why the tall old ships sailed around the moon", "no"),
    )

    def test_items_are_found_in_any_field_short_ones_too(self, recipe):
        made = curate(rows(*self.DATA), recipe(n=8))
        assert made.frame["position"].to_list() == [0, 4]
        assert made.values["decontaminate.share"].to_list() == [None, 1.0, 8 / 14, 1.0, None, 1.0, 10 / 14]
        entry = made.ledger.row(0, named=True)
        assert (entry["position"], entry["rule"], entry["field"], entry["threshold"]) == (1, "overlap", "response", 0.5)
        assert entry["evidence"] == f"test.jsonl, row 0: {self.ITEM}"
        assert (entry["twin_position"], entry["value"]) == (None, 1.0)

    def test_options(self, recipe):
        assert curate(rows(*self.DATA), recipe(threshold=0.7)).frame["position"].to_list() == [0, 2, 4]
        assert curate(rows(*self.DATA), recipe(action="flag")).kept == 7
        assert curate(rows(*self.DATA), recipe(of="prompt", mode="gpt3", n=10)).frame["position"].to_list() == [0, 1, 2, 3, 4, 5]
        assert curate(rows(*self.DATA), recipe(mode="tulu3")).frame["position"].to_list() == [0, 3, 4, 5]
        assert curate(rows(("Wind", "x")), recipe(item="response")).kept == 0
        assert curate(rows(*self.DATA), recipe(item=["prompt", "response"])).kept == 4

    def test_what_if_answers_the_threshold(self, recipe, tmp_path):
        curate(rows(*self.DATA), recipe(), out=tmp_path / "v")
        assert what_if(tmp_path / "v", "decontaminate.threshold=0.7").kept == 3
        assert what_if(tmp_path / "v", "decontaminate.threshold=0").kept == 2
        assert what_if(tmp_path / "v", "decontaminate.action=flag").flagged == 5
        with pytest.raises(NeedsRunError, match=r"decontaminate\.n changes what is measured"):
            what_if(tmp_path / "v", "decontaminate.n=5")

    def test_blocks_change_nothing(self, recipe, monkeypatch):
        whole = curate(rows(*self.DATA), recipe())
        monkeypatch.setattr("tunesmith.curation.steps.decontaminate._BLOCK", 2)
        parts = curate(rows(*self.DATA), recipe())
        assert parts.values.equals(whole.values)
        assert parts.ledger.equals(whole.ledger)

    def test_no_rows_and_mistakes(self, recipe):
        assert curate(rows(), recipe()).kept == 0
        with pytest.raises(OptionError, match=r"decontaminate, against: .*nope\.jsonl"):
            curate(rows(("a", "b")), steps({"decontaminate": {"against": "nope.jsonl"}}))
        with pytest.raises(OptionError, match="against"):
            curate(rows(("a", "b")), steps("decontaminate"))


class TestSelect:
    DATA = tuple((f"{verb} {k}", "x") for k in range(4) for verb in ("sort the list", "paint the wall", "boil an egg"))

    def test_a_count_and_a_share(self):
        made = curate(rows(*self.DATA), steps({"select": {"rows": 3}}))
        assert {row.split()[0] for row in made.frame["instruction"]} == {"sort", "paint", "boil"}
        assert (made.kept, made.dropped) == (3, 9)
        assert made.values["select.order"].drop_nulls().sort().to_list() == [0, 1, 2]
        assert curate(rows(*self.DATA), steps({"select": {"rows": 0.25}})).frame.equals(made.frame)

    def test_a_budget_above_the_rows_keeps_all(self):
        assert curate(rows(*self.DATA), steps({"select": {"rows": 100}})).dropped == 0

    def test_rows_that_are_gone_are_not_ordered(self):
        made = curate(rows(*self.DATA), steps({"filter": {"where": "instruction NOT LIKE 'boil%'"}}, {"select": {"rows": 4}}))
        assert not any(row.startswith("boil") for row in made.frame["instruction"])
        assert made.kept == 4
