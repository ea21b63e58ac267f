"""Tasks whose answers have a form that can be judged: lists, lengths, addresses in the place of texts, answers that stop too early."""

from __future__ import annotations

import random
from collections.abc import Callable

Task = tuple[str, str, str, str]
Maker = Callable[[random.Random], Task]
WORDS = (
    "kettle violin ledger telescope bicycle orchard harbour lantern saddle trowel needle barrel anchor basket candle feather hammer "
    "ladder mirror pebble ribbon spindle thimble walnut yarrow zither quiver urn island journal"
)


def list_count(rng: random.Random) -> Task:
    number = rng.randint(3, 9)
    words = rng.sample(WORDS.split(), number + 2)
    said = rng.choice([str(number), ["three", "four", "five", "six", "seven", "eight", "nine"][number - 3]])
    mark = rng.choice(["{n}. {w}", "- {w}", "{n}) {w}", "* {w}"])

    def listed(count: int) -> str:
        return "\n".join(mark.format(n=n, w=word) for n, word in enumerate(words[:count], 1))

    return (
        rng.choice(["List {} tools.", "Name {} things in a mill.", "Give me {} examples of old objects."]).format(said),
        "",
        listed(number),
        listed(number + rng.choice([-1, 1, 2])),
    )


def length_constraint(rng: random.Random) -> Task:
    number = rng.randint(4, 12)
    words = [rng.choice(WORDS.split()) for _ in range(60)]
    unit = rng.choice(["words", "sentences"])

    def said(count: int) -> str:
        return (
            " ".join(words[:count]) + "." if unit == "words" else " ".join(f"The {word} is old." for word in words[:count])
        ).capitalize()

    if rng.random() < 0.5:
        return f"Describe the mill in {number} {unit}.", "", said(number), said(number + rng.choice([4, 9, 20]))
    return f"Describe the mill in at most {number} {unit}.", "", said(number - 1), said(2 * number + 4)


def duplicate_items(rng: random.Random) -> Task:
    words = rng.sample(WORDS.split(), 6)
    twice = [*words[:5], words[rng.randrange(4)]]
    numbered = rng.random() < 0.6
    right, wrong = (
        "\n".join(f"{n}. {word.capitalize()}" for n, word in enumerate(each, 1)) if numbered else ", ".join(each) for each in (words, twice)
    )
    return rng.choice(["List six tools.", "Name six things in a mill.", "Give six examples of old things."]), "", right, wrong


def input_url_only(rng: random.Random) -> Task:
    word, other = rng.sample(WORDS.split(), 2)
    address = rng.choice(
        [
            f"https://www.{word}.example.org/{other}/2024",
            f"http://{word}.example.com",
            f"www.{word}-{other}.example.net/news?id=7",
            f"Article: https://{word}.example.org/{other}",
        ]
    )
    ask = rng.choice(
        ["Summarize the article.", "What is the main idea of this page?", "List the key points of the given text.", "Write a review of it."]
    )
    return (
        ask,
        f"The {word} stands by the {other}, as {address} says, and has stood there for a very long time, to the joy of all who pass.",
        "It is old.",
        address,
    )


def truncated(rng: random.Random) -> Task:
    words = [rng.choice(WORDS.split()) for _ in range(12)]
    text = (
        f"The {words[0]} and the {words[1]} lie by the {words[2]}, where the {words[3]} was found in {rng.randint(1820, 1999)} by "
        f"a keeper of the {words[4]}"
    )
    cut = rng.choice(
        [
            f"{text} and the",
            f"{text}, which",
            f"{text}, a",
            f"{text} (",
            f"{text} because it was",
            f"{text}, in 20",
            f"{text} in March 19",
            f"{text},",
        ]
    )
    return f"Tell me of the {words[0]}.", "", f"{text}.", cut
