"""Decodes the params of a request into a method's argument: quickly when all is well, exactly when it is not.

Rules: the fast path is msgspec's typed decoding into a twin of the Args record that refuses what Go treats otherwise:
unknown keys (they may be known ones in another case), nulls, numbers beyond 64 bits, texts for numbers. Whatever it
refuses is read again by `unmarshal`, which either succeeds as Go would or words the error as Go does. Fractions are
Decimals throughout. Does not know: methods, what is mandatory.
"""

import functools
import operator
import types
import typing
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from cgrcore._fast.jsontree import fraction, parse
from cgrcore.codecs.gotypes import GoTypes
from cgrcore.codecs.instants import instant_error
from cgrcore.codecs.unmarshal import LEFT, Place, Report, kind_of, reader_of
from cgrcore.errors import BadRequest

__all__ = ["Arguments"]

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
#: What msgspec and its hooks raise for text that is not what the fast path takes.
_REFUSED = (msgspec.MsgspecError, ValueError, RecursionError)


class _Unfit(Exception):
    """The type has a part that only the exact path reads right."""


class Arguments:
    """The decoder of one method's params.

    `kind` is the type of the argument (an Args record, `str`, `dict[str, Any]`, ...), `go_type` its name in Go.
    """

    def __init__(self, kind: Any, go_type: str, go_types: GoTypes) -> None:
        self.kind = kind
        self._read = reader_of(kind, go_type, go_types)
        self._fractions: tuple[str, ...] = ()
        self._instants: tuple[str, ...] = ()
        self._fast: msgspec.json.Decoder[Any] | None = None
        try:
            twin = self._top_twin(kind, go_type, go_types)
            self._fast = msgspec.json.Decoder(tuple[twin], float_hook=fraction)  # type: ignore[valid-type]
        except (_Unfit, TypeError):
            self._fast = None

    def decode(self, params: bytes | msgspec.Raw) -> Any:
        """Return the argument that `params` (JSON text) holds.

        Raises BadRequest with Go's words for what does not fit, NotJson for what is no JSON.
        """
        if self._fast is None:
            return self.decode_exactly(bytes(params))
        try:
            value = self._fast.decode(params)[0]
        except _REFUSED:
            return self.decode_exactly(bytes(params))
        for name in self._fractions:
            number = getattr(value, name)
            if type(number) is not Decimal:
                if type(number) is not int:
                    return self.decode_exactly(bytes(params))
                setattr(value, name, Decimal(number))
        for name in self._instants:
            text = getattr(value, name)
            if text == "":
                # Sent, which is an error, or the default of a field that is absent: the exact path knows.
                return self.decode_exactly(bytes(params))
            if text is not None and (error := instant_error(text)):
                raise BadRequest(error)
        return value

    def decode_exactly(self, params: bytes) -> Any:
        """As `decode`, on the exact path only."""
        tree = parse(params)
        if tree is None:
            raise BadRequest("jsonrpc: request body missing params")
        if type(tree) is not list:
            raise BadRequest(f"json: cannot unmarshal {kind_of(tree)} into Go value of type [1]interface {{}}")
        return self.read_tree(tree[0] if tree else None)

    def read_tree(self, tree: Any) -> Any:
        """Return the argument that a JSON tree stands for. Raises BadRequest."""
        report = Report()
        value = self._read(tree, Place(), report)
        if report.text:
            raise BadRequest(report.text)
        return self._zero() if value is LEFT else value

    def _zero(self) -> Any:
        kind = typing.get_origin(self.kind) or self.kind
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct | str | int | dict | list | Decimal):
            return kind()
        return None

    def _top_twin(self, kind: Any, go_type: str, go_types: GoTypes) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return _twin(kind, go_type, go_types)
        declared = go_types.struct(go_type).fields
        loose: dict[str, Any] = {}
        instants, fractions = [], []
        for field in msgspec.structs.fields(kind):
            if field.encode_name in declared and declared[field.encode_name].type == "time.Time":
                instants.append(field.name)
                loose[field.name] = field.type
            elif field.type is Decimal:
                # msgspec would take a text for it.
                fractions.append(field.name)
                loose[field.name] = Any
        self._instants, self._fractions = tuple(instants), tuple(fractions)
        return _struct_twin(kind, go_type, go_types, loose)


def _struct_twin(kind: type[msgspec.Struct], go_type: str, go_types: GoTypes, loose: dict[str, Any]) -> Any:
    declared = go_types.struct(go_type).fields
    fields: list[Any] = []
    for field in msgspec.structs.fields(kind):
        field_go_type = declared[field.encode_name].type if field.encode_name in declared else ""
        twin = loose[field.name] if field.name in loose else _twin(field.type, field_go_type, go_types)
        if field.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory, name=field.encode_name)
            fields.append((field.name, twin, default))
        elif field.default is not msgspec.NODEFAULT:
            if _is_optional(field.type) and field.default is not None:
                raise _Unfit  # null keeps the default, which msgspec would replace
            fields.append((field.name, twin, msgspec.field(default=field.default, name=field.encode_name)))
        else:
            raise _Unfit  # an absent field has its zero value
    return msgspec.defstruct(kind.__name__, fields, bases=(kind,), kw_only=True, forbid_unknown_fields=True)


def _twin(kind: Any, go_type: str, go_types: GoTypes) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if go_type == "time.Time" or kind is Decimal:
        raise _Unfit
    if kind is int:
        return _Int64
    if kind in (str, bool, Any, object, type(None)):
        return kind
    if origin is list:
        return list[_twin(parts[0], go_type.removeprefix("[]").lstrip("*"), go_types)]  # type: ignore[misc]
    if origin is dict:
        return dict[str, _twin(parts[1], go_type.partition("]")[2].lstrip("*"), go_types)]  # type: ignore[misc]
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(operator.or_, (_twin(part, go_type, go_types) for part in parts))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct_twin(kind, go_type or f"v1.{kind.__name__}", go_types, {})
    raise _Unfit


def _is_optional(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType) and type(None) in typing.get_args(kind)
