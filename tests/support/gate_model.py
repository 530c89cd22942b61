"""The gates of Greg once more, written from the specification alone, for sequences of calls."""

from collections.abc import Mapping

from attrs import define, field

_EXECUTABLE = {"HEDGE", "TAKE_PROFIT", "CLOSE", "ASSIGN", "ROLL"}
_CODES = {
    "STRATEGY_A_STRADDLE",
    "STRATEGY_A_STRANGLE",
    "STRATEGY_B_CALENDAR",
    "STRATEGY_C_SHORT_PUT",
    "STRATEGY_D_IRON_BUTTERFLY",
    "STRATEGY_F_BULL_PUT_SPREAD",
    "STRATEGY_F_BEAR_CALL_SPREAD",
}


@define(kw_only=True)
class GateModel:
    """What a person has set so far, and what the world is like."""

    environment: str
    is_core_dry_run: bool
    is_synthetic: bool
    notional_usd: dict[str, float]  # of the live positions, by id
    advised: dict[str, tuple[str, str, str]]  # by id: action, strategy, coin
    most_position: float
    most_coin: float
    hedge_usd: dict[str, float] = field(factory=dict)  # what a hedge would come to, by id
    mode: str = "advice_only"
    master: bool = False
    flags: set[str] = field(factory=set)
    cap_position: float = 0.0
    cap_coin: float = 0.0
    is_killed: bool = False
    index_age_s: float = 0.0
    sandbox: frozenset[str] = frozenset()

    def takes_mode(self, word: str, confirmation: str) -> bool:
        """Whether the mode is changed; it is if so."""
        is_known = word in {"advice_only", "paper", "live"}
        may_be_live = confirmation == "LIVE" and self.environment == "mainnet"
        if not is_known or (word == "live" and not may_be_live):
            return False
        self.mode = word
        return True

    def takes_flags(self, flags: Mapping[str, bool]) -> None:
        """Set those that are of strategies."""
        for code, is_on in flags.items():
            if code in _CODES and is_on:
                self.flags.add(code)
            elif code in _CODES:
                self.flags.discard(code)

    def takes_caps(self, position: float, coin: float) -> bool:
        """Whether the caps are changed; they are if so."""
        is_order = 0 < position <= coin
        if not is_order or position > self.most_position or coin > self.most_coin:
            return False
        self.cap_position, self.cap_coin = position, coin
        return True

    def lets_through(self, position_id: str, action: str, strategy: str, coin: str) -> bool:
        """Whether every gate is open."""
        if not self.passes_first(strategy, coin):
            return False
        if self.is_killed or self.is_synthetic or self.index_age_s > 120:
            return False
        if self.advised.get(position_id) != (action, strategy, coin):
            return False
        if action not in _EXECUTABLE:
            return False
        if action == "HEDGE" and self.index_age_s > 30:
            return False  # risk: the order is not one that only reduces
        return self.mode == "paper" or self._may_be_live(position_id, action)

    def passes_first(self, strategy: str, coin: str) -> bool:
        """Gates 1 to 5."""
        if self.mode == "advice_only":
            return False
        if self.mode == "paper" and self.environment != "testnet":
            return False
        if self.mode == "live":
            is_on = self.master and strategy in self.flags
            if self.environment != "mainnet" or not is_on:
                return False
        return coin == "BTC"

    def is_done(self, position_id: str, action: str) -> None:
        """What was advised was carried out live."""
        if action == "HEDGE":
            self.notional_usd[position_id] += self.hedge_usd[position_id]
        else:
            del self.notional_usd[position_id]

    def _may_be_live(self, position_id: str, action: str) -> bool:
        if position_id in self.sandbox or self.is_core_dry_run or self.index_age_s > 30:
            return False
        more = self.hedge_usd[position_id] if action == "HEDGE" else 0.0
        mine = self.notional_usd[position_id] + more
        all_of_it = sum(self.notional_usd.values()) + more
        return mine <= self.cap_position and all_of_it <= self.cap_coin
