"""A JSON object that carries the checksum of its own text."""

from hashlib import sha256

from ports.codec import Fields, from_json, to_json


def document(fields: Fields) -> bytes:
    """
    Return *fields* as one line of canonical JSON with their checksum beside them.

    Raises:
        ValueError: There is a number in *fields* that JSON does not have.
    """
    checksum = sha256(to_json(fields).encode()).hexdigest()
    return f"{to_json({**fields, 'checksum': checksum})}\n".encode()


def fields_of(data: bytes) -> Fields:
    """
    Return the fields of which *data* is the document, byte for byte.

    Raises:
        ValueError: It is not one, or not as it was written.
    """
    try:
        fields = from_json(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    rest = {name: field for name, field in fields.items() if name != "checksum"}
    if document(rest) != data:
        raise ValueError("its checksum is wrong")
    return rest
