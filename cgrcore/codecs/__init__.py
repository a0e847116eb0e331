"""What goes over the wire, without the wire: JSON framing, typed arguments decoded as Go does, replies.

Does not know: sockets, methods, what a call does.
"""

from cgrcore._fast.frames import Frames
from cgrcore._fast.jsontree import NotJson
from cgrcore.codecs.arguments import Arguments
from cgrcore.codecs.birpc import Answer, call_text, read_message
from cgrcore.codecs.gotypes import GoField, GoStruct, GoTypes
from cgrcore.codecs.instants import instant_error
from cgrcore.codecs.jsonrpc import NO_PARAMS, Request, encode, failure, id_text, read_request, success
from cgrcore.codecs.posted_cdrs import cdr_from_form, cdr_from_freeswitch

__all__ = [
    "NO_PARAMS",
    "Answer",
    "Arguments",
    "Frames",
    "GoField",
    "GoStruct",
    "GoTypes",
    "NotJson",
    "Request",
    "call_text",
    "cdr_from_form",
    "cdr_from_freeswitch",
    "encode",
    "failure",
    "id_text",
    "instant_error",
    "read_message",
    "read_request",
    "success",
]
