"""Exports for trainers: one file each, which says how a row becomes its record and what its configuration names.

`TRAINERS` has them by name, `write_rows` writes them. Imports `rows` only; the verb is `packing.export`, since packs export, too.
"""

from __future__ import annotations

from tunesmith.rows.exports import axolotl, hub, llama_factory, openai, torchtune, trl
from tunesmith.rows.exports.base import Trainer

TRAINERS: dict[str, Trainer] = {
    chosen.name: chosen for chosen in (axolotl.TRAINER, llama_factory.TRAINER, trl.TRAINER, openai.TRAINER, torchtune.TRAINER, hub.TRAINER)
}
