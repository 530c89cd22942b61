"""The bands of the acceptance battery, row by row, for each coin."""

from attrs import frozen

Range = tuple[float, float]


@frozen(kw_only=True)
class Band:
    """
    A figure of one row with where its median must lie, *inner*, and four paths in five, *outer*.
    """

    row: int
    name: str
    label: str
    inner: Range
    outer: Range

    @property
    def centre(self) -> float:
        """The middle of the inner band."""
        return 0.5 * (self.inner[0] + self.inner[1])

    @property
    def reach(self) -> float:
        """Half the width of the inner band."""
        return 0.5 * (self.inner[1] - self.inner[0])

    def is_inner(self, value: float) -> bool:
        """Whether *value* lies in the inner band."""
        return self.inner[0] <= value <= self.inner[1]

    def is_outer(self, value: float) -> bool:
        """Whether *value* lies in the outer band."""
        return self.outer[0] <= value <= self.outer[1]


def bands(underlying: str) -> tuple[Band, ...]:
    """
    Return the bands of *underlying*, BTC or ETH, rows 1 to 19.

    Where only one was set it is the inner one; the outer has its centre and twice its width.

    Raises:
        ValueError: There are none for the coin.
    """
    if underlying not in ("BTC", "ETH"):
        raise ValueError(f"no bands for {underlying!r}")
    return tuple(row.band(underlying) for row in _ROWS)


@frozen
class _Row:
    row: int
    name: str
    label: str
    btc: Range
    eth: Range
    btc_outer: Range | None = None
    eth_outer: Range | None = None

    def band(self, underlying: str) -> Band:
        inner, outer = (
            (self.btc, self.btc_outer) if underlying == "BTC" else (self.eth, self.eth_outer)
        )
        reach = 0.5 * (inner[1] - inner[0])
        return Band(
            row=self.row,
            name=self.name,
            label=self.label,
            inner=inner,
            outer=outer or (inner[0] - reach, inner[1] + reach),
        )


_ROWS = (
    _Row(
        1,
        "vol",
        "volatility of daily returns",
        (0.50, 0.80),
        (0.60, 1.00),
        (0.40, 0.95),
        (0.45, 1.15),
    ),
    _Row(2, "kurtosis_daily", "excess kurtosis, daily", (2.5, 14), (2.5, 12), (1.5, 25), (1.5, 20)),
    _Row(3, "kurtosis_hourly", "excess kurtosis, hourly", (10, 30), (10, 30)),
    _Row(3, "kurtosis_20d", "excess kurtosis, 20 days", (0.2, 1.3), (0.1, 1.3)),
    _Row(4, "hill", "Hill tail index", (2.8, 4.2), (2.8, 4.2), (2.4, 5), (2.4, 5)),
    _Row(5, "acf_return", "ACF of returns, lag 1", (-0.10, 0.01), (-0.10, 0.01)),
    _Row(6, "acf_abs_1", "ACF of absolute returns, lag 1", (0.08, 0.19), (0.08, 0.20)),
    _Row(6, "acf_abs_20", "the same, mean of lags 1-20", (0.04, 0.13), (0.04, 0.13)),
    _Row(6, "acf_abs_60", "the same, lag 60", (-0.06, 0.08), (-0.06, 0.08)),
    _Row(7, "acf_rv_1", "ACF of ln daily RV, lag 1", (0.45, 0.65), (0.45, 0.65)),
    _Row(7, "acf_rv_5", "the same, lag 5", (0.22, 0.50), (0.22, 0.50)),
    _Row(7, "acf_rv_20", "the same, lag 20", (0.15, 0.40), (0.15, 0.40)),
    _Row(8, "leverage", "leverage, lags 1-10", (-0.45, -0.05), (-0.48, 0.00)),
    _Row(9, "iv_move_sd", "sd of d ln IV30", (0.040, 0.055), (0.033, 0.047)),
    _Row(9, "iv_move_kurtosis", "its excess kurtosis", (6, 18), (4, 10)),
    _Row(9, "iv_move_skew", "its skew", (0.5, 1.6), (0.3, 1.3)),
    _Row(10, "iv_half_life_1", "half-life of ln IV30 from lag 1, days", (18, 35), (25, 55)),
    _Row(10, "iv_half_life_20", "the same from lag 20", (25, 45), (40, 75)),
    _Row(11, "iv_q05", "5 % quantile of IV30", (30, 44), (36, 52)),
    _Row(11, "iv_q95", "95 % quantile of IV30", (62, 100), (72, 115)),
    _Row(12, "spot_vol", "corr(r, d ln IV30)", (-0.35, 0.15), (-0.35, 0.15)),
    _Row(12, "spot_vol_q05", "5 % of its 90-day windows", (-1.0, -0.35), (-1.0, -0.35)),
    _Row(12, "spot_vol_q95", "95 % of its 90-day windows", (0.35, 1.0), (0.35, 1.0)),
    _Row(13, "vrp_mean", "realised VRP, mean", (4, 10), (0, 8)),
    _Row(13, "vrp_sd", "the same, sd", (11, 16), (11, 16)),
    _Row(13, "vrp_positive", "the same, share above 0", (0.65, 0.82), (0.55, 0.80)),
    _Row(14, "vrp_q05", "worst 5 % of realised VRP", (-22, -12), (-30, -15)),
    _Row(15, "inverted_7_30", "share of days ATM7 > ATM30", (0.25, 0.55), (0.20, 0.45)),
    _Row(15, "inverted_30_90", "share of days ATM30 > ATM90", (0.15, 0.40), (0.15, 0.40)),
    _Row(16, "damping", "power of T in vol-of-vol, 7-180 d", (-0.65, -0.40), (-0.70, -0.45)),
    _Row(16, "first_component", "first PC share of d ln ATM", (0.90, 1.0), (0.90, 1.0)),
    _Row(17, "rr_mean", "RR30, mean", (-7, 1), (-6, 2)),
    _Row(17, "rr_sd", "the same, sd", (1.5, 3.5), (1.5, 3.5)),
    _Row(17, "rr_acf", "the same, AR(1)", (0.70, 0.92), (0.75, 0.93)),
    _Row(17, "rr_spot", "corr(d RR30, r)", (0.4, 0.8), (0.4, 0.8)),
    _Row(18, "bf_mean", "BF30, mean", (0.6, 1.8), (0.9, 2.2)),
    _Row(18, "bf_sd", "the same, sd", (0.2, 0.6), (0.2, 0.6)),
    _Row(19, "weekend", "weekend over weekday variance", (0.40, 0.65), (0.45, 0.75)),
)
