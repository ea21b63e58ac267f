"""`generate` as functions, and `python -m tunesmith.models.generate` for a machine with torch, transformers, peft and pyarrow.

The module reads a file of prompts (`input_ids`, and any columns that name them) and writes one JSON object a line; a run
that was interrupted goes on where it stopped. `tunesmith evaluate --predictions` reads the result.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import InputError, MissingExtraError, TunesmithError, at
from tunesmith.models.generation import Decoding, Generation, Generator
from tunesmith.models.loading import Device, Dtype
from tunesmith.models.weights import model_hash
from tunesmith.progress import SILENT, Progress

_NAMES = ("item", "position", "row_id")


def generate(
    model: str | Path | Generator,
    prompts: Sequence[Sequence[int]],
    *,
    adapter: str | Path | None = None,
    max_new_tokens: int,
    temperature: float = 0.0,
    stop_ids: Sequence[int] | None = None,
    stop: Sequence[str] = (),
    seed: int = 0,
    batch_tokens: int = 16_384,
    dtype: Dtype = "auto",
    device: Device = "auto",
    progress: Progress = SILENT,
) -> list[Generation]:
    """Answer prompts with a model, or with its adapter.

    Args:
        model: A folder, a hub name in the local hub cache, or an open `Generator`.
        prompts: Token ids, each at least one.
        adapter: A run or another folder with a peft adapter.
        max_new_tokens: Tokens to generate at most.
        temperature: 0 is greedy.
        stop_ids: Tokens that end an answer; None: those of the generation configuration and the tokenizer's EOS.
        stop: Strings that end an answer.
        seed: Of the sampling.
        batch_tokens: Tokens a batch holds at most; never changes an output beyond rounding.
        dtype: The type of the weights.
        device: Where to compute.
        progress: Where to report.
    Returns:
        One answer a prompt, in input order.
    Raises:
        ModelError: If the model or adapter cannot be used, or a prompt is empty or too long.
    """
    generator = model if isinstance(model, Generator) else Generator(model, adapter=adapter, dtype=dtype, device=device)
    decoding = Decoding(
        max_new_tokens=max_new_tokens, temperature=temperature, stop_ids=stop_ids, stop=stop, seed=seed, batch_tokens=batch_tokens
    )
    return generator.run(prompts, decoding=decoding, progress=progress)


def read_prompts(path: str | Path) -> list[dict[str, Any]]:
    """Read a file of prompts: Parquet, Arrow or JSON lines with `input_ids`, and whichever of item, position, row_id it has.

    Raises:
        InputError: If it cannot be read, or a record has no list of token ids.
    """
    path = Path(path)
    try:
        records = _json_lines(path) if path.suffix in {".jsonl", ".json"} else _arrow(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a Parquet, Arrow or JSONL file of prompts") from error
    for k, record in enumerate(records):
        ids = record.get("input_ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(token, int) and token >= 0 for token in ids):
            found = "nothing" if ids is None else repr(ids)[:60]
            raise InputError(f"{at(path, record=k, field='input_ids')}: expected a list of token ids, found {found}")
    return [{name: record[name] for name in (*_NAMES, "input_ids") if record.get(name) is not None} for record in records]


def _json_lines(path: Path) -> list[dict[str, Any]]:
    records = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    record = json.loads(line)
                except ValueError as error:
                    raise InputError(f"{at(path, line=number)}: expected a JSON object, found {error}") from error
                if not isinstance(record, dict):
                    raise InputError(f"{at(path, line=number)}: expected a JSON object, found {type(record).__name__}")
                records.append(record)
    return records


def _arrow(path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "train", "Reading prompts") from error
    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: expected a Parquet, Arrow or JSONL file of prompts, found {error}") from error
    wanted = [name for name in (*_NAMES, "input_ids") if name in table.column_names]
    records: list[dict[str, Any]] = table.select(wanted).to_pylist()
    return records


def write_answers(
    prompts: Sequence[dict[str, Any]],
    out: str | Path,
    *,
    generator: Generator,
    decoding: Decoding,
    adapter: bool,
    progress: Progress = SILENT,
) -> None:
    """Answer prompts and write `OUT`, one JSON object a prompt in input order; go on with `OUT.part` where it is of the same work.

    Raises:
        InputError: If `OUT.part` is of other prompts, another model or other options.
    """
    out = Path(out)
    part = out.with_name(out.name + ".part")
    work = _fingerprint(prompts, generator, decoding, adapter)
    done = _read_part(part, work)
    if not done:
        part.write_text(json.dumps({"work": work}) + "\n", encoding="utf-8")
    with progress.task("Generating", len(prompts)) as tell, part.open("a", encoding="utf-8") as file:
        ids = [prompt["input_ids"] for prompt in prompts]
        for k, answer in generator.stream(ids, decoding=decoding, adapter=adapter, skip=frozenset(done)):
            names = {name: value for name, value in prompts[k].items() if name != "input_ids"}
            done[k] = {
                "prompt": k, **names, "output": answer.text, "output_ids": answer.ids, "finish": answer.finish,
                "prompt_tokens": answer.prompt_tokens, "output_tokens": answer.output_tokens, "seconds": round(answer.seconds, 6),
            }  # fmt: skip
            file.write(json.dumps(done[k], ensure_ascii=False) + "\n")
            file.flush()
            tell(len(done))
    whole = out.with_name(out.name + ".new")
    whole.write_text("".join(json.dumps(done[k], ensure_ascii=False) + "\n" for k in range(len(prompts))), encoding="utf-8")
    whole.replace(out)
    part.unlink()


def _fingerprint(prompts: Sequence[dict[str, Any]], generator: Generator, decoding: Decoding, adapter: bool) -> str:
    models = [model_hash(folder) for folder in generator.folders]
    options = {name: value for name, value in vars(decoding).items() if name not in {"batch_tokens", "batch_rows"}}
    text = json.dumps([list(prompts), models, options, adapter], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read_part(part: Path, work: str) -> dict[int, dict[str, Any]]:
    if not part.is_file():
        return {}
    lines = part.read_text(encoding="utf-8").split("\n")
    if json.loads(lines[0] or "{}").get("work") != work:
        raise InputError(f"{part}: was begun with other prompts, another model or other options; delete it or choose another output")
    # Only a line that its newline ended is whole; the last one may have been cut by a crash.
    records = [json.loads(line) for line in lines[1:-1]]
    part.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    return {record["prompt"]: record for record in records}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    from tunesmith.progress import Lines

    parser = argparse.ArgumentParser(prog="python -m tunesmith.models.generate", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("prompts", type=Path, help="Parquet, Arrow or JSONL with input_ids; item, position and row_id are kept")
    parser.add_argument("out", type=Path, help="the JSONL file to write")
    parser.add_argument("--model", required=True, help="a folder, or a hub name in the local hub cache")
    parser.add_argument("--adapter", help="a run, or another folder with a peft adapter")
    parser.add_argument("--base", action="store_true", help="answer with the base, although an adapter is given (same stop tokens)")
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
    parser.add_argument("--stop", action="append", default=[], help="a string that ends an answer; may be repeated")
    parser.add_argument("--stop-id", action="append", type=int, help="a token that ends an answer; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=16_384)
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    given = parser.parse_args(arguments)
    try:
        decoding = Decoding(
            max_new_tokens=given.max_new_tokens, temperature=given.temperature, stop_ids=given.stop_id,
            stop=tuple(given.stop), seed=given.seed, batch_tokens=given.batch_tokens,
        )  # fmt: skip
        prompts = read_prompts(given.prompts)
        generator = Generator(given.model, adapter=given.adapter, dtype=given.dtype, device=given.device)
        write_answers(prompts, given.out, generator=generator, decoding=decoding, adapter=not given.base, progress=Lines())
    except TunesmithError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
