from typing import Any

from cgrcore._fast.tables import Table

class Ask:
    call: Any
    start_at: int
    end_at: int
    duration_index_ns: int

class Rules:
    world: Any
    def __init__(
        self,
        world: Any,
        call_type: type,
        accounts: Table[Any],
        destinations: Table[Any],
        plans: Table[Any],
        profiles: Table[Any],
    ) -> None: ...
