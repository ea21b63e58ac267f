"""Tasks that a text model cannot do: pictures and sounds to make, the web to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, matched
from tunesmith.detection.rules.ending import CODE
from tunesmith.detection.rules.refusal import refuses

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_NOUNS: Final = (
    r"images?|pictures?|photos?|drawings?|illustrations?|sketch(?:es)?|diagrams?|charts?|flow ?charts?|graphs?|logos?|posters?|"
    r"infographics?|flyers?|"
    r"banners?|cartoons?|comics?|comic strips?|icons?|visuali[sz]ations?|visuals?|wireframes?|mock-?ups?|paintings?|portraits?|stick "
    r"figures?|maps?|mind maps?|"
    r"venn diagrams?|word clouds?|collages?|memes?|gifs?|animations?|videos?|melod(?:y|ies)|tunes?|jingles? in audio|soundtracks?|"
    r"artwork|art pieces?|"
    r"pieces? of art|book covers?|business cards?|brochures?|blueprints?|floor ?plans?|3d models?|sculptures?|storyboards?|pie "
    r"charts?|bar graphs?|bar charts?|"
    r"line graphs?|scatter ?plots?|histograms?|t-shirts?|album covers?|uml diagrams?|emojis?"
)
_ASKS: Final = r"(?i)^\W*(?:please\s+|(?:can|could|would) you (?:please )?|(?:i need|i want|i would like|i['’]d like) you to\s+)?"
_MADE: Final = re.compile(
    rf"{_ASKS}(?:(?:draw|sketch|paint|illustrate|doodle)\b(?!\s+(?:conclusions?|a conclusion|inferences?|"
    rf"comparisons?|parallels?|up|from|on|upon|attention|a (?:comparison|parallel|distinction|line between|contrast|connection|link|"
    rf"inference)|connections?|the (?:line|attention|conclusion))\b)"
    rf"|(?:design|create|make|generate|produce|construct|build|develop|record|compose|show me|render|display|plot)\s+(?:me\s+)?(?:an?|"
    rf"the|some|one|two|three)?\s*(?:(?!of\b|for\b|about\b|that\b|with\b|to\b|from\b|using\b)[\w'-]+\s+){{0,3}}?(?:{_NOUNS})\b)"
)
_VERB: Final = (
    rf"{_ASKS}(?:draw|sketch|paint|illustrate|doodle|design|create|make|generate|produce|"
    r"construct|build|develop|record|compose|show me|render|display|plot)\b"
)
_SEEN: Final = rf"(?i)\b(?:draw|sketch|paint|illustrate|doodle|{_NOUNS})\b"
"""What every task holds that `_MADE` finds: most that begin with a verb of making do not."""
_IN_WORDS: Final = any_of(
    r"code program html css python javascript java sql svg latex ascii text.based captions? titles? names? descri\w+ slogans? "
    r"taglines? scripts? scenario words table ideas? prompts? outline",
    r"pseudo.?code markdown mermaid class explain how list stor(?:y|ies) poems? plan content copy sentence query function test review "
    r"essay strategy questions? concept web.?sites? "
    r"instructions? steps? metaphors? paragraph campaign app interface message word.picture lyrics alt.text graph(?:ql|viz) "
    r"vocabulary mental verbal hashtags? characters? imagery",
    r"biographical character",
    r"business.card.(?:text|for) model.that data.model pseudocode example.of algorithm headline quotes? rhyme",
)
_NO_PICTURE: Final = r"^\s*(?:```|<svg|@startuml|graph |digraph |flowchart |\+[-+]+\+)"
_TREE: Final = r"(?:-->|->|→|⇒|├|└|│|\|\s|[-_/\\|*#]{4,}|=>)"
_PICTURES: Final = r"[\U0001f300-\U0001faff\u2600-\u27bf]"

_WEB: Final = re.compile(
    r"(?i)(?:^\W*google (?:the|for|a|how|what|this|it)\b|(?:search|browse|surf|scour|look up|research) (?:on |through |in )?(?:the "
    r")?(?:web|internet|online|google)\b|(?:search|look) (?:it|this|that|for \w+(?: \w+){0,5}) (?:up )?(?:on(?:line)?|using) ?(?:the "
    r")?(?:web|internet|google|wikipedia)?\b"
    r"|(?:visit|go to|open|browse|check out) (?:the |this |a )?(?:following |given )?(?:web ?site|web ?page|url|link|https?)\b"
    r"|(?:find|retrieve|get|collect|gather|fetch|locate|download|pull) [^.\n]{0,50}\b(?:from the (?:web|internet)|on the (?:web|"
    r"internet)|online (?:source|article|resource|image|photo|picture|video|review)s?|using google)\b"
    r"|(?:what(?:'s| is)|find|tell me|check|give me|get|report|look up|retrieve|provide|display|show|determine|output) (?:me )?(?:the "
    r"|out )?(?:\w+ )?(?:current|latest|today'?s|live|real-?time|up-to-date|present|right now) (?:\w+ ){0,2}?(?:price|weather|"
    r"temperature|time|date|news|score|rate|exchange rate|stock|value|traffic|forecast|headlines?|trends?|events?)\b"
    r"|what(?:'s| is) the (?:weather|temperature|forecast|time|date|traffic)(?: like)?(?: in [\w ]+)?(?: right now| now| today| "
    r"tomorrow| currently| outside)\s*\?|what(?:'s| is) the (?:time|date)\?"
    r"|^\W*what (?:time|day|date) is it(?: today| now| right now)?\s*\?"
    r"|\blook up [^.\n]{1,60} online\b"
    r"|\bexchange rate\b[^.\n]{0,60}\b(?:today|now|currently)\b|\bcheck the (?:traffic|weather|news|score|time)\b"
    r"|(?:most recent|latest) (?:tweets?|news|headlines?|stock|articles?|posts?)\b[^.\n]{0,30}$)"
)
_LONG: Final = 300
"""A longer prompt tells a story, or brings its tools and its material along."""
_WEB_MAYBE: Final = (
    r"(?i)google|internet|\bweb|online|\burl|\blink|https?|current|latest|today|real-?time|live|up-to-date|right now|"
    r"weather|temperature|forecast|\btime\b|most recent|traffic"
)
_WEB_ELSEWHERE: Final = any_of(
    r"fahrenheit celsius kelvin definition symptoms facts synonyms access tools? wrapper api how.(?:to|do|can|does|would|should) "
    r"explain describe code program python script function algorithm "
    r"write essay imagine why quer\w+.to "
    r"benefits? advantages? disadvantages? difference trends?.in rewrite paraphrase translate summari[sz]e classify categori[sz]e "
    r"edit correct "
    r"design advertis\w+ slogan dialogue role.?play suppose reply respond app website.for create generate compose convert what.does "
    r"define steps? sql regex",
)


def _visual_task(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asked = pl.col("instruction")
    answer = pl.col("response")
    made = view.filter(asked.str.contains(_VERB)).filter(asked.str.contains(_SEEN)).filter(~asked.str.contains(_IN_WORDS))
    drawn = answer.str.contains(CODE) | answer.str.contains(_NO_PICTURE) | answer.str.contains(_TREE) | answer.str.contains(_PICTURES)
    for row, instruction in lines(made, ~refuses(answer) & ~drawn, "instruction"):
        if match := _MADE.search(instruction):
            yield matched(row, "instruction", match)


def _internet_task(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    asked = pl.col("instruction")
    without = view.filter(~pl.col("tools").fill_null(value=False)) if "tools" in view.columns else view
    short = without.filter(asked.str.len_chars() < _LONG)
    maybe = short.filter(asked.str.contains(_WEB_MAYBE), ~asked.str.contains(_WEB_ELSEWHERE))
    said = (
        r"(?i)\b(?:unable to|cannot|can't|can’t|not able to|do not have|don't have|don’t have) (?:access|browse|real-?time|provide|"
        r"connect|search|visit|the ability)"
    )
    for row, instruction, given in lines(
        maybe, ~refuses(pl.col("response")) & ~pl.col("response").str.contains(said), "instruction", "input"
    ):
        match = _WEB.search(instruction)
        if match and not (given.strip() and not re.search(r"(?i)https?://|www\.", given) and len(given) > 80):
            yield matched(row, "instruction", match)


VISUAL_TASK = Detector(
    name="visual_task",
    severity="review",
    grade="D",
    fields=("instruction",),
    find=_visual_task,
    page=Page(
        finds="An instruction to draw, sketch, design, record or make a picture, chart, logo, video or melody (not its code, caption, "
        "title or description) whose answer neither refuses nor draws with characters.",
        harm="The answer describes or claims a picture that is not there: the model learns to pretend.",
        bad=Example(instruction="Draw a picture of a cat.", response="Here is the picture of a cat that you asked for."),
        good=Example(instruction="Write a caption for a picture of a cat.", response="Nap time."),
        false_alarms="Answers that describe the picture, where a description would do.",
    ),
)

INTERNET_TASK = Detector(
    name="internet_task",
    severity="review",
    grade="D",
    fields=("instruction",),
    find=_internet_task,
    page=Page(
        finds="An instruction to search the web, to visit a site, or to tell what is current (price, weather, time, news), that is not "
        "refused.",
        harm="The answer is made up: the model learns to invent sources and prices.",
        bad=Example(instruction="What is the current price of copper?", response="It is 8,914 dollars a ton."),
        good=Example(instruction="Explain how to search the web.", response="Use few, telling words."),
        false_alarms="Questions about the web, and facts that change slowly (about one in four).",
    ),
)

DETECTORS = (VISUAL_TASK, INTERNET_TASK)
