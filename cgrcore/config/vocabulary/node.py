"""Sections about the node: general, cores, limits, listen, tls, http, rpc_conns, configs, analyzers, apiers."""

from cgrcore.config.keys import Key, Object, RecordMap, Records
from cgrcore.config.kinds import Boolean, Choice, Duration, Integer, Size, Text
from cgrcore.config.maps import TextMap
from cgrcore.config.vocabulary.parts import boolean, conns, duration, enabled, integer, text

__all__ = ["SECTIONS"]

_GENERAL = Object(
    text("node_id", "", "name of this node; empty: a new one at each start"),
    text("logger", "*syslog", "accepted; logs go to standard error, as one line of JSON or, on a terminal, as text"),
    integer("log_level", 6, "0 emergency to 7 debug; messages up to this level are written", 0),
    integer("rounding_decimals", 5, "decimals costs are rounded to", 0),
    text("dbdata_encoding", "*msgpack", "accepted; records are always stored as MessagePack"),
    text("tpexport_dir", "/var/spool/cgrates/tpe", "folder tariff plans are exported to"),
    integer("poster_attempts", 3, "how often an HTTP post is tried", 0),
    text("default_request_type", "*rated", "request type of events that name none"),
    text("default_category", "call", "category of events that name none"),
    text("default_tenant", "cgrates.org", "tenant of requests that name none"),
    text("default_timezone", "Local", "zone of times that name none: Local (the machine's), UTC, Europe/Rome, ..."),
    Key(
        "default_caching",
        Choice("*reload", "*load", "*remove", "*clear", "*none"),
        "*reload",
        "what a change does to the caches unless the request says otherwise",
    ),
    duration("caching_delay", "0s", "wait before caches are changed", zero="0"),
    Key("min_call_duration", Duration(), "0s", "accepted, not used, as in CGRateS", is_unused=True),
    Key("max_call_duration", Duration(), "3h", "accepted, not used, as in CGRateS", is_unused=True),
    integer("connect_attempts", 5, "tries of the first connection to another node"),
    integer("reconnects", -1, "tries of a lost connection; -1: for ever"),
    duration("max_reconnect_interval", "", "longest wait between tries; 0: no bound", zero="0"),
    duration("connect_timeout", "1s", "wait for a connection to another node"),
    duration("reply_timeout", "2s", "wait for the answer of another node"),
    duration("locking_timeout", "0", "longest time a lock is held; 0: no bound", zero="0"),
    text("digest_separator", ",", "between the parts of an attributes digest"),
    text("digest_equal", ":", "between name and value in an attributes digest"),
    text("rsr_separator", ";", "between the parts of a composed value"),
    integer("max_parallel_conns", 100, "most connections of a *parallel pool", 1),
    Key(
        "rpc_compat",
        Choice("v0.10", "current"),
        "v0.10",
        "names in requests and replies: those of the released CGRateS v0.10, or those of its current development",
        is_ours=True,
    ),
    Key(
        "durability",
        Choice("commit", "delayed", "memory"),
        "commit",
        "when a reply leaves: once its changes are on disk (commit), or at once, with the changes written within "
        "milliseconds (delayed; memory is the same, for *internal)",
        is_ours=True,
    ),
    Key(
        "idempotency_ttl",
        Duration(),
        "24h",
        "how long the first answer to a request with an idempotency key is given again",
        is_ours=True,
    ),
)

_CORES = Object(
    integer("caps", 0, "most requests served at once; 0: no bound", 0),
    Key("caps_strategy", Choice("*busy", "*queue"), "*busy", "requests beyond caps: refused, or made to wait"),
    duration("caps_stats_interval", "0", "how often the peak is measured; 0: never", zero="0"),
    duration("shutdown_timeout", "1s", "how long requests under way may take when the node stops"),
)

_LIMITS = Object(
    Key("max_connections", Integer(1), 20_000, "most client connections; further ones are closed"),
    Key("max_request_size", Size(), "64MB", "longest request; the connection of a longer one is closed"),
    duration("request_timeout", "30s", "a request that has begun must have arrived after this"),
    Key("max_reply_backlog", Size(), "16MB", "most bytes of replies that wait for one client to read them"),
    duration("send_timeout", "30s", "a client for which replies wait and that reads none this long is disconnected"),
    Key("max_connection_calls", Integer(1), 4096, "most calls in work of one connection; no more are read meanwhile"),
    Key("max_calls", Integer(1), 100_000, "most calls in work of all connections; more are refused"),
    Key(
        "resident_accounts",
        Integer(0),
        1_000_000,
        "accounts held in memory, about 1 GB a million; others are fetched when needed; 0: all are held",
        is_ours=True,
    ),
    duration("store_timeout", "30s", "how long a call waits for what it reads, and a commit may take"),
)

_LISTEN = Object(
    text("rpc_json", "127.0.0.1:2012", "JSON-RPC over TCP; empty: not listening"),
    text("rpc_gob", "127.0.0.1:2013", "Go's net/rpc GOB over TCP; not in this version yet"),
    text("http", "127.0.0.1:2080", "HTTP: JSON-RPC, also over websocket, and CDRs of switches; empty: not listening"),
    text("rpc_json_tls", "127.0.0.1:2022", "JSON-RPC over TLS; not in this version yet"),
    text("rpc_gob_tls", "127.0.0.1:2023", "GOB over TLS; not in this version yet"),
    text("http_tls", "127.0.0.1:2280", "HTTPS; not in this version yet"),
    text("birpc_json", "127.0.0.1:2014", "JSON-RPC in both directions: clients are called too; empty: not listening"),
    text("birpc_gob", "", "GOB in both directions; not in this version yet"),
)

_TLS = Object(
    text("server_certificate", "", "file of the certificate we show; empty: no TLS listeners"),
    text("server_key", "", "file of its key"),
    text("client_certificate", "", "file of the certificate we show as a client"),
    text("client_key", "", "file of its key"),
    text("ca_certificate", "", "file of the authority peers are checked against; empty: the system's"),
    integer("server_policy", 4, "0 to 4 as in Go: 4 demands and checks a client certificate, 0 asks for none"),
    text("server_name", "", "name expected in the server's certificate; empty: the host connected to"),
)

_HTTP_CLIENT = Object(
    boolean("skipTlsVerify", False, "do not check certificates of servers"),
    duration("tlsHandshakeTimeout", "10s", "longest TLS handshake"),
    boolean("disableKeepAlives", False, "one request a connection"),
    boolean("disableCompression", False, "do not ask for compressed answers"),
    integer("maxIdleConns", 100, "most idle connections kept"),
    integer("maxIdleConnsPerHost", 2, "most idle connections kept per host"),
    integer("maxConnsPerHost", 0, "most connections per host; 0: no bound"),
    duration("idleConnTimeout", "90s", "an idle connection is closed after this"),
    duration("responseHeaderTimeout", "0", "longest wait for the head of an answer; 0: no bound"),
    duration("expectContinueTimeout", "0", "longest wait for leave to send a body; 0: it is sent at once"),
    boolean("forceAttemptHttp2", True, "try HTTP/2"),
    duration("dialTimeout", "30s", "longest wait for a connection"),
    duration("dialFallbackDelay", "300ms", "wait before the other address family is tried"),
    duration("dialKeepAlive", "30s", "time between keep-alive probes"),
)

_HTTP = Object(
    text("json_rpc_url", "/jsonrpc", "path of JSON-RPC; empty: none"),
    text("registrars_url", "/registrar", "path where other nodes announce themselves; empty: none"),
    text("ws_url", "/ws", "path of JSON-RPC over websocket; empty: none"),
    text("freeswitch_cdrs_url", "/freeswitch_json", "path that takes CDRs of FreeSWITCH; empty: none"),
    text("http_cdrs", "/cdr_http", "path that takes CDRs as forms; empty: none"),
    text("pprof_path", "/debug/pprof/", "accepted; Go's profiler has no counterpart"),
    boolean("use_basic_auth", False, "ask for a user and a password"),
    Key("auth_users", TextMap(), None, "users, and their passwords in base64"),
    Key("client_opts", _HTTP_CLIENT, None, "how we connect to other HTTP servers"),
)

_RPC_CONN = Object(
    text("address", "", "host:port, or *internal"),
    Key(
        "transport",
        Choice("*json", "*gob", "*birpc_json", "*birpc_gob", "*http_jsonrpc", "*internal", "*birpc_internal", ""),
        "",
        "encoding; empty: *gob",
    ),
    *(
        Key(name, kind, None, meaning, hides_empty=True)
        for name, kind, meaning in (
            ("id", Text(), "name of this connection"),
            ("connect_attempts", Integer(), "tries of the first connection; 0: general.connect_attempts"),
            ("reconnects", Integer(), "tries of a lost connection; 0: general.reconnects"),
            ("max_reconnect_interval", Duration(), "longest wait between tries; 0: general.max_reconnect_interval"),
            ("connect_timeout", Duration(), "wait for a connection; 0: general.connect_timeout"),
            ("reply_timeout", Duration(), "wait for an answer; 0: general.reply_timeout"),
            ("tls", Boolean(), "connect with TLS"),
            ("client_key", Text(), "file of our key; empty: tls.client_key"),
            ("client_certificate", Text(), "file of our certificate; empty: tls.client_certificate"),
            ("ca_certificate", Text(), "file of the authority; empty: tls.ca_certificate"),
        )
    ),
)

_STRATEGIES = """
*first *next *random *first_positive *first_positive_async *async *broadcast *broadcast_sync *broadcast_async *parallel
"""

_RPC_POOL = Object(
    Key("strategy", Choice(*_STRATEGIES.split()), "*first", "which of the connections is asked"),
    integer("poolSize", 0, "connections of *parallel; 0: general.max_parallel_conns", 0),
    Key("conns", Records(_RPC_CONN), None, "the connections"),
)

_ALWAYS = {
    "*internal": {"conns": [{"address": "*internal"}]},
    "*birpc_internal": {"conns": [{"address": "*birpc_internal"}]},
    "*localhost": {"conns": [{"address": "127.0.0.1:2012", "transport": "*json"}]},
    "*bijson_localhost": {"conns": [{"address": "127.0.0.1:2014", "transport": "*birpc_json"}]},
}

_ANALYZERS = Object(
    enabled("the record of requests"),
    text("db_path", "/var/spool/cgrates/analyzers", "folder of the record"),
    Key(
        "index_type",
        Choice("*scorch", "*boltdb", "*leveldb", "*mossdb", "*internal"),
        "*scorch",
        "accepted; there is one kind of index",
    ),
    duration("ttl", "24h", "how long requests are kept"),
    duration("cleanup_interval", "1h", "how often old ones are removed"),
)

_APIERS = Object(
    enabled("the administration methods APIerSv1 and APIerSv2"),
    *conns("caches", default="*internal"),
    *conns("scheduler", "attributes", "ees"),
    Key("thresholds_conns", conns("thresholds")[0].kind, [], "accepted, not used", is_unused=True),
    Key("stats_conns", conns("stats")[0].kind, [], "accepted, not used", is_unused=True),
)

_CONFIGS = Object(
    Key("enabled", Boolean(), False, "whether configuration files are given to other nodes over HTTP"),
    text("url", "/configs/", "path they lie under"),
    text("root_dir", "/var/spool/cgrates/configs", "folder they lie in"),
)

SECTIONS = (
    Key("general", _GENERAL, None, "what holds for the whole node"),
    Key("cores", _CORES, None, "how much is served at once, and stopping"),
    Key("limits", _LIMITS, None, "bounds that keep one client from harming the others", is_ours=True),
    Key("listen", _LISTEN, None, "addresses the node listens on"),
    Key("tls", _TLS, None, "certificates"),
    Key("http", _HTTP, None, "the HTTP listener, and HTTP as a client"),
    Key("rpc_conns", RecordMap(_RPC_POOL), _ALWAYS, "other nodes, by the name that `*_conns` lists use"),
    Key("apiers", _APIERS, None, "administration methods"),
    Key("analyzers", _ANALYZERS, None, "record of requests and replies, to search in"),
    Key("configs", _CONFIGS, None, "configuration for other nodes"),
)
