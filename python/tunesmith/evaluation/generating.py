"""Answers from a model: prompts, limits and stops chosen here; batches kept as they come, so that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith import templates
from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.errors import InputError, OptionError
from tunesmith.evaluation.items import Items
from tunesmith.evaluation.schema import PREDICTION
from tunesmith.models.loading import Device, Dtype, find_model, is_adapter
from tunesmith.models.weights import model_hash
from tunesmith.packing.reader import TOKENIZER
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    from tunesmith.models import Generation, Generator

LONGEST = 1024
"""New tokens at most, unless said."""
WITHOUT_REFERENCES = 256
_SHARE = 0.99


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The model to evaluate, and how it is asked.

    Attributes:
        model: A folder or hub name.
        adapter: A run, or another folder with an adapter (or with full weights), put on `model`.
        template: As `templates.resolve` takes it.
        max_new_tokens: None: the 99th percentile of the references' tokens and one for the end of turn, at most 1,024.
        temperature: 0 is greedy.
        stop: Strings that end an answer, besides the end of turn.
        seed: Of the sampling.
        batch_tokens: Tokens a batch holds at most; never changes an output beyond rounding.
        dtype: Of the weights.
        device: Where to.
    """

    model: str | Path
    adapter: str | Path | None = None
    template: str | None = None
    max_new_tokens: int | None = None
    temperature: float = 0.0
    stop: Sequence[str] = ()
    seed: int = 0
    batch_tokens: int = 16_384
    dtype: Dtype = "auto"
    device: Device = "auto"

    @property
    def name(self) -> str:
        """What tables call the model with its adapter."""
        return self.base_name if self.adapter is None else f"{self.base_name}+{Path(self.adapter).resolve().name}"

    @property
    def base_name(self) -> str:
        """What tables call the model alone."""
        return Path(self.model).resolve().name if Path(self.model).is_dir() else str(self.model)

    def hashes(self) -> dict[str, str]:
        """Name the weights by content."""
        found = {"model": model_hash(find_model(self.model))}
        if self.adapter is not None:
            folder = Path(self.adapter)
            if not is_adapter(folder) and not (folder / "config.json").is_file():
                raise OptionError(f"--adapter {self.adapter}: expected a run of `tunesmith train` or a peft adapter, found neither")
            found["adapter"] = model_hash(folder)
        return found


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a model is asked, before it is loaded.

    Attributes:
        prompts: ``item, prompt, input_ids``, of the items that can be asked.
        problems: ``item, problem``: why the others cannot.
        max_new_tokens: As given or chosen.
        end_of_turn: The template's end of an answer, by token id.
        about: The template, the limits and how the model was trained, for the manifest.
    """

    prompts: pl.DataFrame
    problems: pl.DataFrame
    max_new_tokens: int
    end_of_turn: int
    about: Mapping[str, Any] = field(default_factory=dict)


def ask(items: Items, subject: Subject, *, progress: Progress = SILENT) -> Asked:
    """Render the prompts of items and choose how many tokens an answer may have.

    The tokenizer and template are the run's own where it brings them, else the model's.

    Raises:
        OptionError: If there is no template.
        InputError: If no item can be asked.
    """
    own = subject.adapter is not None and (Path(subject.adapter) / "tokenizer.json").is_file()
    tokenizer = templates.load_tokenizer(subject.adapter if own and subject.adapter is not None else find_model(subject.model))
    template = templates.resolve(subject.template, tokenizer)
    rendered = templates.prompts(items.rows, tokenizer=tokenizer, template=template, progress=progress)
    rendered = rendered.with_columns(items.table["item"], length=pl.col("input_ids").list.len())
    limit = tokenizer.context_limit
    problem = pl.col("problem")
    if limit is not None:
        full = pl.format("a prompt of {} tokens leaves no room in a context of {}", "length", pl.lit(limit))
        problem = pl.when(problem.is_null() & (pl.col("length") >= limit)).then(full).otherwise(problem)
    empty = pl.when(problem.is_null() & (pl.col("length") == 0)).then(pl.lit("the prompt is empty")).otherwise(problem)
    rendered = rendered.with_columns(problem=empty)
    good = rendered.filter(pl.col("problem").is_null())
    if good.is_empty():
        raise InputError(f"none of {items.table.height:,} items can be asked; the first: {rendered['problem'][0]}")
    chosen = subject.max_new_tokens or _room(items, tokenizer, progress)
    return Asked(
        prompts=good.select("item", "prompt", "input_ids"),
        problems=rendered.filter(pl.col("problem").is_not_null()).select("item", "problem"),
        max_new_tokens=chosen,
        end_of_turn=template.end_of_turn_id,
        about={
            "template": template.name,
            "template_hash": template.hash,
            "tokenizer": tokenizer.hash,
            "max_new_tokens": chosen,
            "prompt_tokens": int(good["length"].sum()),
            "end_of_turn_id": template.end_of_turn_id,
            "trained": trained(subject, tokenizer),
        },
    )


def trained(subject: Subject, tokenizer: templates.ModelTokenizer) -> dict[str, Any] | None:
    """Say how the model was trained, where it (or its adapter) is a run: what a diagnosis sets beside how it was asked.

    Returns:
        ``run`` and ``pack`` (folders), ``pack_hash``, ``template``, ``template_hash``, ``end_of_turn_id``; where the pack is still
        there, ``same_tokenizer`` (whether `tokenizer` has the vocabulary and merges of the pack's) and ``data`` {source: hash},
        too. None where neither folder is a run.
    """
    folders = [Path(each) for each in (subject.adapter, subject.model) if each is not None]
    run = next((folder for folder in folders if is_artefact(folder, "run")), None)
    if run is None:
        return None
    manifest = read_manifest(run, "run")
    template = manifest.details.get("template") or {}
    found = {
        "run": str(run),
        "pack": manifest.details.get("pack"),
        "pack_hash": manifest.inputs.get("pack"),
        "template": template.get("name"),
        "template_hash": template.get("hash"),
        "end_of_turn_id": manifest.details.get("end_of_turn_id"),
    }
    named = Path(str(manifest.details.get("pack") or run))
    places = (named, run.parent / named.name)  # where it was, or beside the run, if both were moved
    pack = next((each for each in places if is_artefact(each, "pack") and read_manifest(each, "pack").hash == found["pack_hash"]), None)
    if pack is not None:
        files = [folder / "tokenizer.json" for folder in (tokenizer.folder, pack / TOKENIZER)]
        found["pack"] = str(pack)
        found["same_tokenizer"] = all(file.is_file() for file in files) and files[0].read_bytes() == files[1].read_bytes()
        made_of = read_manifest(pack, "pack").inputs
        found["data"] = {name: value for name, value in made_of.items() if name not in ("tokenizer", "template")}
    return found


def _room(items: Items, tokenizer: templates.ModelTokenizer, progress: Progress) -> int:
    references = items.references.drop_nulls()
    if references.is_empty():
        progress.say(f"no references to tell how long answers are: at most {WITHOUT_REFERENCES} new tokens (--max-new-tokens)")
        return WITHOUT_REFERENCES
    longest = tokenizer.core.count(references).quantile(_SHARE, interpolation="higher")
    chosen = min(LONGEST, int(longest or 0) + 1)
    progress.say(f"at most {chosen} new tokens, the 99th percentile of the references and the end of turn (--max-new-tokens)")
    return chosen


class Answers:
    """Generates with one load, for the adapter or the base alone, and keeps every finished batch in a folder.

    A shard is a file of JSON lines, named by everything that decides its answers; the next run of the same work reads it.
    """

    def __init__(self, subject: Subject, asked: Asked) -> None:
        self._subject, self._asked = subject, asked
        self._hashes = subject.hashes()
        self._generator: Generator | None = None

    def of(self, folder: Path, *, adapter: bool, progress: Progress = SILENT) -> pl.DataFrame:
        """Answer every prompt.

        Args:
            folder: Where finished batches are kept.
            adapter: With the adapter where there is one, or the base alone.
            progress: Where to report.
        Returns:
            ``schema.PREDICTION``, by item.
        """
        subject, prompts = self._subject, self._asked.prompts
        ids = prompts["input_ids"].to_list()
        shard = folder / f"answers-{self._fingerprint(ids, adapter)}.jsonl"
        done = _read(shard)
        if done:
            progress.say(f"{len(done):,} of {len(ids):,} answers are there from an earlier run")
        if len(done) < len(ids):
            with progress.task("Generating" if adapter else "Generating with the base", len(ids)) as tell:
                self._generate(ids, shard, done, adapter=adapter, tell=tell)
        name = subject.name if adapter else subject.base_name
        rows = [
            (item, name, subject.seed, prompt, *(done[k][key] for key in ("output", "finish", "prompt_tokens", "output_tokens", "seconds")))
            for k, (item, prompt) in enumerate(prompts.select("item", "prompt").iter_rows())
        ]
        return pl.DataFrame(rows, schema=PREDICTION, orient="row")

    def _generate(
        self, ids: list[list[int]], shard: Path, done: dict[int, dict[str, Any]], *, adapter: bool, tell: Callable[[int], None]
    ) -> None:
        from tunesmith.models.generation import Decoding

        generator = self._open()
        decoding = Decoding(
            max_new_tokens=self._asked.max_new_tokens,
            temperature=self._subject.temperature,
            stop_ids=self.stop_ids(),
            stop=tuple(self._subject.stop),
            seed=self._subject.seed,
            batch_tokens=self._subject.batch_tokens,
        )
        with shard.open("a", encoding="utf-8") as file:
            for k, answer in generator.stream(ids, decoding=decoding, adapter=adapter, skip=frozenset(done)):
                done[k] = {"prompt": k, **_entry(answer)}
                file.write(json.dumps(done[k], ensure_ascii=False) + "\n")
                file.flush()
                tell(len(done))

    def stop_ids(self) -> list[int]:
        """List the tokens that end an answer: the model's own, and the template's end of turn."""
        return sorted({*self._open().stop_ids(), self._asked.end_of_turn})

    def _open(self) -> Generator:
        from tunesmith.models import Generator

        if self._generator is None:
            subject = self._subject
            self._generator = Generator(subject.model, adapter=subject.adapter, dtype=subject.dtype, device=subject.device)
        return self._generator

    def _fingerprint(self, ids: list[list[int]], adapter: bool) -> str:
        subject = self._subject
        # The base alone stops where the adapter's tokenizer says, so the adapter counts on both sides.
        parts = [ids, self._hashes, adapter, self._asked.max_new_tokens, self._asked.end_of_turn, subject.temperature,
                 list(subject.stop), subject.seed, subject.dtype]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def clear(folder: Path) -> None:
    """Remove what `Answers` kept: the answers are in the evaluation now."""
    for shard in folder.glob("answers-*.jsonl"):
        shard.unlink()


def _entry(answer: Generation) -> dict[str, Any]:
    return {
        "output": answer.text,
        "finish": answer.finish,
        "prompt_tokens": answer.prompt_tokens,
        "output_tokens": answer.output_tokens,
        "seconds": round(answer.seconds, 6),
    }


def _read(shard: Path) -> dict[int, dict[str, Any]]:
    """Read the whole lines of a shard; one that a crash cut is dropped, in the file too."""
    if not shard.is_file():
        return {}
    text = shard.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        shard.write_text(whole, encoding="utf-8")
    return {entry["prompt"]: entry for entry in map(json.loads, whole.split("\n")[:-1])}
