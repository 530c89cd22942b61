"""JSON-RPC as Deribit speaks it: requests read, answers and errors in their envelope."""

from collections.abc import Iterable
from typing import TypeAlias

import orjson
from attrs import frozen

Fields: TypeAlias = dict[str, object]  # a JSON object, on its way in or out
RequestId: TypeAlias = int | str | None

LARGEST_BODY = 32 * 1024  # bytes of one request
_MOST_ID_DIGITS = 18  # of an id in a query that is a number: JSON has no longer ones here
VERSION = "2.1.1"  # of the interface that is spoken here


class RpcError(Exception):
    """An answer that is an error: Deribit's *code*, *message* and, where it helps, *data*."""

    def __init__(self, code: int, message: str, data: Fields | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.data = data


def parse_error() -> RpcError:
    """The text is not JSON."""
    return RpcError(-32700, "Parse error")


def invalid_request(reason: str) -> RpcError:
    """JSON, but not a request."""
    return RpcError(-32600, "Invalid Request", {"reason": reason})


def too_large() -> RpcError:
    """More than LARGEST_BODY."""
    return RpcError(-32600, "request entity too large")


def method_not_found() -> RpcError:
    """No such method."""
    return RpcError(-32601, "Method not found")


def invalid_params(param: str, reason: str) -> RpcError:
    """*param* is wrong."""
    return RpcError(-32602, "Invalid params", {"reason": reason, "param": param})


def missing_params(param: str) -> RpcError:
    """Nothing was given where *param* is needed."""
    return RpcError(-32000, "Missing params", {"reason": "value required", "param": param})


@frozen
class Request:
    """One call; *id* is None only for a GET query that carries none."""

    id: RequestId
    method: str
    params: Fields


def request_from(body: bytes | str, path_method: str | None = None) -> Request:
    """
    Return the request in *body*; the method in the path, if any, is the one that counts.

    Raises:
        RpcError: It is too large, not JSON, or not a request.
    """
    if len(body) > LARGEST_BODY:
        raise too_large()
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise parse_error() from error
    if not isinstance(fields, dict):
        raise invalid_request("a request is one JSON object")
    method, params = path_method or fields.get("method"), fields.get("params")
    if not isinstance(method, str):
        raise invalid_request("method is missing")
    if not isinstance(params, dict | None):
        raise invalid_request("params are given by name")
    given = fields.get("id")
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise invalid_request("id is missing")
    return Request(given, method.removeprefix("/"), params or {})


def request_from_query(method: str, query: Iterable[tuple[str, str]]) -> Request:
    """Return the request in the *query* of a GET; a name that comes again makes a list."""
    texts: dict[str, list[str]] = {}
    for name, text in query:
        texts.setdefault(name, []).append(text)
    params: Fields = {
        name: found[0] if len(found) == 1 else found
        for name, found in texts.items()
        if name not in _ENVELOPE
    }
    given = texts["id"][-1] if "id" in texts else None
    is_number = given is not None and given.isdecimal() and len(given) <= _MOST_ID_DIGITS
    return Request(int(given) if given and is_number else given, method, params)


def id_of(body: bytes | str) -> RequestId:
    """The id in a *body* that is no good request, if one can be made out."""
    try:
        fields = orjson.loads(body) if len(body) <= LARGEST_BODY else None
    except orjson.JSONDecodeError:
        return None
    given = fields.get("id") if isinstance(fields, dict) else None
    return given if isinstance(given, int | str) and not isinstance(given, bool) else None


def success(request_id: RequestId, result: object, us_in: int, us_out: int) -> bytes:
    """The envelope of a *result*; instants in microseconds."""
    return _envelope(request_id, {"result": result}, us_in, us_out)


def failure(request_id: RequestId, error: RpcError, us_in: int, us_out: int) -> bytes:
    """The envelope of an *error*; instants in microseconds."""
    fields: Fields = {"code": error.code, "message": error.message}
    if error.data is not None:
        fields["data"] = error.data
    return _envelope(request_id, {"error": fields}, us_in, us_out)


@frozen(eq=False)
class Answer:
    """
    An answer on its way: its bytes, None if there is none, and the error code in them if one is.

    *status* is that of HTTP; only a fault answers what is no JSON.
    """

    body: bytes | None
    code: int | None = None
    status: int = 200
    is_json: bool = True


def failed(request_id: RequestId, error: RpcError, us_in: int, us_out: int) -> Answer:
    """The answer that tells *error*; instants in microseconds."""
    body = failure(request_id, error, us_in, us_out)
    return Answer(body, error.code, _STATUS.get(error.code, 400))


def notification(channel: str, data: object) -> bytes:
    """The message of a subscription."""
    params = {"channel": channel, "data": data}
    return orjson.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


def heartbeat(kind: str) -> bytes:
    """The message `heartbeat` or `test_request`."""
    return orjson.dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}})


def _envelope(request_id: RequestId, outcome: Fields, us_in: int, us_out: int) -> bytes:
    head: Fields = (
        {"jsonrpc": "2.0"} if request_id is None else {"jsonrpc": "2.0", "id": request_id}
    )
    times = {"usIn": us_in, "usOut": us_out, "usDiff": us_out - us_in, "testnet": True}
    return orjson.dumps(head | outcome | times)


_ENVELOPE = frozenset({"id", "jsonrpc", "method"})
_STATUS = {10028: 429}  # of errors; all others are answered with 400
