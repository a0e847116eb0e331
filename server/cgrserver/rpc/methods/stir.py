"""SessionSv1.STIRAuthenticate and STIRIdentity: checking and giving signed caller identities (STIR/SHAKEN)."""

from typing import Any

from cgrcore.codecs import Claims, check_claims, identity_text, read_identity, text_to_sign
from cgrcore.errors import CgrError, Refused, Unavailable, mandatory_missing
from cgrcore.timing import SECOND_NS, parse_duration
from cgrcore.world import World
from cgrserver.rpc.registry import Args, method
from cgrserver.services.stir_keys import StirKeys, is_signed, sign

__all__ = ["PREFIX", "authenticated", "check_of", "identity_of", "signed_identity"]

#: What stands before every reason why an identity is not believed.
PREFIX = "*stir_authenticate"


class StirArgs(Args):
    Attest: list[str] | None = None
    DestinationTn: str = ""
    DestinationURI: str = ""
    Identity: str = ""
    OriginatorTn: str = ""
    OriginatorURI: str = ""
    PayloadMaxDuration: str = ""
    APIOpts: dict[str, Any] | None = None


class PayloadArgs(Args):
    """What an identity says: its attestation, who is called, when it was given (s), who calls, and a name for it."""

    attest: str = ""
    dest: dict[str, Any] | None = None
    iat: int = 0
    orig: dict[str, Any] | None = None
    origid: str = ""


class IdentityArgs(Args):
    Payload: PayloadArgs | None = None
    PublicKeyPath: str = ""
    PrivateKeyPath: str = ""
    OverwriteIAT: bool = False
    APIOpts: dict[str, Any] | None = None


def _keys(world: World) -> StirKeys:
    keys: StirKeys | None = world.parts.get("stir_keys")
    if keys is None:
        raise Unavailable("signed identities need the extra stir: pip install 'cgrcore[stir]'")
    return keys


async def authenticated(world: World, args: StirArgs) -> str:
    """Return why an identity is not believed, "" when it is."""
    settings = world.settings["sessions"]["stir"]
    try:
        longest = args.PayloadMaxDuration
        claims = Claims(
            attests=args.Attest or settings["allowed_attest"],
            max_age_ns=parse_duration(longest) if longest not in ("", "-1") else settings["payload_maxduration"],
            originator_tn=args.OriginatorTn,
            originator_uri=args.OriginatorURI,
            destination_tn=args.DestinationTn,
            destination_uri=args.DestinationURI,
        )
        identity = read_identity(args.Identity)
        key = await _keys(world).public_key(identity.key_path)
        if not is_signed(key, identity.signature, identity.signed):
            raise Refused("wrong signature")
        check_claims(identity.payload, claims, world.now_at)
    except CgrError as error:
        return str(error)
    return ""


async def signed_identity(world: World, args: IdentityArgs) -> str:
    """Return an identity that says the payload. Raises Unavailable or Refused for a key that cannot be used."""
    settings = world.settings["sessions"]["stir"]
    given = args.Payload or PayloadArgs()
    payload: dict[str, Any] = {
        "attest": given.attest or settings["default_attest"],
        "dest": given.dest or {},
        "iat": world.now_at // SECOND_NS if args.OverwriteIAT or not given.iat else given.iat,
        "orig": given.orig or {},
        "origid": given.origid or world.new_id(),
    }
    public_path = args.PublicKeyPath or settings["publickey_path"]
    private_path = args.PrivateKeyPath or settings["privatekey_path"]
    missing = [name for name, path in (("PublicKeyPath", public_path), ("PrivateKeyPath", private_path)) if not path]
    if missing:
        raise mandatory_missing(missing)
    signed = text_to_sign(payload, public_path)
    return identity_text(signed, sign(await _keys(world).private_key(private_path), signed), public_path)


def check_of(options: dict[str, Any]) -> StirArgs:
    """Return what is to be checked of an event's identity, as its options say."""
    attests = options.get("*stirATest") or []
    return StirArgs(
        Attest=[attests] if isinstance(attests, str) else [str(it) for it in attests],
        Identity=str(options.get("*stirIdentity") or ""),
        PayloadMaxDuration=str(options.get("*stirPayloadMaxDuration") or ""),
        OriginatorTn=str(options.get("*stirOriginatorTn") or ""),
        OriginatorURI=str(options.get("*stirOriginatorURI") or ""),
        DestinationTn=str(options.get("*stirDestinationTn") or ""),
        DestinationURI=str(options.get("*stirDestinationURI") or ""),
    )


def identity_of(event: dict[str, Any], options: dict[str, Any]) -> IdentityArgs:
    """Return the identity an event is to be given: who calls and is called by its options, else by its fields."""

    def party(number: Any, uri: Any) -> dict[str, Any]:
        return {name: str(value) for name, value in (("tn", number), ("uri", uri)) if value}

    origin = party(options.get("*stirOriginatorTn") or event.get("Account"), options.get("*stirOriginatorURI"))
    target = party(options.get("*stirDestinationTn") or event.get("Destination"), options.get("*stirDestinationURI"))
    attest = options.get("*stirATest") or ""
    return IdentityArgs(
        Payload=PayloadArgs(
            attest=attest if isinstance(attest, str) else str(attest[0]),
            dest={name: [value] for name, value in target.items()},
            orig=origin,
            origid=str(event.get("OriginID") or ""),
        ),
        PublicKeyPath=str(options.get("*stirPublicKeyPath") or ""),
        PrivateKeyPath=str(options.get("*stirPrivateKeyPath") or ""),
        OverwriteIAT=True,
    )


def _fetch_checked(store: Any, world: World, args: StirArgs) -> Any:
    return authenticated(world, args)


@method("SessionSv1.STIRAuthenticate", fetch=_fetch_checked)
def stir_authenticate(world: World, args: StirArgs, why_not: str) -> str:
    """Check a signed caller identity."""
    if why_not:
        raise Refused(f"{PREFIX}: {why_not}")
    return "OK"


def _fetch_signed(store: Any, world: World, args: IdentityArgs) -> Any:
    return signed_identity(world, args)


@method("SessionSv1.STIRIdentity", fetch=_fetch_signed)
def stir_identity(world: World, args: IdentityArgs, identity: str) -> str:
    """Sign a caller identity."""
    return identity
