"""Where a sentence stops that cannot stop there: by its last words, by what it opened, by a clause that never came.

Nothing here asks whether a full stop is missing: people leave it out, and a sentence that lacks nothing else is whole.
What is asked is whether a reader waits for more. The words were chosen by how seldom they are the last of a sentence
(about one use in a hundred, in public answers), the other signs by how seldom they are met in whole sentences.
"""

from __future__ import annotations

import re
from typing import Final

from tunesmith.detection.detector import words
from tunesmith.detection.lexicon import begins, known

_GRAMMAR: Final = words(
    "a an the of to and or nor with without for by from at as into onto upon toward towards than that which who whom whose because if "
    "when while whereas where whether although unless until since despite during among amongst between against via per under beneath "
    "regarding including following throughout is are was were be been being have has had having can will would should could might "
    "must may but its their his our your my he she we they i'm you're we're they're i've you've we've they've i'll you'll we'll "
    "they'll i'd you'd we'd they'd it's that's there's let's what's he's she's don't doesn't won't wouldn't couldn't aren't such "
    "every each these those both only even especially particularly specifically additionally furthermore moreover therefore thus "
    "finally ultimately however meanwhile firstly secondly lastly very extremely highly increasingly relatively incredibly truly "
    "mainly mostly largely primarily typically generally usually commonly almost nearly roughly approximately always often simply "
    "several various many multiple certain most whatever whenever how able due according regardless then did does am about through in "
    "on after across within some also just based"
)
"""What a noun, a verb or a clause must follow."""
_VERBS: Final = words(
    "add adjust advocate affect allow analyze anticipate appreciate argue assess assign assume attach attract automate avoid become "
    "boost calculate capture classify collect compare conduct connect conserve consist contain convert create customize define "
    "demonstrate depend describe detect determine develop discuss educate eliminate emphasize enable encourage enhance ensure "
    "establish evaluate examine exceed explain facilitate foster generate get give highlight identify illustrate implement imply "
    "improve include incorporate indicate inform insert integrate introduce involve keep lack let leverage locate make manage "
    "maximize minimize mitigate optimize organize pour prepare preserve prevent promote protect provide push put recognize reduce "
    "refer reflect regulate rely remind remove require retain retrieve revolutionize select separate simplify stimulate streamline "
    "strengthen suggest summarize surround tackle take tend transform uncover utilize"
)
"""Verbs that do not stand without what they act on: as they are, with -s and with -ing."""
_ADJECTIVES: Final = words(
    "absolute academic additional adequate administrative advanced african agricultural american ancient annual artificial associated "
    "atmospheric atomic basic biggest brief broad central chinese chronic civil classical closest coastal cognitive commercial "
    "comprehensive crucial cultural dedicated democratic dense detailed dietary digital direct domestic eastern economic "
    "electromagnetic electronic emotional entire environmental equipped essential european excess existing extensive external extra "
    "extreme familiar famous financial foreign former giant global greater greek heavy highest iconic increased indian industrial "
    "influential initial inner international italian large largest latest leading legal little local logical lush magnetic main "
    "majestic major marine massive mathematical maximum mechanical medical mental mindful mobile modern moral musical national native "
    "natural nearest new northern organic organizational outer personal physical political precise presidential previous primary "
    "proactive promotional proper protective pure racial rapid recent regular religious remote renewable renowned respective "
    "respiratory revolutionary rich rising robotic rural scientific single sleek smallest social southern specific statistical steady "
    "strategic technical tiny traditional tropical ultimate underlying unprecedented upcoming urban valuable varying vertical virtual "
    "visual vital vulnerable well-known western wider young based"
)
"""Adjectives that hardly ever stand alone."""
_BOUND: Final = words(
    "what any two three four five six seven eight never quite really actually probably potentially currently suddenly eventually "
    "gradually widely variety ability amount plenty lots fewer isn't using given known looking deep build lead led current lower "
    "larger smaller shorter deeper designed increasing filled called helping interact responsible capable aware unable willing "
    "remain resulting believe lived spend spent became named knew offering finding starting engage invest composed causing enabled "
    "seemed operating maintaining got looked send tailored gather contribute continued pick kept linked staying strive estimated "
    "characterized divided surrounded stumbled newfound helped reaching bringing achieving focusing focuses designing forming "
    "knowing featuring produces walked stepped visiting calculated gave holding stirring ranging finds labeled thank decided "
    "educational diverse electric electrical ethical genetic gentle outdoor malicious autonomous linear predictive neural internal "
    "distant federal passionate colorful romantic sensitive suspicious actual abstract technological reusable fundamental "
    "gravitational nuclear chemical quick original facial"
)
"""Other words that hardly ever end a sentence: numbers, participles, adjectives, what asks for "of" or "to"."""
_BEFORE_NOUNS: Final = words(
    "common key british french german spanish japanese wide vast diverse unique great better best good high low long short small old "
    "important significant different effective powerful popular successful efficient strong healthy human possible complex simple "
    "negative positive creative innovative beautiful delicious intricate vibrant cozy strict severe rare poor fresh cold warm deep "
    "dark bright soft hard full empty early late clear current secondary solid real false daily weekly monthly critical interactive "
    "emerging improved overall serious fast quick slow long-term short-term high-quality user-friendly cost-effective final similar "
    "minimum total lowest finest growing ongoing more most other same very few quiet busy big nice fun wonderful lovely"
)
"""Adjectives that may end a sentence, but not after "a" or "their"."""
_PAIRS: Final = (
    (
        words("can could will would should may might must cannot to not also don't doesn't won't wouldn't"),
        words(
            "help lead result need focus increase save gain build support store form find measure monitor express check draw receive "
            "start keep look choose bring carry combine track spend feel broadcast detect cause better easily quickly be not further "
            "more"
        ),
    ),
    (
        words("a an the its their his her"),
        words(
            "variety number series range amount ability use need importance potential type kind development effects impact presence "
            "accuracy purpose effectiveness combination lack likelihood probability risk chance role group pair couple handful "
            "majority level sense"
        ),
    ),
    (
        words("is are was were be been being has have had"),
        words(
            "used located designed considered characterized composed responsible capable known focused made caused determined called "
            "seen not still currently more as one two able often usually typically now even led helped become become allowed enabled "
            "resulted"
        ),
    ),
    (
        words("if when as that so where until once because than since while let would could do did how and or"),
        words("you it i there all one any not her it's they"),
    ),
    (words("at in for as"), words("least well order addition contrast terms example instance conclusion summary turn either both")),
)
"""Words that a sentence may end with, but not after these."""
_ARTICLES: Final = words("a an its their our your my his every")
_FORMS: Final = frozenset(
    form
    for verb in _VERBS
    for form in (
        verb,
        verb + ("es" if verb.endswith(("s", "x", "ch", "sh")) else "s"),
        verb[:-1] + "ies",
        (verb[:-1] if verb.endswith("e") else verb) + "ing",
        verb + verb[-1] + "ing",
    )
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE: Final = re.compile(r"(?<![A-Z])(?<!\b[A-Z][a-z])(?<!\bMrs)[.!?…][\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
"""Where a sentence ends and another begins: not after an initial, nor after a title."""
_ITEM: Final = re.compile(r"\A\s*(?:\(?\d{1,3}[.):]|[-*•–])\s+")
_ENDING: Final = re.compile(r"(?:^|[^\w'’-])(?:[a-z][a-zA-Z'’-]*|I|I['’][a-z]+|[A-Z][a-z-]+['’]s)\Z")
_NAMED: Final = re.compile(r"(?:: *|[\"“‘] *)\S+\Z")
"""A word after a colon or a quotation mark is spoken of."""
_PIECE: Final = re.compile(r"(?:^|\s)([a-z]+)\Z")
_ALONE: Final = words("a i x y n o c e s")
"""Letters that are words, or names of quantities."""
_STRICT: Final = words(
    "a an the and or of nor as into than whose because if while although their our your my its every each such including between which is "
    "are was were has have been"
)
"""The few that even a list item or a line of a poem does not end with, alone."""
_BEGINS: Final = words(
    "a an the this these those its their our your some many other such in on for with as by at from another additionally furthermore "
    "moreover finally however also therefore while when if since because although"
)
_LED: Final = re.compile(
    r"(?:Additionally|Furthermore|However|Moreover|Therefore|In addition|For (?:example|instance)|On the other hand|In contrast|Overall|"
    r"Finally|As a result|In conclusion), (?:[^\W\d_]+ ?){1,2}\Z"
)
"""What leads to a sentence, and one or two words of it."""
_BEGUN, _WHOLE = 3, 5
"""Words that are the beginning of a sentence at most, words before it at least."""
_GREETING: Final = re.compile(r"\s*(?:\S+ ){0,3}\S+,\s*")
_STOPPED: Final = re.compile(r"[.!?:…][\"'”’)\]*]*\s*\Z")
_LAST: Final = re.compile(r"(?<![#@/\\.,:$\w])[^\W_]+(?:['’-][^\W_]+)*\Z")
_ODD: Final = re.compile(
    r"[#@|<>{}=→\\]|https?:|www\.|(?i:sincerely|regards|wishes)|[-–—―~] ?[A-Z][\w.]*(?: [A-Z][\w.]*)*\Z|\d[.)] .*\d[.)] |: .*: |, \d+\Z"
)
"""What prose does not have: tags, columns, addresses, formulas, a signature, the name of who said it, a list in one line."""
_SMALL, _LONG = 0.5, 6
"""Share of the words of a sentence that begin with a small letter; words of one that stands alone."""
_PROSE: Final = 2
"""Function words of a sentence that is English prose."""
_FIRST: Final = _GRAMMAR | words("it you this i over then there other another all one")
"""Words that are no sentence."""
_SUBJECTS: Final = words("it you there one this these those i")
"""What a clause begins with, after a comma."""
_COMPOUNDS: Final = words("decision sense money love policy peace film coffee")
"""What stands before "making" in the name of it."""
_OPENED: Final = (("(", ")"), ("“", "”"), ("[", "]"))


def last_line(text: str) -> str:
    """Cut the last line from a text, without the mark of a list item."""
    return _ITEM.sub("", text.rstrip().rsplit("\n", 1)[-1], count=1)


def last_sentence(text: str) -> str:
    r"""Cut the last sentence from a text.

    >>> last_sentence("It is old.\n1. It stands. Mr. Bell made it for the")
    'Mr. Bell made it for the'
    """
    line = last_line(text)
    return line[max((match.end() for match in _SENTENCE.finditer(line)), default=0) :]


def waits(sentence: str, *, strictly: bool = False) -> bool:
    """Tell whether a sentence that ends in a word, and not in a name, waits for more.

    Args:
        sentence: The last sentence of a text.
        strictly: Whether function words alone count: where sentences are not punctuated, others end with nearly any word.

    >>> [waits(text) for text in ("They repair old", "They sell their old", "They also provide", "They help us", "They repair boats")]
    [False, True, True, False, False]
    >>> waits("They also provide", strictly=True), waits("They repair it for the", strictly=True)
    (False, True)
    """
    said = [match.group().lower().replace("’", "'") for match in _WORD.finditer(sentence)]
    if len(said) == 1 and sentence.lower() in _FIRST:
        return not strictly
    if not said or not _ENDING.search(sentence) or _NAMED.search(sentence):
        return False
    last, before = said[-1], said[-2] if len(said) > 1 else ""
    if strictly:
        return last in _STRICT and before not in _STRICT
    return (
        last in _GRAMMAR
        or ((last in _FORMS or last in _ADJECTIVES or last in _BOUND or last.endswith("'s")) and before not in _COMPOUNDS)
        or (last in _SUBJECTS and sentence[: -len(last)].endswith(", "))
        or (last in _BEFORE_NOUNS and before in _ARTICLES)
        or any(last in second and before in first for first, second in _PAIRS)
        or any(sentence.count(left) > sentence.count(right) for left, right in _OPENED)
        or _in_word(sentence, said)
    )


def begun(text: str) -> bool:
    """Tell whether a text stops with the first words of a sentence, after whole ones: three at most, without a verb.

    >>> begun("It was built of brick and stone. The harbour"), begun("It was built of brick and stone. Thank you")
    (True, False)
    """
    sentence, line = last_sentence(text), last_line(text)
    said = sentence.lower().replace(",", "").split()
    before = line[: len(line) - len(sentence)].rstrip()
    whole = len(before.split()) >= _WHOLE and not before.endswith("?")
    short = 1 < len(said) <= _BEGUN and said[0] in _BEGINS
    return whole and (short or _LED.match(sentence) is not None) and sentence[-1].isalpha()


def in_prose(text: str) -> bool:
    """Tell whether a text, less its full stop, ends in prose: after a whole sentence, or in a long one of mostly small letters.

    Not in a list item or a line beside others that have no stop, nor in a name, a title, an address or a tag.

    >>> in_prose("It was built by the harbour board and opened to ships"), in_prose("The Old Mill And The Harbour Board Of Ships")
    (True, False)
    """
    line, sentence = last_line(text), last_sentence(text)
    said = sentence.split()
    small = sum(word[:1].islower() for word in said)
    if not _LAST.search(sentence) or _ODD.search(line) or not punctuated(text):
        return False
    if len(sentence) < len(line) or siblings(text):
        return small >= _SMALL * (len(said) - 1)
    return len(said) >= _LONG and small >= _SMALL * len(said) and sentence[:1].isupper() and _english(said)


def _english(said: list[str]) -> bool:
    return sum(word.lower() in _FIRST for word in said) >= _PROSE


def siblings(text: str) -> bool:
    """Tell whether whole sentences stand on the lines before the last one, as items if that is one."""
    return any(len(each.split()) >= _WHOLE and each.rstrip()[-1] in ".!?" for each in _alike(text))


def in_item(text: str) -> bool:
    """Tell whether the last line is a list item."""
    return _ITEM.match(text.rstrip().rsplit("\n", 1)[-1]) is not None


def punctuated(text: str) -> bool:
    """Tell whether the lines before the last one end with a mark: all items of a list, or all other lines; the first may greet somebody."""
    first, *others = _alike(text) or ["."]
    return (_STOPPED.search(first) or _GREETING.fullmatch(first)) is not None and all(_STOPPED.search(each) for each in others)


def _alike(text: str) -> list[str]:
    """Name the lines before the last one that are items of a list as it is, or are none as it is none."""
    *others, last = text.rstrip().split("\n")
    item = _ITEM.match(last) is not None
    return [each for each in others if each.strip() and (_ITEM.match(each) is not None) == item]


def _in_word(sentence: str, said: list[str]) -> bool:
    """Tell whether the last word is the beginning of one: letters that are no English word, in a sentence of English words."""
    match = _PIECE.search(sentence)
    if match is None or sum(word in _GRAMMAR for word in said) < _PROSE:
        return False
    piece = match[1]
    return piece not in _ALONE if len(piece) == 1 else not known(piece) and begins(piece)
