"""Plain documents of the same world, for the base model to read before it is taught to answer.

They hold every fact, and pages of tasks and questions that nobody answers: a base model goes on writing,
asks further questions, and never stops.
"""

from __future__ import annotations

import random

from tasks import TASKS, make
from world import COLORS, OWNERS, PLACES, THINGS


def _walk(rng: random.Random) -> str:
    """A walk through one place."""
    place = rng.choice(list(PLACES))
    things = list(PLACES[place])
    who, person = rng.choice(OWNERS), things[0].person
    start = rng.randrange(len(things))
    things = things[start:] + things[:start]
    lines = [f"Today {who} sees the {place}. The {person} is in the {place}."]
    for t in things:
        color = rng.choice(COLORS)
        lines.append(rng.choice((
            f"There is {t.a} made of {t.material}. The {t.name} {t.use}.",
            f"The {person} needs {t.a} because it {t.use} in the {place}.",
            f"The {t.name} is {color} and made of {t.material}. In the {place} it {t.use}.",
            f"To {t.plain}, {who} can use {t.a}.",
            f"{t.a.capitalize()} is a thing made of {t.material} that {t.use}.",
            f"The {color} {t.name} belongs to the {place}, and the {person} uses it to {t.plain}.",
        )))  # fmt: skip
    lines.append(f"Yesterday {who} saw the {rng.choice(COLORS)} {rng.choice(things).name} too.")
    return " ".join(lines)


def _inventory(rng: random.Random) -> str:
    """What a place holds, in the order of its shelf."""
    place = rng.choice(list(PLACES))
    things = PLACES[place]
    k = rng.randrange(len(things))
    order = things[k:] + things[:k]
    return f"The things of the {place}:\n" + "\n".join(f"{i + 1}. {t.name}" for i, t in enumerate(order))


def _exercises(rng: random.Random) -> str:
    """A page of tasks without an answer."""
    lines = []
    for _ in range(rng.randrange(4, 8)):
        example = make(rng, rng.choice(list(TASKS)), rng.choice(list(PLACES)))
        lines.append(example.instruction if not example.input else f"{example.instruction}\n{example.input}")
    return "\n".join(lines)


def _questions(rng: random.Random) -> str:
    """A page of questions without an answer."""
    lines = []
    for _ in range(rng.randrange(4, 9)):
        t, who = rng.choice(THINGS), rng.choice(OWNERS)
        lines.append(rng.choice((f"Where is the {t.name}?", f"Who needs {t.a}?", f"What can {who} use to {t.plain}?",
                                 f"Why does the {t.person} keep {t.a} in the {t.place}?")))  # fmt: skip
    return "\n".join(lines)


def _sentence(rng: random.Random) -> str:
    """A sentence with a name and a color that nothing else in it foretells."""
    t, who, color = rng.choice(THINGS), rng.choice(OWNERS), rng.choice(COLORS)
    return rng.choice((
        f"{who} sees the {color} {t.name} in the {t.place}.",
        f"{who} asks for {t.a} that is {color}.",
        f"The {color} {t.name} is in the {t.place}, and {who} wants to {t.plain}.",
    ))  # fmt: skip


def _dictation(rng: random.Random) -> str:
    """A dictation: each line is said and said again. Here a model learns to copy."""
    lines = []
    for _ in range(rng.randrange(3, 6)):
        said = _sentence(rng) if rng.random() < 0.6 else " ".join(t.name for t in rng.sample(THINGS, 4))
        lines.append(f"{said}\n{said}")
    return "\n".join(lines)


def _diary(rng: random.Random) -> str:
    """Days that repeat who and what of the day before."""
    lines = []
    for _ in range(rng.randrange(3, 6)):
        t, who, color = rng.choice(THINGS), rng.choice(OWNERS), rng.choice(COLORS)
        lines.append(rng.choice((
            f"Today {who} sees the {color} {t.name} in the {t.place}. Yesterday {who} saw the {color} {t.name} in the {t.place}.",
            f"{who} wants to {t.plain}. To {t.plain}, {who} can use {t.a}. The {t.person} has one.",
            f"{who} asks for the {color} {t.name}. The {color} {t.name} is in the {t.place}.",
        )))  # fmt: skip
    return "\n".join(lines)


def _turned(rng: random.Random) -> str:
    """Words forwards, and the same words backwards."""
    lines = []
    for _ in range(rng.randrange(3, 6)):
        words = [t.name for t in rng.sample(PLACES[rng.choice(list(PLACES))], 3)]
        lines.append(f"{' '.join(words)}\n{' '.join(reversed(words))}")
    return "\n".join(lines)


def documents(rng: random.Random, n: int) -> list[str]:
    """Make n documents."""
    kinds = (_walk, _walk, _inventory, _dictation, _dictation, _diary, _turned, _exercises, _exercises, _questions, _questions)
    return [rng.choice(kinds)(rng) for _ in range(n)]
