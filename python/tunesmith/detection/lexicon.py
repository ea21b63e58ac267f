"""English words: is this one, and if not, which frequent word was meant.

The word list is that of pyspellchecker (pure Python, no dependencies, read in a tenth of a second at the first
question): 160,000 words with their counts in film subtitles and books, American spelling. What it lacks is made from
what it has: British spellings, inflections, prefixes, compounds of two frequent words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MEANT: Final = {4: 400_000, 5: 40_000, 6: 10_000}
"""Count of a word that a misspelling of so many letters may stand for: short words have many neighbours by chance."""
_MEANT_LONG: Final = 2_000
"""The same for longer ones; the list holds 1.6 billion words, and 13,000 are as frequent."""
_SLIP: Final = 20
"""How much more often letters are swapped or doubled than mistaken for others: counts that much."""
_PART: Final = 1_000
"""Count of a word that a compound may be made of."""
_SURE: Final = 7
"""Letters of a word that no chance makes out of another one by a swap: whatever word the list holds was meant."""
_LONG: Final = 6
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_ONE_LETTER: Final = (("", 1), *((letter, 0) for letter in _LETTERS))

# British to American spelling, tried one at a time.
_BRITISH: Final = tuple(
    (re.compile(british), american)
    for british, american in (
        ("our", "or"), ("is(e[drs]?|ing|ations?|able)$", r"iz\1"), ("ys(e[drs]?|ing)$", r"yz\1"), ("([tbgv]|ch)re(s?)$", r"\1er\2"),
        ("tr(ed|ing)$", r"ter\1"), ("ll(ed|ing|ers?|ous|ery)$", r"l\1"), ("ss(ed|ing)$", r"s\1"), ("tt(ed|ing)$", r"t\1"),
        ("l(s?|ment|ful|fully)$", r"ll\1"), ("logue", "log"), ("ence(s?)$", r"ense\1"), ("ctis(e[ds]?|ing)$", r"ctic\1"),
        ("gramme(s?)$", r"gram\1"), ("ae", "e"), ("(?<=[fnh])oe|^oe", "e"), ("mould", "mold"), ("grey", "gray"), ("plough", "plow"),
        ("tyre", "tire"), ("cheque", "check"), ("pt$", "ped"), ("(?<=[ae])mt$", "med"), ("nt$", "ned"), ("lt$", "led"),
        ("centre", "center"), ("metre", "meter"), ("litre", "liter"), ("fibre", "fiber"), ("sulph", "sulf"), ("ageing", "aging"),
        ("iality", "ialty"),
    )
)  # fmt: skip
_SUFFIXES: Final = """
    s:- es:- ies:y ed:-,e ing:-,e ly:-,le y:-,e er:-,e ers:-,e or:e ors:e ness:- ful:- less:- able:-,e ability:able ibility:ible
    ive:ion,e ively:ive,ion ization:ize,al,- ize:- ized:-,y izing:-,y izes:-,y ional:ion ist:-,y ish:- like:- ally:al,ic al:-,e
    ical:ic,y ity:-,e ment:- ship:- wise:- ism:-,e ic:-,y,e ological:ology ation:-,e,ate est:-,e ier:y iest:y ied:y ily:y
"""
"""Endings, each with what may stand in its place in the word that it belongs to ("-": nothing)."""
_ENDINGS: Final = tuple(
    (ending, tuple(other.strip("-") for other in others.split(",")))
    for ending, _, others in (each.partition(":") for each in _SUFFIXES.split())
)
_BEFORE: Final = """
    un re pre non anti over under mis dis out multi inter sub super semi bio eco geo micro macro mega nano neuro cyber hyper tele
    trans ultra auto photo thermo hydro electro psycho socio counter pseudo meta para poly mono proto post fore mid extra intra infra
    astro agro aero crypto de co en be exo endo omni pan radio vice chemo immuno cardio info e gastro paleo ortho
"""
_PREFIXES: Final = tuple(_BEFORE.split())
_LACKING: Final = """
    admin adware aioli alla analytics anime annum app apps args arr async avocados await barista basmati batt batts bento biryani
    bling blog blogger boho bool bot bots burpees cafe cafes cappella carb carbs cardio carpe casted chai chatbot chatbots chia choy
    coli config configs const coronavirus crema criss croc crowdfunding dashi dataset datasets def dente dict domestica draught
    draughts edamame elif elven emo emoji emojis empath enduro est etc facto fide fintech func garam gelato genomics gif gifs glamping
    glute gluten glutes hashtag hashtags hummus immersive inbox influencer influencers init int intro intros kombucha latte lattes lidar
    macaron macarons mache malware manga masala masse matcha meme memes metadata microbiome mins moult moulting mung naan neem neuro num
    numpy nums olds panini param params pneumoniae podcast podcasts pointe prima printf println priori proteomics qubit qubits quinoa quo
    ransomware redox regex repot rom royale sacre sapiens sashimi saute sauteed selfie selfies sharding shite situ skort skorts spidey
    spyware staycation str struct subarray sushi tech telos tock todo todos tofu tokenization tokenize tokenizer tokenizers trans
    tuple tuples turnt udon umami upsize vegan vegans versa vlog vlogger vlogs waggon webcam webinar webinars wifi
    perceptron perceptrons
"""
"""Words younger than the list, of kitchens, in fixed phrases, and names of programming that stand in prose."""
_NEWER: Final = frozenset(_LACKING.split())


@cache
def frequencies() -> Mapping[str, int]:
    """Read the word list: word to count."""
    from spellchecker import SpellChecker

    return dict(SpellChecker(language="en", distance=1).word_frequency.dictionary)


@lru_cache(maxsize=1 << 18)
def known(word: str) -> bool:
    """Tell whether a lower-case word is English, or made of English words.

    >>> [known(word) for word in ("colours", "hoofpick", "trowels", "unfriending", "beacuse", "eaeslsipslays")]
    [True, True, True, True, False, False]
    """
    words = frequencies()
    if word in words or word in _NEWER or f"{word}g" in words or _british(word):
        return True
    return (_derived(word) or _compound(word)) and not _slipped(word)


@cache
def _sorted() -> list[str]:
    return sorted(word for word, count in frequencies().items() if count >= _PART)


def begins(piece: str) -> bool:
    """Tell whether a frequent word begins so.

    >>> begins("lighth"), begins("gondii")
    (True, False)
    """
    listed = _sorted()
    at = bisect_left(listed, piece)
    return at < len(listed) and listed[at].startswith(piece)


@lru_cache(maxsize=1 << 16)
def meant(word: str) -> str | None:
    """Name the frequent word that a misspelling stands for: one letter more, less or other, or two neighbours swapped.

    The first letter is taken as right, but for a swap. None where no such word is frequent.

    >>> meant("beacuse"), meant("smotohs"), meant("sandwhich"), meant("chatbot")
    ('because', 'smooths', 'sandwich', None)
    """
    words = frequencies()
    best = max(((words.get(other, 0) * weight, other) for other, weight in _neighbours(word)), default=(0, ""))
    return best[1] if best[0] >= _MEANT.get(len(word), _MEANT_LONG) else None


def _british(word: str) -> bool:
    """Tell whether the American spelling of a word is listed."""
    words = frequencies()
    return any((other := pattern.sub(american, word)) != word and other in words for pattern, american in _BRITISH)


def _slipped(word: str) -> bool:
    """Tell a form made wrongly: "occured" is not occur + ed but "occurred" less a letter, "othres" not oth + res."""
    words = frequencies()
    if any(words.get(word[:k] + word[k + 1] + word[k] + word[k + 2 :], 0) >= _MEANT_LONG for k in range(1, len(word) - 1)):
        return True
    # One letter more or less, between beginnings and ends that agree.
    others = (word[:k] + letter + word[k + cut :] for k in range(2, len(word) - 1) for letter, cut in _ONE_LETTER)
    return any(other[:3] == word[:3] and other[-2:] == word[-2:] and words.get(other, 0) >= _PART for other in others)


def _derived(word: str) -> bool:
    """Look for the word that this one is a form of."""
    words = frequencies()
    for ending, others in _ENDINGS:
        if word.endswith(ending) and len(stem := word[: -len(ending)]) >= 3:
            bases = [stem + other for other in others]
            if ending[0] in "aeiou" and stem[-1] == stem[-2]:
                bases.append(stem[:-1])
            if any(base in words or base in _NEWER for base in bases if len(base) >= 4):
                return True
    return any(len(word) - len(prefix) >= 4 and word.startswith(prefix) and _whole(word[len(prefix) :]) for prefix in _PREFIXES)


def _whole(word: str) -> bool:
    """Tell whether what follows a prefix is a frequent word, or a form of one."""
    words = frequencies()
    forms = (("", ""), ("s", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""))
    return any(word.endswith(end) and words.get(word[: len(word) - len(end)] + more, 0) >= _PART for end, more in forms)


def _compound(word: str) -> bool:
    """Tell whether two frequent words of at least three letters make this one."""
    words = frequencies()
    return any(words.get(word[:k], 0) >= _PART and _whole(word[k:]) for k in range(3, len(word) - 2))


def _neighbours(word: str) -> Iterator[tuple[str, int]]:
    """Yield the words at one edit, and the weight of the edit.

    In short words a letter for another makes too many; a last vowel more or other is how other languages write ("familia").
    """
    for k in range(len(word) - 1):
        yield word[:k] + word[k + 1] + word[k] + word[k + 2 :], _SLIP if len(word) < _SURE else _MEANT_LONG
    for k in range(1, len(word)):
        vowel = k == len(word) - 1 and word[k] in "aio"
        if not vowel:
            yield word[:k] + word[k + 1 :], _SLIP if word[k] == word[k - 1] else 1
        for letter in _LETTERS:
            if len(word) >= _LONG and not vowel:
                yield word[:k] + letter + word[k + 1 :], 1
            yield word[:k] + letter + word[k:], _SLIP if letter in (word[k - 1], word[k]) else 1
    for letter in _LETTERS:
        yield word + letter, 1


def swapped(word: str, other: str) -> bool:
    """Tell whether two neighbouring letters make the difference.

    >>> swapped("beacuse", "because"), swapped("hazad", "hazard"), swapped("dear", "read")
    (True, False, False)
    """
    if len(word) != len(other):
        return False
    k = next((k for k, (a, b) in enumerate(zip(word, other, strict=True)) if a != b), len(word))
    return word[k : k + 2] == other[k : k + 2][::-1] and k < len(word) and word[k + 2 :] == other[k + 2 :]
