"""What faults do to the bytes of an answer; pure."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from attrs import evolve

from apps.exchange import rpc
from apps.exchange.faults.kinds import Body, Course, Lag, View
from apps.exchange.rpc import Answer, Fields, Request, RpcError

_HTML = b"<html><head><title>%d</title></head><body><h1>Bad gateway</h1></body></html>"


def spoilt(answer: Answer, course: Course, asked: Request, now_us: int) -> Answer:
    """Return what the client gets for *answer*, at *now_us* microseconds from 1970."""
    if course.code is not None:
        error = RpcError(course.code, MESSAGES.get(course.code, "error"))
        return rpc.failed(asked.id, error, now_us, now_us)
    if course.status is not None:
        return Answer(_HTML % course.status, status=course.status, is_json=False)
    if answer.body is None:
        return answer
    if course.lags and answer.code is None:
        body = _behind(answer.body, course.lags, asked.method, now_us)
        answer = evolve(answer, body=body)
    return answer if course.body is None else _BODIES[course.body](answer)


def _truncated(answer: Answer) -> Answer:
    body = answer.body or b""
    return evolve(answer, body=body[: len(body) // 2])


def _foreign(answer: Answer) -> Answer:
    return evolve(answer, body=_HTML % answer.status, is_json=False)


def _of_another(answer: Answer) -> Answer:
    fields = _fields(answer)
    told = fields.get("id")
    fields["id"] = told - 1 if isinstance(told, int) else f"{told}-"
    return evolve(answer, body=orjson.dumps(fields))


def _both(answer: Answer) -> Answer:
    fields = {"result": {}, "error": {"code": 11094, "message": "internal_server_error"}}
    return evolve(answer, body=orjson.dumps(fields | _fields(answer)))


def _neither(answer: Answer) -> Answer:
    fields = _fields(answer)
    return evolve(
        answer,
        body=orjson.dumps({key: fields[key] for key in fields.keys() - {"result", "error"}}),
    )


def _fields(answer: Answer) -> Fields:
    fields: Fields = orjson.loads(answer.body or b"{}")
    return fields


_BODIES: dict[Body, Callable[[Answer], Answer]] = {
    Body.TRUNCATED: _truncated,
    Body.FOREIGN: _foreign,
    Body.WRONG_ID: _of_another,
    Body.RESULT_AND_ERROR: _both,
    Body.NO_RESULT_NO_ERROR: _neither,
}


def _behind(body: bytes, lags: tuple[Lag, ...], method: str, now_us: int) -> bytes:
    """The answer without what is newer than its lists are."""
    fields: dict[str, Any] = orjson.loads(body)
    for lag in lags:
        since_ms = now_us // 1000 - lag.by // timedelta(milliseconds=1)
        known = partial(_known, view=lag.view, since_ms=since_ms, is_past="history" in method)
        fields["result"] = _told(fields["result"], known)
    return orjson.dumps(fields)


def _told(result: Any, known: Callable[[Any], Any]) -> Any:
    """*result* with each of its rows as *known*: a list, a list in an object, or one order."""
    if isinstance(result, list):
        rows = (known(row) for row in result)
        return [row for row in rows if row is not None]
    if not isinstance(result, dict):
        return result
    lists = {key: _told(result[key], known) for key in ("trades", "orders") if key in result}
    told = result | lists
    return (known(told) or told) if "order_state" in told else told


def _known(row: Any, view: View, since_ms: int, *, is_past: bool) -> Any:
    """*row* as it was known at *since_ms*; None if it was not. *is_past*: of a list of the past."""
    if not isinstance(row, dict):
        return row
    if view is View.NEW_TRADES:
        return None if "trade_id" in row and row["timestamp"] > since_ms else row
    if "order_state" not in row or row["last_update_timestamp"] <= since_ms:
        return row
    if is_past:
        return None
    if view is View.NEW_ORDERS:
        return None if row["creation_timestamp"] > since_ms else row
    return row | _AS_PLACED | {"last_update_timestamp": row["creation_timestamp"]}


_AS_PLACED = {"order_state": "open", "filled_amount": 0.0, "average_price": 0.0}
MESSAGES = {
    10001: "error",
    10009: "not_enough_funds",
    10019: "locked_by_admin",
    10028: "too_many_requests",
    10040: "retry",
    10041: "settlement_in_progress",
    10047: "matching_engine_queue_full",
    11051: "system_maintenance",
    11094: "internal_server_error",
    13009: "unauthorized",
    13025: "method_switched_off_by_admin",
    13028: "temporarily_unavailable",
    13503: "unavailable",
    13888: "timed_out",
}
