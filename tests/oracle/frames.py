"""Cutting a stream into JSON objects, one byte after the other, as plainly as it can be said."""

__all__ = ["cut"]

SPACE = b" \t\r\n"


def cut(stream: bytes) -> tuple[list[bytes], str]:
    """Return the whole frames of a stream and what comes after them: "rest" (unfinished or nothing) or "fault"."""
    frames: list[bytes] = []
    at = 0
    while True:
        while at < len(stream) and stream[at] in SPACE:
            at += 1
        if at == len(stream):
            return frames, "rest"
        if stream[at] != ord("{"):
            head = stream[at : at + 4]
            if head == b"null" and at + 4 < len(stream):
                frames.append(head)
                at += 4
                continue
            return frames, "rest" if b"null".startswith(head) else "fault"
        second = at + 1
        while second < len(stream) and stream[second] in SPACE:
            second += 1
        if second < len(stream) and stream[second] not in b'"}':
            return frames, "fault"
        end = end_of_object(stream, at)
        if end < 0:
            return frames, "rest" if end == -1 else "fault"
        frames.append(stream[at:end])
        at = end


def end_of_object(stream: bytes, at: int) -> int:
    """Return where the object ends, -1 when it does not, -2 when its brackets do not match."""
    closing: list[int] = []
    in_string = escaped = False
    while at < len(stream):
        byte = stream[at]
        at += 1
        if in_string:
            if escaped:
                escaped = False
            elif byte == ord("\\"):
                escaped = True
            elif byte == ord('"'):
                in_string = False
        elif byte == ord('"'):
            in_string = True
        elif byte in b"{[":
            closing.append(ord("}") if byte == ord("{") else ord("]"))
        elif byte in b"}]":
            if closing.pop() != byte:
                return -2
            if not closing:
                return at
    return -1
