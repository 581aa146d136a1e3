"""Why a file that a task refers to cannot be had, in words that follow "cannot be read: "."""

from __future__ import annotations

from typing import Final

# How the reason ends where MEDIA_ALLOW is the way out.
PRIVATE: Final = "is a private address"


class MediaError(Exception):
    """What was wrong; `is_passing`: it may be there later, though the task stays as it is."""

    is_passing = True


class MediaUnreachable(MediaError):
    """Nobody answers, or too slowly."""


class NotAsked(MediaUnreachable):
    """Its host was silent too often before: nobody asked for this file."""


class TooSlow(MediaUnreachable):
    """The time that one file may take is used up."""


class MediaRefused(MediaError):
    """Whoever answers gives no file."""


class AddressRefused(MediaError):
    """It lies where we do not look."""

    is_passing = False


class MediaTooLarge(MediaError):
    """More bytes than one file may have."""

    is_passing = False
