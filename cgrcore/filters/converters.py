"""Converters of RSR texts: `{*duration_seconds&*round:2}`.

Rules: the first converter is given text, the next what the one before made; numbers are exact. A name is recognised
by its beginning, as in CGRateS (`*roundx` is `*round`). What a converter cannot take is BadRequest when the text is
parsed, or when it is used, in Go's words. Does not know: where texts come from.
"""

import json
import re
import string
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

import msgspec

from cgrcore.errors import BadRequest
from cgrcore.event import text_of
from cgrcore.filters.layouts import format_layout, parse_layout
from cgrcore.filters.phone_numbers import format_number
from cgrcore.filters.values import EXACT, Duration, parse_number, plain
from cgrcore.timing import (
    MINUTE_NS,
    SECOND_NS,
    ZERO_AT,
    Moment,
    format_duration,
    parse_duration,
    parse_time,
    zone_offset,
)

__all__ = ["Converter", "parse_converters"]

#: A converter: `(value, now_at) -> value`.
Converter = Callable[[Any, int], Any]

_GIGAWORD = 2**32
_ZERO_SECONDS = -62135596800


def parse_converters(text: str) -> tuple[Converter, ...]:
    """Return the converters of `*a&*b:x`. Raises BadRequest for one that is unknown or has bad parameters."""
    converters = []
    for part in text.split("&"):
        try:
            converters.append(_parse(part))
        except BadRequest as error:
            raise BadRequest(f"invalid converter value in string: <{part}>, err: {error}") from None
    return tuple(converters)


def _parse(text: str) -> Converter:
    plain_one = _PLAIN.get(text)
    if plain_one is not None:
        return plain_one
    for prefix, build in _WITH_PARAMETERS:
        if text.startswith(prefix):
            return build(text)
    raise BadRequest(f"unsupported converter definition: <{text}>")


def _parameters(text: str, most: int) -> list[str]:
    return text.split(":", most)[1:]


# --- numbers and durations -------------------------------------------------------------------------------------------


def _number(value: Any) -> Decimal:
    """Return a value as a number; a text may be a duration, which counts as nanoseconds."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value)
    text = text_of(value)
    number = parse_number(text)
    if number is not None:
        return number
    try:
        if text and not text[-1].isdigit():
            return Decimal(parse_duration(text))
    except BadRequest:
        pass
    raise BadRequest(f'strconv.ParseFloat: parsing "{text}": invalid syntax')


def _float(text: str) -> Decimal:
    number = parse_number(text)
    if number is None:
        raise BadRequest(f'strconv.ParseFloat: parsing "{text}": invalid syntax')
    return number


def _duration(value: Any) -> int:
    if isinstance(value, Decimal | int):
        return int(value)
    return parse_duration(text_of(value))


def _per(unit_ns: int) -> Converter:
    def convert(value: Any, now_at: int) -> Decimal:
        return EXACT.divide(Decimal(_duration(value)), Decimal(unit_ns))

    return convert


def _in_nanoseconds(value: Any, now_at: int) -> int:
    return _duration(value)


def _as_duration(value: Any, now_at: int) -> Duration:
    return _DurationText(_duration(value))


class _DurationText(Duration):
    """A duration that prints as Go prints it."""

    __slots__ = ()

    def __str__(self) -> str:
        return format_duration(int(self))


def _float64(value: Any, now_at: int) -> Decimal:
    return _number(value)


def _gigawords(value: Any, now_at: int) -> int:
    text = text_of(value)
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text) * _GIGAWORD


_ROUNDINGS = {"*up": ROUND_CEILING, "*down": ROUND_FLOOR, "*middle": ROUND_HALF_UP}


def _round(text: str) -> Converter:
    parameters = _parameters(text, 2)
    decimals = 0
    if parameters and parameters[0]:
        if not re.fullmatch(r"[+-]?[0-9]{1,3}", parameters[0], re.ASCII):
            raise BadRequest(f"*round converter needs integer as decimals, have: <{parameters[0]}>")
        decimals = int(parameters[0])
    rounding = _ROUNDINGS.get(parameters[1] if len(parameters) > 1 else "*middle")

    def convert(value: Any, now_at: int) -> Decimal:
        number = _number(value)
        if rounding is None or not number.is_finite():
            return number
        with localcontext(EXACT):
            return number.quantize(Decimal(1).scaleb(-decimals), rounding)

    return convert


def _scaled(text: str) -> Converter:
    parameters = _parameters(text, 1)
    if not parameters or not parameters[0]:
        raise BadRequest("mandatory information missing")
    factor = _float(parameters[0])
    is_product = text.startswith("*multiply")

    def convert(value: Any, now_at: int) -> Decimal:
        number = _number(value)
        if is_product:
            return EXACT.multiply(number, factor)
        if not factor:
            return Decimal("NaN") if not number else Decimal("Infinity").copy_sign(number)
        return EXACT.divide(number, factor)

    return convert


# --- times -----------------------------------------------------------------------------------------------------------


def _duration_format(text: str) -> Converter:
    parameters = _parameters(text, 1)
    layout = parameters[0] if parameters and parameters[0] else "15:04:05"
    return lambda value, now_at: format_layout(Moment(_duration(value), 0), layout)


def _unix_time(value: Any, now_at: int) -> int:
    moment = parse_time(text_of(value), now_at)
    return _ZERO_SECONDS if moment.at == ZERO_AT else moment.at // SECOND_NS


def _time_string(text: str) -> Converter:
    parameters = _parameters(text, 2)
    zone = parameters[0] if parameters else ""
    layout = parameters[1] if len(parameters) > 1 and parameters[1] else "2006-01-02 15:04:05"
    if zone:
        zone_offset(zone, 0)

    def convert(value: Any, now_at: int) -> str:
        moment = parse_time(text_of(value), now_at)
        return format_layout(Moment(moment.at, zone_offset(zone, moment.at)) if zone else moment, layout)

    return convert


def _date_time(text: str) -> Converter:
    parameters = _parameters(text, 1)
    if not parameters or not parameters[0]:
        raise BadRequest("*datetime converter: requires at least one parameter")
    layout = parameters[0]

    def convert(value: Any, now_at: int) -> str:
        written = text_of(value)
        try:
            return format_layout(parse_layout(written, layout), "2006-01-02T15:04:05Z07:00")
        except BadRequest as error:
            raise BadRequest(
                f'*datetime converter: parsing failed for value "{written}" with layout "{layout}": {error}'
            ) from None

    return convert


# --- texts -----------------------------------------------------------------------------------------------------------


def _json(value: Any, now_at: int) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, list | dict):
        return text_of(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text_of(value)


def _slice(value: Any, now_at: int) -> Any:
    text = text_of(value)
    if text.startswith("[") and text.endswith("]"):
        try:
            return msgspec.json.Decoder(float_hook=Decimal).decode(text)
        except msgspec.DecodeError:
            return text
    return text


def _length(value: Any, now_at: int) -> int:
    return len(value) if isinstance(value, list) else len(text_of(value).encode())


def _ip_to_hex(value: Any, now_at: int) -> str:
    try:
        address = ip_address(text_of(value))
    except ValueError:
        return ""
    return "0x" + address.packed[-4:].hex()


def _string_to_hex(value: Any, now_at: int) -> str:
    text = text_of(value)
    return "0x" + text.encode().hex() if text else ""


_METHOD = re.compile(r"\S+")


def _sip_host(value: Any, now_at: int) -> str:
    found = re.search(r"sips?:[^@;>?]*@([\w.:\-]+)", text_of(value), re.ASCII)
    return found[1] if found else ""


def _sip_user(value: Any, now_at: int) -> str:
    found = re.search(r"sips?:([^@;>?:]+)(?:[@;>?]|$)", text_of(value), re.ASCII)
    return found[1] if found else ""


def _sip_method(value: Any, now_at: int) -> str:
    found = _METHOD.match(text_of(value))
    return found[0] if found else ""


_ENUM = re.compile(r"((?:\d\.)+)(e164\.[\w.]+?)\.?")


def _e164(value: Any, now_at: int) -> str:
    found = _ENUM.fullmatch(text_of(value))
    if found is None:
        raise BadRequest("unknown format")
    return found[1].replace(".", "")[::-1]


def _e164_domain(value: Any, now_at: int) -> str:
    text = text_of(value)
    found = _ENUM.fullmatch(text)
    return found[2] if found else text.rstrip(".")


def _check_escapes(text: str) -> None:
    for found in re.finditer(r"%(..?)?", text, re.DOTALL):
        if len(found[0]) < 3 or any(letter not in string.hexdigits for letter in found[0][1:]):
            raise BadRequest(f'invalid URL escape "{found[0]}"')


def _url_decode(value: Any, now_at: int) -> str:
    text = text_of(value)
    _check_escapes(text)
    return unquote_plus(text)


def _url_encode(value: Any, now_at: int) -> str:
    text = text_of(value)
    try:
        _check_escapes(text)
    except BadRequest as error:
        raise BadRequest(f'parse "{text}": {error}') from None
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalnum():
        return quote_plus(text)
    path, mark, query = rest.partition("?")
    encoded = f"{scheme}://{quote(path, safe='/%:@&=+$,;~')}"
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    return encoded + (mark and "?" + "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in pairs))


def _connection_status(value: Any, now_at: int) -> int:
    text = text_of(value)
    if text == "UP":
        return 1
    if text == "DOWN":
        return -1
    raise BadRequest(f'unsupported connection status: "{text}"')


def _phone_number(text: str) -> Converter:
    parameters = text.split(":")[1:]
    if not 1 <= len(parameters) <= 2:
        raise BadRequest(f"unsupported *libphonenumber converter parameters: <{':'.join(parameters)}>")
    style = "2" if len(parameters) == 1 else parameters[1]
    if not style.isdigit():
        raise BadRequest(f'strconv.Atoi: parsing "{style}": invalid syntax')
    return lambda value, now_at: format_number(text_of(value), parameters[0], int(style))


# --- strip -----------------------------------------------------------------------------------------------------------


def _strip(text: str) -> Converter:
    """Build `*strip:side:(n|*nil|*space|*char:abc)[:count]`."""
    parameters = text.split(":")
    if not 3 <= len(parameters) <= 5:
        raise BadRequest("strip converter: invalid number of parameters (should have 3, 4 or 5)")
    side, what = parameters[1], parameters[2]
    count = -1
    if what == "*char":
        if len(parameters) < 4 or not parameters[3]:
            raise BadRequest("strip converter: usage of *char implies the need of 4 or 5 non-empty params")
        letters = parameters[3]
        if len(parameters) == 5:
            count = _amount(parameters[4])
    elif what in ("*nil", "*space"):
        letters = "\0" if what == "*nil" else " "
        if len(parameters) == 5:
            raise BadRequest("strip converter: invalid number of parameters (should have 3, 4 or 5)")
        if len(parameters) == 4:
            count = _amount(parameters[3])
    else:
        if len(parameters) > 3:
            raise BadRequest("strip converter: just the amount specified, cannot have more than 3 params")
        amount = _amount(what)
        return lambda value, now_at: _strip_amount(text_of(value), side, amount)
    return lambda value, now_at: _strip_letters(text_of(value), side, letters, count)


def _amount(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text, re.ASCII):
        raise BadRequest(f'strip converter: invalid amount parameter (strconv.Atoi: parsing "{text}": invalid syntax)')
    return int(text)


def _check_side(side: str) -> None:
    if side not in ("*prefix", "*suffix", "*both"):
        raise BadRequest("strip converter: invalid side parameter")


def _strip_amount(text: str, side: str, amount: int) -> str:
    _check_side(side)
    if amount <= 0:
        return text
    if side != "*suffix":
        text = text[amount:]
    if side != "*prefix":
        text = text[:-amount] if len(text) > amount else ""
    return text


def _strip_letters(text: str, side: str, letters: str, count: int) -> str:
    _check_side(side)
    if count < 0 and len(letters) == 1:
        text = text.lstrip(letters) if side != "*suffix" else text
        return text.rstrip(letters) if side != "*prefix" else text
    if count >= 0:
        letters *= min(count, len(text) + 1)
        text = text if side == "*suffix" else text.removeprefix(letters)
        return text if side == "*prefix" else text.removesuffix(letters)
    if side != "*suffix":
        while text.startswith(letters):
            text = text[len(letters) :]
    if side != "*prefix":
        while text.endswith(letters):
            text = text[: -len(letters)]
    return text


_PLAIN: dict[str, Converter] = {
    "*duration": _as_duration,
    "*duration_seconds": _per(SECOND_NS),
    "*duration_minutes": _per(MINUTE_NS),
    "*duration_nanoseconds": _in_nanoseconds,
    "*json": _json,
    "*ip2hex": _ip_to_hex,
    "*string2hex": _string_to_hex,
    "*sipuri_host": _sip_host,
    "*sipuri_user": _sip_user,
    "*sipuri_method": _sip_method,
    "*unixtime": _unix_time,
    "*len": _length,
    "*slice": _slice,
    "*float64": _float64,
    "*e164": _e164,
    "*e164Domain": _e164_domain,
    "*urldecode": _url_decode,
    "*urlencode": _url_encode,
    "*gigawords": _gigawords,
    "*conn_status": _connection_status,
}
_WITH_PARAMETERS: tuple[tuple[str, Callable[[str], Converter]], ...] = (
    ("*durfmt", _duration_format),
    ("*round", _round),
    ("*multiply", _scaled),
    ("*divide", _scaled),
    ("*libphonenumber", _phone_number),
    ("*timestring", _time_string),
    ("*datetime", _date_time),
    ("*strip", _strip),
)
