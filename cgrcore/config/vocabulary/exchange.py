"""Sections about events from and to files, databases and queues: ers, ees, templates."""

from cgrcore.config.keys import Key, Object, Records
from cgrcore.config.kinds import Plain, Texts
from cgrcore.config.maps import Map
from cgrcore.config.vocabulary.parts import (
    FIELDS,
    PARTITION,
    boolean,
    conns,
    duration,
    enabled,
    integer,
    partitions,
    text,
    texts,
    timezone,
)

__all__ = ["SECTIONS"]

_READER_OPTIONS = """
partialPath partialCacheAction partialOrderField partialcsvFieldSeparator ignoreErroredItems csvRowLength
csvFieldSeparator csvHeaderDefineChar csvLazyQuotes xmlRootPath amqpQueueID amqpUsername amqpPassword amqpConsumerTag
amqpExchange amqpExchangeType amqpRoutingKey kafkaTopic kafkaGroupID kafkaMaxWait kafkaTLS kafkaCAPath
kafkaSkipTLSVerify sqlDBName sqlTableName sqlBatchSize sqlDeleteIndexedFields pgSSLMode awsRegion awsKey awsSecret
awsToken sqsQueueID s3BucketID natsJetStream natsConsumerName natsStreamName natsSubject natsQueueID natsJWTFile
natsSeedFile natsCertificateAuthority natsClientCertificate natsClientKey natsJetStreamMaxWait
"""

_EXPORTER_OPTIONS = """
csvFieldSeparator elsApiKey elsServiceToken elsCertificateFingerPrint elsUsername elsPassword elsCAPath
elsDiscoverNodesOnStart elsDiscoverNodesInterval elsEnableDebugLogger elsLogger elsCompressRequestBody
elsCompressRequestBodyLevel elsRetryOnStatus elsMaxRetries elsDisableRetry elsIndex elsRefresh elsOpType elsPipeline
elsRouting elsTimeout elsWaitForActiveShards sqlMaxIdleConns sqlMaxOpenConns sqlConnMaxLifetime mysqlDSNParams
sqlTableName sqlDBName sqlUpdateIndexedFields pgSSLMode kafkaTopic kafkaLinger kafkaDeliveryTimeout kafkaTLS
kafkaCAPath kafkaSkipTLSVerify amqpQueueID amqpRoutingKey amqpExchange amqpExchangeType amqpUsername amqpPassword
awsRegion awsKey awsSecret awsToken sqsQueueID sqsForcePathStyle sqsSkipTlsVerify s3BucketID s3FolderPath
s3ForcePathStyle s3SkipTlsVerify natsJetStream natsSubject natsJWTFile natsSeedFile natsCertificateAuthority
natsClientCertificate natsClientKey natsJetStreamMaxWait rpcCodec serviceMethod keyPath certPath caPath connIDs tls
rpcConnTimeout rpcReplyTimeout rpcAPIOpts
"""


def _options(names: str) -> Object:
    return Object(*(Key(name, Plain(), None, "option of one type", is_optional=True) for name in names.split()))


def _taken(**columns: int) -> list[dict[str, object]]:
    return [
        {"tag": name, "path": f"*cgreq.{name}", "type": "*variable", "value": f"~*req.{column}", "mandatory": True}
        for name, column in columns.items()
    ]


_READER = Object(
    text("id", "", "name"),
    text("type", "*none", "what is read: *file_csv, *file_xml, *file_fwv, *file_json, *sql, *kafka_json_map, ..."),
    duration("run_delay", "0", "how often it looks; -1: as things come, 0: only when asked", zero="0"),
    duration("start_delay", "0", "wait before it starts", zero="0"),
    integer("concurrent_requests", 0, "most files or messages worked on at once"),
    text("source_path", "", "folder, database or queue that is read"),
    text("processed_path", "", "where files go afterwards; empty: they stay"),
    text("tenant", "", "where the tenant comes from; empty: general.default_tenant"),
    timezone(),
    texts("filters", "records that are taken"),
    texts("flags", "what is asked of the services: *cdrs, *initiate, *accounts, ..."),
    integer("reconnects", -1, "tries of a lost connection; -1: for ever"),
    Key("ees_success_ids", Texts(), None, "exporters given what succeeded", hides_empty=True),
    Key("ees_failed_ids", Texts(), None, "exporters given what failed", hides_empty=True),
    duration("max_reconnect_interval", "5m", "longest wait between tries"),
    Key("opts", _options(_READER_OPTIONS), {}, "options of single types"),
    Key("fields", FIELDS, None, "steps from the record to the event"),
    Key("partial_commit_fields", FIELDS, None, "further steps once a partial event is whole"),
    Key("cache_dump_fields", FIELDS, None, "columns of the file that partial events are written to"),
)

_DEFAULT_READER = {
    "id": "*default",
    "type": "*none",
    "run_delay": "0",
    "start_delay": "0",
    "concurrent_requests": 1024,
    "source_path": "/var/spool/cgrates/ers/in",
    "processed_path": "/var/spool/cgrates/ers/out",
    "tenant": "",
    "timezone": "",
    "filters": [],
    "flags": [],
    "reconnects": -1,
    "ees_success_ids": [],
    "ees_failed_ids": [],
    "max_reconnect_interval": "5m",
    "opts": {
        "partialCacheAction": "*none",
        "partialOrderField": "~*req.AnswerTime",
        "csvRowLength": 0,
        "csvFieldSeparator": ",",
        "csvHeaderDefineChar": ":",
        "natsSubject": "cgrates_cdrs",
    },
    "fields": _taken(
        ToR=2,
        OriginID=3,
        RequestType=4,
        Tenant=6,
        Category=7,
        Account=8,
        Subject=9,
        Destination=10,
        SetupTime=11,
        AnswerTime=12,
        Usage=13,
    ),
    "partial_commit_fields": [],
    "cache_dump_fields": [],
}

_ERS = Object(
    enabled("event readers"),
    *conns("sessions", default="*internal"),
    *conns("ees", "stats", "thresholds"),
    integer("concurrent_events", 1, "most events of one reader processed at once", 1),
    duration("partial_cache_ttl", "1s", "how long a partial event waits for its other parts"),
    Key("readers", Records(_READER, has_ids=True), [_DEFAULT_READER], "the readers; a new one starts from `*default`"),
)

_EXPORTER = Object(
    text("id", "", "name"),
    text(
        "type",
        "*none",
        "where events go: *file_csv, *http_post, *http_json_map, *sql, *kafka_json_map, *rpc, *log, *virt, ...",
    ),
    text("export_path", "/var/spool/cgrates/ees", "folder, address or database"),
    text(
        "failed_posts_dir",
        "/var/spool/cgrates/failed_posts",
        "folder for events that could not be delivered; *none: they are dropped",
    ),
    integer("concurrent_requests", 0, "most deliveries at once; 0: no bound", 0),
    timezone(),
    texts("filters", "events it takes"),
    texts("flags", "what else is done: *attributes, *log"),
    texts("attribute_ids", "attribute profiles the event passes through"),
    text("attribute_context", "", "context of those attributes"),
    boolean("synchronous", False, "the caller waits for the delivery"),
    integer("attempts", 1, "how often a delivery is tried", 1),
    text("metrics_reset_schedule", "", "when the metrics start anew (cron)"),
    Key("opts", _options(_EXPORTER_OPTIONS), {}, "options of single types"),
    Key("fields", FIELDS, None, "steps from the event to what is sent; none: the whole event"),
)

_FAILED_POSTS = Object(
    text("dir", "/var/spool/cgrates/failed_posts", "folder"),
    duration("ttl", "5s", "events for one target are gathered this long in one file"),
    boolean("static_ttl", True, "another event does not lengthen that time"),
)

_EES = Object(
    enabled("event exporters"),
    *conns("attributes"),
    Key(
        "cache",
        partitions(
            "file_csv nats_json_map amqp_json_map amqpv1_json_map kafka_json_map s3_json_map sqs_json_map sql els",
            PARTITION,
            file_csv={"ttl": "5s"},
        ),
        None,
        "how long files and connections stay open, by type of exporter",
    ),
    Key("failed_posts", _FAILED_POSTS, None, "events that could not be delivered"),
    Key(
        "exporters",
        Records(_EXPORTER, has_ids=True),
        [_EXPORTER.empty() | {"id": "*default"}],
        "the exporters; a new one starts from `*default`",
    ),
)


def _template(*steps: str) -> list[dict[str, object]]:
    """Return a template from `tag=path type value` lines; a `!` in front marks what must not be empty.

    A tag that is not given is the path without its root and dashes.
    """
    fields: list[dict[str, object]] = []
    for step in steps:
        name, kind, value = step.lstrip("!").split(" ", 2)
        tag, _, path = name.rpartition("=")
        tag = tag or path.split(".", 1)[1].replace("-", "")
        field: dict[str, object] = {"tag": tag, "path": path, "type": kind, "value": value}
        if step.startswith("!"):
            field["mandatory"] = True
        fields.append(field)
    return fields


_ORIGIN = ("!*rep.Origin-Host *variable ~*vars.OriginHost", "!*rep.Origin-Realm *variable ~*vars.OriginRealm")
_APPLICATION = "!*diamreq.Auth-Application-Id *variable ~*vars.*appid"
_ASK_BACK = (
    "!*diamreq.Session-Id *variable ~*req.Session-Id",
    "!*diamreq.Origin-Host *variable ~*req.Destination-Host",
    "!*diamreq.Origin-Realm *variable ~*req.Destination-Realm",
    "!*diamreq.Destination-Realm *variable ~*req.Origin-Realm",
    "!*diamreq.Destination-Host *variable ~*req.Origin-Host",
    _APPLICATION,
)
_SPENDING = (
    "!*cgreq.OriginID *variable ~*req.Session-Id",
    "!*cgreq.OriginHost *variable ~*req.Origin-Host",
    "!*cgreq.OriginRealm *variable ~*req.Origin-Realm",
)
_COUNTER = "*diamreq.Policy-Counter-Status-Report"
_PENDING = "Pending-Policy-Counter-Information"
_DYNAMIC = (
    "User-Name=*radDAReq.User-Name *variable ~*oreq.User-Name",
    "NAS-IP-Address=*radDAReq.NAS-IP-Address *variable ~*oreq.NAS-IP-Address",
    "Acct-Session-Id=*radDAReq.Acct-Session-Id *variable ~*oreq.Acct-Session-Id",
)

_TEMPLATES = {
    "*err": _template("!*rep.Session-Id *variable ~*req.Session-Id", *_ORIGIN),
    "*cca": _template(
        "!*rep.Session-Id *variable ~*req.Session-Id",
        "*rep.Result-Code *constant 2001",
        *_ORIGIN,
        "!*rep.Auth-Application-Id *variable ~*vars.*appid",
        "!*rep.CC-Request-Type *variable ~*req.CC-Request-Type",
        "!*rep.CC-Request-Number *variable ~*req.CC-Request-Number",
    ),
    "*asr": _template(*_ASK_BACK),
    "*rar": _template(*_ASK_BACK, "*diamreq.Re-Auth-Request-Type *constant 0"),
    "*slr": _template(
        *_SPENDING,
        "*cgreq.Account *variable ~*req.Subscription-Id.Subscription-Id-Data[~Subscription-Id-Type(0)]",
        "*cgreq.RequestType *constant *sy",
        "!BalanceIDPolicyFilter=*opts.*syPolicyFilters *group *string:~*asm.BalanceSummaries.*default.ID:balance_data",
        "!BalanceIDPolicyFilter2=*opts.*syPolicyFilters *group *lte:~*asm.BalanceSummaries.balance_data.Value:0",
    ),
    "*snr": _template(
        "!*diamreq.Session-Id *variable ~*req.Session-Id",
        "!*diamreq.Origin-Host *variable ~*req.Origin-Host",
        "!*diamreq.Origin-Realm *variable ~*req.Origin-Realm",
        "!*diamreq.Destination-Realm *variable ~*req.Destination-Realm",
        "!*diamreq.Destination-Host *variable ~*req.Destination-Host",
        _APPLICATION,
        f"Policy-Counter-Identifier={_COUNTER}.Policy-Counter-Identifier *group Monthly",
        f"Policy-Counter-Status={_COUNTER}.Policy-Counter-Status *group 512KBPS",
        f"{_PENDING}-Status={_COUNTER}.{_PENDING}.Policy-Counter-Status *group 30GB",
        f"{_PENDING}-Status-Change-Time={_COUNTER}.{_PENDING}.Pending-Policy-Counter-Change-Time *datetime *now",
    ),
    "*str": _template(*_SPENDING, "*cgreq.RequestType *constant *sy"),
    "*dmr": _template(*_DYNAMIC, "Reply-Message=*radDAReq.Reply-Message *variable ~*req.DisconnectCause"),
    "*coa": _template(*_DYNAMIC, "Filter-Id=*radDAReq.Filter-Id *variable ~*req.CustomFilter"),
    "*errSip": _template("!*rep.Request *constant SIP/2.0 500 Internal Server Error"),
    "*cdrLog": _template(
        "!*cdr.ToR *variable ~*req.BalanceType",
        "!*cdr.OriginHost *constant 127.0.0.1",
        "!*cdr.RequestType *constant *none",
        "!*cdr.Tenant *variable ~*req.Tenant",
        "!*cdr.Account *variable ~*req.Account",
        "!*cdr.Subject *variable ~*req.Account",
        "!*cdr.Cost *variable ~*req.Cost",
        "!*cdr.Source *constant *cdrLog",
        "!*cdr.Usage *constant 1",
        "!*cdr.RunID *variable ~*req.ActionType",
        "!*cdr.SetupTime *constant *now",
        "!*cdr.AnswerTime *constant *now",
        "!*cdr.PreRated *constant true",
    ),
}
_TEMPLATES["*snr"][6]["new_branch"] = True

SECTIONS = (
    Key("ers", _ERS, None, "events read from files, databases and queues"),
    Key("ees", _EES, None, "events written to files, databases and queues"),
    Key("templates", Map(FIELDS, "an object of lists of steps"), _TEMPLATES, "lists of steps to be used by name"),
)
