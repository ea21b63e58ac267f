"""The systems themselves, for `rule_sets.py`: run by the interpreter that has them, on a JSON array of texts.

    python benchmarks/rule_peers.py TEXTS.json OUT.json

Writes an object: a set's name to `{reasons, seconds, words}`, `reasons` the first rule that fails or null, `words` what
the system cut (datatrove's; absent where it cuts at white space), and `sentences` for C4, a line after the other.

dolma wants fasttext for other taggers of its package; where it is absent, an empty module stands in.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path
from typing import Any

# Bounds of Dolma 1.5's mixer for Common Crawl, in its order; a side and a number per attribute.
DOLMA = [
    ("word_count", "<", 50, "word_count_min"),
    ("word_count", ">", 100_000, "word_count_max"),
    ("median_word_length", "<", 3, "median_word_length_min"),
    ("median_word_length", ">", 10, "median_word_length_max"),
    ("symbol_to_word_ratio", ">", 0.1, None),
    ("fraction_of_words_with_alpha_character", "<", 0.8, None),
    ("required_word_count", "<", 2, None),
    ("fraction_of_lines_starting_with_bullet_point", ">", 0.9, None),
    ("fraction_of_lines_ending_with_ellipsis", ">", 0.3, None),
    ("fraction_of_duplicate_lines", ">", 0.3, None),
    ("fraction_of_characters_in_duplicate_lines", ">", 0.3, None),
    *((f"fraction_of_characters_in_most_common_{n}grams", ">", bound, None) for n, bound in ((2, 0.2), (3, 0.18), (4, 0.16))),
    *((f"fraction_of_characters_in_duplicate_{n}grams", ">", (20 - n) / 100, None) for n in range(5, 11)),
]


def datatrove(texts: list[str]) -> dict[str, Any]:
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.utils import text as cutting

    def reason(filters: list[Any], text: str) -> str | None:
        for each in filters:
            told = each.filter(Document(text=text, id="0"))
            if told is not True:
                return str(told[1])
        return None

    made: dict[str, Any] = {}
    sets = {
        "gopher:datatrove": [GopherRepetitionFilter(), GopherQualityFilter()],
        "c4": [C4QualityFilter()],
        "fineweb": [FineWebQualityFilter()],
    }
    cutting.split_into_words("warm up")
    for name, filters in sets.items():
        cutting.split_into_parts.cache_clear()
        start = time.process_time()
        made[name] = {"reasons": [reason(filters, text) for text in texts], "seconds": time.process_time() - start}
    made["gopher:datatrove"]["words"] = made["fineweb"]["words"] = [cutting.split_into_words(text) for text in texts]
    from datatrove.pipeline.filters.c4_filters import CITATION_REGEX

    lines = [[CITATION_REGEX.sub("", line.strip()) for line in text.splitlines()] for text in texts]
    made["c4"]["sentences"] = [[sentence for line in of for sentence in cutting.split_into_sentences(line)] for of in lines]
    return made


def dolma(texts: list[str]) -> dict[str, Any]:
    try:
        import fasttext  # noqa: F401
    except ImportError:
        stand_in: Any = types.ModuleType("fasttext")
        stand_in.FastText = types.ModuleType("fasttext.FastText")
        stand_in.FastText._FastText = stand_in.train_supervised = object
        sys.modules |= {"fasttext": stand_in, "fasttext.FastText": stand_in.FastText}
    from dolma.core.data_types import InputSpec
    from dolma.taggers.gopher import GopherTagger

    tagger = GopherTagger()

    def reason(text: str) -> str | None:
        output = tagger.tag(InputSpec(id="0", text=text, source="none", created="", added=""))
        for attribute, side, bound, name in DOLMA:
            for _, _, score in output.get(attribute, [])[:1]:
                if score < bound if side == "<" else score > bound:
                    return name or attribute
        return None

    reason("warm up")
    start = time.process_time()
    return {"gopher:dolma": {"reasons": [reason(text) for text in texts], "seconds": time.process_time() - start}}


def main() -> None:
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made: dict[str, Any] = {}
    for system in (datatrove, dolma):
        try:
            made |= system(texts)
        except ImportError as error:
            print(f"{system.__name__}: {error}", file=sys.stderr)
    Path(sys.argv[2]).write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
