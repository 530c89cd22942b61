"""TradingView's names of a strategy report, with what they mean for short options on held coin."""

from core.backtest.names import metrics_from

# The first word of a line is its key in the store of runs: it is never renamed.
TRADINGVIEW = metrics_from(
    """
[Performance: returns]
initial_capital | Initial capital | amount | both | Equity at the first mark.
total_pnl | Total P&L | money | both kinds | Net P&L plus Open P&L.
open_pnl | Open P&L | money | both kinds | P&L of trades left open, marked at the end, after the
    fees paid.
net_pnl | Net P&L | money | both kinds | Sum of the P&L of closed trades after fees: the options
    alone, without the coin's own move.
gross_profit | Gross profit | amount | both kinds | Sum of the P&L of winning trades.
gross_loss | Gross loss | amount | both kinds | Absolute sum of the P&L of losing trades.
profit_factor | Profit factor | ratio | both kinds | Gross profit / gross loss; undefined without
    a loss.
commission_paid | Commission paid | amount | both kinds | Fees of all trades, open ones included;
    slippage is not in it.
expected_payoff | Expected payoff | money | both kinds | Net P&L / closed trades.
[Performance: benchmark comparison]
buy_hold_return | Buy & hold return | money | both | Initial coins x change of the index from the
    first entry to the end; zero in coin.
buy_hold_gain_pct | Buy & hold % gain | percent | both | Change of the index from the first entry
    to the end.
strategy_outperformance | Strategy outperformance | money | both | Our definition: change of equity
    in coin, in USD at the index of the end. The account holds the coin too, so that its USD
    change less that of holding is what it earned in coin.
[Performance: risk-adjusted performance]
sharpe_ratio | Sharpe ratio | ratio | both | (MR - RFR) / SD of calendar-month returns of marked
    equity, of daily ones below 90 days; SD of a sample; not annualised.
sortino_ratio | Sortino ratio | ratio | both | (MR - RFR) / DD, DD = sqrt(sum min(0, X - RFR)^2 /
    N) over all N periods.
[Trades analysis: details]
total_trades | Total trades | count | kinds | Closed trades.
open_trades | Total open trades | count | kinds | Trades left open at the end.
winning_trades | Winning trades | count | both kinds | Closed with P&L above zero.
losing_trades | Losing trades | count | both kinds | Closed with P&L below zero.
even_trades | Even trades | count | both kinds | Closed with P&L of exactly zero.
percent_profitable | Percent profitable | percent | both kinds | Winning / closed trades; even
    trades count below the line only.
avg_pnl | Avg P&L | money | both kinds | Net P&L / closed trades.
avg_pnl_pct | Avg P&L % | percent | both kinds | Mean of P&L over the notional at the sale.
avg_winning_trade | Avg winning trade | amount | both kinds | Gross profit / winning trades.
avg_losing_trade | Avg losing trade | amount | both kinds | Gross loss / losing trades, a positive
    amount.
win_loss_ratio | Ratio avg win / avg loss | ratio | both kinds | Avg winning trade / avg losing
    trade.
largest_winning_trade | Largest winning trade | amount | both kinds | Greatest P&L of a winning
    trade.
largest_winning_trade_pct | Largest winning trade percent | percent | both kinds | Greatest P&L
    over notional of a winning trade.
largest_winner_share_pct | Largest winner as % of gross profit | percent | both kinds | Largest
    winning trade / gross profit.
largest_losing_trade | Largest losing trade | amount | both kinds | Greatest loss of a losing
    trade, a positive amount.
largest_losing_trade_pct | Largest losing trade percent | percent | both kinds | Greatest loss
    over notional of a losing trade.
largest_loser_share_pct | Largest loser as % of gross loss | percent | both kinds | Largest losing
    trade / gross loss.
avg_bars | Avg # bars in trades | bars | kinds | Mean number of marks after the sale up to the end
    of a closed trade.
avg_bars_winning | Avg # bars in winning trades | bars | both kinds | The same of winning trades.
avg_bars_losing | Avg # bars in losing trades | bars | both kinds | The same of losing trades.
max_contracts_held | Max contracts held | ratio | kinds | Most contracts short at one instant.
liquidated_volume | Total liquidated volume | ratio | one | Contracts closed by the venue.
    Undefined: a run refuses what margin does not carry, and no exit is a liquidation.
largest_liquidated_volume | Largest liquidated volume | ratio | one | The greatest of them.
    Undefined, as above.
[Capital efficiency: capital usage]
cagr | Annualized return (CAGR) | percent | both interval | (last / first equity)^(365 days /
    length) - 1.
return_on_capital | Return on initial capital | percent | both | Net P&L / initial capital.
account_size_required | Account size required | amount | both | Max margin used plus max equity
    drawdown (intrabar).
return_on_account_size | Return on account size required | percent | both | Net P&L / account size
    required.
net_of_largest_loss_pct | Net profit as % of largest loss | percent | both | Net P&L / largest
    losing trade.
[Capital efficiency: margin usage]
avg_margin_used | Avg margin used | amount | both | Sum of the initial margin at every mark /
    number of marks.
max_margin_used | Max margin used | amount | both | Greatest initial margin at a mark.
margin_efficiency | Margin efficiency | ratio | both | Our definition: Net P&L / avg margin used.
margin_calls | Margin calls | count | one | Our definition: times the marked equity fell below the
    initial margin in use.
[Run-ups]
avg_run_up_days | Avg equity run-up duration (close-to-close) | days | both | Mean length of
    completed run-ups, calendar days.
avg_run_up | Avg equity run-up (close-to-close) | amount | both | Mean gain of completed run-ups,
    from a local minimum to the new peak it led to.
max_run_up | Max equity run-up (close-to-close) | amount | both | Greatest of equity less the
    lowest equity before it, at marks.
max_run_up_intrabar | Max equity run-up (intrabar) | amount | both | The same of a bar's best less
    the lowest of earlier bars; best and worst are of the whole account, coin and options.
max_run_up_intrabar_pct | Max equity run-up as % of initial capital (intrabar) | percent | both |
    Max equity run-up (intrabar) / initial capital.
[Drawdowns]
avg_drawdown_days | Avg equity drawdown duration (close-to-close) | days | both | Mean length of
    recovered drawdowns, peak to recovery, calendar days.
avg_drawdown | Avg equity drawdown (close-to-close) | amount | both | Mean depth of recovered
    drawdowns.
max_drawdown | Max equity drawdown (close-to-close) | amount | both | Greatest of peak equity less
    equity, at marks.
max_drawdown_intrabar | Max equity drawdown (intrabar) | amount | both | The same of the best of
    earlier bars less a bar's worst.
max_drawdown_intrabar_pct | Max equity drawdown as % of initial capital (intrabar) | percent |
    both | Max equity drawdown (intrabar) / initial capital.
return_of_max_drawdown | Return of max equity drawdown | ratio | both | Our definition: Net P&L /
    max equity drawdown (intrabar).
"""
)
