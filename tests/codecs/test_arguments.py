"""Decoding arguments: what is accepted, and the words for what is not."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrcore.codecs import Arguments, GoTypes, NotJson
from cgrcore.errors import BadRequest

GO_TYPES = GoTypes(
    [
        "# a comment",
        "utils.Args {Tenant string; Limit *int; Value float64; Event map[string]interface {}; At *time.Time;"
        " Base.TTL time.Duration; Base.Items []*utils.Item; Base.IDs []string}",
        "utils.Item {Weight float64; Since time.Time; Units string}",
    ]
)


class Item(msgspec.Struct):
    Weight: Decimal = Decimal(0)
    Since: str | None = None
    Units: str = ""


class Args(msgspec.Struct, kw_only=True):
    Tenant: str = ""
    Limit: int | None = None
    Value: Decimal = Decimal(0)
    Event: dict[str, Any] | None = None
    At: str | None = None
    TTL: int = 0
    IDs: list[str] | None = None


class WithItems(Args):
    Items: list[Item] | None = None


def arguments(kind: Any = Args) -> Arguments:
    return Arguments(kind, "utils.Args", GO_TYPES)


def error_of(params: str, kind: Any = Args) -> str:
    with pytest.raises(BadRequest) as caught:
        arguments(kind).decode(params.encode())
    return str(caught.value)


def test_the_fast_path_is_taken_for_plain_records():
    assert arguments()._fast is not None


def test_fields_are_read():
    got = arguments().decode(b'[{"Tenant":"a","Limit":5,"Value":0.10,"Event":{"x":1.50,"y":[1]},"TTL":-1}]')
    assert (got.Tenant, got.Limit, got.Value, got.TTL) == ("a", 5, Decimal("0.1"), -1)
    assert str(got.Event["x"]) == "1.5"


def test_a_whole_number_for_a_fraction_is_a_decimal():
    assert type(arguments().decode(b'[{"Value":5}]').Value) is Decimal


def test_an_argument_is_an_instance_of_its_record():
    assert isinstance(arguments().decode(b"[{}]"), Args)


@pytest.mark.parametrize("params", ["[]", "[null]", "[{}]", '[{"Tenant":null,"Limit":null}]', '[{"NoSuch":[{}]}]'])
def test_what_says_nothing_gives_zero_values(params):
    got = arguments().decode(params.encode())
    assert (got.Tenant, got.Limit, got.Value, got.Event) == ("", None, 0, None)


def test_keys_match_without_regard_to_case():
    assert arguments().decode(b'[{"tenant":"a","lIMIT":1}]').Tenant == "a"


def test_more_elements_are_ignored():
    assert arguments().decode(b'[{"Tenant":"a"},{"Tenant":5}]').Tenant == "a"


def test_of_equal_keys_the_last_counts():
    assert arguments().decode(b'[{"Tenant":"a","Tenant":"b"}]').Tenant == "b"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ("null", "jsonrpc: request body missing params"),
        ("{}", "json: cannot unmarshal object into Go value of type [1]interface {}"),
        ('"x"', "json: cannot unmarshal string into Go value of type [1]interface {}"),
        ('["x"]', "json: cannot unmarshal string into Go value of type utils.Args"),
        ("[[]]", "json: cannot unmarshal array into Go value of type utils.Args"),
        ("[true]", "json: cannot unmarshal bool into Go value of type utils.Args"),
        ('[{"Tenant":5}]', "json: cannot unmarshal number into Go struct field Args.Tenant of type string"),
        (
            '[{"Tenant":5,"Tenant":"x"}]',
            "json: cannot unmarshal number into Go struct field Args.Tenant of type string",
        ),
        ('[{"Limit":1.0}]', "json: cannot unmarshal number 1.0 into Go struct field Args.Limit of type int"),
        ('[{"Limit":"1"}]', "json: cannot unmarshal string into Go struct field Args.Limit of type int"),
        ('[{"TTL":1e6}]', "json: cannot unmarshal number 1e6 into Go struct field Args.Base.TTL of type time.Duration"),
        (
            '[{"TTL":9223372036854775808}]',
            "json: cannot unmarshal number 9223372036854775808 into Go struct field Args.Base.TTL"
            " of type time.Duration",
        ),
        ('[{"Value":"10"}]', "json: cannot unmarshal string into Go struct field Args.Value of type float64"),
        ('[{"Value":1e400}]', "json: cannot unmarshal number 1e400 into Go struct field Args.Value of type float64"),
        (
            '[{"Event":[1]}]',
            "json: cannot unmarshal array into Go struct field Args.Event of type map[string]interface {}",
        ),
        (
            '[{"Event":{"n":-1e400}}]',
            "json: cannot unmarshal number -1e400 into Go struct field Args.Event of type float64",
        ),
        ('[{"IDs":"x"}]', "json: cannot unmarshal string into Go struct field Args.Base.IDs of type []string"),
        ('[{"IDs":[5]}]', "json: cannot unmarshal number into Go struct field Args.Base.IDs of type string"),
        ('[{"At":5}]', "Time.UnmarshalJSON: input is not a JSON string"),
        (
            '[{"At":"x"}]',
            'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
        ),
        ('[{"Tenant":5,"At":"2024-13-01T00:00:00Z"}]', 'parsing time "2024-13-01T00:00:00Z": month out of range'),
    ],
)
def test_a_wrong_kind_is_told_in_the_words_clients_know(params, text):
    assert error_of(params) == text


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ('[{"Items":"x"}]', "json: cannot unmarshal string into Go struct field Args.Base.Items of type []*utils.Item"),
        (
            '[{"Items":[{"Weight":"1"}]}]',
            "json: cannot unmarshal string into Go struct field Item.Base.Items.Weight of type float64",
        ),
        ('[{"Items":[{"Since":5}]}]', "Time.UnmarshalJSON: input is not a JSON string"),
    ],
)
def test_nested_records_are_named_with_their_path(params, text):
    assert error_of(params, WithItems) == text


def test_nested_records_are_read():
    got = arguments(WithItems).decode(b'[{"Items":[{"weight":1.5},null]}]')
    assert got.Items == [Item(Weight=Decimal("1.5")), Item()]


class WithInstant(msgspec.Struct, kw_only=True):
    At: str = ""


def test_an_absent_instant_is_no_error_whatever_its_default():
    assert arguments(WithInstant).decode(b"[{}]").At == ""


def test_an_empty_instant_is_an_error():
    text = 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'
    assert error_of('[{"At":""}]', WithInstant) == error_of('[{"At":""}]') == text


def test_a_plain_text_is_an_argument():
    assert Arguments(str, "string", GO_TYPES).decode(b'["a"]') == "a"
    assert Arguments(str, "string", GO_TYPES).decode(b"[null]") == ""


@pytest.mark.parametrize("params", [b'[{"a":}]', b"[01]", b'[{"Tenant":"\n"}]', b"[NaN]"])
def test_what_is_no_json_is_told_apart(params):
    with pytest.raises(NotJson):
        arguments().decode(params)


def test_ten_thousand_levels_are_read():
    got = arguments().decode(b'[{"Event":{"n":' + b"[" * 9_990 + b"1" + b"]" * 9_990 + b"}}]")
    assert got.Event is not None


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Tenant", "tenant", "Limit", "Value", "Event", "At", "TTL", "IDs"]), inner)
    ),
    max_leaves=10,
)


@given(TREES)
def test_both_paths_agree(tree):
    params = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode([_small(tree)])

    def outcome(decode: Any) -> Any:
        try:
            return msgspec.to_builtins(decode(params), builtin_types=(Decimal,))
        except BadRequest as error:
            return str(error)

    assert outcome(arguments().decode) == outcome(arguments().decode_exactly)


def _small(tree: Any) -> Any:
    """msgspec writes no integers beyond 64 bits."""
    if isinstance(tree, int) and not isinstance(tree, bool):
        return Decimal(tree)
    if isinstance(tree, list):
        return [_small(item) for item in tree]
    if isinstance(tree, dict):
        return {key: _small(item) for key, item in tree.items()}
    return tree
