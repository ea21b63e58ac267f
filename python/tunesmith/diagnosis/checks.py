"""What is ruled out before data are blamed: how answers were decoded, how the model was prompted, what packing cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunesmith.evaluation import Evaluation

State = Literal["fine", "at_fault", "unknown"]
_TOKENS = "tokens.parquet"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        state: ``fine``, ``at_fault``, or ``unknown`` where the evaluation does not tell.
        says: The finding in a sentence.
        facts: The numbers it rests on, JSON values.
    """

    state: State
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Say it in JSON values."""
        return {"state": self.state, "says": self.says, **self.facts}


@dataclass(frozen=True, kw_only=True)
class Checks:
    """All of them.

    Attributes:
        decoding: Whether answers could end where the model was taught to end them, and had room.
        template: Whether the model was prompted as it was trained.
        truncation: Whether packing cut targets.
        budget: ``float64[items]``: share of an item's outputs that the token budget cut although its reference would not have
            fitted either.
        endless: ``float64[items]``: share of an item's outputs that ran into the budget.
        cut: ``bool[rows]``: training rows that packing cut; None where that is not known.
        notes: What could not be told of the data.
    """

    decoding: Check
    template: Check
    truncation: Check
    budget: NDArray[np.float64]
    endless: NDArray[np.float64]
    cut: NDArray[np.bool_] | None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Say them in JSON values."""
        return {name: getattr(self, name).as_dict() for name in ("decoding", "template", "truncation")}


def check(evaluation: Evaluation, rows: pl.DataFrame, data: Mapping[str, str]) -> Checks:
    """Look at how the model was asked and trained, as far as the evaluation tells.

    Args:
        evaluation: The finetuned model's.
        rows: The training rows.
        data: Source name to content hash of the rows, as they were read.
    Raises:
        InputError: If the model is known to have learnt none of these rows.
    """
    trained = evaluation.manifest.details.get("trained")
    learnt = _learnt(trained)
    if learnt is not None:
        _must_have_learnt(learnt, rows, f"{evaluation.folder}: its", ", ".join((trained or {}).get("data") or {}) or "unknown")
    endless, budget = _cut_answers(evaluation)
    truncation, cut = _truncation(learnt, rows)
    return Checks(
        decoding=_decoding(evaluation, trained, endless, budget),
        template=_template(evaluation, trained),
        truncation=truncation,
        budget=budget,
        endless=endless,
        cut=cut,
        notes=_trained_on(trained, data),
    )


def _cut_answers(evaluation: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell which answers the budget cut, and which of them because it is below the reference's own length.

    A reference's tokens are told from its characters by what the outputs need a character.
    """
    items, predictions = evaluation.items, evaluation.predictions
    limit = _limit(evaluation)
    known = predictions.filter(pl.col("output_tokens").is_not_null(), pl.col("output").str.len_chars() > 0)
    tokens, characters = (
        float(known.select(each.sum()).item() or 0) for each in (pl.col("output_tokens"), pl.col("output").str.len_chars())
    )
    needed = items.select(pl.col("reference").str.len_chars().fill_null(0) * (tokens / characters if characters else 0.0)).to_series()
    made = predictions.group_by("item").agg(outputs=pl.len(), cut=(pl.col("finish") == "length").fill_null(value=False).sum())
    endless = np.zeros(items.height)
    endless[made["item"].to_numpy()] = (made["cut"] / made["outputs"]).to_numpy()
    over = (needed >= limit).to_numpy() if limit else np.zeros(items.height, dtype=bool)
    return endless, endless * over


def _limit(evaluation: Evaluation) -> int | None:
    stated = evaluation.manifest.details.get("max_new_tokens", evaluation.summary.get("max_new_tokens"))
    return int(stated) if stated else None


def _decoding(
    evaluation: Evaluation, trained: Mapping[str, Any] | None, endless: NDArray[np.float64], budget: NDArray[np.float64]
) -> Check:
    stops, limit = evaluation.manifest.details.get("stop_ids"), _limit(evaluation)
    end = (trained or {}).get("end_of_turn_id")
    share = float(endless.mean()) if len(endless) else 0.0
    facts = {"end_of_turn_id": end, "stop_ids": stops, "max_new_tokens": limit, "cut": share, "over_budget": float(budget.mean())}
    if end is not None and stops is not None and end not in stops:
        return Check(state="at_fault", says=f"answers end at the tokens {stops}; the model was taught to end them with {end}", facts=facts)
    if budget.any():
        says = f"{budget.mean():.1%} of the answers are cut at {limit:,} tokens, which their references would not fit into either"
        return Check(state="at_fault", says=says, facts=facts)
    if end is None or stops is None:
        return Check(state="unknown", says="the evaluation does not say where answers end and where the model was taught to", facts=facts)
    return Check(
        state="fine", says=f"answers can end where they were taught to; {share:.1%} run into the budget of {limit:,} tokens", facts=facts
    )


def _template(evaluation: Evaluation, trained: Mapping[str, Any] | None) -> Check:
    details = evaluation.manifest.details
    facts = {"evaluated": details.get("template"), "trained": (trained or {}).get("template")}
    asked, taught = details.get("template_hash"), (trained or {}).get("template_hash")
    if asked is None or taught is None:
        return Check(state="unknown", says="the evaluation does not say how the model was prompted and trained", facts=facts)
    if asked != taught:
        says = f'prompted with the template "{facts["evaluated"]}", trained with "{facts["trained"]}", which is another'
        return Check(state="at_fault", says=says, facts=facts)
    if trained and trained.get("same_tokenizer") is False:
        return Check(state="at_fault", says="prompted with another tokenizer than the one it was trained with", facts=facts)
    return Check(state="fine", says=f'prompted as it was trained (template "{facts["evaluated"]}")', facts=facts)


def _truncation(learnt: pl.DataFrame | None, rows: pl.DataFrame) -> tuple[Check, NDArray[np.bool_] | None]:
    if learnt is None:
        return Check(state="unknown", says="the pack that the model was trained on is not known or not there"), None
    tokens = learnt.filter(pl.col("truncated") > 0).select("position", "row_id")
    keys = rows.select("position", "row_id").with_row_index("line").join(tokens.unique(), on=["position", "row_id"])
    cut = np.zeros(rows.height, dtype=bool)
    cut[keys["line"].to_numpy()] = True
    facts = {"rows": int(cut.sum())}
    if not cut.any():
        return Check(state="fine", says="packing cut no target", facts=facts), cut
    return Check(state="at_fault", says=f"packing cut {cut.sum():,} of {rows.height:,} rows", facts=facts), cut


def _learnt(trained: Mapping[str, Any] | None) -> pl.DataFrame | None:
    """Give the token ledger of the pack that the model was trained on; None where that is not known or not there."""
    pack = (trained or {}).get("pack")
    if not trained or not pack or not is_artefact(pack, "pack") or read_manifest(pack, "pack").hash != trained.get("pack_hash"):
        return None
    return pl.read_parquet(Path(pack) / _TOKENS, glob=False)


def _must_have_learnt(learnt: pl.DataFrame, rows: pl.DataFrame, whose: str, sources: str) -> None:
    """Refuse rows of which the model saw none: whatever is wrong with them, it is not what it learnt."""
    if not learnt["row_id"].is_in(rows["row_id"].implode()).any():
        raise InputError(
            f"{whose} model learnt {learnt.height:,} rows, and none of the {rows.height:,} of --data is among them; "
            f"name what it was trained on (its pack was made from {sources})"
        )


def _trained_on(trained: Mapping[str, Any] | None, data: Mapping[str, str]) -> tuple[str, ...]:
    made_of = (trained or {}).get("data")
    if not made_of:
        return ()
    if set(data.values()) <= set(made_of.values()):
        return ()
    names = ", ".join(made_of)
    return (f"the run was trained on other data than --data (its pack was made from {names}): rows are blamed that it may not have seen",)
