"""The tree of errors, and the texts they have on the wire.

Rules: a new class stands here only where a caller acts differently; `code` is stable and documented; the
text of an error is what a client reads. An expected refusal (no credit, nothing reserved) is a value, not an error.
"""

from collections.abc import Iterable

__all__ = [
    "BadRequest",
    "CgrError",
    "Conflict",
    "Corrupt",
    "NotFound",
    "PartiallyExecuted",
    "Refused",
    "Unavailable",
    "kept",
    "mandatory_missing",
    "server_error",
]


class CgrError(Exception):
    """Something a caller must know. `str(error)` is the text on the wire, `code` its stable name.

    An error undoes the decision it ends, unless it `keeps_changes`: then the caller reads the error and what was
    changed until then stays.
    """

    code = "SERVER_ERROR"
    keeps_changes = False

    def __init__(self, text: str = "", *, subject: str = "", subject_id: str = "") -> None:
        super().__init__(text or self.code)
        self.subject = subject
        self.subject_id = subject_id


class BadRequest(CgrError):
    """The request itself is wrong; the same request will fail again."""

    code = "BAD_REQUEST"


class NotFound(CgrError):
    """What the request names does not exist."""

    code = "NOT_FOUND"


class Refused(CgrError):
    """The request is sound, and the answer is no (disabled account, destination not authorised)."""

    code = "REFUSED"


class Conflict(CgrError):
    """It exists already, or was changed by another in between."""

    code = "EXISTS"


class Unavailable(CgrError):
    """A part that is needed does not answer or is full; the same request may succeed later."""

    code = "UNAVAILABLE"


class Corrupt(CgrError):
    """Stored data contradicts itself; a person must look."""

    code = "CORRUPT"


class PartiallyExecuted(CgrError):
    """Some steps failed; what the others changed stays."""

    code = "PARTIALLY_EXECUTED"
    keeps_changes = True


def kept(error: CgrError) -> CgrError:
    """Return the same error as one that keeps what its decision changed."""
    error.keeps_changes = True
    return error


def mandatory_missing(fields: Iterable[str]) -> BadRequest:
    """Return the error for mandatory fields that are absent or empty, in the order given."""
    return BadRequest(f"MANDATORY_IE_MISSING: [{' '.join(fields)}]")


def server_error(error: CgrError) -> CgrError:
    """Return the same error, of the same class, with the prefix that APIerSv1 methods put in front."""
    return type(error)(f"SERVER_ERROR: {error}", subject=error.subject, subject_id=error.subject_id)
