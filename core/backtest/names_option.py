"""Names of what only options have: premium, campaigns, volatility sold, shocks."""

from core.backtest.names import metrics_from

# The first word of a line is its key in the store of runs: it is never renamed.
OPTION = metrics_from(
    """
[Options: premium and campaigns]
premium_collected | Premium collected | amount | both kinds | Sum of amount x premium at the sale.
premium_kept_pct | Premium kept | percent | both kinds | Premium sold less bought back less payoff,
    over premium sold; closed trades, before fees.
capture_at_exit_pct | Capture at exit | percent | kinds | Mean of (sale - exit) / sale, in coin.
fees_of_premium_pct | Fees of premium | percent | both | Commission paid / premium collected.
slippage_paid | Slippage paid | amount | both | Fills against marks at sales and buy-backs; unknown
    if one mark is.
slippage_of_premium_pct | Slippage of premium | percent | both | Slippage paid / premium collected.
fill_edge_pct | Fill edge against mark | percent | kinds | Mean of sale / mark - 1; negative below
    the mark.
turnover | Turnover | ratio | one | Contracts sold and bought back / initial coins.
assigned_trades | Assigned trades | count | kinds | Delivered in the money.
assignment_rate_pct | Assignment rate | percent | kinds | Assigned / all that reached expiry.
assignment_rate_size_pct | Assignment rate by size | percent | kinds | The same, by contracts.
campaigns | Campaigns | count | one | Sales with the rolls that followed them.
rolls_per_campaign | Rolls per campaign | ratio | one | Trades per campaign, less one.
roll_credit | Roll credit | money | both | Premium of the new sale less the cost of the buy-back,
    over all rolls, before fees.
avg_duration_days | Avg duration | days | kinds | Mean from sale to end of closed trades.
days_in_market | Days in market | days | one | Days with an option held.
exposure_pct | Time in market | percent | one | Days in market / length of the run.
upside_forgone | Upside forgone | amount | both | Payoff delivered on assigned calls: what holding
    alone would have kept.
[Options: volatility and risk]
avg_entry_dte | Avg days to expiry at sale | days | kinds | Mean.
avg_entry_delta | Avg delta at sale | ratio | kinds | Mean.
iv_sold_points | IV sold | points | kinds | Mean volatility at the sale.
realised_points | Realised volatility | points | kinds | Mean of that from sale to end, of index
    returns at marks; trades with fewer than three returns are left out of it and of VRP.
vrp_points | VRP earned | points | kinds | Mean of IV sold less realised.
vrp_value | VRP earned, by vega | money | both kinds | Sum of amount x vega at the sale x VRP.
return_on_margin_pct | Return on margin | percent | both | P&L of all trades / avg margin used, a
    year.
margin_cover_min | Least equity over margin | ratio | one | Over marks with margin in use.
worst_shock_20_pct | Worst -20 % shock | percent | both | Least change of equity over daily closes
    if the index fell by a fifth at once, volatility held.
worst_shock_40_pct | Worst -40 % shock | percent | both | The same for two fifths.
touch_expected_pct | Touch expected | percent | kinds | Mean of 2 x abs(delta) at the sale, at most
    1, of trades that reached expiry.
touch_seen_pct | Touch seen | percent | kinds | Share of them whose strike the index touched at a
    mark.
"""
)
