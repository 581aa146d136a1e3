"""Our exceptions, and the one JSON shape in which they leave.

NextlabelError
├── BadRequest                 400  what was sent cannot be understood
├── Unauthorized               401  log-in or webhook secret is wrong
├── TooManyGuesses             429  too many wrong log-ins or secrets came from there
├── Forbidden                  403  the request comes from a page of somebody else
├── NotFound                   404  no such project, version, …
│   └── RowGone                404  what was there a moment ago is gone from the database
├── UnsupportedConfig          422  the labeling config asks something we cannot learn yet
├── Busy                       409  another loop of the same project runs
├── NotConnected               409  Label Studio does not know this backend (any more)
├── Stopped                    503  this process was told to end, and left its work at a safe place
├── LeaseLost                  409  another worker took the project over
├── EncoderUnavailable         503  the encoder cannot be loaded
├── DatabaseUnavailable        503  the database does not answer, is locked or full
├── TooBusy                    503  as many requests of this kind are in flight as may be
├── QueueUnavailable           503  the queue of jobs does not answer
├── DiskUnavailable            503  a disk is full, or a folder cannot be written
├── StoreUnavailable           503  the store of the model versions does not answer
└── LabelStudioError           502  Label Studio answered with an error
    ├── LabelStudioUnreachable 502  nobody answers at LABEL_STUDIO_URL
    ├── LabelStudioBusy        502  Label Studio fails for a while: its database is locked, it is restarted
    ├── UnexpectedAnswer       502  what answers is not Label Studio, or not of a shape that we know
    ├── TokenRefused           502  LABEL_STUDIO_API_KEY is wrong, or of a kind that is switched off
    ├── AddressBlocked         502  Label Studio refuses to call BACKEND_URL
    └── BackendUnreachable     502  Label Studio gets no good answer at BACKEND_URL
"""

from __future__ import annotations

from typing import ClassVar


class NextlabelError(Exception):
    """Something a person can act on: what happened, and what to do about it (`hint`)."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def with_hint(self) -> str:
        """What happened and what to do about it, in one line; each its own sentence, whoever worded it."""
        if not self.hint:
            return self.message
        stop = "" if not self.message or self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{stop} {self.hint}".strip()

    def to_json(self) -> dict[str, dict[str, str]]:
        """The shape of every error that leaves over HTTP or `--json`."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}


class BadRequest(NextlabelError):
    """What was sent cannot be understood."""

    code = "bad-request"
    status = 400


class BodyTooLarge(BadRequest):
    """The request is larger than any that Label Studio sends."""

    code = "body-too-large"
    status = 413


class Unauthorized(NextlabelError):
    """The log-in or the webhook secret is wrong."""

    code = "unauthorized"
    status = 401


class TooManyGuesses(NextlabelError):
    """Somebody tried too many user names, passwords or secrets that were wrong."""

    code = "too-many-guesses"
    status = 429


class Forbidden(NextlabelError):
    """The request comes from a page of somebody else."""

    code = "forbidden"
    status = 403


class NotFound(NextlabelError):
    """No such project, version or page."""

    code = "not-found"
    status = 404


class RowGone(NotFound):
    """What was there a moment ago is gone from the database."""

    code = "row-gone"


class UnsupportedConfig(NextlabelError):
    """The labeling config asks something that cannot be learned yet."""

    code = "unsupported-config"
    status = 422


class Busy(NextlabelError):
    """Another loop of the same project runs."""

    code = "busy"
    status = 409


class NotConnected(NextlabelError):
    """Label Studio does not know this backend for the project (any more)."""

    code = "not-connected"
    status = 409


class EncoderUnavailable(NextlabelError):
    """The encoder cannot be loaded."""

    code = "encoder-unavailable"
    status = 503


class LeaseLost(NextlabelError):
    """Another worker took the project over, while the database did not let this one renew its lease."""

    code = "lease-lost"
    status = 409


class Stopped(NextlabelError):
    """This process was told to end, and left its work at a place where the next one goes on."""

    code = "stopped"
    status = 503


class DatabaseUnavailable(NextlabelError):
    """The database does not answer, is locked or full."""

    code = "database-unavailable"
    status = 503


class TooBusy(NextlabelError):
    """As many requests of this kind are in flight as may be."""

    code = "too-busy"
    status = 503


class QueueUnavailable(NextlabelError):
    """The queue of jobs does not answer."""

    code = "queue-unavailable"
    status = 503


class DiskUnavailable(NextlabelError):
    """A disk is full, or a folder cannot be written."""

    code = "disk-unavailable"
    status = 503


class StoreUnavailable(NextlabelError):
    """The store of the model versions does not answer."""

    code = "store-unavailable"
    status = 503

    @classmethod
    def of(cls, error: OSError) -> StoreUnavailable:
        """What the store's own error says, with the cure."""
        return cls(
            f"MODEL_STORE cannot be used now ({error.filename}): {error.strerror}.",
            hint="Is its server up, and do its credentials hold? A worker that runs tries again by itself.",
        )


class LabelStudioError(NextlabelError):
    """Label Studio answered with an error."""

    code = "label-studio-error"
    status = 502


class LabelStudioUnreachable(LabelStudioError):
    """Nobody answers at LABEL_STUDIO_URL."""

    code = "label-studio-unreachable"


class LabelStudioBusy(LabelStudioError):
    """Label Studio fails for a while: its database is locked, or it is restarted."""

    code = "label-studio-busy"


class UnexpectedAnswer(LabelStudioError):
    """What answers at LABEL_STUDIO_URL is not Label Studio, or not in a shape that we know."""

    code = "unexpected-answer"


class TokenRefused(LabelStudioError):
    """LABEL_STUDIO_API_KEY is wrong, or of a kind that is switched off."""

    code = "token-refused"


class AddressBlocked(LabelStudioError):
    """Label Studio refuses to call BACKEND_URL."""

    code = "address-blocked"


class BackendUnreachable(LabelStudioError):
    """Label Studio gets no good answer at BACKEND_URL."""

    code = "backend-unreachable"
