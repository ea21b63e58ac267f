"""A spaCy pipeline made here: a real tagger, parser and lemmatizer, trained on made-up sentences in a few seconds."""

import random
from pathlib import Path
from typing import Any

import spacy
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

VERBS = ("write", "list", "name", "describe", "explain", "give")
NOUNS = {"story": "story", "rivers": "river", "poem": "poem", "ideas": "idea", "planets": "planet", "cities": "city"}
ADJECTIVES = ("short", "long", "famous", "new")


def document(vocab: Any, words: str, parts: str, heads: list[int], relations: str, lemmas: str) -> Doc:
    """A parsed sentence; heads are places of words."""
    return Doc(vocab, words=words.split(), pos=parts.split(), heads=heads, deps=relations.split(), lemmas=lemmas.split())


def sentences(vocab: Any) -> list[Doc]:
    """Requests, polite requests and questions."""
    made = []
    for verb in VERBS:
        for place, (noun, lemma) in enumerate(NOUNS.items()):
            quality = ADJECTIVES[place % len(ADJECTIVES)]
            made += [
                document(
                    vocab, f"{verb.title()} a {quality} {noun} about rain .", "VERB DET ADJ NOUN ADP NOUN PUNCT",
                    [0, 3, 3, 0, 3, 4, 0], "ROOT det amod dobj prep pobj punct", f"{verb} a {quality} {lemma} about rain .",
                ),
                document(
                    vocab, f"Can you {verb} a {noun} ?", "AUX PRON VERB DET NOUN PUNCT",
                    [2, 2, 2, 4, 2, 2], "aux nsubj ROOT det dobj punct", f"can you {verb} a {lemma} ?",
                ),
                document(
                    vocab, f"What is a {noun} ?", "PRON AUX DET NOUN PUNCT",
                    [1, 1, 3, 1, 1], "attr ROOT det nsubj punct", f"what be a {lemma} ?",
                ),
            ]  # fmt: skip
    return made


def make_pipeline(folder: Path) -> Path:
    """Train a pipeline and write it to a folder."""
    fix_random_seed(0)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("morphologizer")
    pipeline.add_pipe("parser")
    pipeline.add_pipe("trainable_lemmatizer", config={"min_tree_freq": 1})
    examples = [Example(Doc(pipeline.vocab, words=[word.text for word in parsed]), parsed) for parsed in sentences(pipeline.vocab)]
    pipeline.initialize(lambda: examples)
    for epoch in range(6):
        random.Random(epoch).shuffle(examples)
        for start in range(0, len(examples), 16):
            pipeline.update(examples[start : start + 16])
    pipeline.to_disk(folder)
    return folder
