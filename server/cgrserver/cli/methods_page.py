"""docs/methods.md: every RPC method, made from the registry.

Rules: a method stands once, under its first name, with its other names; what is mandatory is bold.
"""

from typing import Any

import msgspec

from cgrserver.rpc import methods
from cgrserver.rpc.registry import METHODS, Method

__all__ = ["methods_page"]

_INTRODUCTION = """\
# Methods

*This page is made by `python -m cgrserver.cli.pages`; a test keeps it true.*

Called as JSON-RPC: `{"method": "Service.Method", "params": [{...}], "id": 1}`. A name that CGRateS has takes its
arguments and gives its reply; fields that are not given have their zero value. **Bold** fields must be given. `APIOpts`
and `Tenant` are taken everywhere and not listed. What `APIerSv1` has is also found as `ApierV1`, and as `APIerSv2` and
`ApierV2` unless these have a row of their own.

```sh
cgrcore call APIerSv2.GetAccounts 'AccountIDs=["1001"]'
```
"""

#: Services with the same methods: clients call them by any of these names.
_ADMINISTRATION = ("ApierV1", "APIerSv1", "ApierV2", "APIerSv2")

_TYPES = {"str": "text", "int": "number", "Decimal": "number", "bool": "true/false", "dict": "object", "list": "list"}


def methods_page() -> str:
    """Return the whole page as Markdown."""
    methods.load_all()
    first: dict[Any, Method] = {}
    names: dict[Any, list[str]] = {}
    for name, method in METHODS.items():
        key = (method.decide, method.mandatory)
        first.setdefault(key, method)
        names.setdefault(key, []).append(name)
    services: dict[str, list[str]] = {}
    for key, method in sorted(first.items(), key=lambda item: item[1].name):
        service = method.name.partition(".")[0]
        services.setdefault(service, []).append(_row(method, names[key]))
    parts = [_INTRODUCTION]
    for service in sorted(services):
        rows = "\n".join(services[service])
        parts.append(f"## {service}\n\n| Method | Arguments | What it does |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(method: Method, names: list[str]) -> str:
    verb = method.name.partition(".")[2]
    others = [
        name for name in names if name not in (method.name, *(f"{service}.{verb}" for service in _ADMINISTRATION))
    ]
    name = f"`{method.name}`" + (f"<br>also {', '.join(f'`{other}`' for other in others)}" if others else "")
    return f"| {name} | {_arguments(method)} | {method.summary} |".replace("\n", " ")


def _arguments(method: Method) -> str:
    kind = method.args
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return _word(kind)
    fields = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name in ("APIOpts", "Tenant") and field.encode_name not in method.mandatory:
            continue
        name = f"**{field.encode_name}**" if field.encode_name in method.mandatory else field.encode_name
        fields.append(f"{name} {_word(field.type)}")
    return ", ".join(fields)


def _word(kind: Any) -> str:
    """Return the plain word for a type: text, number, object, list."""
    options = [option for option in getattr(kind, "__args__", ()) if option is not type(None)]
    name = getattr(kind, "__name__", "")
    if name in _TYPES:
        return _TYPES[name]
    if name in ("Union", "Optional", "UnionType") or "|" in str(kind):
        return _word(options[0]) if len(options) == 1 else "any"
    return "object" if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else "any"
