"""Byte-pair encoding, slowly: the lowest-ranked pair is merged, everywhere from the left, until no pair is known.

Sennrich et al. 2016 over bytes (GPT-2), and over characters with bytes for the unknown ones (SentencePiece, as Llama 2 uses it).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import regex

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def merged(pieces: list[str], ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Merge neighbours while a pair is known, the one with the lowest rank first."""
    while True:
        known = [ranks[pair] for pair in pairwise(pieces) if pair in ranks]
        if not known:
            return pieces
        best, made, k = min(known), [], 0
        while k < len(pieces):
            if k + 1 < len(pieces) and ranks.get((pieces[k], pieces[k + 1])) == best:
                made.append(pieces[k] + pieces[k + 1])
                k += 2
            else:
                made.append(pieces[k])
                k += 1
        pieces = made


def _parts(file: Mapping[str, Any]) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    merges = [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in file["model"]["merges"]]
    return file["model"]["vocab"], {(left, right): rank for rank, (left, right) in enumerate(merges)}


def alphabet() -> dict[int, str]:
    """The character that stands for each byte in GPT-2's vocabulary: itself where it can be printed, else one from 256 on."""
    printed = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in printed]
    return {byte: chr(byte) for byte in printed} | {byte: chr(256 + k) for k, byte in enumerate(rest)}


def byte_level(file: Mapping[str, Any], text: str) -> list[int]:
    """Ids as GPT-2 gives them; added tokens are not looked for."""
    vocabulary, ranks = _parts(file)
    letters = alphabet()
    words = [[letters[byte] for byte in word.encode()] for word in regex.findall(GPT2, text)]
    return [vocabulary[piece] for word in words for piece in merged(word, ranks)]


def sentencepiece(file: Mapping[str, Any], text: str) -> list[int]:
    """Ids as Llama 2 gives them: a space before the text, spaces as U+2581, unknown characters as bytes."""
    vocabulary, ranks = _parts(file)
    if not text:
        return []
    pieces = merged(list("▁" + text.replace(" ", "▁")), ranks)
    return [
        k
        for piece in pieces
        for k in ([vocabulary[piece]] if piece in vocabulary else [vocabulary[f"<0x{byte:02X}>"] for byte in piece.encode()])
    ]
