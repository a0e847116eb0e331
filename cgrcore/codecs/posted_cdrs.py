"""CDRs that switches post over HTTP: forms, and the JSON of FreeSWITCH's mod_json_cdr, as arguments of a call.

Rules: a form names the fields of a CDR, other names become extra fields; of FreeSWITCH's variables the `cgr_` ones
stand above its own, and `cdrs.extra_fields` names further ones to keep. All values are texts. Does not know: HTTP,
charging.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.money import number_from_nano, parse_nano

__all__ = ["cdr_from_form", "cdr_from_freeswitch"]

#: Fields of a CDR that a form may name, as text.
TEXTS = frozenset(
    (
        *("CGRID", "RunID", "OriginHost", "Source", "OriginID", "ToR", "RequestType", "Tenant", "Category", "Account"),
        *("Subject", "Destination", "SetupTime", "AnswerTime", "Usage", "CostSource", "CostDetails", "ExtraInfo"),
    )
)

#: A form of more fields is none.
MAX_FIELDS = 1000


def cdr_from_form(query: str, body: bytes) -> dict[str, Any]:
    """Return the argument of CDRsV1.ProcessExternalCDR for a form; the body's fields stand above the query's.

    Raises BadRequest for what is no form, and for a cost that is no amount.
    """
    try:
        pairs = [*_pairs(body.decode()), *_pairs(query)]
    except ValueError:
        raise BadRequest("not a form") from None
    cdr: dict[str, Any] = {}
    extra: dict[str, str] = {}
    for name, value in pairs:
        if name in TEXTS:
            cdr.setdefault(name, value)
        elif name == "Cost":
            cdr.setdefault("Cost", number_from_nano(parse_nano(value)))
        elif name == "PreRated":
            cdr.setdefault("PreRated", value.lower() in ("true", "1", "t"))
        elif name != "OrderID":
            extra.setdefault(name, value)
    if not cdr.get("OriginID") and not cdr.get("CGRID"):
        raise BadRequest("a CDR needs an OriginID")
    return {**cdr, "ExtraFields": extra}


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)


#: Where the fields of a CDR are among FreeSWITCH's variables: the first that has a value.
VARIABLES = {
    "OriginID": ("uuid",),
    "OriginHost": ("cgr_originhost", "sip_local_network_addr"),
    "RequestType": ("cgr_reqtype",),
    "Tenant": ("cgr_tenant",),
    "Category": ("cgr_category",),
    "Account": ("cgr_account", "user_name"),
    "Subject": ("cgr_subject", "cgr_account", "user_name"),
    "Destination": ("cgr_destination", "dialed_extension", "sip_req_user"),
    "SetupTime": ("start_epoch",),
    "AnswerTime": ("answer_epoch",),
    "ExtraInfo": ("hangup_cause",),
}


def cdr_from_freeswitch(body: bytes, extra_fields: Iterable[str] = ()) -> dict[str, Any]:
    """Return the argument of CDRsV1.ProcessExternalCDR for the record of a call as mod_json_cdr posts it.

    The JSON may stand alone, in the form field `cdr`, or be base64; its values may be URL-encoded. Raises BadRequest.
    """
    variables = _variables(_json_of(body))

    def value_of(names: Iterable[str]) -> str:
        return next((variables[name] for name in names if variables.get(name)), "")

    cdr: dict[str, Any] = {field: value_of(names) for field, names in VARIABLES.items()}
    if not cdr["OriginID"]:
        raise BadRequest("the record of a call has no uuid")
    seconds = variables.get("billsec") or "0"
    if not seconds.isascii() or not seconds.isdigit():
        raise BadRequest(f"billsec is no number of seconds: {seconds}")
    given = {field: value for field, value in cdr.items() if value and not (field == "AnswerTime" and value == "0")}
    extra = {name: variables[name] for name in extra_fields if name in variables}
    return {**given, "ToR": "*voice", "Source": "freeswitch_json", "Usage": f"{seconds}s", "ExtraFields": extra}


def _json_of(body: bytes) -> Any:
    text = body.strip()
    if text.startswith(b"cdr="):
        text = unquote(text[4:].replace(b"+", b" ").decode("latin-1")).encode()
    try:
        if not text.startswith(b"{"):
            text = base64.b64decode(text, validate=True)
        return msgspec.json.decode(text)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise BadRequest("not the JSON of a call") from None


def _variables(record: Any) -> dict[str, str]:
    variables = record.get("variables") if isinstance(record, Mapping) else None
    if not isinstance(variables, Mapping):
        raise BadRequest("the record of a call has no variables")
    return {name: unquote(value) for name, value in variables.items() if isinstance(value, str)}
