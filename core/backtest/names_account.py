"""Names of what the marked account shows: daily statistics, benchmark, attribution, inference."""

from core.backtest.names import metrics_from

# The first word of a line is its key in the store of runs: it is never renamed.
ACCOUNT = metrics_from(
    """
[Marked equity: daily returns]
final_equity | Final equity | amount | both | Equity at the last mark.
equity_return_pct | Return on equity | percent | both | Last / first equity - 1: coin held and
    options; in coin it is the excess over holding.
years | Years | years | one | Length of the run, years of 365 days.
missing_days | Days without a mark | count | one | UTC days between the first and the last mark
    that have none; a return then spans them.
unvalued_marks | Marks without a value | count | one | Left out of all figures of the account.
volatility_pct | Volatility | percent | both | Standard deviation of daily returns x sqrt(365).
sharpe_annual | Sharpe (daily, annualised) | ratio | both interval | Mean daily return over RFR /
    standard deviation x sqrt(365).
sharpe_error | Sharpe standard error | ratio | both | Of the line above, with skew and kurtosis;
    returns are taken as independent.
skew | Skew | ratio | both | Third standardised moment of daily returns.
kurtosis | Kurtosis | ratio | both | Fourth standardised moment, 3 for a normal distribution.
sortino_annual | Sortino (daily, annualised) | ratio | both | Mean daily return over RFR / DD x
    sqrt(365).
max_drawdown_pct | Max drawdown | percent | both interval | Greatest of (peak - equity) / peak at
    daily closes.
max_drawdown_mark_pct | Max drawdown at any mark | percent | both | The same at every mark.
calmar | Calmar ratio | ratio | both | CAGR / max drawdown of daily closes.
ulcer_index_pct | Ulcer index | percent | both | Root mean square of the drawdown at daily closes.
cvar_95_pct | CVaR 95 % | percent | both | Mean of the worst twentieth of daily returns, at least
    one; a loss is negative.
worst_week_pct | Worst week | percent | both | Least return of a calendar week, Monday to Sunday.
time_under_water_pct | Time under water | percent | both | Share of daily closes below their peak.
longest_under_water_days | Longest under water | days | both | Longest stretch from a peak to its
    recovery, or to the end.
upside_capture_pct | Upside capture | percent | one | Mean USD return of the account over that of
    the coin in weeks the coin rose.
downside_capture_pct | Downside capture | percent | one | The same in weeks the coin fell.
[Delta-adjusted benchmark]
avg_exposure | Average exposure | ratio | one | Mean of (equity + net delta) / equity at daily
    closes, in coin: 1 is the coin held alone.
benchmark_return_pct | Benchmark return | percent | both | A portfolio of coin and USD with the
    exposure of the strategy at the close before, set anew each day.
alpha_pct | Alpha over benchmark | percent | both interval | Mean daily return of the strategy less
    that of the benchmark, x 365.
alpha_average_pct | Alpha over average exposure | percent | both | The same against a portfolio
    that holds the average exposure all the time.
regression_alpha_pct | Regression alpha | percent | both | Intercept of daily excess returns on
    those of the coin in USD, x 365.
regression_alpha_error | Regression alpha standard error | percent | both | Newey-West, lag 4
    (n / 100)^(2/9), x 365.
regression_alpha_p | Regression alpha p-value | probability | both | Two-sided.
regression_beta | Beta on the coin | ratio | both | Slope of the same regression.
regression_beta_error | Beta standard error | ratio | both | Newey-West.
[P&L attribution]
attribution_coin | Coin held | money | both | Cash x change of the index; zero in coin.
attribution_delta | Delta | money | both | Black delta x change of the index; in coin the net delta.
attribution_gamma | Gamma | money | both | Half of gamma x the change of the index squared.
attribution_vega | Vega | money | both | Vega x change of the volatility of what is held, over
    bars in which the holding stayed the same.
attribution_theta | Theta | money | both | Theta x days.
attribution_costs | Fees and slippage | money | both | Fees, and fills against marks.
attribution_residual | Residual | money | both | What is left: higher orders, volatility in bars
    with a trade, bars without greeks, hedges and funding.
attribution_total | Change of equity | money | both | Last less first equity: the sum of the lines
    above.
theta_earned | Theta earned | amount | both | Sum of theta over bars where it was for us.
theta_paid | Theta paid | amount | both | Sum of theta over bars where it was against us.
[Inference]
mean_trade_pnl | Mean P&L of a trade | money | both interval | Mean over closed trades in time
    order; bounds from blocks of trades that overlapped.
mean_profit_p | Mean profit p-value | probability | both | Two-sided, of a mean of zero, Newey-West
    over trades in time order.
probabilistic_sharpe | Probabilistic Sharpe ratio | probability | both | That the true daily Sharpe
    ratio is above zero.
trials | Trials | count | one | Configurations of this family ever tried, this one included.
trial_spread | Spread of trials | ratio | one | Standard deviation of their daily Sharpe ratios.
deflated_sharpe | Deflated Sharpe ratio | probability | one | That the true Sharpe ratio, in coin,
    is above what the best of so many trials without skill would show.
min_track_record_days | Least track record | days | one | Days after which such a Sharpe ratio, in
    coin, would be above zero with 95 %.
min_backtest_years | Least backtest length | years | one | Years below which the best of so many
    trials shows this annual Sharpe ratio by luck.
overfitting_probability | Probability of overfitting (PBO) | probability | one | That the best in
    sample is below the median out of sample; needs the returns of the trials.
overfitting_slope | Degradation slope | ratio | one | Of out-of-sample on in-sample Sharpe ratios.
overfitting_loss_probability | Loss probability out of sample | probability | one | Of the best in
    sample.
superior_ability_p | SPA p-value | probability | one | Hansen: that no trial is better than the
    benchmark.
walk_forward_folds | Walk-forward folds | count | one | Test spans after the first training span,
    with an embargo of the longest holding period.
positive_folds_pct | Folds with alpha above zero | percent | one | Share of them.
alpha_stressed_pct | Alpha with costs x 1.5 | percent | one interval | As alpha over benchmark in
    coin, half of all fees and slippage paid once more.
"""
)
