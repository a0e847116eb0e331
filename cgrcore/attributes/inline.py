"""Attribute profiles written where an id is expected.

`*constant:*req.RequestType:*prepaid;*variable:*req.Subject:~*req.Account`: type, path, value; `;` parts attributes, `&`
the rules of one value.
"""

from functools import lru_cache

from cgrcore.attributes.records import Attribute, AttributeProfile
from cgrcore.errors import BadRequest
from cgrcore.filters import is_inline, parse_rsr, split_rsr

__all__ = ["inline_profile", "is_inline"]


@lru_cache(maxsize=4096)
def inline_profile(tenant: str, text: str) -> AttributeProfile:
    """Return the profile such a text stands for, for every context. Raises BadRequest for one that cannot be parsed."""
    attributes = []
    for part in split_rsr(text, ";"):
        pieces = part.split(":", 2)
        if len(pieces) < 3:
            raise BadRequest(f"inline parse error for string: <{part}>")
        kind, path, value = pieces
        if not path:
            raise BadRequest(f"empty path in inline AttributeProfile <{text}>")
        rules = tuple(split_rsr(value, "&")) if "{*" not in value else (value,)
        for rule in rules:
            parse_rsr(rule)
        attributes.append(Attribute(path=path, type=kind, value=rules))
    return AttributeProfile(tenant=tenant, id=text, contexts=("*any",), attributes=tuple(attributes))
