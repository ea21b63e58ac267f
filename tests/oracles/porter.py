"""The Porter stemmer in NLTK's extensions mode, as plainly as it can be said: rules in tables, tried in order."""

from __future__ import annotations

IRREGULAR = {
    "sky": "sky", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news", "innings": "inning",
    "inning": "inning", "outings": "outing", "outing": "outing", "cannings": "canning", "canning": "canning", "howe": "howe",
    "proceed": "proceed", "exceed": "exceed", "succeed": "succeed",
}  # fmt: skip
STEP2 = "ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e ousli:ous ization:ize ation:ate ator:ate \
alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive biliti:ble fulli:ful logi:log"
STEP3 = "icate:ic ative: alize:al iciti:ic ical:ic ful: ness:"
STEP4 = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"


def shape(word: str) -> str:
    """Consonants as c, vowels as v; y is a vowel after a consonant."""
    letters = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and letters.endswith("c"))
        letters += "v" if vowel else "c"
    return letters


def measure(stem: str) -> int:
    return shape(stem).count("vc")


def cvc(word: str) -> bool:
    return (shape(word).endswith("cvc") and word[-1] not in "wxy") or shape(word) == "vc"


def replaced(word: str, rules: str, least: int) -> str:
    for rule in rules.split():
        suffix, _, replacement = rule.partition(":")
        if word.endswith(suffix):
            kept = word.removesuffix(suffix)
            measured = word[:-3] if suffix == "logi" else kept
            good = measure(measured) > least and (suffix != "ion" or kept[-1:] in ("s", "t"))
            return kept + replacement if good else word
    return word


def stem(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 2:
        return word
    if word.endswith("ies"):
        word = word[:-1] if len(word) == 4 else word[:-2]
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    word = without_ed_and_ing(word)
    if word.endswith("y") and len(word) > 2 and shape(word[:-1]).endswith("c"):
        word = word[:-1] + "i"
    while word.endswith("alli") and measure(word[:-4]) > 0:
        word = word[:-2]
    word = replaced(replaced(replaced(word, STEP2, 0), STEP3, 0), STEP4, 1)
    if word.endswith("e") and (measure(word[:-1]) > 1 or (measure(word[:-1]) == 1 and not cvc(word[:-1]))):
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and measure(word[:-1]) > 1 else word


def without_ed_and_ing(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        kept = word.removesuffix(suffix)
        if kept != word and "v" in shape(kept):
            if kept.endswith(("at", "bl", "iz")):
                return kept + "e"
            if len(kept) > 1 and kept[-1] == kept[-2] and shape(kept).endswith("c"):
                return kept if kept[-1] in "lsz" else kept[:-1]
            return kept + "e" if measure(kept) == 1 and cvc(kept) else kept
    return word
