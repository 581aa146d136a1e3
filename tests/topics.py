"""Texts for tests: a few topics whose words tell them apart, also for an encoder that only counts words."""

import random

WORDS = {
    "cats": "whiskers purr litter kitten meow scratch tabby paw",
    "dogs": "bark leash kennel puppy fetch wag collar bone",
    "birds": "feather nest wing beak chirp perch flock egg",
}


def write_texts(count, *, topics=("cats", "dogs"), seed=0):
    """`count` different texts of these topics in turn; see `topic_of`."""
    rng = random.Random(seed)
    return [_write(rng, topics[number % len(topics)], number) for number in range(count)]


def topic_of(text):
    """The topic that a text was written about."""
    return next(topic for topic, words in WORDS.items() if text.split()[0] in words.split())


def _write(rng, topic, number):
    words = rng.sample(WORDS[topic].split(), 4)
    return " ".join([*words, "about", topic, f"note{number}"])
