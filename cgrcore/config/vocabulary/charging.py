"""Sections about charging: filters, rals, schedulers, cdrs, sessions, attributes, chargers."""

from typing import Any

from cgrcore.config.keys import Key, Object
from cgrcore.config.kinds import Boolean, Choice, Duration, Integer, Number, Text, Texts
from cgrcore.config.maps import Map, TextMap, UsageMap
from cgrcore.config.vocabulary.parts import boolean, conns, duration, enabled, indexing, integer, text, texts
from cgrcore.errors import BadRequest
from cgrcore.timing import zone_offset

__all__ = ["SECTIONS"]


class _TimeZone(Text):
    """The IANA name of a zone; empty is none."""

    word = "a time zone"

    def parse(self, value: Any) -> str:
        name = super().parse(value)
        try:
            zone_offset(name, 0)
        except BadRequest as error:
            raise ValueError(str(error)) from None
        return name


_RALS = Object(
    enabled("rating and accounting"),
    *conns("thresholds", "stats", "sessions"),
    boolean("rp_subject_prefix_matching", False, "a rating subject is also found by its beginning"),
    boolean("remove_expired", True, "remove balances once they have expired"),
    Key(
        "max_computed_usage",
        UsageMap(),
        {"*any": "189h", "*voice": "72h", "*data": "107374182400", "*sms": "10000", "*mms": "10000"},
        "longest usage that is rated, by type of record",
    ),
    integer("max_increments", 1_000_000, "most increments a span of a cost may have", 1),
    integer("fallback_depth", 3, "how many fallback subjects are followed", 0),
    Key(
        "balance_rating_subject",
        TextMap(),
        {"*any": "*zero1ns", "*voice": "*zero1s"},
        "rating subject of balances that name none, by type of record",
    ),
    Key(
        "tariff_timezones",
        Map(_TimeZone(), "an object of time zones"),
        {},
        "zone whose clock a tenant's rates follow, such as Europe/Rome, by tenant (`*any`: all others); without one, "
        "rates follow the offset that a call is given with",
        is_ours=True,
    ),
)

_SCHEDULERS = Object(
    enabled("the scheduler of action plans"),
    *conns("cdrs", "thresholds", "stats"),
    texts("filters", "filters an account must pass for its actions to be executed"),
    texts("dynaprepaid_actionplans", "action plans that create the account of a *dynaprepaid request"),
    Key(
        "catch_up",
        Choice("*none", "*once", "*all"),
        "*none",
        "executions that fell due while the node was down: left out, made up once for each plan, or all made up",
        is_ours=True,
    ),
)

_CDRS = Object(
    enabled("the CDR service"),
    texts("extra_fields", "fields of raw CDRs that are kept besides the known ones"),
    boolean("store_cdrs", True, "keep CDRs in stor_db"),
    boolean("compress_stored_cost", False, "store equal parts of cost details once"),
    Key(
        "rating_queue",
        Integer(0),
        0,
        "CDRs that may wait to be charged after they were answered, beyond which they are refused with "
        "RATING_QUEUE_FULL; 0: a CDR is charged before it is answered",
        is_ours=True,
    ),
    Key("rating_batch", Integer(1), 200, "CDRs of the queue that are charged in one transaction", is_ours=True),
    Key(
        "rating_queue_details",
        Boolean(),
        False,
        "cost details of queued CDRs that no account pays for are kept; each of these is then priced by itself",
        is_ours=True,
    ),
    Key(
        "partial_ttl",
        Duration("0s"),
        "3h",
        "interim records of a call (option *partial) are charged as they are when nothing came of it for this long",
        is_ours=True,
    ),
    integer("session_cost_retries", 5, "how often the cost of a session is looked for before the CDR is rated anew", 0),
    *conns("chargers", "rals", "attributes", "thresholds", "stats"),
    texts("online_cdr_exports", "exporters every CDR is given to"),
    *conns("scheduler", "ees"),
)


class _MaximumAge(Duration):
    """A duration whose "-1" is printed as it is written."""

    def show(self, parsed: int) -> object:
        return "-1" if parsed == -1 else super().show(parsed)


_STIR = Object(
    texts("allowed_attest", "attestations that are believed", ["*any"]),
    Key("payload_maxduration", _MaximumAge(), "-1", "oldest signature that is believed; -1: any age"),
    text("default_attest", "A", "attestation we give"),
    text("publickey_path", "", "where the public key of our signatures is found"),
    text("privatekey_path", "", "where our private key is"),
)

_SESSIONS = Object(
    enabled("sessions"),
    *conns("apiers", "chargers", "rals", "cdrs", "ips", "resources", "thresholds", "stats", "routes", "attributes"),
    *conns("replication"),
    duration(
        "debit_interval",
        "0s",
        "prepaid sessions are debited this much ahead, again and again; 0: only on update",
        zero="0",
    ),
    boolean("store_session_costs", False, "keep the cost of a session until its CDR comes"),
    Key(
        "default_usage",
        UsageMap(),
        {"*any": "3h", "*voice": "3h", "*data": "1048576", "*sms": "1"},
        "usage of requests that name none, by type of record",
    ),
    duration("session_ttl", "0s", "a session without update is ended after this; 0: never", zero="0"),
    *(
        Key(name, Duration("0s"), None, meaning, hides_empty=True)
        for name, meaning in (
            ("session_ttl_max_delay", "sessions without update are ended up to this later, not all at once; 0: none"),
            ("session_ttl_last_used", "what is taken as used of the last grant then; 0: all of it"),
            ("session_ttl_usage", "the usage of the whole session then; 0: what was granted"),
            ("session_last_usage", "what is charged for the silent time; 0: session_ttl"),
        )
    ),
    Key("session_indexes", Texts(always=("OriginID",)), None, "fields that sessions are found by"),
    Key("client_protocol", Number(), 2, "version of the methods that clients on bidirectional connections speak"),
    duration("channel_sync_interval", "0", "how often clients are asked which sessions they have; 0: never", zero="0"),
    duration("channel_sync_timeout", "60s", "longest wait for their answer"),
    duration("stale_chan_max_extra_usage", "0", "usage charged at most when a lost session is ended", zero="0"),
    integer("terminate_attempts", 5, "how often the end of a session is tried", 1),
    texts("alterable_fields", "fields an update may change"),
    duration("min_dur_low_balance", "0", "warn the client when less than this is left; 0: never", zero="0"),
    Key("stir", _STIR, None, "signed caller identities"),
    *conns("scheduler"),
    duration("backup_interval", "0s", "accepted; sessions are in the database with every change", zero="0"),
)

_ATTRIBUTES = Object(
    enabled("attributes"),
    *conns("stats", "resources", "apiers"),
    *indexing(),
    boolean("any_context", True, "profiles of the context *any are found for every context"),
    Key(
        "opts",
        Object(
            texts("*profileIDs", "profiles to use; empty: those found"),
            integer("*profileRuns", 0, "how often one profile may be used; 0: no bound"),
            integer("*processRuns", 1, "how many profiles are used one after another"),
            boolean("*profileIgnoreFilters", False, "use the named profiles whatever their filters say"),
        ),
        None,
        "options of events that name none",
    ),
)

_CHARGERS = Object(enabled("chargers"), *conns("attributes"), *indexing())

SECTIONS = (
    Key("filters", Object(*conns("stats", "resources", "apiers", "trends", "rankings")), None, "what filters may ask"),
    Key("rals", _RALS, None, "rating, and accounts with their balances"),
    Key("schedulers", _SCHEDULERS, None, "actions executed at their time"),
    Key("cdrs", _CDRS, None, "call detail records: rating, keeping, exporting"),
    Key("sessions", _SESSIONS, None, "calls, data sessions and single events under way"),
    Key("attributes", _ATTRIBUTES, None, "changes made to events"),
    Key("chargers", _CHARGERS, None, "which charges an event causes"),
)
