"""Dispatchers and pools of addresses of a plan."""

from cgrcore.dispatchers import DispatcherHost, DispatcherProfile, ProfileHost, named_parameters
from cgrcore.ips import IpPool, IpProfile
from cgrcore.money import NANO
from tests.tariffplan.worlds import empty_world, load_files

PROFILE = {
    "DispatcherProfiles.csv": (
        "t,D,*sessions,*string:~*req.A:1,,*weight,,H1,,20,false,*ratio:2;x,10",
        "t,D,,,,,,H2,,10,true,,",
    )
}
HOST = {"DispatcherHosts.csv": ("t,H1,127.0.0.1:2012,*json,1,3,5m,1s,2s,false,,,",)}
IPS = {"IPs.csv": ("t,I,*string:~*req.A:1,,72h,true,10,P,,*ipv4,172.16.0.1/32,*ascending,hello,5,true",)}


def test_a_dispatcher_profile_has_its_hosts_with_named_parameters() -> None:
    world = empty_world()
    load_files(world, PROFILE)
    assert world.state.table("dispatcher_profiles").require("t:D") == DispatcherProfile(
        tenant="t",
        id="D",
        subsystems=("*sessions",),
        filter_ids=("*string:~*req.A:1",),
        strategy="*weight",
        strategy_parameters={},
        weight_nano=10 * NANO,
        hosts=(
            ProfileHost("H1", None, 20 * NANO, {"*ratio": "2", "1": "x"}),
            ProfileHost("H2", None, 10 * NANO, {}, is_blocker=True),
        ),
    )


def test_a_host_has_its_connection() -> None:
    world = empty_world()
    load_files(world, HOST)
    second_ns = 10**9
    assert world.state.table("dispatcher_hosts").require("t:H1") == DispatcherHost(
        "t", "H1", "127.0.0.1:2012", "*json", 1, 3, 300 * second_ns, second_ns, 2 * second_ns
    )


def test_a_profile_of_addresses_has_its_pools() -> None:
    world = empty_world()
    load_files(world, IPS)
    profile: IpProfile = world.state.table("ip_profiles").require("t:I")
    assert profile.ttl_ns == 72 * 3600 * 10**9
    assert profile.pools == (
        IpPool("P", None, "*ipv4", "172.16.0.1/32", "*ascending", "hello", 5 * NANO, is_blocker=True),
    )


def test_a_parameter_without_a_name_is_called_by_its_place() -> None:
    assert named_parameters(["a", "*ratio:1:2", ""]) == {"0": "a", "*ratio": "1:2"}
