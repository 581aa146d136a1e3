"""Which of the built-in encoders fits the language of a project's texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.context import Context
from backend.errors import EncoderUnavailable
from backend.workflows.project.workspace import Workspace
from model.encoders import CountsUnknown, Encoder
from model.encoders.language import Language, read_language

MULTILINGUAL: Final = "multilingual"
SAMPLE: Final = 500  # texts

_FOR_ENGLISH = ("", "english")  # names of the default encoder


def choose_encoder(workspace: Workspace) -> None:
    """Gives a project whose texts are clearly not English the multilingual encoder, until it has answers.

    At its first loop it may have some already. What TEXT_ENCODER or `connect` names is never changed.
    """
    state = workspace.state
    has_learned = state.active_version is not None and workspace.tasks.count_annotations()[1] > 0
    if state.encoder is not None or has_learned:
        return
    name = fitting_encoder(workspace.context, workspace.tasks.sample_texts(SAMPLE))
    if name is not None:
        workspace.change(encoder=name)


def fitting_encoder(context: Context, texts: Sequence[str]) -> str | None:
    """The name of the encoder that texts ask for; None for the one that TEXT_ENCODER names.

    The multilingual one is only named when it is installed.
    """
    if context.encoders.default != "" or sampled_language(context, texts).fit != "other":
        return None
    try:
        context.encoders.named(MULTILINGUAL).get()
    except EncoderUnavailable:
        return None  # the doctor says so
    return MULTILINGUAL


def encoder_of_texts(context: Context, texts: Sequence[str]) -> Encoder:
    """The encoder that a project of these texts would get."""
    return context.encoders.named(encoder_name_of_texts(context, texts)).get()


def encoder_name_of_texts(context: Context, texts: Sequence[str]) -> str | None:
    """Its name; None for the one that TEXT_ENCODER names."""
    step = max(1, len(texts) // SAMPLE)
    return fitting_encoder(context, texts[::step])


def sampled_language(context: Context, texts: Sequence[str]) -> Language:
    """The language of some texts as the default encoder meets it."""
    encoder = context.encoder.get()
    unknown = encoder.unknown_share(texts) if isinstance(encoder, CountsUnknown) else 0.0
    return read_language(texts, unknown=unknown)


def knows_english_alone(workspace: Workspace) -> bool:
    """Whether a project's encoder is the default one."""
    name = workspace.state.encoder
    return (workspace.context.encoders.default if name is None else name) in _FOR_ENGLISH
