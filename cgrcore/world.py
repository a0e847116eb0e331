"""What every decision is made on: the settings, the tables, the tariff in force, the time and fresh ids.

One `World` is built by the application and handed to every decision. Time and ids come from outside: `now_at` is set
before each decision, `new_id` is a function the application supplies.
"""

from collections.abc import Callable
from typing import Any

from cgrcore.state import State

__all__ = ["World"]


class World:
    """The state of the world.

    `settings` maps section to key to value, as configured (`settings["general"]["default_tenant"]`); `now_at` is the
    instant of the open decision (ns UTC); `new_id()` returns a fresh UUID text; `parts` holds what subjects
    derive from the tables (compiled tariff, indexes) by name, each owned by its subject. `client_id` names the client
    that asks for the open decision, if that can be called back, else it is "".
    """

    __slots__ = ("client_id", "new_id", "now_at", "parts", "settings", "state")

    def __init__(self, settings: dict[str, dict[str, Any]], new_id: Callable[[], str], now_at: int = 0) -> None:
        self.settings = settings
        self.state = State()
        self.now_at = now_at
        self.new_id = new_id
        self.client_id = ""
        self.parts: dict[str, Any] = {}

    def tenant(self, tenant: str) -> str:
        """Return the tenant, the default one when empty."""
        return tenant or str(self.settings["general"]["default_tenant"])
