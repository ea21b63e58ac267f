"""Detectors for review: tasks that cannot be done, lengths, repeated items, spelling and languages of prompts."""

import polars as pl
import pytest

from tunesmith.detection import Limits, find, fit

CASES = [
    ("visual_task", "Draw a picture of a mill.", "", "Here is the picture of a mill.", True),
    ("visual_task", "Draw a conclusion from the text.", "", "It is old.", False),
    ("visual_task", "Design a logo for a mill.", "", "I am sorry, but I cannot create images.", False),
    ("visual_task", "Create a flow chart of the process.", "", "Start --> Grind --> End", False),
    ("visual_task", "Write a caption for a photo of a mill.", "", "Grinding on.", False),
    ("internet_task", "Search the web for a mill.", "", "There is one in Exampleton.", True),
    ("internet_task", "What is the current price of flour?", "", "It is 3 crowns.", True),
    ("internet_task", "What is the current price of flour?", "", "I do not have access to real-time prices.", False),
    ("internet_task", "Explain how to search the web.", "", "Use few words.", False),
    ("length_constraint", "Describe the mill in three words.", "", "It is a very old mill.", True),
    ("length_constraint", "Describe the mill in three words.", "", "A well-known mill", False),
    ("length_constraint", "Write a story in 50 words or less.", "", "word " * 90, True),
    ("length_constraint", "Write at least 20 words on mills.", "", "Mills are old.", True),
    ("length_constraint", "Give three words that rhyme with mill.", "", "bill, hill, till, fill", False),
    ("length_constraint", "Write a sentence with more than three characters in it.", "", "Hm.", False),
    ("length_constraint", "用50字以内描述磨坊。", "", "磨坊很老。" * 20, True),
    ("length_constraint", "用50字以内描述磨坊。", "", "磨坊很老。", False),
    ("too_short", "Write an essay about mills.", "", "Mills are old.", True),
    ("too_short", "Write a title for an essay about mills.", "", "The Old Mill", False),
    ("too_short", "写一篇关于磨坊的文章", "", "磨坊很老", False),
    ("duplicate_items", "List four tools.", "", "1. Saw\n2. Axe\n3. Hammer\n4. saw", True),
    ("duplicate_items", "Give synonyms of old.", "", "aged, ancient, antique, aged.", True),
    ("duplicate_items", "Write a song that lists tools.", "", "saw, axe, saw, axe, saw", False),
    ("spelling_instruction", "Explain why the goverment likes mills.", "", "They are old.", True),
    ("spelling_instruction", "Explain what a zwirbelwind is for.", "", "For turning.", False),
    ("spelling_instruction", "Erkläre, warum die Mühle besten Weizen mahlt.", "", "Weil sie alt ist.", False),
    ("spelling_instruction", "Correct the spelling of goverment.", "", "government", False),
    ("hallucinated_input", "Classify the sentence.", "", "Sentence: The mill is old.\nOutput: fact", True),
    ("hallucinated_input", "Classify the sentence.", "The mill is old.", "Sentence: The mill is old.\nOutput: fact", False),
    ("hallucinated_input", "Give an example of a labelled sentence.", "", "Sentence: The mill is old.\nLabel: fact", False),
    ("language_mismatch", "Gib mir einen Namen für die alte Mühle am Fluss.", "",
     "There is no direct translation for the name of the mill in German, as it is a proper noun.", True),
    ("language_mismatch", "Gib mir einen Namen für die alte Mühle am Fluss.", "",
     "Die alte Mühle am Fluss ist ein guter Name, denn sie steht dort und mahlt.", False),
    ("language_mismatch", "Translate to German: the mill by the river is old and it grinds.", "",
     "Die Mühle am Fluss ist alt und sie mahlt, und das ist auch gut für die Leute.", False),
    ("hallucinated_input", "Shorten the given sentence.", "", 'The original sentence is "The mill is old." Shorter: "Old."', True),
    ("hallucinated_input", "Shorten the given sentence.", "", "Which one? Please paste it.", False),
    ("too_short", "Write a story about a mill.", "", "The Mill by the Old River: A Tale of Love and Flour", True),
    ("language_mismatch", "列出关于老磨坊和小麦的网页。", "", "https://mill.example.org/1\nhttps://mill.example.org/2。", False),
    ("length_constraint", "从这篇1000字的文章中删除多余的段落。", "", "磨坊很老。", False),
    ("list_count", "Give three names for each mill.", "", "- North mill: Ada, Bea, Cleo\n- South mill: Dora, Edda, Fee", False),
    ("missing_input", "Summarize the following article", "", "It tells of mills.", True),
    ("missing_input", "Summarize the following article", "", "Could you share the article, please? I see none.", False),
    ("input_url_only", "确定给定网站的类型。", "www.mill.example.org", "商店", False),
    ("input_url_only", "总结以下文章", "https://mill.example.org/news", "磨坊很老。", True),
    ("input_url_only", "Visit the page of the mill, and extract its opening hours.", "https://mill.example.org", "Nine to five.", True),
    ("input_url_only", "Extract the domain.", "https://mill.example.org/hours", "mill.example.org", False),
    ("input_url_only", "Using the figure as a reference, name its shape.", "![alt](https://mill.example.org/a.gif)", "round", True),
    ("input_url_only", "Rename the file in capitals.", "mill.jpg", "MILL.JPG", False),
    ("input_url_only", "Which mill is this?", "[mill.jpg]", "The old one.", True),
    ("input_url_only", "Write a program that visits the web page.", "https://mill.example.org", "get(url)", False),
    ("label_prefix", "Do they agree?", "", "Answer: Agree\nConfidence: 90%", False),
    ("label_prefix", "Do they agree?", "", "Answer: They agree.", True),
    ("label_prefix", "Sort them.", "pear, apple", "**A:** apple, pear", True),
    ("label_prefix", "Sort them.", "pear, apple", "Result is below.\nA: apple", False),
    ("label_prefix", "Q: Which is older?", "", "A: The mill.", False),
    ("label_prefix", "Sort them.", "", "A: apple, B: pear", False),
    ("label_prefix", "Sort them by kind.", "apple, oak", "Output: Fruit: apple\nTree: oak", True),
    ("label_prefix", "Write a program that sorts, as a script.", "", "Output: sort(them)", True),
    ("label_prefix", "Write a conversation.", "", "Assistant: Good morning!", False),
    ("label_prefix", "Sortiere sie.", "Birne, Apfel", "Antwort: Apfel, Birne", True),
    ("label_prefix", "这磨坊老吗？", "", "答：很老。", True),
    ("label_prefix", "问：这磨坊老吗？", "", "答：很老。", False),
    ("language_mismatch", "Name a sixteenth century English miller", "", "磨坊在河边已经有两百年了。", True),
    ("language_mismatch", "Name the mill by its Chinese name, please", "", "磨坊在河边已经有两百年了。", False),
    ("language_mismatch", "Write a SQL query that counts mills.", "", "Мельница стоит у реки уже двести лет и мелет зерно.", True),
    ("language_mismatch", "Напиши запрос SQL, который считает мельницы", "", "Select all the mills and count them by river", False),
    ("language_mismatch", "Suggest a title for a story about the mill.", "",
     "Die alte Mühle am Fluss mahlt noch jeden Tag, und der Müller ist stolz auf sie.", True),
    ("language_mismatch", "Suggest a German title for a story about the mill.", "",
     "Die alte Mühle am Fluss mahlt noch jeden Tag, und der Müller ist stolz auf sie.", False),
    ("language_mismatch", "Résume la phrase suivante pour les enfants.",
     "The mill by the river is old, and it has been turning for the miller.",
     "Le moulin est très vieux, mais il tourne encore pour le meunier et les enfants du village.", False),
    ("language_mismatch", "Donne une liste de chansons sur les moulins et leur rivière.", "",
     "Voici quelques chansons : Down to the Mill and Back, The Wheel of the Water, The Song of a Miller.", False),
    ("language_mismatch", "画一个关于磨坊的饼图，并加上说明。", "",
     '&lt;img src=&quot;old-mill-chart.png&quot; width=&quot;400&quot;&gt;', False),
    ("language_mismatch", "Nenne mir die zehn besten Lieder über die Mühlen und den Fluss.", "",
     "1. The Millers - Wheel 2. The Rivers - Stones 3. The Grain - Sacks of Gold 4. Flour Power 5. The Dusty Band - Sieves", False),
    ("refusal", "Write lyrics about mills.", "", "I cannot help the way I feel\nWhen I see a water wheel", False),
    ("refusal", "What kind of tasks can't you do?", "", "As an AI, there is flour that I cannot provide.", False),
    ("refusal", "Draw a mill.", "", "Sorry, this task involves a picture, which the model cannot make.", True),
    ("prompt_echo", "Die alte Mühle am Fluss mahlt immer Weizen.", "", "Die alte Mühle am Fluss mahlt stets Weizen.", False),
    ("prompt_echo", "a wheel that the water of a river turns is called", "",
     "A wheel that the water of a river turns is called an undershot wheel.", False),
    ("prompt_echo", "Explain why the old mill by the river still stands.", "",
     "Explain why the old mill by a river still stands. It is strong.", True),
    ("language_mismatch", "Name websites about mills, please, and say what is on them.", "",
     "1. Wix.com 2. mill.org 3. a.com 4. b.com", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "instruction", "given", "output", "expected"), CASES)
def test_a_case(name: str, instruction: str, given: str, output: str, *, expected: bool) -> None:
    frame = pl.DataFrame({"instruction": [instruction], "input": [given], "output": [output]})
    assert (find(frame, only=[name]).height == 1) is expected


def test_limits_know_the_shortest_usual_answer() -> None:
    limits = fit(pl.Series(["x" * n for n in range(10, 210)]))
    assert limits.characters_min == 11
    frame = pl.DataFrame({"instruction": ["Tell."] * 3, "output": ["x" * 9, "x" * 11, ""]})
    assert find(frame, only=["too_short"], limits=limits)["position"].to_list() == [0]
    assert find(frame, only=["too_short"], limits=Limits()).is_empty()


def test_spans_of_prompts_lie_in_them() -> None:
    frame = pl.DataFrame({"instruction": ["Explain why the goverment likes mills."], "output": ["They are old."]})
    start, end, evidence = find(frame, only=["spelling_instruction"]).select("start", "end", "evidence").row(0)
    assert (frame["instruction"][0][start:end], evidence) == ("goverment", "goverment → government")
