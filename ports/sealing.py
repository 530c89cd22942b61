"""The seal on a line of a log: a checksum over the line and over the checksum before it."""

import re
from datetime import datetime
from hashlib import sha256

from attrs import frozen

from ports.codec import Fields, instant_text, to_json

LINE_VERSION = 1
NOTHING_BEFORE = ""  # stands for the checksum before the first line
_SEALED = re.compile(rb'(\{"at":"[^"]*",)"checksum":"([0-9a-f]{64})",(.*\})')


@frozen
class SealedLine:
    """A line as it is written, without its line end, and the two things that place it."""

    seq: int
    checksum: str
    text: str


def seal(previous: str, seq: int, at: datetime, payload: Fields) -> SealedLine:
    """
    Return line *seq* saying that *payload*, as a Codec encodes it, happened *at*.

    *previous* is the checksum of the line before. The text is canonical JSON with the keys
    at, checksum, kind, payload, schema_version, seq; the checksum is SHA-256 over *previous*
    and the text without the checksum.

    Raises:
        ValueError: There is a number in *payload* that JSON does not have.
    """
    body = to_json(
        {
            "at": instant_text(at),
            "kind": payload["type"],
            "payload": payload,
            "schema_version": LINE_VERSION,
            "seq": seq,
        }
    )
    checksum = _checksum(previous, body.encode())
    text = body.replace(",", f',"checksum":"{checksum}",', 1)  # sorted keys: second, behind "at"
    return SealedLine(seq=seq, checksum=checksum, text=text)


def unseal(previous: str, text: bytes) -> str:
    """
    Return the checksum of the line *text*, which must hold for every byte of it.

    Raises:
        ValueError: It is not that of this line behind *previous*.
    """
    match = _SEALED.fullmatch(text)
    if match is None:
        raise ValueError("it is not a sealed line")
    if _checksum(previous, match[1] + match[3]) != match[2].decode():
        raise ValueError("its checksum is wrong")
    return match[2].decode()


def _checksum(previous: str, body: bytes) -> str:
    return sha256(previous.encode() + body).hexdigest()
