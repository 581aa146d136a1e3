"""What an error says in one line."""

import pytest

from backend.errors import NextlabelError


@pytest.mark.parametrize(
    ("message", "hint", "said"),
    [
        ("It is so", "Do this.", "It is so. Do this."),
        ("It is so.", "Do this.", "It is so. Do this."),
        ("Is it so?", "Do this.", "Is it so? Do this."),
        ("It is so", "", "It is so"),
    ],
)
def test_message_and_hint_are_two_sentences_whoever_worded_the_first(message, hint, said):
    assert NextlabelError(message, hint=hint).with_hint == said
