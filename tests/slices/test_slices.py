"""Slice columns and the profile."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import tiny
from detection.chats import chat, message
from detection.planting import clean, planted
from tunesmith.cli import main
from tunesmith.detection import languages
from tunesmith.errors import OptionError
from tunesmith.slices import columns, profile
from tunesmith.slices.clusters import OTHER as NO_CLUSTER
from tunesmith.slices.clusters import clusters
from tunesmith.slices.profiling import boilerplate, quantiles
from tunesmith.slices.scripts import scripts
from tunesmith.slices.slicing import LENGTHS, WORD, bucket
from tunesmith.slices.verbs import OTHER, QUESTION, VERBS, objects, verbs

INSTRUCTIONS = {
    "Write a poem about rain.": "write",
    "Please kindly list three rivers": "list",
    "Could you please summarise the text?": "summarize",
    "I would like you to translate this.": "translate",
    "Your task is to classify the fruit.": "classify",
    "You are given two numbers. Add them.": "add",
    "Given a list of numbers, sort it.": "sort",
    "In this task, you are given a text, and you need to rewrite it.": "rewrite",
    "Briefly explain the tide.": "explain",
    "Simply multiply the numbers.": "multiply",
    "Apply the rule.": "apply",
    "Hello, generate a name": "generate",
    "Re-write the note.": "rewrite",
    "What is the capital of Peru?": QUESTION,
    "Is this a fact": QUESTION,
    "The sea is blue.": OTHER,
    "": OTHER,
    "Schreiben Sie einen Satz.": OTHER,
    "LIST THEM": "list",
    "Listing is fun": OTHER,
}


@pytest.mark.parametrize(("instruction", "verb"), INSTRUCTIONS.items())
def test_a_verb(instruction: str, verb: str) -> None:
    assert verbs(pl.Series([instruction])).to_list() == [verb]


OBJECTS = {
    "Write a poem about rain.": "poem",
    "Please kindly list three rivers": "river",
    "Could you please summarise the following text?": "text",
    "Your task is to classify the sour fruit by its taste.": "fruit",
    "Given a list of numbers, find the two largest numbers.": "number",
    "Name the countries that border it": "country",
    "Pick out the boxes": "box",
    "Tell me the latest news": "news",
    "Discuss the crisis": "crisis",
    "Compose a three-act play, please": "play",
    "Explain why it rains.": None,
    "Give me five": None,
    "Come up with a plan": None,
    "What is the capital of Peru?": None,
    "The sea is blue.": None,
    "": None,
}


@pytest.mark.parametrize(("instruction", "thing"), OBJECTS.items())
def test_an_object(instruction: str, thing: str | None) -> None:
    assert objects(pl.Series([instruction])).to_list() == [thing]


def test_scripts_are_those_of_most_letters() -> None:
    texts = ["A cat", "你好，世界 ok", "Гавань b", "42 + 1", "", None, "naïve café", "가나다 ab"]
    assert scripts(pl.Series(texts)).to_list() == ["latin", "han", "cyrillic", "none", "none", "none", "latin", "hangul"]
    assert scripts(pl.Series([], dtype=pl.String)).to_list() == []


def test_clusters_find_the_topics_that_were_made() -> None:
    worlds = {"sea": "harbour boat anchor sail wave", "oven": "bread flour dough oven crust", "港": "港口 帆船 海浪 灯塔 水手"}
    texts, made = [], []
    for k in range(60):
        name = list(worlds)[k % 3]
        words = worlds[name].split()
        texts.append(f"Describe the {words[k % 5]} and the {words[(k // 3) % 5]} and the {words[(k + 2) % 5]}.")
        made.append(name)
    found = clusters(pl.Series([*texts, "???", None]), topics=3)
    assert found[60:].to_list() == [NO_CLUSTER, NO_CLUSTER]
    pairs = set(zip(found[:60].to_list(), made, strict=True))
    assert len(pairs) == 3, "one cluster a world, named by its words"
    assert all(any(word in worlds[name] for word in cluster.split(", ")) for cluster, name in pairs)
    assert clusters(pl.Series([*texts, "???", None]), topics=3).to_list() == found.to_list(), "the same every time"
    assert clusters(pl.Series(texts), topics=500).n_unique() <= 60
    assert clusters(pl.Series([], dtype=pl.String)).to_list() == []


def test_the_lexicon_names_itself() -> None:
    named = verbs(pl.Series([f"{verb.capitalize()} the text now." for verb in VERBS])).to_list()
    wrong = [(verb, got) for verb, got in zip(VERBS, named, strict=True) if got not in {verb, QUESTION}]
    assert wrong == [("re-write", "rewrite")]


TEXTS = {
    "en": "The harbour is old, and nobody knows who built it.",
    "de": "Der Hafen ist alt, und niemand weiß, wer ihn gebaut hat.",
    "fr": "Le port est vieux, et personne ne sait qui l'a construit.",
    "es": "El puerto es viejo y nadie sabe quién lo construyó para los barcos.",
    "it": "Il porto è vecchio e nessuno sa chi lo ha costruito per le navi.",
    "pt": "O porto é velho e ninguém sabe quem o fez para os barcos, mas não importa.",
    "zh": "这个港口很古老，没有人知道是谁建造的。",
    "ja": "この港は古くて、誰が建てたのか分かりません。",
    "ru": "Гавань старая, и никто не знает, кто её построил.",
    "ko": "그 항구는 오래되었고 누가 지었는지 아무도 모른다.",
    "el": "Το λιμάνι είναι παλιό.",
    "unknown": "42 + 17 = 59",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items())
def test_a_language(language: str, text: str) -> None:
    assert languages(pl.Series([text])).to_list() == [language]


def test_languages_of_many_keep_their_order() -> None:
    texts = [*TEXTS.values(), None, ""] * 3
    assert languages(pl.Series(texts)).to_list() == [*TEXTS, "unknown", "unknown"] * 3
    assert languages(pl.Series([], dtype=pl.String)).to_list() == []


def test_buckets_meet_at_their_edges() -> None:
    words = pl.DataFrame({"n": [0, 1, 10, 11, 50, 51, 150, 151, 400, 401]})
    assert words.select(bucket(pl.col("n"))).to_series().to_list() == [
        "0", "1-10", "1-10", "11-50", "11-50", "51-150", "51-150", "151-400", "151-400", "over 400",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"), [("It's so: a-b, 3.5!", 6), ("你好世界", 4), ("Excel 表格", 3), ("", 0), ("... --", 0), ("naïve café", 2)]
)
def test_words(text: str, words: int) -> None:
    assert pl.Series([text]).str.count_matches(WORD).to_list() == [words]


def test_columns_of_rows_and_conversations() -> None:
    rows = chat([message("user", "a"), message("assistant", "b"), message("user", "c"), message("assistant", "d")])
    made = columns(rows.with_columns(topic=pl.lit("harbours")))
    assert made.columns == ["position", "verb", "topic", "length", "language", "turns"]
    assert made.row(0)[2:] == ("harbours", "1-10", "unknown", 2)
    assert "topic" not in columns(rows).columns
    assert columns(rows.clear()).height == 0


def test_quantiles_are_nearest_ranks() -> None:
    spread = quantiles(pl.Series(range(101)))
    assert spread == {"min": 0, "p1": 1, "p10": 10, "p50": 50, "p90": 90, "p99": 99, "max": 100}
    assert quantiles(pl.Series([], dtype=pl.UInt32)) == {}


def rows() -> list[dict[str, str]]:
    nouns = ["apple", "boat", "cart", "drum", "elm", "fork", "gate", "horn", "iron", "jar"]
    made = [
        {"instruction": f"Describe the {a} and {b} of number {k}.", "input": "", "output": f"Well then, here is what you want: {a} {b}"}
        for k, (a, b) in enumerate((a, b) for a in nouns for b in nouns)
    ]
    return [*made, made[0], {"instruction": "What is a jar?", "input": "", "output": ""}]


def test_a_profile_counts() -> None:
    result = profile(rows()).result
    assert (result["rows"], result["valid"], result["rejected"]) == (102, 102, 0)
    assert result["verbs"] == {"describe": 101, QUESTION: 1}
    assert sum(result["length"].values()) == 102
    assert set(result["length"]) <= set(LENGTHS)
    assert result["duplicates"]["exact"] == 1
    assert result["duplicates"]["near"] >= 1
    assert result["findings"] == {"output_empty": 1}
    assert [(each["field"], each["text"], each["rows"]) for each in result["boilerplate"]] == [
        ("response", "Well then, here is what you", 101)
    ]


def test_boilerplate_finds_system_prompts() -> None:
    frame = pl.DataFrame({"system": ["Be kind."] * 9 + [None], "instruction": ["a"] * 10, "output": ["b"] * 10})
    assert boilerplate(frame) == [{"field": "system", "text": "Be kind.", "rows": 9, "share": 0.9}]


def test_a_profile_counts_tokens_scripts_objects_and_signals(tmp_path: Path) -> None:
    tiny.tokenizer().save_pretrained(tmp_path)
    made = profile(rows(), tokenizer=str(tmp_path), topics=4)
    result = made.result
    assert result["lengths"]["response"]["tokens"]["max"] > 0
    assert made.lengths.columns == ["position", "prompt", "response", "prompt_tokens", "response_tokens"]
    assert result["scripts"] == {"latin": 102}
    assert set(result["objects"]) == {"describe apple", "describe boat", "describe cart"} or sum(result["objects"].values()) == 101
    assert 1 <= len(result["clusters"]) <= 5
    assert sum(result["clusters"].values()) == 102
    assert result["signals"]["distinct_2"]["p50"] == 1.0
    assert "tokens" not in profile(rows()).result["lengths"]["prompt"]
    with pytest.raises(OptionError, match="topics: found 0"):
        profile(rows(), topics=0)


@pytest.mark.parametrize("size", [25, 64])
def test_pieces_change_no_profile(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        *clean(60),
        *planted("merged_rows", 4),
        *planted("output_empty", 3),
        {"instruction": "写一首诗", "input": "", "output": "春眠不觉晓"},
    ]
    whole = profile(rows)
    monkeypatch.setattr("tunesmith.rows.pieces.SIZE", size)
    cut = profile(rows)
    assert cut.result == whole.result
    assert (cut.slices.equals(whole.slices), cut.findings.equals(whole.findings), cut.lengths.equals(whole.lengths)) == (True, True, True)


def test_shared_openings_do_not_make_prompts_alike() -> None:
    opening = "Answer the question that follows in one plain English sentence:"
    texts = [{"instruction": f"{opening} {word}?", "output": word} for word in ("why", "where", "who", "when", "whence", "whither")]
    result = profile(texts).result
    assert [each["field"] for each in result["boilerplate"]] == ["instruction"]
    assert result["duplicates"]["near"] == 0


def test_an_empty_source_has_a_profile() -> None:
    result = profile(pl.DataFrame(rows()).clear()).result
    assert (result["rows"], result["verbs"], result["duplicates"]["exact"]) == (0, {}, 0)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows())))
    made = CliRunner().invoke(main, ["profile", str(path), "--json"])
    assert made.exit_code == 0
    assert json.loads(made.stdout)["findings"] == {"output_empty": 1}
    shown = CliRunner().invoke(main, ["profile", str(path)]).stdout
    assert all(title in shown for title in ("Lengths", "Verbs", "Languages", "Findings", "Shared by over 1% of rows", "describe"))
