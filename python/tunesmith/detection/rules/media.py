"""Images, audio and addresses that a text model has never seen, in answers and as inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, matched

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_IMAGE_MARKDOWN = r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])"
_MEDIA_TAG = r"(?i)<(?:img|audio|video|svg|iframe|embed|picture)\b[^<>]*>"
_URL = r"(?:https?://|www\.)[^\s<>\"')\]]+"
_IMAGE_FILE = r"(?i)[\w%()./:-]+\.(?:jpe?g|png|gif|bmp|webp|svg|tiff?)\b"
_ADDRESS = re.compile(rf"{_IMAGE_MARKDOWN}|{_MEDIA_TAG[4:]}|\[\d+\]:\s*{_URL}|{_URL}", re.IGNORECASE)
_ABOUT_ADDRESS = any_of(
    r"programs? scrap\w+ crawl\w+ fetch web.address(?:es)? valid\w* cit(?:e|es|ing|ations?) references? bibliograph\w* encod\w+ "
    r"decod\w+ pars\w+",
    r"normali[sz]\w+ domains? protocols? hyper.?links? subdomains? shorten\w* query.(?:string|param\w*) html markdown anchor regex",
    r"regular.expression top.level hostname apa mla phishing malicious create.a.(?:link|url) broken.link type.of.(?:site|website) "
    r"http.request api",
) + (
    "|损坏的链接|(?:网站|网页|链接|网址)的?(?:类型|类别)|对(?:网站|网页|链接|网址)进行分类"
    "|域名|协议|超链接|编码|解码|解析|引用|引文|参考文献|正则"
)
_MAYBE_ADDRESS = any_of(
    r"classif\w+ categori[sz]\w+ format\w* convert\w* urls? links? tweets? captions? rewrite extract\w* secure",
)
"""What a task may do with an address, or with what lies there: then it says with what."""
_CONTENT = any_of(
    r"articles? papers? news story stories photos? photographs? pictures? images? paintings? drawings? comics? videos? songs? source "
    r"reviews?",
    r"sentences? paragraphs? text content summar\w+ menu figures? artwork flags? posts? books? logos? speech podcasts? lyrics movies? "
    r"films?",
    r"(?:musical|music|piano).pieces? tracks? melod(?:y|ies) contact.information hours shapes? documents?",
    r"poems? e.?mails? passages? excerpts? essays? statements? conversations? descriptions? recipes?",
)
_GOES_THERE = (
    r"(?i)\b(?:open|visit|click|browse|go to|look at|watch|read)\b[^.]{0,40}\b(?:urls?|links?|web ?sites?|web ?pages?|pages?)\b|"
    r"\bfrom the (?:web ?)?(?:site|page)\b|\babout (?:the|this) (?:web ?)?(?:site|page)\b"
)
"""What sends the answer to the address, whatever else is to be done with it; a program goes there itself."""
_MARKUP = any_of(r"html markdown markup tags? code links? urls? alt.text captions? format\w* convert\w* css programs? snippet embed\w*")
"""Tasks about an image that need not see it."""
_ABOUT_IMAGE_FILE = any_of(
    r"file.?names? files? extensions? rename html markdown css formats? code paths? urls? links? tags? alt.text alt",
)
_IMAGE_REF = (
    r"(?i)[\[(<{]\s*(?:an? |the |attached |insert |your )?(?:images?|photos?|pictures?|photographs?|img|pic|drawing"
    r"|screenshot|diagram|graph|chart|video|audio)"
    r"\b[^\[\]()<>{}\n]{0,80}[\])>}]"
    r"|(?:images?|photos?|pictures?|photographs?|video|screenshot)s?\s+(?:is |are )?(?:attached|provided (?:below"
    r"|above)|shown (?:below|above))"
    r"|(?:see|attached)\s+(?:the\s+)?(?:attached\s+)?(?:image|photo|picture|screenshot)\b"
)


def _output_media(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    response = pl.col("response")
    image, tag = response.str.contains(_IMAGE_MARKDOWN), response.str.contains(_MEDIA_TAG)
    about_images = _PROMPT.str.contains(r"(?i)\b(?:markdown|readme|html|web ?page)\b|!\[")
    markup = r"(?i)\b(?:html5?|tags?|svg|xml|jsx|react|code|css|javascript|embed\w*|web ?pages?|markup|element|snippet)\b|<\w+"
    pattern = re.compile(rf"{_IMAGE_MARKDOWN}|{_MEDIA_TAG[4:]}", re.IGNORECASE)
    for row, text in lines(view.filter(image | tag), (image & ~about_images) | (tag & ~_PROMPT.str.contains(markup)), "prose"):
        if match := pattern.search(text):
            yield matched(row, "response", match)


def _input_url_only(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    given, asked = pl.col("input"), pl.col("instruction")
    picture = given.str.contains(rf"^\s*(?:{_IMAGE_MARKDOWN}|<img\b[^<>]*>)")
    address = given.str.contains(rf"(?i){_URL}|!\[|<(?:img|audio|video)\b")
    file = given.str.contains(rf"^\s*\[?{_IMAGE_FILE}\]?\s*$") & ~asked.str.contains(_ABOUT_IMAGE_FILE)
    image = re.compile(_IMAGE_FILE)
    programming = asked.str.contains(r"(?i)\b(?:code|function|program|script|crawler|api|algorithm)\b")
    about = asked.str.contains(_ABOUT_ADDRESS) | (asked.str.contains(_MAYBE_ADDRESS) & ~asked.str.contains(_CONTENT))
    about = (about & ~(asked.str.contains(_GOES_THERE) & ~programming)) & ~(picture & ~asked.str.contains(_MARKUP))
    for row, text in lines(view.filter(address | file), ~about, "input"):
        found = [*_ADDRESS.finditer(text)] or [*image.finditer(text)]
        if found and 2 * sum(match.end() - match.start() for match in found) >= len(text.strip()):
            yield matched(row, "input", found[0])


def _input_image_ref(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    field = pl.col("input")
    reference = field.str.contains(_IMAGE_REF) | field.str.contains(_MEDIA_TAG) | field.str.contains(_IMAGE_MARKDOWN)
    file = field.str.contains(_IMAGE_FILE) & (field.str.len_chars() < 300)
    about_files = pl.col("instruction").str.contains(_ABOUT_IMAGE_FILE)
    markup = pl.col("instruction").str.contains(r"(?i)\b(?:html|markdown|xml|svg|tags?|code|css|web ?page)\b")
    pattern = re.compile(rf"{_IMAGE_REF[4:]}|{_MEDIA_TAG[4:]}|{_IMAGE_MARKDOWN}|{_IMAGE_FILE[4:]}", re.IGNORECASE)
    for row, text in lines(view.filter(reference | file), (reference & ~markup) | (file & ~about_files), "input"):
        if match := pattern.search(text):
            yield matched(row, "input", match)


OUTPUT_MEDIA = Detector(
    name="output_media",
    severity="fatal",
    grade="A",
    fields=("response",),
    find=_output_media,
    page=Page(
        finds="Image markdown or an img, audio, video, svg or iframe tag in an answer whose prompt is not about markup.",
        harm="The address is invented; the model learns to answer with links to things that do not exist.",
        bad=Example(instruction="Draw a stick figure.", response="![figure](https://i.example.org/a.png)"),
        good=Example(instruction="Write the HTML for a picture.", response='<img src="a.png">'),
        false_alarms="Tasks about web pages that do not say so.",
    ),
)

INPUT_URL_ONLY = Detector(
    name="input_url_only",
    severity="fatal",
    grade="C",
    fields=("input",),
    find=_input_url_only,
    page=Page(
        finds="An input of which at least half is an address or an image, where the task is not about the address itself "
        "(parse, validate, cite, encode, shorten, classify, ...).",
        harm="The answer was made up without seeing the page: training on it teaches the model to invent what it cannot read.",
        bad=Example(instruction="Summarise this article.", input="https://www.example.org/news/42", response="It tells of a storm."),
        good=Example(instruction="Find the domain of this URL.", input="https://www.example.org/news/42", response="example.org"),
        false_alarms="Tasks that read the address alone but do not name it so.",
    ),
)

INPUT_IMAGE_REF = Detector(
    name="input_image_ref",
    severity="review",
    grade="D",
    fields=("input",),
    find=_input_image_ref,
    page=Page(
        finds='An input that points at an image or recording: "[photo of a dog]", "<image 1>", "dog.jpg", "image attached".',
        harm="The answer describes what the model cannot see.",
        bad=Example(instruction="Which animal is this?", input="[photo of a dog]", response="A dog."),
        good=Example(instruction="Rename this file in lower case.", input="DOG.JPG", response="dog.jpg"),
        false_alarms="A bracket that describes the image in enough words to answer from (10 of 50 flags read).",
    ),
)

DETECTORS = (OUTPUT_MEDIA, INPUT_URL_ONLY, INPUT_IMAGE_REF)
