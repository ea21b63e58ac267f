"""What was measured of each detector, with the sample that it comes from.

Samples: *planted*: defects planted into 400 rows of Alpaca that people had seen and kept, several ways a class (the
planting code is in `tests/detection/planting.py`); *flags*: what the detector finds in the 52,002 rows of Alpaca, read
by one reader; *fixes*: 185 rows of Alpaca that people changed; *kept*: 11,532 rows that they kept (kept does not mean
clean); *davinci*: answers of GPT-3 davinci before and after finetuning (self-instruct, 252 tasks each).
"""

from __future__ import annotations

from typing import Final

from tunesmith.detection.detector import Measured

PLANTED: Final = "planted into 400 kept rows of Alpaca"
FLAGS: Final = "its flags in Alpaca's 52,002 rows, one reader"
FIXES: Final = "185 rows of Alpaca that people changed"
KEPT: Final = "11,532 rows of Alpaca that people kept; a flag there need not be wrong"
WORKSHOP: Final = "planted into the workshop's 2,996 rows, with limits of its 900 items"
ELSEWHERE: Final = (
    "its flags in 61,000 rows and answers of other public files (Dolly, LIMA, GSM8K, AlpacaEval, LLMBar and others), one reader"
)
DAVINCI: Final = "252 self-instruct tasks, before and after finetuning"


def _recall(found: int) -> Measured:
    return Measured(figure=f"recall {found / 400:.1%} ({found} of 400)", sample=PLANTED)


def _precision(right: int, read: int) -> Measured:
    return Measured(figure=f"precision {right / read:.1%} ({right} of {read} read)", sample=FLAGS)


def _kept(flags: int) -> Measured:
    return Measured(figure=f"flags {flags} rows ({flags / 11_532:.2%})", sample=KEPT)


def _davinci(before: int, after: int) -> Measured:
    return Measured(figure=f"{before} answers before, {after} after", sample=DAVINCI)


MEASURED: Final[dict[str, tuple[Measured, ...]]] = {
    "mojibake": (_recall(400), _kept(0)),
    "html_entity": (_recall(398), _kept(0)),
    "junk_chars": (_recall(400), _precision(5, 5), _kept(0)),
    "input_placeholder": (
        _recall(398),
        _precision(673, 673),
        Measured(figure="130 of the 130 placeholder inputs", sample=FIXES),
        _kept(0),
    ),
    "placeholder_token": (_recall(400), _precision(54, 56), _kept(2)),
    "output_empty": (_recall(400), _precision(28, 28), Measured(figure="11 of the 11 empty answers", sample=FIXES), _kept(0)),
    "output_placeholder": (_recall(400), _precision(70, 73), _kept(0)),
    "output_stub": (_recall(395), _precision(59, 59), _kept(20)),
    "output_media": (_recall(394), _precision(37, 37), _kept(6)),
    "input_url_only": (_precision(47, 48), _kept(3)),
    "input_image_ref": (_precision(40, 50), _kept(24)),
    "merged_rows": (_recall(400), _precision(37, 37), _kept(0)),
    "template_leak": (_recall(398), _kept(0)),
    "label_prefix": (_precision(6, 6), _kept(1)),
    "prompt_echo": (Measured(figure="184 of 184 found, no false alarm", sample=WORKSHOP), _precision(6, 8), _kept(1), _davinci(32, 0)),
    "repetition_loop": (_recall(389), _precision(3, 3), _kept(0), _davinci(186, 7)),
    "repetitive": (Measured(figure="389 of 389 found, no false alarm", sample=WORKSHOP), _kept(8), _davinci(247, 21)),
    "truncated": (Measured(figure="108 of 108 found, no false alarm", sample=WORKSHOP), _precision(37, 37), _kept(8), _davinci(33, 1)),
    "no_stop": (_precision(29, 29), _kept(0), _davinci(131, 0)),
    "too_long": (Measured(figure="95 of 95 found; 0.3% of the clean rows", sample=WORKSHOP), _davinci(244, 12)),
    "refusal": (Measured(figure="86 of 86 found, no false alarm", sample=WORKSHOP), _precision(13, 13), _kept(5)),
    "missing_input": (_precision(14, 15), _kept(5)),
    "list_count": (_precision(53, 55), _kept(0)),
    "language_mismatch": (_kept(0),),
    "wrong_format": (
        Measured(figure="92 of 92 found, no false alarm", sample=WORKSHOP),
        Measured(
            figure="recall 73.6% (320 of 435)",
            sample="rows of Alpaca of the form they ask for, answered by a sentence instead; the patterns were written on them",
        ),
        Measured(figure="precision 100.0% (5 of 5 read)", sample=f"{FLAGS}; rules were tightened after a first reading of them"),
        Measured(figure="precision 100.0% (7 of 7 read)", sample=f"{ELSEWHERE}; too few to tell"),
        _kept(1),
        _davinci(0, 2),
    ),
    "misspelled": (
        Measured(figure="97 of 97 found, no false alarm", sample=WORKSHOP),
        Measured(
            figure="recall 89.0% (356 of 400)",
            sample="two inner letters swapped in one word of 400 kept rows of Alpaca, on which it was tuned",
        ),
        Measured(
            figure="precision 98.0% (48 of 49 read)",
            sample=f"{FLAGS}; words were added and rules tightened after a first reading of them",
        ),
        Measured(
            figure="precision 89.6% (43 of 48 read)",
            sample=f"{ELSEWHERE}; about 38 of 56 were right in a first reading of most of them, after which rules were tightened and ten "
            "words added: expect 70 to 80% on data it has not seen",
        ),
        _kept(0),
        _davinci(0, 0),
    ),
}
