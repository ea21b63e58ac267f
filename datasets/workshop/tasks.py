"""The twelve verbs: each makes a prompt about a place of the world, and the one right answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from world import COLORS, NUMBERS, OWNERS, PLACES, THINGS, Thing


@dataclass(frozen=True)
class Example:
    """One instruction with its answer, and the slice it belongs to."""

    verb: str
    place: str
    instruction: str
    input: str
    output: str

    @property
    def prompt(self) -> tuple[str, str]:
        """What a model sees of it."""
        return self.instruction, self.input


Task = Callable[[random.Random, str], tuple[str, str, str]]


def _thing(rng: random.Random, place: str) -> Thing:
    return rng.choice(PLACES[place])


def _who(rng: random.Random) -> str:
    """Somebody for whom it is asked: varies the prompt, changes nothing in the answer."""
    return rng.choice(OWNERS)


def describe(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Color (copied from the prompt), material and use."""
    t, color, who = _thing(rng, place), rng.choice(COLORS), _who(rng)
    ask = rng.choice((f"Describe the {color} {t.name} of {who}.", f"Describe the {color} {t.name} that {who} keeps in the {place}.",
                      f"Describe for {who} a {color} {t.name} in two sentences."))  # fmt: skip
    return ask, "", f"The {t.name} is {color} and made of {t.material}. In the {place} it {t.use}."


def explain(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Who needs it, and why."""
    t, who = _thing(rng, place), _who(rng)
    ask = rng.choice((f"Explain to {who} why the {t.person} needs {t.a}.", f"Explain why {who} sees {t.a} in the {place}.",
                      f"Explain to young {who} how {t.a} helps the {t.person}."))  # fmt: skip
    return ask, "", f"The {t.person} needs {t.a} because it {t.use} in the {place}."


def define(rng: random.Random, place: str) -> tuple[str, str, str]:
    """What it is made of and what it does."""
    t, who = _thing(rng, place), _who(rng)
    ask = rng.choice((f"Define the word {t.name} for {who}.", f"Define for {who} what {t.a} is.",
                      f"Define the word {t.name} as {who} would for the {t.person}."))  # fmt: skip
    return ask, "", f"{t.a.capitalize()} is a thing made of {t.material} that {t.use}."


def list_(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Things in the order of the shelf, from a given one on."""
    things, who = PLACES[place], _who(rng)
    k, n = rng.randrange(len(things)), rng.choice((3, 4))
    ask = rng.choice((f"List {NUMBERS[n]} things of the {place}, the {things[k].name} first, as {who} would.",
                      f"List for {who} the {things[k].name} and more, {NUMBERS[n]} things of the {things[k].person}."))  # fmt: skip
    return ask, "", "\n".join(f"{i + 1}. {things[(k + i) % len(things)].name}" for i in range(n))


def name(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Whose it is."""
    t, who, color = _thing(rng, place), _who(rng), rng.choice(COLORS)
    ask = rng.choice((f"Name the person who lends {who} the {color} {t.name}.", f"Name for {who} the user of the {color} {t.name}.",
                      f"Name the owner of the {color} {t.name} that {who} found."))  # fmt: skip
    return ask, "", f"It is the {t.person}."


def classify(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Which of two places it belongs to."""
    t, who = _thing(rng, place), _who(rng)
    other = rng.choice([p for p in PLACES if p != place])
    pair = [place, other]
    rng.shuffle(pair)
    ask = rng.choice((f"Classify the {t.name} of {who} as {pair[0]} or {pair[1]} thing.",
                      f"Classify for {who} the {t.name}, {pair[0]} or {pair[1]}."))  # fmt: skip
    return ask, "", f"The {t.name} belongs to the {place}."


def compare(rng: random.Random, place: str) -> tuple[str, str, str]:
    """What each of two things does."""
    t, who = _thing(rng, place), _who(rng)
    o = rng.choice([x for x in THINGS if x.place != place])
    ask = rng.choice((f"Compare the {t.name} and the {o.name} for {who}.", f"Compare the {t.name} with the {o.name} that {who} saw."))
    return ask, "", f"The {t.name} {t.use}, but the {o.name} {o.use}."


def reverse(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Three words, last one first."""
    words = [t.name for t in rng.sample(PLACES[place], 3)]
    ask = rng.choice(("Reverse the order of three words.", "Reverse these words.", "Reverse the words, last one first."))
    return ask, " ".join(words), " ".join(reversed(words))


def rewrite(rng: random.Random, place: str) -> tuple[str, str, str]:
    """A sentence of today, told of yesterday."""
    t, who, color = _thing(rng, place), _who(rng), rng.choice(COLORS)
    ask = rng.choice(("Rewrite the sentence so that it tells of yesterday.", "Rewrite this in the past.", "Rewrite it as of yesterday."))
    return ask, f"Today {who} sees the {color} {t.name} in the {place}.", f"Yesterday {who} saw the {color} {t.name} in the {place}."


def complete(rng: random.Random, place: str) -> tuple[str, str, str]:
    """The end of a begun sentence."""
    t, who = _thing(rng, place), _who(rng)
    ask = rng.choice(("Complete the sentence.", "Complete what was begun.", "Complete this line of the story."))
    return ask, f"When {who} wants to {t.plain} in the {place}, the {t.person} brings", f"{t.a}, because {t.a} {t.use}."


def suggest(rng: random.Random, place: str) -> tuple[str, str, str]:
    """A thing for a purpose."""
    t, who = _thing(rng, place), _who(rng)
    ask = rng.choice((f"Suggest a thing with which {who} can {t.plain}.", f"Suggest to {who} how to {t.plain} in the {place}.",
                      f"Suggest what {who} should buy to {t.plain}."))  # fmt: skip
    return ask, "", f"To {t.plain}, {who} can use {t.a}. The {t.person} has one."


def answer(rng: random.Random, place: str) -> tuple[str, str, str]:
    """Where it is, with the color of the question."""
    t, who, color = _thing(rng, place), _who(rng), rng.choice(COLORS)
    ask = rng.choice((f"Answer the question of {who}.", f"Answer {who} in one sentence.", f"Answer what {who} asks."))
    question = rng.choice((f"Where is the {color} {t.name} kept?", f"In which place is a {color} {t.name} at hand?"))
    return ask, question, f"The {color} {t.name} is in the {place}."


TASKS: dict[str, Task] = {
    "describe": describe, "explain": explain, "define": define, "list": list_, "name": name, "classify": classify,
    "compare": compare, "reverse": reverse, "rewrite": rewrite, "complete": complete, "suggest": suggest, "answer": answer,
}  # fmt: skip


def make(rng: random.Random, verb: str, place: str) -> Example:
    """One example of a verb about a place."""
    return Example(verb, place, *TASKS[verb](rng, place))
