"""Laws of suspect answers: whatever is believed and given, doubts are chances and follow the beliefs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.novelty.one_class_each import NONE, one_class_each
from model.records import Labels, LabelSpace
from model.signals.suspect_answers import gather_suspects
from model.signals.suspect_ticks import chance_of_error

SHAPES = st.tuples(st.integers(1, 30), st.integers(1, 6))
CHANCES = st.floats(0.0, 1.0)


@st.composite
def beliefs_and_answers(draw):
    shape = draw(SHAPES)
    return draw(arrays(np.float64, shape, elements=CHANCES)), draw(arrays(np.bool_, shape))


@given(beliefs_and_answers())
@settings(deadline=None)
def test_every_box_has_a_chance_to_be_wrong(drawn):
    wrong = chance_of_error(*drawn)
    assert wrong.shape == drawn[1].shape
    assert ((wrong >= 0.0) & (wrong <= 1.0)).all()


@given(beliefs_and_answers())
@settings(deadline=None)
def test_of_boxes_alike_the_less_believed_tick_and_the_more_believed_gap_are_more_doubtful(drawn):
    beliefs, answers = drawn
    wrong = chance_of_error(beliefs, answers)
    for boxes, sign in ((answers, -1.0), (~answers, 1.0)):
        order = np.argsort(sign * beliefs[boxes], kind="stable")
        assert (np.diff(wrong[boxes][order]) >= -1e-9).all()


@given(beliefs_and_answers(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_answers_changes_no_doubt(drawn, shuffle):
    beliefs, answers = drawn
    order = list(range(len(beliefs)))
    shuffle.shuffle(order)
    turned = chance_of_error(beliefs[order], answers[order])
    np.testing.assert_allclose(turned, chance_of_error(beliefs, answers)[order], atol=1e-6)


@given(arrays(np.float64, st.integers(0, 20), elements=CHANCES), st.data())
def test_suspects_are_the_flagged_ones_the_most_doubtful_first(doubt, data):
    flagged = data.draw(arrays(np.bool_, len(doubt)))
    found = gather_suspects(doubt, flagged, np.zeros((len(doubt), 2), dtype=np.float32))
    assert sorted(found.rows.tolist()) == np.flatnonzero(flagged).tolist()
    assert (np.diff(found.doubt) <= 0).all() and len(found.proposed) == found.count


@given(st.tuples(st.integers(1, 20), st.integers(2, 6)).flatmap(lambda shape: arrays(np.bool_, shape)))
def test_each_item_gets_one_of_its_own_labels_or_none(ticked):
    space = LabelSpace(tuple(f"label {number}" for number in range(ticked.shape[1])))
    found = one_class_each(Labels(np.arange(len(ticked)), ticked.astype(np.float32), space))
    assert (found.targets.sum(axis=1) == 1).all()
    for row, column in zip(ticked, found.classes, strict=True):
        name = found.space.names[column]
        assert row[column] if row.any() else name == NONE
