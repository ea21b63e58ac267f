"""The verb of an instruction and its object, by a light rule: the first imperative after politeness and framing."""

from __future__ import annotations

from typing import Final

import polars as pl

_LEXICON: Final = """
accept access act adapt add address adjust advise agree align allocate alter analyze annotate answer append apply
appraise approximate argue arrange articulate ask assemble assess assign assume attach balance brainstorm break brief
bring build calculate calibrate capitalize categorize characterize chart check choose cite clarify classify clean code
collect combine come comment compare compile complete compose compress compute conclude conduct configure conjugate
consider construct contrast convert convince copy correct count craft create criticize critique cut deal debate debug
decide decode deduce deduplicate define delete deliver demonstrate derive describe design detail detect determine
develop devise diagnose differentiate discover discuss display distinguish divide do document draft draw duplicate edit
elaborate eliminate emphasize encode enhance enumerate establish estimate evaluate examine execute expand explain
explore express extend extract factor fetch fill filter find finish fix follow forecast form format formulate gather
generate get give group guess handle help highlight hypothesize identify illustrate imagine implement improve
incorporate indicate infer inform insert interpret introduce invent invert investigate join judge justify keep label
lead learn link list locate look make map mark match measure memorize mention merge minimize mix model modify move
multiply name narrate negate normalize note number offer optimize order organize outline output paraphrase parse perform
persuade pick plan play plot point pose predict prepare present print prioritize process produce program pronounce
proofread propose prove provide punctuate put quantify quiz quote randomize rank rate re-write read rearrange recall
recast recite recognize recommend reconstruct record recreate rectify reduce refactor refine reflect reformat
reformulate regroup relate remove rename render reorder reorganize repeat rephrase replace reply report represent
reproduce request research resolve respond restate restructure retrieve return reverse review revise reword rewrite
role-play round run say scan search select send separate sequence serve set share shift shorten show simplify simulate
sing sketch solve sort speculate spell split spot start state stress structure study substitute subtract suggest sum
summarize supply support swap synthesize tabulate tag take talk tally teach tell test think total trace transcribe
transform translate transliterate transpose turn underline unscramble update use validate verify visualize vote weigh
write
"""
VERBS: Final = tuple(_LEXICON.split())
"""Imperatives that open instructions (the roots of self-instruct and their like)."""

_BRITISH: Final = {
    "summarise": "summarize", "analyse": "analyze", "categorise": "categorize", "organise": "organize",
    "characterise": "characterize",
    "optimise": "optimize", "criticise": "criticize", "emphasise": "emphasize", "memorise": "memorize", "prioritise": "prioritize",
    "visualise": "visualize", "paraphase": "paraphrase", "capitalise": "capitalize", "hypothesise": "hypothesize",
    "synthesise": "synthesize",
    "normalise": "normalize", "roleplay": "role-play", "re-write": "rewrite", "rephase": "rephrase",
}  # fmt: skip

QUESTION: Final = "question"
OTHER: Final = "other"

_ANY = "|".join(sorted([*VERBS, *_BRITISH], key=len, reverse=True))
_POLITE = (
    r"^(?:[^\p{L}]|(?:hi|hello|hey|dear|please|kindly|now|then|next|first|ok|okay|so|also|instruction|task|q|question)\b[\s,:!.]*"
    r"|(?:can|could|would|will) you (?:please |kindly |help me (?:to )?)?|i(?:'d| would) like (?:you )?to |i (?:want|need) (?:you )?to "
    r"|you (?:need|have|are asked|are required|are going|are supposed|will need|should|must|will) (?:to )?"
    r"|your (?:task|job|goal|objective) is to "
    r"|(?:in this task,? )?you(?:'re| are) (?:given|provided|tasked|shown|presented)[^.,:]*(?:[.,:]| and)\s*"
    r"|(?:simply|\p{L}{3,}[^p\W]ly)\b,? |help me (?:to )?|let's |let us |go ahead and |try to |be sure to |make sure to )+"
)
_QUESTION = (
    r"^(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|should|would|will|shall|may|am|if)\b"
    r"|\?\s*$"
)
# Where the object ends: prepositions, conjunctions, relative and question words, and what is said of it.
_ENDING: Final = """
about above after against among and as at based because before below between but by containing describing during each
explaining featuring for from given how if in including inside into involving like of on onto or out over per regarding
related showing since so such than that through to towards under until upon using via what when where whether which while
who whom whose why with within without you we i they he she is are was were can should will would
"""
_WITHOUT: Final = """
me us him her them it you this that these those a an the one two three four five six seven eight nine ten all any some
more your my our its their his down up out each both following given below above
"""
_PLURAL: Final = "lens news physics mathematics politics economics pros cons series species"
_BORDERS: Final = "|".join(_ENDING.split())
EMPTY: Final = tuple(_WITHOUT.split())
"""Words that name nothing."""
_ALWAYS_PLURAL: Final = tuple(_PLURAL.split())
_LATER = rf"(?:[,:;]|\bto|\band|\bthen|\bplease)\s+({_ANY})\b"


def verbs(instructions: pl.Series) -> pl.Series:
    """Name the verb of each instruction.

    The first sentence counts. Politeness ("please", "can you", "your task is to") and framing ("given ...,") are
    passed over; then the first word, if it is a known imperative, else the first imperative after a comma, colon,
    "to", "and" or "then", else that of the second sentence. A question is ``question``, everything else ``other``.
    The lexicon is English.

    Args:
        instructions: ``String[n]``.
    Returns:
        ``String[n]``, never null.

    >>> verbs(pl.Series(["Please write a poem.", "Given a list, sort it.", "Could you summarise this?", "Why is it so?", "???"])).to_list()
    ['write', 'sort', 'summarize', 'question', 'other']
    """
    return _found(instructions)["verb"]


def objects(instructions: pl.Series) -> pl.Series:
    """Name the object of each instruction's verb: what is to be written, listed, explained.

    The last word before a preposition, a conjunction or a mark, counted from the verb that `verbs` names: "write a short
    story about rain" asks for a ``story``. A plural becomes a singular by its ending. The rule is English and light; a
    parser (self-instruct counts spaCy's roots and direct objects) would see more.

    Args:
        instructions: ``String[n]``.
    Returns:
        ``String[n]``; null where there is no verb or nothing stands between it and the next preposition.

    >>> asked = ["Write a short story about rain.", "List three rivers.", "Give me two ideas for a party", "Explain why it rains."]
    >>> objects(pl.Series(asked)).to_list()
    ['story', 'river', 'idea', None]
    """
    named = pl.col("rest").str.replace(
        r"^\s*(?:out|up|down|off)?\s*(?:(?:the|an?|this|these|each)?\s*(?:following|given|provided)\b)?", " "
    )
    phrase = pl.concat_str(pl.lit(" "), named).str.extract(rf"^(.*?)(?:\s(?:{_BORDERS})\b|[^\p{{L}}\p{{N}}\s'-]|$)")
    word = phrase.str.extract(r"(\p{L}[\p{L}'-]*)\s*$")
    plain = pl.when(~word.is_in(EMPTY)).then(word)
    singular = plain.str.replace(r"([^aeiou])ies$", "${1}y").str.replace(r"(ss|sh|ch|x|z)es$", "${1}").str.replace(r"([^siu])s$", "${1}")
    kept = pl.when(plain.is_in(_ALWAYS_PLURAL)).then(plain).otherwise(singular)
    return _found(instructions).select(kept.alias("object")).to_series()


def _parts(instructions: pl.Series) -> pl.DataFrame:
    """Cut instructions into what the rule looks at: their first sentence and the start of the second, politeness left out."""
    text = pl.col("text").str.strip_chars().str.head(400).str.to_lowercase().str.replace_all("’", "'")
    bare = text.str.replace(_POLITE, "")
    second = bare.str.extract(r"^[^.!?\n]*[.!?\n]+\s*([^.!?\n]*)").fill_null("").str.replace(_POLITE, "")
    return pl.DataFrame({"text": instructions.fill_null("")}).select(
        bare.str.extract(r"^([^.!?\n]*[.!?]?)").alias("sentence"), second.alias("second")
    )


def _found(instructions: pl.Series) -> pl.DataFrame:
    """Name each instruction's `verb`, and give the `rest` behind it, null where there is none: places are searched one after another."""
    parts = _parts(instructions)
    made = _tried(parts["sentence"], _FIRST)
    asked = pl.col("verb").is_null() & parts["sentence"].str.contains(_QUESTION)
    made = made.with_columns(verb=pl.when(asked).then(pl.lit(QUESTION)).otherwise("verb"))
    for text, pattern in ((parts["sentence"], _LATER), (parts["second"], _FIRST)):
        left = made["verb"].is_null().arg_true()
        if left.len():
            more = _tried(text.gather(left), pattern)
            made = made.with_columns(made[name].scatter(left, more[name]) for name in ("verb", "rest"))
    return made.with_columns(pl.col("verb").fill_null(OTHER).replace(_BRITISH))


def _tried(texts: pl.Series, pattern: str) -> pl.DataFrame:
    groups = texts.str.extract_groups(rf"{pattern}(.*)").struct
    return pl.DataFrame({"verb": groups.field("1"), "rest": groups.field("2")})


_FIRST = rf"^({_ANY})\b"
