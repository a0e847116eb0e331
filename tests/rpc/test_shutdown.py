"""Responder.Shutdown, on a real server: it answers, writes what is not written, and ends."""

from pathlib import Path

from tests.server_process import STOP_TIMEOUT_S, ServerProcess


def test_the_node_answers_stops_in_order_and_keeps_everything(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, ("general.durability=delayed",))
    server.call("APIerSv1.SetAccount", Tenant="cgrates.org", Account="1001")
    assert server.call("Responder.Shutdown") == "Done!"
    assert server.process.wait(STOP_TIMEOUT_S) == 0
    server.client.close()
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.start()
    assert server.call("APIerSv2.GetAccount", Tenant="cgrates.org", Account="1001")["ID"] == "cgrates.org:1001"
    server.kill()
