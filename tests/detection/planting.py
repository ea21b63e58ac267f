"""Clean rows of a small world, and defects planted into them in several ways, none of them the rule run backwards."""

from __future__ import annotations

import html
import random
from collections.abc import Callable

Row = dict[str, str]

PLACES = [
    "the harbour",
    "the old mill",
    "the north gate",
    "the café by the river",
    "the orchard",
    "the market hall",
    "the lighthouse",
    "the bakery",
]
PEOPLE = ["Anna", "Bruno", "Chloé", "Dmitri", "Esra", "Frau Müller", "Señor Núñez", "Greta"]
THINGS = ["a kettle", "a violin", "a sail", "a ledger", "a telescope", "a loom", "a bicycle", "a clock"]
VERBS = ["Describe", "Explain", "Summarize", "Write a note about", "Give some facts about", "Tell a friend about"]


def clean(count: int, seed: int = 0) -> list[Row]:
    """Rows without a defect: prose with quotes, accents, lists and numbers."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        place, person, thing = rng.choice(PLACES), rng.choice(PEOPLE), rng.choice(THINGS)
        sentences = [
            f"{person} keeps {thing} in {place} and looks after it every {rng.choice(['day', 'week', 'spring'])}.",
            f"It was made in {rng.randint(1850, 1999)} by a craftsman who lived nearby, or so “the neighbours” say.",
            f"Whoever visits {place} will hear that {person}'s {thing.split()[1]} is worth at least {rng.randint(20, 900)} crowns.",
            f"On {rng.choice(['Monday', 'Friday', 'Sunday'])} it is shown to children, who may touch it with care.",
            f"Nobody knows where {rng.choice(PEOPLE)} first saw it; the story changes with whoever tells it.",
        ]
        rng.shuffle(sentences)
        answer = " ".join(sentences[: rng.randint(2, 5)])
        if rng.random() < 0.2:
            answer = "\n".join(f"{n}. {sentence}" for n, sentence in enumerate(sentences[:3], 1))
        given = f"Notes: {person}, {place}, {thing} (number {number})." if rng.random() < 0.5 else ""
        rows.append({"instruction": f"{rng.choice(VERBS)} {thing} in {place}.", "input": given, "output": answer})
    return rows


def input_placeholder(row: Row, rng: random.Random) -> Row:
    words = rng.choice(
        ["no input", "noinput", "no additional input", "n/a", "none", "no input required", "no input is needed", "not applicable"]
    )
    words = rng.choice([words, words.upper(), words.capitalize(), words.title()])
    return {**row, "input": rng.choice(["{}", "<{}>", "({})", '"{}"', "[{}]", "{}.", " {}\n", "`<{}>`"]).format(words)}


def placeholder_token(row: Row, rng: random.Random) -> Row:
    token = rng.choice(["<noinput>", "<NoInput>", "<nooutput>", "< noinput >", "<no input>"])
    field = rng.choice(["input", "output"])
    text = row[field] or "Some notes."
    return {**row, field: rng.choice([f"{token}\n{text}", f"{text}\n{token}", f"{text} {token}"])}


def output_empty(row: Row, rng: random.Random) -> Row:
    return {**row, "output": "".join(rng.choice(" \n\t\r\u200b\u00a0\u3000\ufeff") for _ in range(rng.randint(0, 6)))}


def output_placeholder(row: Row, rng: random.Random) -> Row:
    words = [
        "No output",
        "<nooutput>",
        "<noinput>",
        "No output needed.",
        "N/A",
        "null",
        "TBD",
        "not applicable",
        "<No Output - a visual task>",
    ]
    return {**row, "output": rng.choice(words) + rng.choice(["", "\n", " "])}


def output_stub(row: Row, rng: random.Random) -> Row:
    medium = rng.choice(["image", "photo", "drawing", "chart", "logo", "video", "diagram", "poster", "audio recording", "map"])
    form = rng.choice(["{} of {}", "Insert {} of {} here", "attached {}: {}", "A {} that shows {}", "your {} with {} goes here"])
    left, right = rng.choice(["[]", "<>", "()"])
    return {**row, "output": left + form.format(medium, rng.choice(THINGS)) + right + rng.choice(["", ".", "\n"])}


def output_media(row: Row, rng: random.Random) -> Row:
    name = rng.choice(THINGS).split()[1]
    media = [
        f"![{name}](https://i.example.org/{name}.png)",
        f'<img src="{name}.jpg">',
        f'<audio src="{name}.mp3"></audio>',
        f"![{name}][1]",
        f'<video controls src="{name}.mp4"></video>',
        f'<svg width="40" height="40"><title>{name}</title></svg>',
    ]
    return {**row, "output": rng.choice(["{}", "Here it is:\n\n{}", "{}\nI hope you like it."]).format(rng.choice(media))}


def merged_rows(row: Row, rng: random.Random) -> Row:
    other, number = clean(1, rng.randint(0, 10_000))[0], rng.randint(2, 40)
    plain = f"Instruction: {other['instruction']}\nInput: {other['input']}\nOutput: {other['output']}"
    numbered = "\n".join(f"{number}. {line}" for line in plain.split("\n"))
    return {**row, "output": row["output"] + "\n" + rng.choice([plain, numbered, "\n" + numbered, "### " + numbered])}


def template_leak(row: Row, rng: random.Random) -> Row:
    answer, more = row["output"], "And what else?"
    leaks = [f"{answer}<|im_end|>", f"{answer}</s>", f"{answer}\n[INST] {more} [/INST]", f"{answer}\n### Response:\nIt is so.",
             f"{answer}<end_of_turn>", f"{answer}\n\n### Instruction:\n{more}", f"<|assistant|>\n{answer}", f"{answer}\nHuman: {more}",
             f"{answer}<|endoftext|>", f"{answer}<|eot_id|><|start_header_id|>user", f"{answer}\n\nASSISTANT: {more}",
             f"{answer}\n##", f"{answer}\n\n### Response:\n", f"{answer}\nInput:", f"{answer}\n\nInstruction:\nOutput: ",
             f"{answer}\n```"]  # fmt: skip
    return {**row, "output": rng.choice(leaks)}


def junk_chars(row: Row, rng: random.Random) -> Row:
    junk = rng.choice(["\u0326" * 5, "\x00", "\ufffd", "\ufeff", "\uf04a", "\x1b", "\u0301\u0302\u0303", "\x92"])
    field = rng.choice(["instruction", "output"])
    cut = rng.randint(0, len(row[field]))
    return {**row, field: row[field][:cut] + junk + row[field][cut:]}


def html_entity(row: Row, rng: random.Random) -> Row:
    text = row["output"] + rng.choice([" It costs < 20 & more.", ' "So be it," they said.', " It's done."])
    return {**row, "output": html.escape(text)}


def mojibake(row: Row, rng: random.Random) -> Row:
    text = row["output"] + rng.choice(
        [" They meet at the café.", " “Naïve”, they say.", " Über den Fluß – später.", " Señor Núñez’s piñata…"]
    )
    garbled = text.encode().decode("latin-1") if rng.random() < 0.4 else text.encode().decode("cp1252", errors="ignore")
    return {**row, "output": garbled}


def repetition_loop(row: Row, rng: random.Random) -> Row:
    words = row["output"].split()
    unit = " ".join(words[-rng.randint(2, 6) :])
    sentence = f"{rng.choice(PEOPLE)} went back to {rng.choice(PLACES)} and looked at it again."
    loops = [
        " ".join([row["output"], *[unit] * 12]),
        row["output"] + " " + "h" + "a" * 30,
        " ".join([sentence] * 5),
        "\n".join([sentence] * 4),
    ]
    return {**row, "output": rng.choice(loops)}


PLANTED: dict[str, Callable[[Row, random.Random], Row]] = {
    each.__name__: each
    for each in (input_placeholder, placeholder_token, output_empty, output_placeholder, output_stub, output_media, merged_rows,
                 template_leak, junk_chars, html_entity, mojibake, repetition_loop)
}  # fmt: skip


def planted(name: str, count: int = 120) -> list[Row]:
    """Rows that all hold one defect."""
    rng = random.Random(name)
    return [PLANTED[name](row, rng) for row in clean(count, seed=sum(map(ord, name)))]


def row(instruction: str, output: str = "Yes.", given: str = "") -> Row:
    """One row."""
    return {"instruction": instruction, "input": given, "output": output}


LOOK_ALIKES: dict[str, list[Row]] = {
    "input_placeholder": [
        row("Which type is it?", given="None"),
        row("What does the acronym stand for?", given="NA"),
        row("Sort it.", given="nonet"),
    ],
    "placeholder_token": [row("Close the tag.", "<input>"), row("Compare.", "There is no input, and no output")],
    "output_empty": [row("Add.", "0"), row("Answer with a dot.", ".")],
    "output_placeholder": [
        row("Is it null or 0?", "null"),
        row("Is there output?", "Nobody saw it."),
        row("A: yes, B: n/a. Which?", "N/A"),
    ],
    "output_stub": [row("Sort the list.", "[1, 2, 3]"), row("Write a tag.", '<img src="a.png">'), row("Translate.", "(Danke!)")],
    "output_media": [row("Write HTML with a picture.", '<img src="a.png">'), row("Show markdown.", "![a](b)"), row("Say it.", "Wow! [1]")],
    "merged_rows": [row("Name the steps.", "1. Input: read\n2. Work: sort\n3. Output: print"), row("Fill it.", "Input: 3\nOutput: 4")],
    "template_leak": [
        row("Write a dialogue.", "Human: Hi\nAssistant: Hello"),
        row("What is <|im_end|>?", "The end: <|im_end|>"),
        row("Go.", "a <- b | c"),
        row("Write a letter.", "Dear Anna,\nI will come.\n\nSincerely,\n____"),
        row("Write a template for a lab book.", "Date:\nInput:\nOutput:"),
        row("Write a function.", "```\nx = 1\n```"),
        row("Name the keys.", "They are C,\nG and F#"),
    ],
    "junk_chars": [row("Say it.", "cafe\u0301 👩‍🚀 नमस्ते สวัสดี"), row("Tabs?", "a\tb\r\nc"), row("Viet.", "Tiê\u0301ng Viê\u0323t")],
    "html_entity": [row("Write HTML.", "<p>Fish &amp; chips</p>"), row("Escape < in HTML.", "&lt;"), row("Go.", "R&D; AT&T & co")],
    "mojibake": [
        row("Say it.", "IRMÃ, NÃO, “MÂ”, «À LA MAIRIÉ»"),
        row("Paris?", "Âge, être, naïf: ça va – «là»"),
        row("What is UTF-8 mojibake?", "Ã©"),
    ],
    "repetition_loop": [
        row("Write a song about rain.", "La la la la la la la la la la la la la la la la la la la la la\n" * 4),
        row("Go.", "-" * 60),
        row("Write a loop.", "```\n" + "x = x + 1\n" * 20 + "```"),
        row("What is a googol?", "1" + "0" * 100),
    ],
}
