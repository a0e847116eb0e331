"""A CDR filter as an SQL condition.

Values never enter the text: every one is a parameter, and a list is one parameter too, whatever its length. Field names
come from the two tables below alone. What a filter means is said by `CdrFilter.select`; the contract tests hold this
against it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from cgrcore.cdrs.filter import EXISTS, CdrFilter, Range
from cgrcore.money import format_nano

__all__ = ["CdrQuery", "Dialect"]

TEXT_COLUMNS = frozenset(
    (
        *("cgrid", "run_id", "origin_id", "origin_host", "source", "tor", "request_type", "tenant", "category"),
        *("account", "subject", "destination"),
    )
)

NUMBER_COLUMNS = frozenset(("order_id", "setup_at", "answer_at", "created_at", "updated_at", "usage_ns"))


class Dialect:
    """What differs between the databases: SQLite's ways. Texts write a parameter as {}."""

    #: Orders and compares costs exactly, as the store keeps them.
    cost_key = "COALESCE(cost, '-1') COLLATE cgr_decimal"
    among = "{column} IN (SELECT value FROM json_each({{}}))"
    among_costs = "COALESCE(cost, '-1') IN (SELECT value FROM json_each({}))"
    starts = "EXISTS (SELECT 1 FROM json_each({}) AS p WHERE substr(destination, 1, length(p.value)) = p.value)"
    has_field = "EXISTS (SELECT 1 FROM json_each(cdrs.extra_fields) AS f WHERE f.key = {})"
    has_value = "EXISTS (SELECT 1 FROM json_each(cdrs.extra_fields) AS f WHERE f.key = {} AND f.value = {})"
    no_limit = "-1"
    #: The lines of one account.
    account_ledger = """(WITH RECURSIVE chain AS (
        SELECT * FROM ledger WHERE line_id = (SELECT last_line FROM accounts WHERE id = {})
        UNION ALL SELECT ledger.* FROM chain JOIN ledger ON ledger.line_id = chain.previous_line
    ) SELECT * FROM chain)"""

    def texts(self, values: Sequence[str]) -> Any:
        """Return a list of texts as one parameter."""
        return msgspec.json.encode(values).decode()


class CdrQuery:
    """The condition `where` and the order and page `page` of a filter, with the parameters of both."""

    def __init__(self, criteria: CdrFilter, dialect: Dialect) -> None:
        self._dialect = dialect
        self._conditions: list[str] = []
        self.parameters: list[Any] = []
        self._texts(criteria)
        self._extra_fields(criteria)
        for field, wanted in criteria.ranges.items():
            self._range(field, wanted)
        self.where = " AND ".join(self._conditions) or "1 = 1"
        self.page = self._page(criteria)

    def _add(self, condition: str, *parameters: Any, negated: bool = False) -> None:
        self._conditions.append(f"NOT {condition}" if negated else condition)
        self.parameters += parameters

    def _texts(self, criteria: CdrFilter) -> None:
        dialect = self._dialect
        for negated, conditions in ((False, criteria.among), (True, criteria.not_among)):
            for field, values in conditions.items():
                assert field in TEXT_COLUMNS, field
                self._add(dialect.among.format(column=field), dialect.texts(values), negated=negated)
        for negated, costs in ((False, criteria.costs), (True, criteria.not_costs)):
            if costs:
                texts = [format_nano(cost) for cost in costs]
                self._add(dialect.among_costs, dialect.texts(texts), negated=negated)
        for negated, prefixes in ((False, criteria.destination_prefixes), (True, criteria.not_destination_prefixes)):
            if prefixes:
                self._add(dialect.starts, dialect.texts(prefixes), negated=negated)

    def _extra_fields(self, criteria: CdrFilter) -> None:
        for negated, fields in ((False, criteria.extra_fields), (True, criteria.not_extra_fields)):
            for key, value in fields.items():
                if value == EXISTS:
                    self._add(self._dialect.has_field, key, negated=negated)
                else:
                    self._add(self._dialect.has_value, key, value, negated=negated)

    def _range(self, field: str, wanted: Range) -> None:
        column = self._key(field)
        for sign, bound in ((">=", wanted.start), ("<", wanted.end)):
            if bound is not None:
                value = format_nano(bound) if field == "cost_nano" else min(max(bound, -(2**63)), 2**63 - 1)
                self._add(f"{column} {sign} {{}}", value)

    def _page(self, criteria: CdrFilter) -> str:
        way = " DESC" if criteria.is_descending else ""
        order = f"ORDER BY {self._key(criteria.order_by)}{way}"
        if criteria.order_by != "order_id":
            order += ", order_id"
        if not criteria.limit and not criteria.offset:
            return order
        limit = self._dialect.no_limit
        if criteria.limit:
            limit = "{}"
            self.parameters.append(criteria.limit)
        self.parameters.append(criteria.offset)
        return f"{order} LIMIT {limit} OFFSET {{}}"

    def _key(self, field: str) -> str:
        if field == "cost_nano":
            return self._dialect.cost_key
        assert field in NUMBER_COLUMNS, field
        return field
