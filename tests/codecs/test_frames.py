"""The frame scanner: against the oracle on random bytes, and its limits."""

from hypothesis import given
from hypothesis import strategies as st

from cgrcore._fast.frames import Frames, compact, escape_html
from tests.oracle.frames import cut

#: Bytes that mean something to the scanner, more often than chance has them.
STREAMS = st.lists(
    st.sampled_from([b'{"', b'"}', b"{", b"}", b"[", b"]", b'"', b"\\", b" ", b"\n", b"null", b"x" * 30])
).map(b"".join)


def frames_of(stream: bytes, borders: list[int], max_size: int = 1 << 20) -> tuple[list[bytes], Frames]:
    frames = Frames(max_size)
    found = []
    at = 0
    for border in sorted({border % (len(stream) + 1) for border in borders} | {len(stream)}):
        found += frames.feed(stream[at:border])
        at = border
    return found, frames


@given(STREAMS, st.lists(st.integers(0, 500), max_size=6))
def test_frames_are_those_of_the_oracle_wherever_the_stream_is_split(stream, borders):
    expected, after = cut(stream)
    found, frames = frames_of(stream, borders)
    assert found == expected
    # A fault may show one byte later when the stream was split before it.
    assert bool(frames.error) == (after == "fault")


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(stream):
    frames = Frames(100)
    for at in range(0, len(stream), 7):
        frames.feed(stream[at : at + 7])
    frames.finish()


def test_each_byte_on_its_own_gives_the_same_frame():
    text = b'{"a":[{"b":"\\\\\\"}]"}],"c":"' + b"x" * 200 + b'"}'
    found, frames = frames_of(text, list(range(len(text))))
    assert found == [text]
    assert frames.held == 0


def test_what_follows_a_fault_is_lost_and_what_came_before_is_kept():
    frames = Frames(1000)
    assert frames.feed(b'{"a":1} nonsense {"b":2}') == [b'{"a":1}']
    assert frames.error == "not JSON"
    assert frames.feed(b'{"c":3}') == []


def test_a_request_at_the_size_limit_passes_and_one_above_does_not():
    text = b'{"a":"' + b"x" * 91 + b'"}'
    assert frames_of(text, [], max_size=99)[0] == [text]
    found, frames = frames_of(text, [], max_size=98)
    assert found == []
    assert frames.error == "request larger than 98 bytes"


def test_an_unfinished_request_above_the_limit_is_a_fault_before_it_ends():
    frames = Frames(1000)
    frames.feed(b'{"a":"' + b"x" * 600)
    assert frames.error == ""
    frames.feed(b"x" * 600)
    assert frames.error == "request larger than 1000 bytes"
    assert frames.held == 0


def test_ten_thousand_levels_pass():
    text = b'{"a":' + b"[" * 9_999 + b"]" * 9_999 + b"}"
    assert frames_of(text, [])[0] == [text]


def test_more_levels_are_a_fault():
    _, frames = frames_of(b'{"a":' + b"[" * 10_000, [])
    assert frames.error == "nested deeper than 10000 levels"


def test_a_null_counts_once_a_byte_follows():
    frames = Frames(100)
    assert frames.feed(b"null") == []
    assert frames.feed(b" ") == [b"null"]


def test_a_null_counts_at_the_end_of_the_stream():
    frames = Frames(100)
    frames.feed(b"null")
    assert frames.finish() == [b"null"]


@given(st.text())
def test_escaping_changes_only_what_html_minds(text):
    expected = text
    for char, escape in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        expected = expected.replace(char, escape)
    assert escape_html(text.encode("utf-8", "surrogatepass")) == expected.encode("utf-8", "surrogatepass")


def test_compacting_leaves_strings_alone():
    assert compact(b'{"b": 1,\n "a \\" b" : [ 2 ]}') == b'{"b":1,"a \\" b":[2]}'
