"""Every error the product raises on purpose.

    RehearsalError              something happened that the person can be told about
    ├── InputError              what was typed cannot be taken; nothing was stored
    │   ├── BlankReply
    │   ├── ReplyTooLong
    │   └── NotText             NUL bytes, lone surrogates
    ├── ConversationEnded       the conversation has its outcome; no further reply is taken
    ├── ConflictError           another tab or process went on with the same conversation
    ├── NotFound                no such conversation, scenario or passage for this owner
    ├── ScenarioError           a scenario or rubric file is wrong: file, place and reason
    ├── BackendError            a critic's or a voice's engine failed; the reply changed nothing
    │   ├── NoModel             none is named, its key is not there, or nobody knows it
    │   ├── KeyRefused          401, 403
    │   ├── TooManyRequests     429, also after waiting; `retry_after` is what the endpoint asks
    │   ├── EndpointDown        no connection, 5xx, no answer in time, or it is no such endpoint
    │   ├── CutShort            the answer broke off, or ran into its length
    │   ├── ModelRefused        a refusal, a content filter, an empty answer
    │   ├── Unusable            an answer that cannot be read, also after one repair
    │   ├── ContextTooLong      more text than the model takes
    │   └── LimitReached        the tokens or the money set as the limit are used
    ├── StoreError              the database cannot be read or written (full disk, locked, damaged)
    └── LibraryError            the index cannot be read or written
        ├── IndexBusy           another process is writing it
        └── SourceError         a document cannot be taken into it

`kind` is the stable name used in JSON output. The message says what happened, what was kept and
what to do next.
"""

from typing import ClassVar


class RehearsalError(Exception):
    """Something happened that the person can be told about; the message is fit to show."""

    kind: ClassVar[str] = "error"


class InputError(RehearsalError):
    """What was typed cannot be taken; nothing was stored."""

    kind = "input"


class BlankReply(InputError):
    """The reply has no words."""

    kind = "blank"


class ReplyTooLong(InputError):
    """The reply is longer than a turn in a conversation."""

    kind = "too_long"


class NotText(InputError):
    """The reply holds bytes that are not text."""

    kind = "not_text"


class ConversationEnded(RehearsalError):
    """The conversation has its outcome."""

    kind = "ended"


class ConflictError(RehearsalError):
    """Another tab or process went on with the same conversation."""

    kind = "conflict"


class NotFound(RehearsalError):
    """There is nothing of that name, or it belongs to somebody else."""

    kind = "not_found"


class ScenarioError(RehearsalError):
    """A scenario or rubric file is wrong; the message gives file, place and reason."""

    kind = "scenario"


class BackendError(RehearsalError):
    """An engine (model file, endpoint) failed; nothing was changed."""

    kind = "backend"


class NoModel(BackendError):
    """No model is named, its key is not there, or the endpoint does not know it."""

    kind = "no_model"


class KeyRefused(BackendError):
    """The endpoint refused the key."""

    kind = "key_refused"


class TooManyRequests(BackendError):
    """The endpoint takes no more requests for now; `retry_after` in seconds where it says so."""

    kind = "too_many_requests"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EndpointDown(BackendError):
    """Nothing answers there, or not in time, or not as such an endpoint does."""

    kind = "endpoint_down"


class CutShort(BackendError):
    """The answer broke off before its end."""

    kind = "cut_short"


class ModelRefused(BackendError):
    """The model, or a filter in front of it, did not answer."""

    kind = "refused"


class Unusable(BackendError):
    """The answer cannot be read."""

    kind = "unusable"


class ContextTooLong(BackendError):
    """The conversation is longer than the model takes."""

    kind = "context_too_long"


class LimitReached(BackendError):
    """The tokens or the money set as the limit are used."""

    kind = "limit"


class StoreError(RehearsalError):
    """The database cannot be read or written."""

    kind = "store"


class LibraryError(RehearsalError):
    """The index of the material cannot be read or written."""

    kind = "index"


class IndexBusy(LibraryError):
    """Another process is writing the index."""

    kind = "index_busy"


class SourceError(LibraryError):
    """A document cannot be taken into the index."""

    kind = "source"
