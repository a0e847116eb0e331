"""`cgrcore demo`."""

__all__ = ["demo"]


def demo() -> int:
    """Charge a call over TCP and rate a million CDRs, in under a minute.

    Starts a server with a database in a temporary folder, loads a tariff, plays the calls of a switch and shows every
    request, answer and balance. Leaves nothing behind.
    """
    from cgrserver.demo import run

    return run()
