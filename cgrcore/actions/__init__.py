"""Actions and triggers: what is to happen, and when an account's state starts it.

The records stand here; accounting holds them in its accounts. What runs them knows accounting, so it is imported by
its module (`cgrcore.actions.run`, `cgrcore.actions.triggers`), never from here.
"""

from cgrcore.actions.balance_filter import BalanceFilter, ValueFormula
from cgrcore.actions.records import Action, ActionSet, ActionTrigger, Counter, Message, TriggerGroup, UnitCounter

__all__ = [
    "TABLES",
    "Action",
    "ActionSet",
    "ActionTrigger",
    "BalanceFilter",
    "Counter",
    "Message",
    "TriggerGroup",
    "UnitCounter",
    "ValueFormula",
]

#: The tables of this subject, and the type of their records.
TABLES: dict[str, type] = {
    "actions": ActionSet,
    "action_triggers": TriggerGroup,
    "outbox": Message,
    "dead_letters": Message,
}
