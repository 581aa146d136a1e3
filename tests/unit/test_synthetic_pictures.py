"""Verdicts on synthetic pictures: twins, garbled ones, and both beside texts."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from model.encoders.looks import look_of
from model.records import Embeddings, Labels, LabelSpace
from model.synthetic.items import HARMFUL, REDUNDANT, RealItems, SyntheticItems, Unlabelled
from model.synthetic.label_sets.verdicts import judge_sets
from model.synthetic.picture_statistics import Oddness
from model.synthetic.pictures import gather_pictures
from model.synthetic.verdicts import judge
from tests.pictures import COLD, WARM, FewPixels, draw

SPACE = LabelSpace((COLD, WARM))
ENCODER = FewPixels(6)


def read(label, seed):
    return (
        Image.open(io.BytesIO(draw(label, seed, side=64))).convert("RGB").filter(ImageFilter.GaussianBlur(1))
    )


def shown(pictures):
    contents = [str(hash(one.tobytes())) for one in pictures]
    return gather_pictures(contents, [[look_of(one)] for one in pictures])


def labels(names, first=0):
    ids = np.arange(first, first + len(names))
    return Labels(ids, np.eye(2, dtype=np.float32)[[SPACE.names.index(name) for name in names]], SPACE)


def real_items(count=60, **more):
    names = [(COLD, WARM)[n % 2] for n in range(count)]
    pictures = [read(name, n) for n, name in enumerate(names)]
    more_pictures = [read((COLD, WARM)[n % 2], 500 + n) for n in range(60)]
    return RealItems(
        Embeddings(np.arange(count), ENCODER.encode(pictures), "e"),
        labels(names),
        np.zeros(count, dtype=np.bool_),
        unlabelled=Unlabelled(
            Embeddings(np.arange(60) + 5000, ENCODER.encode(more_pictures), "e"),
            pictures=shown(more_pictures),
        ),
        pictures=shown(pictures),
        **more,
    )


def made_items(pictures, names, **more):
    given = labels(names, first=1000)
    return SyntheticItems(
        Embeddings(given.ids, ENCODER.encode(pictures), "e"), given, pictures=shown(pictures), **more
    )


def sound(count=30):
    names = [(COLD, WARM)[n % 2] for n in range(count)]
    return [read(name, 900 + n) for n, name in enumerate(names)], names


def run(real, synthetic, how=judge):
    return how(real, synthetic, rng=np.random.default_rng(0)).items


@pytest.mark.parametrize("how", [judge, judge_sets])
def test_the_same_and_nearly_the_same_picture_repeat_a_real_one_and_say_so(how):
    pictures, names = sound()
    small = read(COLD, 4).resize((48, 48), Image.Resampling.BICUBIC)
    brighter = ImageEnhance.Brightness(read(WARM, 5)).enhance(1.1)
    items = run(
        real_items(), made_items([read(COLD, 2), small, brighter, *pictures], [COLD, COLD, WARM, *names]), how
    )
    assert [item.verdict for item in items[:3]] == [REDUNDANT] * 3
    assert [item.duplicate_of for item in items[:3]] == [2, 4, 5]
    assert items[0].reason == f"The same picture as real item 2 ({COLD})."
    assert items[1].reason == f"Nearly the same picture as real item 4 ({COLD})."
    called = [item for item in items[3:] if item.duplicate_of is not None]
    assert len(called) <= 3


def test_a_real_picture_with_another_label_is_contradicted_by_its_label():
    pictures, names = sound()
    items = run(real_items(), made_items([read(COLD, 2), *pictures], [WARM, *names]))
    assert items[0].verdict == HARMFUL
    assert items[0].reason == f"Real item 2 has the same content and another label: {COLD}."


def test_garbled_pictures_are_worth_less_than_sound_ones_and_are_called_garbled():
    pictures, names = sound(40)
    rng = np.random.default_rng(3)
    noisy = []
    for n in range(6):
        pixels = np.asarray(read(WARM, 700 + n), dtype=np.float32) + rng.normal(0.0, 90.0, (64, 64, 3))
        noisy.append(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))
    items = run(real_items(), made_items([*noisy, *pictures], [WARM] * 6 + names))
    bad, good = [item.value for item in items[:6]], [item.value for item in items[6:]]
    assert max(bad) < np.median(good)
    assert any(item.reason.startswith("Garbled: its picture is unlike others") for item in items[:6])


def test_what_a_whole_generator_draws_in_its_own_manner_is_not_odd():
    pictures = [read((COLD, WARM)[n % 2], n) for n in range(40)]
    pale = [ImageEnhance.Color(one).enhance(0.2) for one in pictures]
    both = shown([*pictures, *pale])
    oddness = Oddness(both, real=40, background=both.statistics[:0])
    assert np.median(oddness.shares[40:]) < 1.0
    assert sum(oddness.words(row) != "" for row in range(40, 80)) < 10
    alone = both.take(np.array([*range(40), 40]))
    assert Oddness(alone, real=40, background=both.statistics[:0]).words(40) == ""


def test_the_same_picture_beside_other_words_is_no_twin():
    pictures, names = sound()
    texts = [f"picture number {n} of many that were drawn" for n in range(60)]
    real = real_items(texts=texts)
    said = [
        texts[2],
        "an altogether different question on this",
        *(f"made by hand, {n}" for n in range(len(names))),
    ]
    items = run(real, made_items([read(COLD, 2), read(COLD, 4), *pictures], [COLD, COLD, *names], texts=said))
    assert (items[0].verdict, items[0].duplicate_of) == (REDUNDANT, 2)
    assert items[1].duplicate_of is None


def test_empty_texts_of_pictures_are_not_the_same_text():
    pictures, names = sound()
    real = real_items(texts=[""] * 60)
    items = run(real, made_items(pictures, names, texts=[""] * len(names)))
    assert sum(item.duplicate_of is not None for item in items) <= 3


def test_pictures_of_other_items_are_refused():
    pictures, names = sound(4)
    made = made_items(pictures, names)
    wrong = SyntheticItems(made.embeddings, made.labels, pictures=shown(pictures[:2]))
    with pytest.raises(ValueError, match="pictures of 2 of 4 synthetic items"):
        judge(real_items(), wrong, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="1 contents and looks of 0 items"):
        gather_pictures(["a"], [])


def test_items_that_show_different_numbers_of_pictures_are_far_apart():
    look = look_of(read(WARM, 1))
    both = gather_pictures(["a", "b", ""], [[look], [look, look], []])
    assert both.distances(np.array([0, 0, 2]), np.array([1, 2, 2])).tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(both.statistics[2]).all()
