"""Defects for review, planted into clean rows in several ways, in wordings of their own, none of them the rule run backwards.

Each planter takes a row, another row (whose prompt or answer it may borrow) and a random generator; None: this row does not fit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Row = dict[str, str]
Planter = Callable[[Row, Row, random.Random], Row | None]


def input_image_ref(row: Row, _other: Row, rng: random.Random) -> Row:
    thing = rng.choice(
        ["a red kettle", "two dogs on a beach", "the old town hall", "a bar chart of sales", "a handwritten note", "a snake plant"]
    )
    name = thing.split()[-1]
    forms = [
        f"[Image of {thing}]",
        f"<image: {thing}>",
        f"(a photo of {thing})",
        f"{name}.jpg",
        f"IMG_{rng.randint(1000, 9999)}.png",
        "<image>",
        f"The picture is attached: {thing}",
        "See attached image.",
        f"[Photo: {thing}]",
        f"![{thing}]({name}.png)",
        f'<img src="{name}.gif">',
        f"Attached is a photograph of {thing}.",
        f"[insert picture of {thing} here]",
        f"Screenshot_{rng.randint(10, 99)}.webp",
        "[picture]",
        f"Image: {name}.jpeg",
        f"{{image of {thing}}}",
        f"Please look at the image below. [img {rng.randint(1, 9)}]",
    ]
    return {
        **row,
        "instruction": rng.choice(["What can you see?", "Describe it.", "Name the main colours.", "Write a caption."]),
        "input": rng.choice(forms),
    }


def label_prefix(row: Row, _other: Row, rng: random.Random) -> Row:
    label = rng.choice(
        ["Output", "Answer", "Response", "AI", "Assistant", "Bot", "Final answer", "OUTPUT", "answer", "A", "Reply", "Solution"]
    )
    form = rng.choice(["{}: {}", "{}:\n{}", "**{}:** {}", "### {}:\n{}", "{} : {}", "{}:\n\n{}", "{}\uff1a{}", "**{}**: {}"])
    return {**row, "output": form.format(label, row["output"])}


def prompt_echo(row: Row, _other: Row, rng: random.Random) -> Row | None:
    asked = row["instruction"].strip()
    words = asked.split()
    if len(words) < 8:
        return None
    k = rng.randrange(1, len(words))
    changed = " ".join([*words[:k], rng.choice(["old", "the", "mill", "of"]), *words[k + 1 :]])
    echo = rng.choice([asked, asked.upper(), f'"{asked}"', changed, f"{asked}\n{row['input']}".strip(), f"**{asked}**"])
    more = rng.choice(["", f"\n{row['output']}", f"\n\n{row['output']}", f" {row['output']}"])
    return {**row, "output": echo + more}


def repetitive(row: Row, other: Row, rng: random.Random) -> Row | None:
    sentences = re.findall(r"[^.!?\n]+[.!?]", row["output"])
    if not sentences or len(row["output"].split()) < 8:
        return None
    last = " ".join(sentences[-1].split())
    frame = " ".join(last.split()[:6])
    ways = [
        " ".join([row["output"], last, last]),
        f"{row['output']}\n\n{row['output']}",
        " ".join(each for sentence in sentences for each in (sentence, sentence)),
        " ".join(f"{frame} {word}." for word in other["output"].split()[:8]),
        f"{row['output']} {' and '.join([frame] * 4)}.",
    ]
    return {**row, "output": rng.choice(ways)}


def no_stop(row: Row, other: Row, rng: random.Random) -> Row:
    ask, answer = other["instruction"], other["output"]
    ways = [
        f"\n\nHuman: {ask}\nAssistant: {answer}",
        f"\n\n### Instruction:\n{ask}\n\n### Response:\n{answer}",
        f"\n\nQ: {ask}\nA: {answer}",
        f"\nUser: {ask}",
        f"\n\nQuestion: {ask}\nAnswer: {answer}",
        f"\n\nInput: {ask}\nOutput: {answer}",
        f"\n\nInstruction: {ask}\nOutput: {answer}",
        f"\n\n**Question:** {ask}\n**Answer:** {answer}",
        f"\n\nTask: {ask}\n{answer}",
        f"\n\n2. Instruction: {ask}\n2. Output: {answer}",
        f"\n## Instruction: {ask}\n{answer}",
        f"\n\nPrompt: {ask}\nResponse: {answer}",
    ]
    return {**row, "output": row["output"] + rng.choice(ways)}


def too_long(row: Row, other: Row, rng: random.Random) -> Row:
    more = rng.choice([other["output"], row["output"], f"In addition, {other['output']}", "There is more to be said about this matter. "])
    return {**row, "output": " ".join([row["output"], *[more] * rng.randint(12, 30)])}


_LONG_FORMS = (
    """
story, short story, essay, blog post, letter to a neighbour, paragraph, speech, news article, review, report, poem, cover letter, fairy tale
product description, summary of a thousand words, biography
""".strip()
    .replace("\n", ", ")
    .split(", ")
)


def too_short(row: Row, other: Row, rng: random.Random) -> Row | None:
    subject = " ".join(row["output"].split()[:3]).strip(".,:;")
    words = other["output"].split()
    if len(words) < 4 or "\n" in subject:
        return None
    verb = rng.choice(["Write", "Compose", "Please write", "Create", "Draft", "I need you to write", "Generate"])
    form = rng.choice(_LONG_FORMS)
    ask = f"{verb} {'an' if form[0] in 'aeiou' else 'a'} {form} about {subject.lower()}."
    short = rng.choice(
        ["Okay.", "Sure!", "Here it is:", " ".join(words[:4]), " ".join(words[:6]), form.capitalize(), " ".join(words[:2]) + "."]
    )
    return {"instruction": ask, "input": "", "output": short}


_REFUSALS = """
I'm sorry, but I can't help with that.
I apologize, but I am not able to fulfill this request.
Unfortunately, I'm unable to provide that.
As an AI language model, I cannot do this.
As a large language model, I don't have personal opinions.
Sorry, I can't assist with that request.
I am an AI and do not have access to the internet.
I must decline this request.
I'm not able to answer this question.
My apologies, but this is beyond my capabilities.
It would not be appropriate for me to answer that.
I won't be able to help you with this.
I'm just a text-based assistant, so I can't open files.
I do not have the ability to do that.
This request cannot be completed.
I cannot comply with this.
I'm afraid I can't do that.
Sorry, but that's something I can't do.
As an AI, I don't have feelings or experiences.
I regret that I cannot provide an answer.
I can’t provide that information.
I am unable to complete this task.
I don't have enough information to answer that.
I'm sorry, I don't feel comfortable answering this.
I'm unable to do that as I am only a language model.
""".strip().splitlines()


def refusal(row: Row, _other: Row, rng: random.Random) -> Row:
    said = rng.choice(_REFUSALS)
    more = rng.choice(
        ["", " Is there something else that I can do for you?", f"\n\n{row['output']}", " Please ask somebody who knows more about it."]
    )
    return {**row, "output": said + more}


def missing_input(row: Row, _other: Row, rng: random.Random) -> Row | None:
    if len(row["input"].strip()) < 40 or "\n" in row["instruction"].strip():
        return None
    return {**row, "input": rng.choice(["", " ", "\n"])}


def hallucinated_input(row: Row, _other: Row, rng: random.Random) -> Row | None:
    given, answer = row["input"].strip(), row["output"].strip()
    if len(given) < 20 or "\n" in row["instruction"].strip():
        return None
    forms = [
        "Input: {}\nOutput: {}",
        "Text: {}\nAnswer: {}",
        "Sentence: {}\n\nResult: {}",
        "**Input:** {}\n\n**Output:** {}",
        "Given text: {}\nAnswer: {}",
        "### Input:\n{}\n\n### Response:\n{}",
        "Passage: {}\nSummary: {}",
        "Example input: {}\nExample output: {}",
        "Input:\n{}\n\nOutput:\n{}",
        "Let's say the input is:\n\n{}\n\nThen the output is:\n\n{}",
        "Original: {}\nRewritten: {}",
        "Article: {}\n\n{}",
    ]
    return {"instruction": row["instruction"], "input": "", "output": rng.choice(forms).format(given, answer)}


_FORMS = {
    "list": (
        "Use bullet points.",
        "Answer as a bulleted list.",
        "Give the answer as a numbered list.",
        "Put it in bullet form.",
        "List the parts as bullets.",
    ),
    "JSON": ("Return your answer as JSON.", "Answer in JSON format.", "Output a JSON object.", "The answer must be valid JSON."),
    "table": (
        "Put the answer into a table.",
        "Format the result as a Markdown table.",
        "Present it in a table with two columns.",
        "Make a table of it.",
    ),
    "one word": ("Answer in one word.", "Reply with a single word.", "Use only one word.", "One word answer, please."),
    "yes or no": ("Answer yes or no.", "Say yes or no.", "Reply only with yes or no.", "Your answer should be Yes or No."),
}


def wrong_format(row: Row, _other: Row, rng: random.Random) -> Row | None:
    answer = " ".join(row["output"].split())
    if len(answer.split()) < 5 or re.search(r"[\[{|]|\b(?:yes|no|true|false|y|n)\b|\d\.|[-*•]\s", answer, re.IGNORECASE):
        return None
    wanted = rng.choice(_FORMS[rng.choice(list(_FORMS))])
    return {**row, "instruction": rng.choice([f"{row['instruction']} {wanted}", f"{wanted} {row['instruction']}"]), "output": answer}


def _misspelt(text: str, least: int, rng: random.Random) -> str | None:
    """Damage one lower-case word: two inner letters swapped, one lost, doubled, or another in its place."""
    words = [match for match in re.finditer(r"(?<![\w'’-])[a-z]+(?![\w'’-])", text) if len(match.group()) >= least]
    if not words:
        return None
    match = rng.choice(words)
    word, k = match.group(), rng.randrange(1, len(match.group()) - 2)
    ways = [word[:k] + word[k + 1] + word[k] + word[k + 2 :], word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:],
            word[:k] + rng.choice("aeiourstn") + word[k + 1 :]]  # fmt: skip
    made = rng.choice([way for way in ways if way != word])
    return text[: match.start()] + made + text[match.end() :]


def misspelled(row: Row, _other: Row, rng: random.Random) -> Row | None:
    made = _misspelt(row["output"], 6, rng)
    return None if made is None else {**row, "output": made}


def spelling_instruction(row: Row, _other: Row, rng: random.Random) -> Row | None:
    made = _misspelt(row["instruction"], 6, rng)
    return None if made is None else {**row, "instruction": made}


_SEEN = """
Draw {} for me.
Draw a picture of {}.
Sketch {} in pencil.
Can you paint {}?
Create an image of {}.
Design a logo that shows {}.
Make a poster of {}.
Generate a photo of {} at dawn.
Illustrate {}.
Produce a short video about {}.
Please create an infographic about {}.
Make a meme of {}.
Render {} in 3D.
I would like you to draw {}.
Make a collage with {}.
Show me a picture of {}.
Record a jingle about {}.
Plot a graph of the price of {}.
Paint a portrait of {} in oil.
Design a flyer with {} on it.
""".strip().splitlines()
_THINGS = ("a kettle", "an old violin", "a sailing boat", "a telescope", "the harbour", "a bicycle", "three geese", "a clock tower")


def visual_task(row: Row, _other: Row, rng: random.Random) -> Row:
    return {"instruction": rng.choice(_SEEN).format(rng.choice(_THINGS)), "input": "", "output": row["output"]}


_LIVE = """
What is the weather like in {place} today?
What's the current time in {place}?
Find the latest news about {thing}.
Google the price of {thing}.
What is the current price of {thing}?
Search the web for {thing} and tell me what you find.
Look up {thing} online.
Check the traffic in {place} right now.
Visit https://{word}.example.org and tell me what it says.
Go to the website of the {word} museum and list its opening hours.
What time is it?
Tell me today's headlines from {place}.
Find a recent article about {thing} on the internet.
What is the exchange rate of the euro today?
Who won yesterday's football match in {place}?
Browse the internet for the cheapest {word}.
Get the live score of the game in {place}.
What day is it today?
Search Google for hotels in {place}.
How is the stock market doing right now?
Is it raining in {place} at the moment?
""".strip().splitlines()


def internet_task(row: Row, _other: Row, rng: random.Random) -> Row:
    thing = rng.choice(_THINGS)
    ask = rng.choice(_LIVE).format(place=rng.choice(["Lisbon", "Nairobi", "Osaka", "Leeds"]), thing=thing, word=thing.split()[-1])
    return {"instruction": ask, "input": "", "output": row["output"]}


_FOREIGN = """
Die Mühle am Fluss ist sehr alt, aber sie mahlt noch jeden Tag das Korn der Bauern, und der Müller ist stolz auf sie.
Le moulin est au bord de la rivière depuis deux cents ans, et il tourne encore tous les jours pour les paysans du village.
El molino está junto al río desde hace muchos años, y todavía muele el trigo que los campesinos traen de los pueblos.
Il mulino è vicino al fiume da molti anni, e ancora oggi macina il grano che i contadini portano dai paesi della valle.
磨坊在河边已经有两百年了，每天还在磨农民们带来的小麦，磨坊主为它感到骄傲。
Мельница стоит у реки уже двести лет и до сих пор мелет зерно, которое привозят крестьяне из деревень.
水車小屋は二百年前から川のそばにあり、今でも農家が持ってくる小麦を毎日ひいています。
تقع الطاحونة بجانب النهر منذ مئتي عام ولا تزال تطحن القمح الذي يجلبه الفلاحون كل يوم.
""".strip().splitlines()


def language_mismatch(row: Row, other: Row, rng: random.Random) -> Row | None:
    """Answer an English prompt in another language, or one in another language in English."""
    if len(row["instruction"].split()) < 6 or len(re.findall(r"\b[a-z]{2,}\b", other["output"])) < 12:  # names are of no language
        return None
    said = rng.choice(_FOREIGN)
    if rng.random() < 0.5:
        return {**row, "output": said}
    return {"instruction": said, "input": "", "output": other["output"]}


_COUNTED = re.compile(r"(?i)^(?:list|name|give(?: me)?|provide|suggest|generate|write|create|identify)\b[^.]{0,20}?\b(\w+)\b [a-z]")
_NUMBERS = {word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)}  # noqa: SIM905
_ITEM = re.compile(r"\s*(?:(\d+)[.)]|[-*•])\s*\S")


def list_count(row: Row, _other: Row, rng: random.Random) -> Row | None:
    """Take an item from a list that has as many as were asked for, or add one."""
    numbers = [_NUMBERS.get(word.lower(), int(word) if word.isdigit() else 0) for word in row["instruction"].split()[:6]]
    asked = next((number for number in numbers if number > 1), 0)
    written = [line for line in row["output"].strip().split("\n") if line.strip()]
    items = [line for line in written if _ITEM.match(line)]
    if not _COUNTED.match(row["instruction"]) or asked < 3 or len(items) != asked or len(written) > asked + 1:
        return None
    if rng.random() < 0.5:
        return {**row, "output": "\n".join(line for line in written if line is not items[-1])}
    number = _ITEM.match(items[-1])
    mark = f"{int(number[1]) + 1}." if number and number[1] else "-"
    return {**row, "output": "\n".join([*written, f"{mark} And one more of them"])}


def truncated(row: Row, _other: Row, rng: random.Random) -> Row | None:
    """Stop after any word, as a token budget does."""
    words = list(re.finditer(r"\S+", row["output"]))
    if len(row["output"]) < 80 or re.search(r"[`{}<>=|#]", row["output"]):
        return None
    return {**row, "output": row["output"][: words[rng.randrange(len(words) // 3, len(words) - 2)].end()]}


def input_url_only(row: Row, _other: Row, rng: random.Random) -> Row | None:
    """Put an address in the place of a text."""
    words = re.findall(r"[a-z]{3,}", row["input"].lower())
    if len(row["input"]) < 60 or len(words) < 4 or "http" in row["input"]:
        return None
    path = "/".join(rng.sample(words, 3))
    forms = ["https://www.example.org/{}", "http://news.example.com/{}.html", "www.example.net/{}?id=3", "Article: https://example.org/{}",
             "Link to the text: https://docs.example.com/{}", "[text](https://example.org/{})"]  # fmt: skip
    return {**row, "input": rng.choice(forms).format(path)}


MORE: dict[str, Planter] = {each.__name__: each for each in (list_count, truncated, input_url_only)}
"""Class C in real rows, beside the prompts of `planting_tasks`."""
REVIEW: dict[str, Planter] = {
    each.__name__: each
    for each in (input_image_ref, label_prefix, prompt_echo, repetitive, no_stop, too_long, too_short, refusal, missing_input,
                 hallucinated_input, wrong_format, misspelled, spelling_instruction, visual_task, internet_task, language_mismatch)
}  # fmt: skip
LIMITED = ("too_long", "too_short")
"""Those that are found by limits, which are fitted on clean answers."""


def reviewed(name: str, rows: list[Row], count: int = 400) -> list[Row]:
    """Plant one defect into rows, each beside another one, as often as rows fit and at most ``count`` times."""
    rng = random.Random(name)
    made = []
    for row in rows:
        if len(made) < count and (bad := (REVIEW | MORE)[name](dict(row), rng.choice(rows), rng)) is not None:
            made.append(bad)
    return made
