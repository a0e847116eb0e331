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
from cgrcore.codecs.passport import Claims, Identity, check_claims, identity_text, read_identity, text_to_sign
from cgrcore.codecs.posted_cdrs import cdr_from_form, cdr_from_freeswitch

__all__ = [
    "NO_PARAMS",
    "Answer",
    "Arguments",
    "Claims",
    "Frames",
    "GoField",
    "GoStruct",
    "GoTypes",
    "Identity",
    "NotJson",
    "Request",
    "call_text",
    "cdr_from_form",
    "cdr_from_freeswitch",
    "check_claims",
    "encode",
    "failure",
    "id_text",
    "identity_text",
    "instant_error",
    "read_identity",
    "read_message",
    "read_request",
    "success",
    "text_to_sign",
]
