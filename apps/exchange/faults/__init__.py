"""
Faults on purpose: what goes wrong between a client and the paper exchange, and inside it.

`kinds` holds the values: a Fault is one thing that goes wrong, a Course what that makes of one
request. `script` reads faults from JSON, `drawn` draws them from a seed. `runtime.Faults` holds
the armed ones and decides, purely, what becomes of each request; `carrying.carried` does it for
HTTP, websocket and in-process use alike; `world` puts faults of the clock and of the market
under an exchange. Without faults an exchange has none of this in its way.

In one process:

    faults = Faults(clock)                            # the true clock, which is never skewed
    exchange = await Exchange.opened(params, faulty_world(world, faults))
    door = Door(hub=Hub(exchange), faults=faults)
    waits = Waits(wait=..., patience_s=10.0, later=...)
    faults.arm(drawn(chance, starts_at, DRAWABLE))    # or any Fault, at any time
    answer = await door.posted(body, "private/buy", "Bearer ...", "", waits)  # or Severed

`faults.happened` tells afterwards what happened to which request.
"""
