"""Every recorded and published answer against the paper exchange's own to the same request."""

import csv
import gzip
from typing import Any

import orjson
from attrs import define

from apps.exchange.dispatch import Dispatch
from apps.exchange.methods import Methods
from ports.checks import epoch_ms
from tests.support.exchanges import KEY, Answered, ExchangeRig, Fields, served
from tests.support.recorded import recorded_data

# Why a field or an element of theirs is not in ours, by method; [] is any element of a list.
_INSIDES = "Deribit's own numbers, of no meaning outside"
_OLD = "of older interfaces"
_NO_COMBOS = "combinations are not traded here"
MISSING = {
    "base_currency_uuid": _INSIDES,
    "quote_currency_uuid": _INSIDES,
    "starbase_match_id": _INSIDES,
    "starbase_timestamp": _INSIDES,
    "max_show": _OLD,
    "rfq": _OLD,
    "locked_currencies": _OLD,
    "fees": "rates differ by product; commissions stand in the instrument",
    "legs": _NO_COMBOS,
    "combo_id": _NO_COMBOS,
    "combo_trade_id": _NO_COMBOS,
    "message": "of an account that is locked",
}
EMPTY = {
    "public/get_combos": _NO_COMBOS,
    "public/get_combo_ids": _NO_COMBOS,
    "public/get_apr_history": "no coin bears interest here",
    "private/get_mmp_status": "the protection that is set was never triggered",
}
OTHER_TYPE = {
    "docs_examples/public_status.json.locked": "a string in every recording",
    "docs_examples/private_get_transaction_log.json.logs[].info": "of a transfer; ours a trade",
}
ABSENT = {  # with the code that says so
    "public/get_combo_details": 13020,
    "private/change_margin_model": 10033,
    "private/create_combo": 10033,
    "private/get_leg_prices": 10033,
    "private/mass_quote": 10033,
    "private/move_positions": 10033,
    "private/pme/simulate": 10033,
    "private/set_disabled_trading_products": 10033,
    "private/simulate_portfolio": 10033,
}
WEBSOCKET_ONLY = {  # see test_exchange_websocket.py
    *("private/disable_cancel_on_disconnect", "private/enable_cancel_on_disconnect"),
    *("private/get_cancel_on_disconnect", "private/subscribe", "private/unsubscribe"),
    *("private/unsubscribe_all", "public/disable_heartbeat", "public/hello"),
    *("public/set_heartbeat", "public/subscribe", "public/unsubscribe", "public/unsubscribe_all"),
}
PERPETUAL = "BTC-PERPETUAL"
_STOPS = {  # recorded with an order that waits for its trigger
    "private/cancel": "stop_market",
    "private/get_trigger_order_history": "stop_limit",
}


@define
class Scene:
    """
    An account that was delivered one option, holds another and the perpetual since before the
    last settlement, and has a protection; and the tickers that it asks with.
    """

    rig: ExchangeRig
    delivered: str
    option: Fields
    perpetual: Fields
    methods: Methods
    labels: int = 0

    @classmethod
    async def set_in(cls, rig: ExchangeRig) -> "Scene":
        await rig.sign_in()
        ending = await rig.quoted()
        await rig.call("private/buy", **_order(ending, ending["best_ask_price"]))
        await rig.call("private/buy", instrument_name=PERPETUAL, amount=100, type="market")
        await rig.step(hours=23)
        option = await rig.quoted()
        await rig.call("private/buy", **_order(option, option["best_ask_price"]))
        await rig.call("private/set_mmp_config", index_name="btc_usd", interval=60)
        await rig.step(seconds=1)
        perpetual = await rig.call("public/ticker", instrument_name=PERPETUAL)
        await rig.call("private/buy", **_order(perpetual, perpetual["best_ask_price"]))
        methods = Dispatch(rig.exchange).methods
        return cls(rig, ending["instrument_name"], option, perpetual, methods)

    async def answer(self, method: str, theirs: Any) -> Any:
        """The result of *method*, asked for the like of *theirs* with the words that it takes."""
        taken = self.methods[method].params.model_fields
        words = await self._words(method, theirs)
        if method == "private/close_position":  # which must not meet orders of our own
            await self.rig.call("private/cancel_all")
        return await self.rig.call(method, **{key: words[key] for key in words if key in taken})

    async def _words(self, method: str, theirs: Any) -> Fields:
        end = epoch_ms(self.rig.exchange.now)
        is_of_future = "funding" in method or names_a_future(theirs)
        ticker = self.perpetual if is_of_future else self.option
        kind = "future" if is_of_future else "option"
        stop = _STOPS.get(method)
        order = await (self._working(ticker) if stop is None else self._waiting(stop))
        name = ticker["instrument_name"]
        terms = await self.rig.call("public/get_instrument", instrument_name=name)
        mine = await self.rig.call("private/get_user_trades_by_currency", currency="BTC", kind=kind)
        is_flat = method == "public/get_expirations" and "option" in theirs
        told = await self.rig.sign_in("session:words")
        words: Fields = {
            "currency": "any" if is_flat else "BTC",
            "kind": "any" if is_flat else kind,
            "instrument_name": name,
            "instrument_id": terms["instrument_id"],
            "index_name": "btc_usd",
            "currency_pair": "btc_usd",
            "combo_id": "BTC-CS-28MAR25-90000_95000",
            "start_timestamp": end - 86_400_000,
            "end_timestamp": end,
            "resolution": "3600" if "volatility" in method else "60",
            "range": "1d",
            "order_id": mine["trades"][0]["order_id"]
            if method.endswith("by_order")
            else order["order_id"],
            "ids": [order["order_id"]],
            "label": order["label"],
            "amount": 2 * order["amount"],
            "price": order["price"],
            "grant_type": "client_credentials",
            "client_id": KEY.client_id,
            "client_secret": KEY.client_secret,
            "refresh_token": told["refresh_token"],
            "session_name": "another",
            "subject_id": 1,
            "mode": "reject_taker",
            "extended_to_subaccounts": False,
            "interval": 60,
            "extended": True,
        }
        if "settlement" in method:
            words["type"] = "settlement" if is_of_future else "delivery"
            words["instrument_name"] = name if is_of_future else self.delivered
        return {**words, **_of_its_own(method, ticker)}

    async def _working(self, ticker: Fields) -> Fields:
        """A new order that works behind the others, under a label of its own."""
        self.labels += 1
        label = f"mine-{self.labels}"
        behind = 100.0 if ticker is self.perpetual else 0.001
        asked = _order(ticker, round(ticker["best_bid_price"] - behind, 4))
        placed: Fields = (await self.rig.call("private/buy", **asked, label=label))["order"]
        return placed

    async def _waiting(self, stop: str) -> Fields:
        """A new order of type *stop* that waits for its trigger."""
        price = self.perpetual["index_price"] // 1 - 1_000
        asked = {"type": stop, "trigger": "index_price", "trigger_price": price}
        if stop == "stop_limit":
            asked["price"] = price
        placed: Fields = (
            await self.rig.call("private/sell", instrument_name=PERPETUAL, amount=10, **asked)
        )["order"]
        return placed


def _order(ticker: Fields, price: float) -> Fields:
    name = ticker["instrument_name"]
    amount = 10.0 if name == PERPETUAL else 0.1
    return {"instrument_name": name, "amount": amount, "price": price}


def _of_its_own(method: str, ticker: Fields) -> Fields:
    """What only *method* is asked, or with another meaning."""
    own: dict[str, Fields] = {
        "private/buy": {"price": ticker["best_ask_price"]},
        "private/sell": {"price": ticker["best_bid_price"]},
        "private/close_position": {"type": "limit", "price": ticker["best_bid_price"]},
        "private/cancel_all_by_kind_or_type": {"currency": ["BTC"]},
        "public/get_announcements": {"start_timestamp": 2**42},
        "public/get_index_price_names": {"extended": False},
        "public/get_supported_index_names": {"extended": False},
        "public/get_trade_volumes": {"extended": False},
    }
    return own.get(method, {})


def names_a_future(theirs: Any) -> bool:
    """Whether the first instrument that *theirs* names is no option."""
    if isinstance(theirs, dict) and isinstance(theirs.get("instrument_name"), str):
        return theirs["instrument_name"][-2:] not in ("-C", "-P")
    inside = theirs.values() if isinstance(theirs, dict) else theirs
    if not isinstance(theirs, dict | list):
        return False
    first = next((each for each in inside if isinstance(each, dict | list) and each), None)
    return first is not None and names_a_future(first)


def differences(ours: Any, theirs: Any, where: str) -> list[str]:
    """What of *theirs* is not in *ours*, or of another JSON type; null goes with every type."""
    if where in OTHER_TYPE or ours is None or theirs is None:
        return []
    if kind_of(ours) != kind_of(theirs):
        return [f"{where}: {kind_of(ours)}, not {kind_of(theirs)}"]
    if isinstance(theirs, dict):
        known = [key for key in theirs if key not in MISSING]
        lost = [f"{where}: no {key}" for key in known if key not in ours]
        both = [key for key in known if key in ours]
        return lost + [
            each for key in both for each in differences(ours[key], theirs[key], f"{where}.{key}")
        ]
    if isinstance(theirs, list) and theirs:
        return differences(ours[0], theirs[0], f"{where}[]") if ours else [f"{where}: is empty"]
    return []


def kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def recordings() -> list[tuple[str, str]]:
    """The recorded answers to HTTP requests: method and file."""
    with (recorded_data() / "responses" / "INDEX.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        (row["endpoint_or_channel"], row["file"])
        for row in rows
        if row["kind"] != "synthetic"  # made by hand
        and row["endpoint_or_channel"].startswith(("public/", "private/"))
    ]


def read(path: str) -> Any:
    """The result in a recording; the first of several that it holds by name."""
    raw = (recorded_data() / "responses" / path).read_bytes()
    whole = orjson.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)
    result = whole["result"] if isinstance(whole, dict) and "result" in whole else whole
    return next(iter(result.values())) if "option_tickers" in path else result


async def test_every_recorded_answer_has_its_like() -> None:
    """What Deribit answered to a method is in our answer, field for field, with its JSON type."""
    found: list[str] = []
    async with served() as rig:
        scene = await Scene.set_in(rig)
        for method, path in recordings():
            if method in WEBSOCKET_ONLY or method in ABSENT or path.startswith("ws/"):
                continue
            theirs = read(path)
            ours = await scene.answer(method, theirs)
            found += [
                each
                for each in differences(ours, theirs, path)
                if method not in EMPTY or not each.endswith("is empty")
            ]

    assert not found, "\n".join(found)


async def test_methods_that_are_not_here_say_so() -> None:
    """A method that Deribit has and this exchange does not is no unknown one."""
    async with served() as rig:
        scene = await Scene.set_in(rig)
        codes = {}
        for method in ABSENT:
            try:
                await scene.answer(method, {})
            except Answered as error:
                codes[method] = error.code

    assert codes == ABSENT
