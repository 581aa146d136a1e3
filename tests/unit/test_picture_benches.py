"""What the benches of pictures are made of: published scores, rendered digits, and a live project of them."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.bench_live_digits import (
    CONFIG,
    OTHERS,
    SOUND,
    WRONG,
    answer_until,
    blind_labels,
    look,
    make_digits,
)
from benchmarks.bench_novel_pictures import Setting, measure
from benchmarks.glyphs import DIGITS, LETTERS, load_fonts, render
from benchmarks.live_pictures import open_picture_stage
from benchmarks.novelty_rivals import rival_scores
from benchmarks.picture_exercises import EncodedPictures
from model.encoders.table import IMAGE_ENCODERS
from tests.pictures import FewPixels


@pytest.fixture(scope="module")
def fonts():
    return tuple(load_fonts()[:20])


def gathered(rng, *, classes, each, dimensions=32, spread=0.25):
    """Unit vectors (n, d) around a middle of each class, and their classes (n,)."""
    middles = rng.normal(size=(classes, dimensions))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    numbers = np.repeat(np.arange(classes), each)
    rows = middles[numbers] + spread * rng.normal(size=(len(numbers), dimensions)) / np.sqrt(dimensions)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), numbers


def test_every_published_score_is_higher_for_what_is_like_nothing_known():
    vectors, classes = gathered(np.random.default_rng(0), classes=5, each=40)
    known = classes < 4
    found = rival_scores(vectors[known][::2], classes[known][::2], vectors)
    for name, scores in found.items():
        assert np.isfinite(scores).all() and scores.shape == (len(vectors),), name
        if "one-class" not in name:
            assert scores[~known].mean() > scores[known][1::2].mean(), name


def test_a_draw_says_how_ours_and_the_published_scores_did():
    vectors, classes = gathered(np.random.default_rng(1), classes=6, each=60)
    found = measure(EncodedPictures("drawn", vectors, classes, "drawn@1"), Setting("drawn", 1, 20), seed=0)
    assert 0.9 < found["auroc"] <= 1.0
    assert 0.0 <= found["false_alarms"] < 0.3
    assert found["labels"] == 100 + found["audit"]


def test_digits_and_letters_of_fonts_are_small_pictures_that_differ(fonts):
    rng = np.random.default_rng(0)
    for font in fonts[:6]:
        glyphs = render(font, DIGITS + LETTERS, rng)
        assert "".join(glyph.character for glyph in glyphs) == DIGITS + LETTERS
        assert len({glyph.content for glyph in glyphs}) == len(glyphs)
        picture = Image.open(io.BytesIO(glyphs[0].content))
        assert (picture.size, picture.mode) == ((28, 28), "RGB")


def test_faulty_digits_carry_another_digit_and_letters_any(fonts):
    sound = make_digits(fonts, np.random.default_rng(0), faulty=False)
    assert {one.kind for one in sound} == {SOUND}
    assert all(one.label == one.glyph.character for one in sound)
    faulty = make_digits(fonts, np.random.default_rng(0), faulty=True)
    kinds = [one.kind for one in faulty]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {SOUND: 320, WRONG: 80, OTHERS: 80}
    assert all(one.label != one.glyph.character for one in faulty if one.kind == WRONG)
    assert all(one.glyph.character in LETTERS and one.label in DIGITS for one in faulty if one.kind == OTHERS)


def test_a_live_project_of_rendered_digits_is_judged_and_measured(fonts, monkeypatch):
    encoder = FewPixels(8)
    monkeypatch.setitem(IMAGE_ENCODERS, "few-pixels", lambda: encoder)
    rng = np.random.default_rng(0)
    drawn = [glyph for font in fonts[:6] for _ in range(2) for glyph in render(font, DIGITS, rng)]
    real = {f"/data/upload/1/{number}.png": glyph for number, glyph in enumerate(drawn)}
    made = make_digits(fonts, rng, faulty=True)[:60]
    pictures = {address: glyph.content for address, glyph in real.items()}
    rows = [{"image": address} for address in real]
    for number, one in enumerate(made):
        address = f"/data/upload/2/{number}.png"
        pictures[address] = one.glyph.content
        rows.append({"image": address, "source": "synthetic", "label": one.label})
    vectors = encoder.encode([Image.open(io.BytesIO(glyph.content)) for glyph in drawn])
    with open_picture_stage(image_encoder="few-pixels") as stage:
        bench = stage.open_project(
            CONFIG, rows, pictures, audit_share=0.5, queue_window=20, synthetic_share=0.0
        )
        kinds = dict(zip(sorted(bench.tasks)[len(real) :], [one.kind for one in made], strict=True))
        answer_until(bench, {address: glyph.character for address, glyph in real.items()}, 12)
        found = look(bench, kinds, vectors, [glyph.character for glyph in drawn])
        assert int((~blind_labels(bench)).sum()) == found["taught"] >= 12
    assert found["audit"] > 0
    assert sum(sum(of_kind.values()) for of_kind in found["verdicts"].values()) == len(made)
    assert min(found["accuracy"].values()) > 0.2
