"""Sections of the agents: Asterisk, FreeSWITCH, Kamailio, Diameter, RADIUS, HTTP, DNS, Prometheus, SIP, Janus."""

from cgrcore.config.keys import Key, Object, RecordMap, Records
from cgrcore.config.kinds import Choice, Duration, Texts
from cgrcore.config.maps import ListMap, TextMap
from cgrcore.config.vocabulary.parts import (
    LISTENERS,
    REQUEST_PROCESSORS,
    boolean,
    conns,
    duration,
    enabled,
    integer,
    text,
    texts,
    timezone,
)

__all__ = ["SECTIONS"]

_TO_SESSIONS = conns("sessions", default="*internal")
_BOTH_WAYS = conns("sessions", default="*birpc_internal")
_STATISTICS = conns("stats", "thresholds")
_RECONNECTS = integer("reconnects", 5, "tries of a lost connection; -1: for ever")
_LONGEST_WAIT = duration("max_reconnect_interval", "", "longest wait between tries; 0: no bound")
_CREATE_CDR = boolean("create_cdr", False, "make a CDR when a call ends")
_ROUTE_PROFILE = boolean("route_profile", False, "ask for routes with one profile for the whole call")
_ALIAS = text("alias", "", "name of the switch in events; empty: its address")

_ASTERISK = Object(
    enabled("the Asterisk agent"),
    *_BOTH_WAYS,
    _CREATE_CDR,
    _ROUTE_PROFILE,
    Key(
        "asterisk_conns",
        Records(
            Object(
                text("address", "", "host:port of ARI"),
                text("user", "", "user of ARI"),
                text("password", "", "password of ARI"),
                integer("connect_attempts", 3, "tries of the first connection"),
                _RECONNECTS,
                boolean("ari_websocket", False, "requests go over the websocket too"),
                _LONGEST_WAIT,
                _ALIAS,
            )
        ),
        [{"address": "127.0.0.1:8088", "user": "cgrates", "password": "CGRateS.org"}],
        "the switches",
    ),
)

_FREESWITCH = Object(
    enabled("the FreeSWITCH agent"),
    *_BOTH_WAYS,
    boolean("subscribe_park", True, "authorise calls that are parked"),
    _CREATE_CDR,
    Key("extra_fields", Texts(is_shown_joined=True), None, "channel variables that are kept in events"),
    text("low_balance_ann_file", "", "announcement when little is left"),
    text("empty_balance_context", "", "context a call is moved to when nothing is left"),
    text("empty_balance_ann_file", "", "announcement when nothing is left"),
    duration("max_wait_connection", "2s", "longest wait for a lost connection before a request fails"),
    text("active_session_delimiter", ",", "between the columns of the list of channels"),
    _ROUTE_PROFILE,
    text("sched_transfer_extension", "CGRateS", "extension a call is moved to when its time is over"),
    Key(
        "event_socket_conns",
        Records(
            Object(
                text("address", "", "host:port of the event socket"),
                text("password", "", "password of the event socket"),
                _RECONNECTS,
                _LONGEST_WAIT,
                duration("reply_timeout", "1m", "longest wait for an answer"),
                _ALIAS,
            )
        ),
        [{"address": "127.0.0.1:8021", "password": "ClueCon", "alias": "127.0.0.1:8021"}],
        "the switches",
    ),
)

_KAMAILIO = Object(
    enabled("the Kamailio agent"),
    *_BOTH_WAYS,
    _CREATE_CDR,
    timezone(),
    _ROUTE_PROFILE,
    Key(
        "evapi_conns",
        Records(Object(text("address", "", "host:port of evapi"), _RECONNECTS, _LONGEST_WAIT, _ALIAS)),
        [{"address": "127.0.0.1:8448"}],
        "the proxies",
    ),
)

_DIAMETER = Object(
    enabled("the Diameter agent"),
    Key(
        "listeners", LISTENERS, [{"address": "127.0.0.1:3868", "network": "tcp"}], "addresses to listen on: tcp or sctp"
    ),
    text("dictionaries_path", "/usr/share/cgrates/diameter/dict/", "folder of further dictionaries (XML)"),
    boolean("dictionaries_append_defaults", True, "add them to the built-in ones; false: use them alone"),
    *_BOTH_WAYS,
    *_STATISTICS,
    text("origin_host", "CGR-DA", "Origin-Host we send"),
    text("origin_realm", "cgrates.org", "Origin-Realm we send"),
    integer("vendor_id", 0, "Vendor-Id we send", 0),
    text("product_name", "CGRateS", "Product-Name we send"),
    boolean("synced_conn_requests", False, "requests of one connection are served one after the other"),
    *(
        text(f"{command}_template", "", f"template of the {command.upper()} we send; empty: none is sent")
        for command in ("asr", "rar", "slr", "snr", "str")
    ),
    Key("forced_disconnect", Choice("*none", "*asr", "*rar"), "*none", "how a session is ended from here"),
    texts("conn_status_stat_queue_ids", "statistics that hear of connections coming and going"),
    texts("conn_status_threshold_ids", "thresholds that hear of connections coming and going"),
    duration("conn_health_check_interval", "0", "how often a link is checked; 0: never"),
    REQUEST_PROCESSORS,
)

_DYNAMIC_AUTHORIZATION = Object(
    text("transport", "udp", "transport"),
    text("host", "", "host; empty: where the request came from"),
    integer("port", 3799, "port", 1),
    texts("flags", "what else is done, such as *log"),
)

_RADIUS = Object(
    enabled("the RADIUS agent"),
    Key(
        "listeners",
        Records(
            Object(
                Key("network", Choice("udp", "tcp"), "udp", "transport"),
                text("auth_address", "", "host:port for access requests"),
                text("acct_address", "", "host:port for accounting requests"),
            )
        ),
        [{"network": "udp", "auth_address": "127.0.0.1:1812", "acct_address": "127.0.0.1:1813"}],
        "addresses to listen on",
    ),
    Key("client_secrets", TextMap(), {"*default": "CGRateS.org"}, "shared secrets, by address of the client"),
    Key(
        "client_dictionaries",
        ListMap(),
        {"*default": ["/usr/share/cgrates/radius/dict/"]},
        "folders of further dictionaries, by address of the client",
    ),
    Key(
        "client_da_addresses",
        RecordMap(_DYNAMIC_AUTHORIZATION),
        None,
        "where disconnects and changes are sent, by host of the session",
        shown="",
    ),
    text("requests_cache_key", "", "under which key requests are remembered; empty: they are not"),
    *_TO_SESSIONS,
    *_STATISTICS,
    text("dmr_template", "*dmr", "template of the Disconnect-Request"),
    text("coa_template", "*coa", "template of the CoA-Request"),
    REQUEST_PROCESSORS,
)

_HTTP = Records(
    Object(
        text("id", "", "name"),
        text("url", "", "path it answers under"),
        *_TO_SESSIONS,
        *_STATISTICS,
        Key("request_payload", Choice("*url", "*xml"), "*url", "form of requests"),
        Key("reply_payload", Choice("*xml", "*text_plain"), "*xml", "form of replies"),
        REQUEST_PROCESSORS,
    ),
    has_ids=True,
)

_DNS = Object(
    enabled("the DNS agent"),
    Key(
        "listeners",
        LISTENERS,
        [{"address": "127.0.0.1:53", "network": "udp"}],
        "addresses to listen on: udp, tcp or tcp-tls",
    ),
    *_TO_SESSIONS,
    *_STATISTICS,
    timezone(),
    REQUEST_PROCESSORS,
)

_PROMETHEUS = Object(
    enabled("the Prometheus page"),
    text("path", "/prometheus", "path on the HTTP listener"),
    *conns("apiers", "caches"),
    texts("cache_ids", "caches that are shown; empty: all"),
    *conns("cores", "stats"),
    texts("stat_queue_ids", "statistics that are shown; empty: all"),
    boolean("collect_go_metrics", False, "accepted; there is no Go here"),
    boolean("collect_process_metrics", False, "show memory, processor time and open files of this process"),
)

_SIP = Object(
    enabled("the SIP agent"),
    text("listen", "127.0.0.1:5060", "address to listen on"),
    Key("listen_net", Choice("udp", "tcp"), "udp", "transport"),
    *_TO_SESSIONS,
    *_STATISTICS,
    timezone(),
    Key(
        "retransmission_timer",
        Duration(is_shown_as_number=True),
        "1s",
        "an answer is repeated after this until it is acknowledged; 0: never",
    ),
    REQUEST_PROCESSORS,
)

_JANUS = Object(
    enabled("the Janus agent"),
    text("url", "/janus", "path on the HTTP listener"),
    *_TO_SESSIONS,
    Key(
        "janus_conns",
        Records(
            Object(
                text("address", "", "host:port of Janus"),
                text("type", "*ws", "transport"),
                text("admin_address", "", "host:port of its administration"),
                text("admin_password", "", "password of its administration"),
            )
        ),
        [{"address": "127.0.0.1:8088", "type": "*ws", "admin_address": "localhost:7188"}],
        "the Janus servers",
    ),
    REQUEST_PROCESSORS,
)

SECTIONS = (
    Key("asterisk_agent", _ASTERISK, None, "Asterisk, over ARI"),
    Key("freeswitch_agent", _FREESWITCH, None, "FreeSWITCH, over its event socket"),
    Key("kamailio_agent", _KAMAILIO, None, "Kamailio, over evapi"),
    Key("diameter_agent", _DIAMETER, None, "Diameter"),
    Key("radius_agent", _RADIUS, None, "RADIUS"),
    Key("http_agent", _HTTP, None, "HTTP requests of any form, a list of agents"),
    Key("dns_agent", _DNS, None, "DNS"),
    Key("prometheus_agent", _PROMETHEUS, None, "metrics for Prometheus"),
    Key("sip_agent", _SIP, None, "SIP redirects"),
    Key("janus_agent", _JANUS, None, "the Janus gateway", shown=""),
)
