"""The paper exchange over HTTP: envelopes, bad input, who may do what."""

import hmac
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from apps.exchange.limits import allowances
from ports.checks import epoch_ms
from tests.support.exchanges import KEY, START, ExchangeRig, Fields, refusal, served


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[ExchangeRig]:
    """One exchange for all that leave it as it was."""
    async with served() as made:
        await made.sign_in()
        yield made


@pytest.mark.asyncio(loop_scope="module")
async def test_the_three_ways_of_asking_agree(shared: ExchangeRig) -> None:
    """GET with a query, GET with a body and POST answer the same."""
    path, params = "/api/v2/public/get_index_price", {"index_name": "btc_usd"}
    body = {"jsonrpc": "2.0", "id": "x", "method": "public/get_index_price", "params": params}

    query = (await shared.http.get(path, params=params)).json()
    get = (await shared.http.request("GET", path, json=body)).json()
    post = (await shared.http.post(path, json=body)).json()

    assert query["result"] == get["result"] == post["result"]
    assert "id" not in query
    assert get["id"] == post["id"] == "x"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_envelope(shared: ExchangeRig) -> None:
    """An answer carries version, id, result, the test flag and three times."""
    answer = await shared.envelope("public/get_time", {})

    assert set(answer) == {"jsonrpc", "id", "result", "usIn", "usOut", "usDiff", "testnet"}
    assert answer["jsonrpc"] == "2.0"
    assert answer["testnet"] is True
    assert answer["usDiff"] == answer["usOut"] - answer["usIn"]
    assert answer["result"] == epoch_ms(START)


BAD_BODIES = {
    "not JSON": (b'{"jsonrpc": "2.0", "id": 1,', -32700),
    "a list": (b"[]", -32600),
    "no id": (b'{"jsonrpc":"2.0","method":"public/test"}', -32600),
    "params as a list": (b'{"jsonrpc":"2.0","id":1,"method":"public/test","params":[1]}', -32600),
    "33 kB": (b'{"x": "' + b"a" * 33_000 + b'"}', -32600),
    "10 MB": (b'{"x": "' + b"a" * 10_000_000 + b'"}', -32600),
}


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.asyncio(loop_scope="module")
async def test_bodies_that_are_no_requests(shared: ExchangeRig, name: str) -> None:
    """A body that is no request is answered with JSON-RPC's code, never with a broken line."""
    body, code = BAD_BODIES[name]
    headers = {"Content-Type": "application/json"}

    response = await shared.http.post("/api/v2/public/test", content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert await shared.call("public/test") == {"version": "2.1.1"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_large_body_is_told_so(shared: ExchangeRig) -> None:
    """Above 32 kB the message says what is wrong."""
    response = await shared.http.post("/api/v2/public/test", content=b"a" * 40_000)

    assert response.json()["error"]["message"] == "request entity too large"


BAD_CALLS: dict[str, tuple[str, Fields, int]] = {
    "unknown method": ("public/no_such", {}, -32601),
    "unknown parameter": ("public/ticker", {"instrument_name": "BTC-PERPETUAL", "x": 1}, -32602),
    "wrong type": (
        "public/get_order_book",
        {"instrument_name": "BTC-PERPETUAL", "depth": "x"},
        -32602,
    ),
    "wrong value": ("public/get_instruments", {"currency": "DOGE"}, -32602),
    "one missing": ("public/get_delivery_prices", {"count": 10}, -32602),
    "all missing": ("public/ticker", {}, -32000),
    "no name": ("public/ticker", {"instrument_name": "BTC-1"}, -32602),
    "no such option": ("public/ticker", {"instrument_name": "BTC-7MAR25-1-C"}, 13020),
    "no such coin": ("public/ticker", {"instrument_name": "SOL-7MAR25-1-C"}, 13020),
    "a dated future": (
        "private/buy",
        {"instrument_name": "BTC-28MAR25", "amount": 10, "price": 1},
        13020,
    ),
    "websocket only": ("public/set_heartbeat", {"interval": 10}, 10030),
    "hello over HTTP": ("public/hello", {"client_name": "a", "client_version": "1"}, 10030),
    "no such order": ("private/cancel", {"order_id": "BTC-99"}, 10004),
    "no label": (
        "private/buy",
        {"instrument_name": "BTC-7MAR25-1-C", "amount": 1, "price": 1, "label": "é"},
        -32602,
    ),
}


@pytest.mark.parametrize("name", BAD_CALLS)
@pytest.mark.asyncio(loop_scope="module")
async def test_calls_that_are_refused(shared: ExchangeRig, name: str) -> None:
    """Each kind of misuse has the code that Deribit gives it."""
    method, params, code = BAD_CALLS[name]

    assert (await refusal(shared, method, **params)).code == code


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_wrong_with_a_parameter_is_said(shared: ExchangeRig) -> None:
    """The data of -32602 names the parameter and what is wrong with it, as recorded."""
    error = await refusal(shared, "public/ticker", instrument_name="ETH_PERP")

    assert error.message == "Invalid params"
    assert error.data == {"reason": "wrong format", "param": "instrument_name"}


@pytest.mark.asyncio(loop_scope="module")
async def test_wrong_credentials(shared: ExchangeRig) -> None:
    """A wrong secret, a wrong name and a wrong signature are invalid_credentials."""
    wrong = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "x"}
    signed = {
        "grant_type": "client_signature",
        "client_id": "paper",
        "timestamp": 1,
        "signature": "00",
    }

    for params in (
        wrong,
        {**wrong, "client_id": "mainnet", "client_secret": KEY.client_secret},
        signed,
    ):
        error = await refusal(shared, "public/auth", **params)
        assert (error.code, error.message) == (13004, "invalid_credentials")


@pytest.mark.asyncio(loop_scope="module")
async def test_every_way_to_prove_who_one_is(shared: ExchangeRig) -> None:
    """Secret, signature and refresh token give a token; Basic and signed headers need none."""
    text = "1700000000000\nn0nce\n"
    signature = hmac.new(KEY.client_secret.encode(), text.encode(), sha256).hexdigest()
    signed = await shared.call(
        "public/auth",
        grant_type="client_signature",
        client_id="paper",
        timestamp=1700000000000,
        nonce="n0nce",
        data="",
        signature=signature,
        state="s",
    )
    fresh = await shared.call(
        "public/auth", grant_type="refresh_token", refresh_token=signed["refresh_token"]
    )
    target = "/api/v2/private/get_open_orders?kind=option"
    proof = hmac.new(
        KEY.client_secret.encode(), f"1\n2\nGET\n{target}\n\n".encode(), sha256
    ).hexdigest()
    headers = [
        f"Bearer {fresh['access_token']}",
        "Basic " + b64encode(f"{KEY.client_id}:{KEY.client_secret}".encode()).decode(),
        f"deri-hmac-sha256 id=paper,ts=1,sig={proof},nonce=2",
    ]

    answers = [
        (await shared.http.get(target, headers={"Authorization": each})).json() for each in headers
    ]

    assert signed["state"] == "s"
    assert [answer["result"] for answer in answers] == [[], [], []]


async def test_tokens_end() -> None:
    """No token, a foreign one, one that was renewed and one that expired are refused."""
    async with served(token_lifetime_s=900) as rig:
        told = await rig.sign_in("session:a")
        new = await rig.call(
            "public/auth", grant_type="refresh_token", refresh_token=told["refresh_token"]
        )
        assert (await refusal(rig, "private/get_open_orders")).code == 13009
        rig.token = "foreign"  # noqa: S105
        assert (await refusal(rig, "private/get_open_orders")).code == 13009
        rig.token = ""
        assert (await refusal(rig, "private/get_open_orders")).code == 10000
        await rig.step(seconds=899)
        rig.token = new["access_token"]
        assert await rig.call("private/get_open_orders") == []
        rig.token = ""
        await rig.step(seconds=1)
        rig.token = new["access_token"]
        assert (new["expires_in"], (await refusal(rig, "private/get_open_orders")).code) == (
            900,
            13009,
        )


async def test_scopes(rig: ExchangeRig) -> None:
    """A token may do what its scope says and no more."""
    told = await rig.sign_in("session:reader trade:read account:read expires:60")

    assert (told["scope"], told["expires_in"]) == (
        "account:read trade:read session:reader mainaccount",
        60,
    )
    assert await rig.call("private/get_open_orders") == []
    assert (await refusal(rig, "private/cancel_all")).code == 13021


async def test_credits_run_out_and_come_back() -> None:
    """A burst of matching requests empties its bucket: 10028, until time has passed."""
    async with served(allowed=allowances(4)) as rig:
        await rig.sign_in()
        codes = [(await refusal(rig, "private/cancel", order_id="BTC-9")).code for _ in range(21)]
        response = await rig.http.get(
            "/api/v2/private/cancel",
            params={"order_id": "BTC-9"},
            headers={"Authorization": f"Bearer {rig.token}"},
        )
        await rig.step(seconds=0.2)
        later = await refusal(rig, "private/cancel", order_id="BTC-9")

        assert codes == [10004] * 20 + [10028]
        assert response.status_code == 429
        assert later.code == 10004
        assert await rig.call("private/get_open_orders") == []


@pytest.mark.asyncio(loop_scope="module")
async def test_methods_without_an_account_to_change(shared: ExchangeRig) -> None:
    """The methods about protection and self-trading answer sensibly."""
    assert await shared.call("private/get_mmp_config", index_name="btc_usd") == []
    assert (
        await shared.call(
            "private/set_self_trading_config", mode="reject_taker", extended_to_subaccounts=False
        )
        == "ok"
    )


def test_the_command_serves(tmp_path: Path) -> None:
    """`options-agent exchange serve` prints address and key, answers, and ends when told to."""
    command = [
        sys.executable,
        "-m",
        "apps.cli.main",
        "exchange",
        "serve",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path),
        "--start",
        "2025-01-20T10:00:00",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(5)]
            address = re.search(r"http://127\.0\.0\.1:\d+/api/v2", lines[0])
            assert address is not None
            told = httpx.get(
                f"{address[0]}/public/get_index_price", params={"index_name": "eth_usd"}
            ).json()
        finally:
            process.terminate()
            process.wait(10)

    assert "paper / paper-secret" in lines[2]
    assert told["result"]["index_price"] > 0
    assert (tmp_path / "venue").is_dir()
