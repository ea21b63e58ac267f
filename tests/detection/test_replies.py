"""Detectors for review: refusals, counts, languages, missing material, echoes, endings."""

import polars as pl
import pytest

from tunesmith.detection import find

LIST = "List three rivers."
CASES = [
    ("refusal", "Name a bakery.", "", "As an AI language model, I do not have access to that.", True),
    ("refusal", "Name a bakery.", "", "I'm sorry, but I can't help with that.", True),
    ("refusal", "Write a poem.", "", "When I see the sea, I can't help but smile.", False),
    ("refusal", "Write a letter to decline an offer.", "", "I am sorry, but I cannot accept and I cannot provide more.", False),
    ("list_count", LIST, "", "1. Rhine\n2. Elbe", True),
    ("list_count", LIST, "", "- Rhine\n- Elbe\n- Oder\n- Main", True),
    ("list_count", LIST, "", "1. Rhine\n   - long\n2. Elbe", False),
    ("list_count", "List three to five rivers.", "", "1. Rhine\n2. Elbe\n3. Oder\n4. Main", False),
    ("list_count", "Write three sentences.", "", "1. One.\n2. Two.", False),
    ("language_mismatch", "Describe the quiet forest in autumn.", "", "秋天的森林很安静，树叶慢慢地落在地上。", True),
    ("language_mismatch", "Опиши осенний лес двумя словами", "", "The forest is golden and quiet.", True),
    ("language_mismatch", "Write it in Chinese: the forest is quiet.", "", "秋天的森林很安静，树叶慢慢地落在地上。", False),
    ("language_mismatch", "列出三种数据分析工具和方法吧", "", "微软 Excel, Tableau, Python 和 SQL", False),
    ("missing_input", "Summarize the following article", "", "It is about trade.", True),
    ("missing_input", "Summarize the following article", "Trade fell.", "Trade fell.", False),
    ("missing_input", "Translate the following sentence: It rains.", "", "Es regnet.", False),
    ("prompt_echo", "Explain how a kettle boils water", "", "Explain how a kettle boils water.\nExplain how", True),
    ("prompt_echo", "Explain how a kettle boils water", "", "Explain how a kettle boils water in a minute, they said.", False),
    ("no_stop", "Name a colour.", "", "Blue.\n\nQuestion: Name a fruit.\nAnswer: Apple.", True),
    ("no_stop", "Tell jokes.", "", "Q: Why?\nA: Because.\n\nQ: How?\nA: So.", False),
    ("no_stop", "Explain a program.", "", "It has steps.\n1. Input: read\n2. Output: write", False),
    ("truncated", "Tell me of the lighthouse.", "", "It was built by the harbour board and opened in March 19", True),
    ("truncated", "Complete the sentence.", "", "The man walked slowly down the street and looked at the", False),
    ("truncated", "Tell me of the lighthouse.", "", "It was built by the harbour board, and the door is open.", False),
    ("label_prefix", "Name a colour.", "", "Answer: Blue.", True),
    ("label_prefix", "Give the format 'Answer: x'.", "", "Answer: Blue.", False),
    ("input_url_only", "Summarize it.", "https://example.org/a/b", "It is so.", True),
    ("input_url_only", "Which domain is it?", "https://example.org/a/b", "example.org", False),
    ("input_url_only", "Write a tweet about this article.", "https://example.org/a/b", "It is so.", True),
    ("input_url_only", "Summarize the article in this link.", "https://example.org/a/b", "It is so.", True),
    ("input_url_only", "Replace the broken link.", "https://example.org/a/b", "https://example.org/a", False),
    ("input_image_ref", "What is this?", "<image of a dog>", "A dog.", True),
    ("input_image_ref", "What is this?", "(a dog in a kennel)", "A dog.", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "instruction", "given", "output", "expected"), CASES)
def test_a_case(name: str, instruction: str, given: str, output: str, *, expected: bool) -> None:
    frame = pl.DataFrame({"instruction": [instruction], "input": [given], "output": [output]})
    assert (find(frame, only=[name]).height == 1) is expected
