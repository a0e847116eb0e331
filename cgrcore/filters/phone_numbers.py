"""Phone numbers as libphonenumber knows them: how a number is written, and what its parts are.

The `phonenumbers` package holds the numbering plans; without it every question is answered with Unavailable.
"""

import importlib
from typing import Any

from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrcore.world import World

__all__ = ["describe", "format_number", "phone_source"]


def _load(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


#: The package, None where it is not installed.
phonenumbers: Any = _load("phonenumbers")


def _parse(text: str, country: str) -> Any:
    if phonenumbers is None:
        raise Unavailable("the package phonenumbers is not installed")
    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise BadRequest("invalid country code") from None
        if error.error_type in (
            phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD,
            phonenumbers.NumberParseException.TOO_SHORT_NSN,
        ):
            raise BadRequest("the string supplied is too short to be a phone number") from None
        if error.error_type == phonenumbers.NumberParseException.TOO_LONG:
            raise BadRequest("the string supplied is too long to be a phone number") from None
        raise BadRequest("the phone number supplied is not a number") from None


def format_number(text: str, country: str, style: int) -> str:
    """Return a number written in a style: 0 E.164, 1 international, 2 national, 3 RFC 3966. Raises BadRequest."""
    return str(phonenumbers.format_number(_parse(text, country), style)) if phonenumbers else str(_parse(text, country))


def describe(text: str) -> dict[str, Any]:
    """Return the parts of a number by the names that filters use. Raises BadRequest for what is no number."""
    number = _parse(text, "")
    return {
        "CountryCode": number.country_code,
        "NationalNumber": number.national_number,
        "Region": phonenumbers.region_code_for_number(number) or "",
        "NumberType": phonenumbers.number_type(number),
        "LengthOfNationalDestinationCode": phonenumbers.length_of_national_destination_code(number),
        "RawInput": number.raw_input or "",
        "Extension": number.extension or "",
        "NumberOfLeadingZeros": number.number_of_leading_zeros or 0,
        "ItalianLeadingZero": bool(number.italian_leading_zero),
        "PreferredDomesticCarrierCode": number.preferred_domestic_carrier_code or "",
        "CountryCodeSource": number.country_code_source,
    }


def phone_source(world: World, tenant: str, keys: tuple[str | int, ...]) -> Any:
    """Answer `~*libphonenumber.<number>.<part>`. Raises NotFound for an unknown part."""
    parts = describe(str(keys[0]))
    if len(keys) < 2:
        return parts
    if keys[1] == "GeoLocation":
        return _geo_location(str(keys[0]))
    if keys[1] == "Carrier":
        return _carrier(str(keys[0]))
    if keys[1] not in parts:
        raise NotFound(subject_id=str(keys[1]))
    return parts[str(keys[1])]


def _geo_location(text: str) -> str:
    """Return where a number is from, in the language of its own country when that is known, else in English."""
    geocoder = _load("phonenumbers.geocoder")
    number = _parse(text, "")
    region = phonenumbers.region_code_for_number(number) or ""
    for language in (region.lower(), "en"):
        # the place is told for numbers that cannot be called too, as long as their beginning is known
        found = geocoder.description_for_number(number, language) or geocoder.description_for_valid_number(
            number, language
        )
        if found:
            return str(found)
    return ""


def _carrier(text: str) -> str:
    return str(_load("phonenumbers.carrier").name_for_number(_parse(text, ""), "en"))
