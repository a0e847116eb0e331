"""CDRs as they arrive, for the tests of CDRs: one decision each, with what it noted for the store."""

from collections.abc import Iterable
from typing import Any

from cgrcore.cdrs import Cdr, Processed, StoredCdrs, Switches, process_events
from cgrcore.errors import CgrError
from cgrcore.event import CgrEvent
from cgrcore.world import World
from tests.sessions.calls import Phone

#: What is asked of a CDR that is to be charged and kept.
RATED = Switches(store=True, rals=True)


class Office:
    """Takes CDRs and keeps those noted for the store, as the store would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stored = StoredCdrs(cdrs={}, session_costs={})
        self.operations: list[str] = []

    def take(self, *events: CgrEvent, switches: Switches = RATED) -> list[Processed]:
        """Process CDRs as one decision: an error undoes it, unless it keeps changes."""
        self.world.state.begin("test")
        try:
            processed = process_events(self.world, events, switches, self.stored)
        except CgrError as error:
            if error.keeps_changes:
                self.keep(self.world.state.take().rows)
            else:
                self.world.state.rollback()
            raise
        self.keep(self.world.state.take().rows)
        return processed

    def keep(self, rows: Iterable[tuple[str, str, Any]]) -> None:
        for journal, operation, row in rows:
            if journal == "cdrs":
                self.operations.append(operation)
                self.stored.cdrs[row.cgrid, row.run_id] = row
            else:
                assert (journal, operation) == ("session_costs", "delete")
                del self.stored.session_costs[row.cgrid, row.run_id]

    def cdr(self, phone: Phone, run_id: str = "*default") -> Cdr:
        """Return the CDR that is stored of a call's run."""
        return self.stored.cdrs[phone.cgrid, run_id]
