"""Sentence embeddings by a local sentence-transformers model, kept by content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingExtraError, ModelError
from tunesmith.models.cache import Cache, key
from tunesmith.models.loading import Device, find_model, quiet, resolve_device
from tunesmith.models.weights import model_hash
from tunesmith.progress import SILENT, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK = 512


class Embedder:
    """A sentence-transformers model, opened when the first text that is not in the cache asks for it.

    Attributes:
        folder: Where the model lies.
        hash: Its content hash, part of every cache key.
        truncated: Texts so far whose tokens went beyond the model's limit, so that only their start was embedded
            (texts found in the cache are counted too).
    """

    def __init__(self, model: str | Path, *, cache: str | Path | None = None, device: Device = "auto") -> None:
        self.folder = find_model(model)
        self.hash = model_hash(self.folder)
        self.truncated = 0
        self._cache = Cache(cache, f"embeddings-{self.hash[:16]}") if cache is not None else None
        self._device = device
        self._model: Any = None

    def embed(self, texts: Sequence[str], *, progress: Progress = SILENT) -> NDArray[np.float32]:
        """Embed texts; equal texts are embedded once.

        Returns:
            ``float32[n, d]``, each row of length 1 (L2), in input order; of length 0 where a text has no tokens.
        """
        import numpy as np

        keys = [key(text) for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        found = self._cache.get(distinct) if self._cache else {}
        missing = sorted((name for name in distinct if name not in found), key=lambda name: len(distinct[name]))
        with progress.task("Embedding", len(missing)) as done:
            for k in range(0, len(missing), _CHUNK):
                part = missing[k : k + _CHUNK]
                fresh = dict(zip(part, self._encode([distinct[name] for name in part]), strict=True))
                if self._cache:
                    self._cache.put(fresh)
                found.update(fresh)
                done(k + len(part))
        self.truncated += sum(found[name][0] for name in keys)
        width = (len(found[keys[0]]) - 1) // 4 if keys else self._load().get_embedding_dimension()
        vectors = np.empty((len(keys), width), dtype=np.float32)
        for row, name in enumerate(keys):
            vectors[row] = np.frombuffer(found[name], dtype="<f4", offset=1)
        return vectors

    def _encode(self, texts: list[str]) -> list[bytes]:
        """Make cache values: one byte that tells whether the text was truncated, then the vector."""
        import numpy as np

        model = self._load()
        limit = model.max_seq_length
        lengths = [len(ids) for ids in model.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
        # Where a tokenizer adds no special tokens, an empty text has no token, and a mean over none would fail.
        readable = [k for k, length in enumerate(lengths) if length]
        vectors = np.zeros((len(texts), model.get_embedding_dimension()), dtype=np.float32)
        if readable:
            vectors[readable] = model.encode(
                [texts[k] for k in readable], batch_size=32, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
            )
        cut = [limit is not None and length > limit for length in lengths]
        return [bytes([flag]) + vector.astype("<f4").tobytes() for flag, vector in zip(cut, vectors, strict=True)]

    def _load(self) -> Any:
        if self._model is None:
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise MissingExtraError("sentence-transformers", "evaluate", "Embedding") from error
            with quiet():
                try:
                    self._model = SentenceTransformer(
                        str(self.folder),
                        device=resolve_device(self._device),
                        local_files_only=True,
                        trust_remote_code=False,
                        model_kwargs={"use_safetensors": True},
                    )
                except (OSError, ValueError, KeyError, RuntimeError) as error:
                    reason = str(error).strip().splitlines()[0]
                    raise ModelError(f"{self.folder}: expected a sentence-transformers model, found: {reason}") from error
        return self._model


def embed(texts: Sequence[str], *, model: str | Path, cache: str | Path | None = None, progress: Progress = SILENT) -> NDArray[np.float32]:
    """Embed texts with a local sentence-transformers model.

    Args:
        texts: Any number; equal ones are embedded once.
        model: A sentence-transformers folder, or a hub name in the local hub cache.
        cache: A folder that keeps vectors by (model content, text content).
        progress: Where to report; truncated texts are counted there.
    Returns:
        ``float32[n, d]``, rows of L2 length 1, so that a dot product is the cosine similarity.
    Raises:
        ModelError: If there is no such model.
    """
    embedder = Embedder(model, cache=cache)
    vectors = embedder.embed(texts, progress=progress)
    if embedder.truncated:
        progress.say(f"{embedder.truncated:,} of {len(texts):,} texts were longer than the embedding model reads; their start was embedded")
    return vectors
