"""What each number means, once: the sections look their definitions up here."""

from __future__ import annotations

import re

FUNNEL = {
    "rows in": "Records read from the sources, rejected ones included.",
    "kept": "Rows of the new version, edited ones included.",
    "dropped": "Rows that a step took out; each is in removed.parquet and in the ledger with its reason.",
    "edited": "Kept rows whose text a fix changed; what they were is in removed.parquet.",
    "flagged": "Kept rows that a step marked for a look; nothing was changed.",
    "rejected": "Records that could not be read as rows; they are in rejects.jsonl with file, field and reason.",
}

STEP = {
    "rows in": "Rows alive on entering the step.",
    "dropped": "Rows that the step took out.",
    "edited": "Rows alive whose text the step changed.",
    "flagged": "Rows alive that the step marked; they stay.",
    "left": "Rows alive after the step.",
    "seconds": "Wall time on the machine that ran it; steps that run as one share theirs equally.",
}

DETECTOR = 'The whole page of a detector: "tunesmith detectors NAME".'

REASON = {
    "rows": "A row with several reasons counts once in each.",
    "share": "Of the rows in.",
    "reason": f"Step and rule. {DETECTOR}",
}

ACTIONS = {"drop": "dropped", "edit": "edited", "flag": "flagged", "reject": "rejected", "keep": "kept"}

RULES = {
    "exact_duplicate": "The same text as an earlier row, or as the one that is kept of its group.",
    "near_duplicate": "A near duplicate of the row that is kept of its group, by exact Jaccard similarity of shingles.",
    "overlap": "Holds a test item, or as much of one as the recipe says: the share of its words in runs that both have.",
    "against": "A near duplicate of a row of another file that the recipe names, such as the evaluation items.",
    "where": "The recipe's own expression does not hold.",
    "not_selected": "Beyond the budget of a selection.",
    "off_reference": "An answer that its reference does not bear out: mean rougeL below .5. It has no training side.",
}

SPLIT = {
    "train": "Rows to finetune on.",
    "validation": "Rows for early stopping alone.",
    "test": "Rows to evaluate on.",
    "leaks": "Pairs across a border at or above the threshold, recomputed from the written files; 0 is what a split promises.",
    "highest similarity": "Highest exact Jaccard similarity of two prompts on different sides.",
    "set aside": "Rows in none of the parts: their group stood on two sides of the previous split.",
}

PACK = {
    "rows": "Rows that are in the pack.",
    "bins": "Sequences that a model sees, each filled with whole rows.",
    "fill": "Share of all bin places that hold a token.",
    "supervised tokens": "Tokens that the loss is taken over: the answers and their end of turn.",
    "masked tokens": "Tokens that are context only: prompts and template text.",
    "truncated tokens": "Tokens cut from rows that were longer than the context.",
    "dropped tokens": "Tokens of rows left out as longer than the context or without an answer.",
}

RUN = {
    "steps": "Optimizer steps.",
    "epochs": "Passes over the pack.",
    "tokens": "Tokens that went through the model, prompts included, over all epochs.",
    "supervised tokens": "Of these, tokens with a loss: the answers and their end of turn.",
    "loss": "Training: mean cross-entropy in nats over the supervised tokens of the last epoch's worth of steps.",
    "validation loss": "The same on the validation part, of the weights that were kept.",
    "tokens per second": "Tokens divided by the wall time of the steps.",
}

METRICS = {
    "rougeL": "Longest common subsequence of words with the reference, F1, stemmed.",
    "rougeLsum": "rougeL over lines, F1, stemmed.",
    "exact_match": "Share of outputs equal to the reference after trimming.",
    "similarity": "Cosine of the sentence embeddings of output and reference.",
}
SHARES = frozenset({"exact_match"})
"""Metrics that are shares of the items, written in per cent."""

PROFILE = {
    "rows": "Records read, rejected ones included.",
    "valid": "Rows that follow the format; the shares below are of these.",
    "rejected": 'Records that cannot be read as rows; "tunesmith check" lists them with their reasons.',
    "exact duplicates": "Rows whose prompt and answer are those of an earlier row.",
    "near duplicates": "Prompts with an earlier near duplicate: exact Jaccard similarity of word 5-grams at least .7, shared "
    "openings left out.",
    "largest group": "Rows of the largest group of near duplicates.",
    "boilerplate": "System prompts, and openings of six words, that over 1% of the rows (and at least 5) share; similarity never "
    "looks at them.",
}

TALLIES = {
    "verbs": "The first imperative of the instruction, by a light rule for English.",
    "objects": "The verb and its object: the last word before a preposition, a conjunction or a mark, by a light rule for English.",
    "topics": "The rows' own column of that name.",
    "clusters": "Prompts that share words (spherical k-means over TF-IDF), named by the three words that mark them.",
    "scripts": "The script that most letters of the prompt are of.",
    "languages": "Of the row's text, by a light rule (ISO 639-1).",
    "turns": "Assistant turns of a conversation; 1 for other rows.",
}

SIGNALS = {
    "mean_word_length": "Characters in words / words.",
    "alphabetic_share": "Letters / characters.",
    "digit_share": "Digits and other numbers / characters.",
    "symbol_share": "Characters that are no letter, number or white space / characters.",
    "distinct_2": "Distinct pairs of words / pairs of words.",
    "rep_4": "1 - distinct runs of four words / runs of four words.",
    "duplicate_line_share": "Lines equal to an earlier one / lines.",
}

ANSWERED = {
    "new tokens": "The most tokens that an answer could have.",
    "temperature": "0 is greedy: always the likeliest token.",
    "stopped": "Outputs that ended by themselves.",
    "cut": "Outputs that reached the most new tokens and were cut off.",
}

TURN = {
    "gate": "Items on which each turn is judged: a third of all, by whole clusters in hash order; the patch was not chosen on them.",
    "confirm": "The third that is spent once, to confirm a patch that passed the gate.",
    "dev": "The third that was diagnosed: the patch was chosen on it.",
    "outcome": "Share of the items whose answer has a finding in any category of the patch; with several seeds the mean over them.",
    "interval": "95% interval; of a rate Wilson's, of a difference over clusters of near-duplicate prompts, paired item by item.",
    "difference": "Patched minus placebo, in percentage points; fewer findings are better. Below it the 95% interval, paired over "
    "items. Better or worse where the interval does not hold 0 and p is below .05.",
    "p": "Two-sided test that the mean paired difference is 0, Holm-adjusted over the targets and, apart, over the others.",
    "detectable": "The smallest net change that these items would have shown with a power of 80%.",
    "role": "Target: a category that the patch is about. Other: one that must not become worse.",
    "steps": "Optimizer steps; equal in all arms.",
    "tokens": "Supervised tokens that the arm saw: the answers and their end of turn, over all steps.",
    "placebo": "The same action on as many random rows: what fewer or other rows do by themselves.",
    "seeds": "Trainings of each arm, each with its own order of rows.",
}

BALANCE = {
    "rows in": "Rows of the version that the turn began with.",
    "added": "Rows that the patch adds.",
    "dropped": "Rows that the patch (or the placebo) takes out.",
    "edited": "Rows whose text, weight or mask it changes.",
    "left": "Rows of the arm's version.",
    "not packed": "Rows that the pack left out: longer than the context, or without an answer.",
    "trained on": "Rows in the arm's pack.",
    "balanced": "Rows in + added = dropped + rejected + left, and left = not packed + trained on.",
}

CAUSE = {
    "outputs": "Share of the items of the slice whose output has the finding; below it the 95% interval (Wilson).",
    "targets": "Share of the training rows of the slice whose answer has it, by the same detector with the same limits.",
    "ratio": "Outputs over targets, with its 95% interval: near 1, the model does what its rows do.",
    "references": "Share of the items whose reference has the finding: the detector's false alarms.",
    "base": "Share for the base model, before finetuning.",
    "rows": "Training rows of the slice that have the finding; where rows are missing, the nearest ones.",
}

STATUSES = {
    "inherited": "The base model has it as often.",
    "introduced": "Finetuning brought it: the base model has it less often.",
    "fixed": "The base model has it, the finetuned one no longer.",
    "persistent": "Both have it.",
}

CAUSES = {
    "missing": "No training rows are near: the slice was not taught.",
    "bad_rows": "Training rows of the slice have the same defect.",
    "inherited": "The base model has it too, and no rows teach it.",
    "unlearnt": "The rows are right, the model has not learnt them yet.",
    "decoding": "Generation settings, such as a stop id, not the rows.",
    "template": "The prompt was written otherwise than in training.",
    "truncation": "The token budget cut the answers.",
    "unknown": "None of these could be shown.",
}

CHECKS = {
    "decoding": "Whether answers can end where the model was taught to end them, and have room to.",
    "template": "Whether the model was prompted with the template and tokenizer that it was trained with.",
    "truncation": "Whether packing cut training answers.",
}

COST = {
    "seconds": "Wall time of the step on the machine that ran it.",
    "tokens": "Tokens that went through the model, prompts included.",
    "supervised tokens": "Of these, tokens with a loss: the answers and their end of turn.",
    "answers": "Items answered, and the tokens generated for them.",
}


def metric(name: str) -> str:
    """Define a metric; one of a user's own is the mean over the items.

    >>> metric("rouge1")
    "Overlap of words with the reference, F1, stemmed (rouge_score 0.1.2's definition; Lin 2004)."
    """
    grams = re.fullmatch(r"rouge([1-9])", name)
    if grams is None:
        return METRICS.get(name, "Mean over the items.")
    n = int(grams[1])
    what = "words" if n == 1 else "word pairs" if n == 2 else f"sequences of {n} words"
    return f"Overlap of {what} with the reference, F1, stemmed" + (" (rouge_score 0.1.2's definition; Lin 2004)." if n == 1 else ".")


def rule(name: str) -> str:
    """Define a rule of the ledger or a detector; "" where nothing more is known than its name.

    >>> rule("output_empty")
    'An answer that is absent, empty, or holds only white space and invisible characters.'
    """
    from tunesmith.detection import DETECTORS

    return DETECTORS[name].page.finds if name in DETECTORS else RULES.get(name, "")
