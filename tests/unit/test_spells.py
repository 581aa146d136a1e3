"""The demonstration's second project: what its config says to the backend, and what is true of a spell."""

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from demo.spell_measure import measure_stars, measure_ticks
from demo.spells import (
    AREA,
    CONCENTRATION,
    DAMAGE,
    EFFECTS,
    LABELS,
    POWER,
    Spell,
    choose_spells,
    spell_regions,
    write_spell_config,
)

CONFIG = parse_label_config(write_spell_config())


def a_record(level=4, **fields):
    named = {"index": "x", "name": "Flash", "desc": ["It flashes."], "concentration": False, "ritual": False}
    return named | {"level": level} | fields


def test_the_backend_answers_both_questions():
    assert {question.name: question.kind for question in CONFIG.questions} == {
        EFFECTS: "several choices",
        POWER: "rating",
    }
    assert [label.name for label in CONFIG.questions[0].labels] == list(LABELS)


def test_what_a_spell_does_is_what_its_record_says():
    record = a_record(damage={}, area_of_effect={}, concentration=True)
    (spell,) = choose_spells(iter([record]))
    assert spell == Spell("x", "Flash\nIt flashes.", (DAMAGE, AREA, CONCENTRATION), 2)


def test_spells_without_a_level_or_with_nothing_to_tick_are_left_out_and_long_ones_are_cut():
    assert not list(choose_spells(iter([a_record(level=0, damage={}), a_record()])))
    (spell,) = choose_spells(iter([a_record(level=9, ritual=True, desc=["so many words " * 30])]))
    assert len(spell.text.split()) == 62 and spell.text.endswith(" …")
    assert spell.stars == 3


def test_what_is_submitted_is_read_back():
    spell = Spell("x", "Flash", (DAMAGE, AREA), 2)
    task = {"id": 1, "data": {"text": spell.text}, "annotations": [{"result": spell_regions(spell)}]}
    assert read_task(task, CONFIG).targets == {EFFECTS: (DAMAGE, AREA), POWER: ("2",)}


def test_ticks_and_stars_are_counted_apart():
    truth = {1: Spell("a", "", (DAMAGE, AREA), 2), 2: Spell("b", "", (DAMAGE,), 1)}
    predicted = {1: spell_regions(Spell("", "", (DAMAGE, CONCENTRATION), 2)), 2: []}
    ticks = measure_ticks(predicted, truth)
    assert (ticks.right, ticks.given, ticks.true) == (1, 2, 3)
    assert ticks.f1 == 0.4
    assert (measure_stars(predicted, truth).right, measure_stars(predicted, truth).tasks) == (1, 2)
    assert measure_ticks({}, {}).f1 == 1.0
