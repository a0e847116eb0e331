"""Sections about keeping data: data_db, stor_db, caches."""

from cgrcore.config.keys import Key, Object
from cgrcore.config.kinds import Boolean, Choice, Duration, Integer, Plain, Size, Text
from cgrcore.config.vocabulary.parts import ITEM, PARTITION, conns, integer, partitions, text, texts

__all__ = ["BY_DATABASE", "DATABASES", "REDIS", "SECTIONS"]

#: Databases there are.
DATABASES = ("*sqlite", "*internal", "*postgres")

_SQLITE = {"db_host": "", "db_port": 0, "db_name": "cgrcore.db"}
_POSTGRES = {"db_host": "127.0.0.1", "db_port": 5432, "db_name": "cgrates"}

#: Defaults that depend on db_type: (section, db_type) to key to plain default.
BY_DATABASE: dict[tuple[str, str], dict[str, object]] = {
    ("data_db", "*sqlite"): _SQLITE,
    ("stor_db", "*sqlite"): _SQLITE,
    ("data_db", "*postgres"): {**_POSTGRES, "db_password": "CGRateS.org"},
    ("stor_db", "*postgres"): _POSTGRES,
    ("data_db", "*internal"): {},
    ("stor_db", "*internal"): {},
}

_DATABASE = Choice(
    *DATABASES,
    aliases={"*sqlite3": "*sqlite", "sqlite": "*sqlite", "internal": "*internal", "postgres": "*postgres"},
)


def _internal(folder: str) -> tuple[Key, ...]:
    return (
        Key(
            "internalDBDumpPath", Text(), f"/var/lib/cgrates/internal_db/{folder}", "accepted; use *sqlite to keep data"
        ),
        Key(
            "internalDBBackupPath",
            Text(),
            f"/var/lib/cgrates/internal_db/backup/{folder}",
            "folder backups are written to",
        ),
        Key("internalDBStartTimeout", Duration(), "5m", "accepted; *internal starts empty"),
        Key("internalDBDumpInterval", Duration(), "0s", "accepted; *internal is not written"),
        Key("internalDBRewriteInterval", Duration(), "0s", "accepted; *internal is not written"),
        Key("internalDBFileSizeLimit", Size(), "1GB", "accepted; *internal is not written"),
    )


_MONGO = (
    Key("mongoQueryTimeout", Duration(), "10s", "accepted; no effect here"),
    Key("mongoConnScheme", Text(), "mongodb", "accepted; no effect here"),
)

REDIS = tuple(
    Key(name, kind, default, "accepted; no effect here")
    for name, kind, default in (
        ("redisBatchSize", Integer(), 1000),
        ("redisMaxConns", Integer(), 10),
        ("redisConnectAttempts", Integer(), 20),
        ("redisSentinel", Text(), ""),
        ("redisCluster", Boolean(), False),
        ("redisClusterSync", Duration(), "5s"),
        ("redisClusterOndownDelay", Duration(), "0"),
        ("redisConnectTimeout", Duration(), "0"),
        ("redisPoolPipelineWindow", Duration(), "150µs"),
        ("redisPoolPipelineLimit", Integer(), 0),
        ("redisTLS", Boolean(), False),
        ("redisClientCertificate", Text(), ""),
        ("redisClientKey", Text(), ""),
        ("redisCACertificate", Text(), ""),
    )
)

_ITEMS = """
accounts reverse_destinations destinations rating_plans rating_profiles actions action_plans account_action_plans
action_triggers shared_groups timings resource_profiles resources ip_profiles ip_allocations ranking_profiles rankings
trend_profiles trends statqueue_profiles statqueues threshold_profiles thresholds filters route_profiles
attribute_profiles charger_profiles dispatcher_profiles dispatcher_hosts load_ids versions resource_filter_indexes
ip_filter_indexes stat_filter_indexes threshold_filter_indexes route_filter_indexes attribute_filter_indexes
charger_filter_indexes dispatcher_filter_indexes reverse_filter_indexes sessions_backup
"""

_ROWS = """
session_costs cdrs tp_timings tp_destinations tp_rates tp_destination_rates tp_rating_plans tp_rating_profiles
tp_shared_groups tp_actions tp_action_plans tp_action_triggers tp_account_actions tp_resources tp_ips tp_stats
tp_rankings tp_trends tp_thresholds tp_filters tp_routes tp_attributes tp_chargers versions tp_dispatcher_profiles
tp_dispatcher_hosts
"""

_DATA_DB = Object(
    Key(
        "db_type",
        _DATABASE,
        "*sqlite",
        "where accounts, profiles and live sessions are kept: a file, memory only, or a PostgreSQL server",
    ),
    text("db_host", "127.0.0.1", "host of the database server"),
    integer("db_port", 6379, "port of the database server; with *postgres the default is 5432", 0),
    text(
        "db_name",
        "10",
        'name of the database; with *sqlite the path of the file, "cgrcore.db" in the working folder by default',
    ),
    text("db_user", "cgrates", "user of the database server"),
    text("db_password", "", "password of the database server"),
    *conns("remote"),
    text("remote_conn_id", "", "connection of remote_conns whose answers are written here"),
    *conns("replication"),
    Key("replication_filtered", Boolean(), False, "copy an item only to the nodes that asked for it"),
    text("replication_cache", "", "what a copied write does to the other node's caches"),
    text("replication_failed_dir", "", "folder for writes that could not be copied"),
    Key("replication_interval", Duration(), "", "gather writes this long before they are copied; 0: at once"),
    Key("items", partitions(_ITEMS, ITEM), None, "how each kind of item is kept and copied"),
    Key("opts", Object(*_internal("datadb"), *REDIS, *_MONGO), None, "options of single databases"),
)

_STOR_DB = Object(
    Key("db_type", _DATABASE, "*sqlite", "where CDRs and tariff-plan tables are kept: the same database as data_db"),
    text("db_host", "127.0.0.1", "host of the database server"),
    integer("db_port", 3306, "port of the database server; with *postgres the default is 5432", 0),
    text("db_name", "cgrates", "name of the database; with *sqlite the path of the file, that of data_db"),
    text("db_user", "cgrates", "user of the database server"),
    text("db_password", "CGRateS.org", "password of the database server"),
    texts("string_indexed_fields", "accepted; CDRs have their indexes"),
    texts("prefix_indexed_fields", "accepted; CDRs have their indexes"),
    Key("items", partitions(_ROWS, ITEM), None, "how each kind of row is kept"),
    Key(
        "opts",
        Object(
            *_internal("stordb"),
            integer("sqlMaxOpenConns", 100, "most connections to the server"),
            integer("sqlMaxIdleConns", 10, "most idle connections kept"),
            integer("sqlLogLevel", 3, "accepted; general.log_level decides"),
            Key("sqlConnMaxLifetime", Duration(), "0", "a connection is renewed after this; 0: never"),
            Key("mysqlDSNParams", Plain({}), {}, "accepted; no effect here"),
            *_MONGO,
            text("mysqlLocation", "Local", "accepted; no effect here"),
            Key(
                "pgSSLMode",
                Choice("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
                "disable",
                "TLS towards PostgreSQL",
            ),
            text("pgSchema", "", "PostgreSQL schema of the tables; empty: public"),
        ),
        None,
        "options of single databases",
    ),
)

_CACHED = """
destinations reverse_destinations rating_plans rating_profiles actions action_plans account_action_plans
action_triggers shared_groups timings resource_profiles resources ip_profiles ip_allocations trend_profiles trends
ranking_profiles rankings statqueue_profiles statqueues threshold_profiles thresholds filters route_profiles
attribute_profiles charger_profiles dispatcher_profiles dispatcher_hosts load_ids event_resources event_ips
resource_filter_indexes ip_filter_indexes stat_filter_indexes threshold_filter_indexes route_filter_indexes
attribute_filter_indexes charger_filter_indexes dispatcher_filter_indexes reverse_filter_indexes dispatcher_routes
dispatcher_loads dispatchers rpc_connections caps_events diameter_messages radius_packets rpc_responses
closed_sessions event_charges cdr_ids uch stir apiban sentrypeer tmp_rating_profiles replication_hosts
"""

_CACHES = Object(
    Key(
        "partitions",
        partitions(
            _CACHED,
            PARTITION,
            diameter_messages={"ttl": "3h"},
            radius_packets={"ttl": "3h"},
            rpc_responses={"limit": 0, "ttl": "2s"},
            closed_sessions={"ttl": "10s"},
            event_charges={"limit": 0, "ttl": "10s"},
            cdr_ids={"ttl": "10m"},
            uch={"ttl": "3h"},
            stir={"ttl": "3h"},
            apiban={"ttl": "2m"},
            sentrypeer={"ttl": "86400s", "static_ttl": True},
            tmp_rating_profiles={"ttl": "1m"},
            replication_hosts={"limit": 0},
        ),
        None,
        "how each partition is kept",
    ),
    *conns("replication", "remote"),
)

SECTIONS = (
    Key("data_db", _DATA_DB, None, "the database of what changes while charging"),
    Key("stor_db", _STOR_DB, None, "the database of CDRs and tariff plans"),
    Key("caches", _CACHES, None, "what is kept in memory, how much of it and how long"),
)
