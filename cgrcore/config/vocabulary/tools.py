"""Sections of tools and outside services: loader, migrator, mailer, suretax, apiban, sentrypeer."""

from cgrcore.config.keys import Key, Object
from cgrcore.config.kinds import Text, Texts
from cgrcore.config.vocabulary.parts import boolean, conns, duration, integer, text, timezone
from cgrcore.config.vocabulary.stores import REDIS

__all__ = ["SECTIONS"]

_LOADER = Object(
    text("tpid", "", "tariff plan the tables belong to"),
    text("data_path", "./", "folder of the CSV files"),
    boolean("disable_reverse", False, "do not build the index from prefixes to destinations"),
    text("field_separator", ",", "between the columns"),
    *conns("caches", "scheduler", default="*localhost"),
    text("gapi_credentials", ".gapi/credentials.json", "accepted; no effect here"),
    text("gapi_token", ".gapi/token.json", "accepted; no effect here"),
)

_NOTE = "accepted; no effect here"

_MONGO = (text("mongoConnScheme", "mongodb", _NOTE), duration("mongoQueryTimeout", "0s", _NOTE))

_STOR_OPTIONS = Object(
    *_MONGO,
    text("mysqlLocation", "", _NOTE),
    text("pgSSLMode", "", _NOTE),
    duration("sqlConnMaxLifetime", "0s", _NOTE),
    integer("sqlMaxIdleConns", 0, _NOTE),
    integer("sqlMaxOpenConns", 0, _NOTE),
)


class _DatabaseType(Text):
    """A database name, printed with its star."""

    def show(self, parsed: str) -> str:
        return parsed if parsed.startswith("*") else f"*{parsed}"


_MIGRATOR = Object(
    Key("out_datadb_type", _DatabaseType(), "redis", _NOTE),
    *(
        text(f"out_datadb_{name}", default, _NOTE)
        for name, default in (
            ("host", "127.0.0.1"),
            ("port", "6379"),
            ("name", "10"),
            ("user", "cgrates"),
            ("password", ""),
            ("encoding", "msgpack"),
        )
    ),
    Key("out_stordb_type", _DatabaseType(), "mysql", _NOTE),
    *(
        text(f"out_stordb_{name}", default, _NOTE)
        for name, default in (
            ("host", "127.0.0.1"),
            ("port", "3306"),
            ("name", "cgrates"),
            ("user", "cgrates"),
            ("password", ""),
        )
    ),
    Key("users_filters", Texts(), None, _NOTE),
    Key("out_datadb_opts", Object(*(key for key in REDIS if key.name != "redisBatchSize"), *_MONGO), None, _NOTE),
    Key("out_stordb_opts", _STOR_OPTIONS, None, _NOTE),
)

_MAILER = Object(
    text("server", "localhost", "host or host:port of the mail server"),
    text("auth_user", "cgrates", "user of the mail server"),
    text("auth_password", "CGRateS.org", "password of the mail server"),
    text("from_address", "cgr-mailer@localhost.localdomain", "sender of our mails"),
)

_TAX = "sent as it is, or taken from the event"

_SURETAX = Object(
    text("url", "", "address of the service"),
    text("client_number", "", "our number there"),
    text("validation_key", "", "our key there"),
    text("business_unit", "", "our business unit"),
    timezone("Local"),
    boolean("include_local_cost", False, "the sum has our cost in it"),
    *(
        text(name, default, _TAX)
        for name, default in (
            ("return_file_code", "0"),
            ("response_group", "03"),
            ("response_type", "D4"),
            ("regulatory_code", "03"),
            ("client_tracking", "~*req.CGRID"),
            ("customer_number", "~*req.Subject"),
            ("orig_number", "~*req.Subject"),
            ("term_number", "~*req.Destination"),
            ("bill_to_number", ""),
            ("zipcode", ""),
            ("plus4", ""),
            ("p2pzipcode", ""),
            ("p2pplus4", ""),
            ("units", "1"),
            ("unit_type", "00"),
            ("tax_included", "0"),
            ("tax_situs_rule", "04"),
            ("trans_type_code", "010101"),
            ("sales_type_code", "R"),
            ("tax_exemption_code_list", ""),
        )
    ),
)


def _shown(name: str, shown: str, default: str, meaning: str) -> Key:
    return Key(name, Text(), default, meaning, shown=shown)


_SENTRYPEER = Object(
    _shown("client_id", "ClientID", "", "our id there"),
    _shown("client_secret", "ClientSecret", "", "our secret there"),
    _shown("token_url", "TokenURL", "https://authz.sentrypeer.com/oauth/token", "where tokens are given"),
    _shown("ips_url", "IpUrl", "https://sentrypeer.com/api/ip-addresses", "where addresses are asked for"),
    _shown("numbers_url", "NumberUrl", "https://sentrypeer.com/api/phone-numbers", "where numbers are asked for"),
    _shown("audience", "Audience", "https://sentrypeer.com/api", "what the token is for"),
    _shown("grant_type", "GrantType", "client_credentials", "how the token is asked for"),
)

SECTIONS = (
    Key("loader", _LOADER, None, "loading tariff plans from the command line"),
    Key("migrator", _MIGRATOR, None, "moving data between databases of CGRateS"),
    Key("mailer", _MAILER, None, "mails sent by actions"),
    Key("suretax", _SURETAX, None, "taxes asked of SureTax"),
    Key("apiban", Object(Key("keys", Texts(), None, "our keys there")), None, "addresses known to APIBAN"),
    Key("sentrypeer", _SENTRYPEER, None, "addresses and numbers known to SentryPeer"),
)
