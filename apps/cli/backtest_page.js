"use strict";
// Draws the charts and the list of trades of a backtest page from the data in it.

const data = JSON.parse(document.getElementById("data").textContent);
const curve = data.curve;
const trades = data.trades;
const MARKED_TRADES = 1500; // on the price chart: those with the greatest gain or loss
const ROWS_A_PAGE = 50;

const byId = (name) => document.getElementById(name);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const instant = (seconds) => new Date(1000 * seconds).toISOString().slice(0, 16).replace("T", " ");
const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;
const isOn = (name) => byId(name).checked;

function running(values, better) {
  let best = values[0];
  return values.map((value) => (best = better(best, value)));
}

function layout(title, more) {
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("quiet"), automargin: true };
  const made = {
    title: { text: title, font: { size: 14 }, x: 0, xref: "paper" },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), size: 12 },
    margin: { l: 10, r: 10, t: 36, b: 30 },
    legend: { orientation: "h", y: -0.15 },
    hovermode: "x unified",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("equity") },
    hoverlabel: { bgcolor: colour("panel"), font: { color: colour("text") } },
    xaxis: { ...axis },
    yaxis: { ...axis },
  };
  for (const [name, value] of Object.entries(more || {})) {
    made[name] = name.includes("axis") ? { ...axis, ...value } : value;
  }
  return made;
}

function plot(name, traces, shape) {
  const buttons = [["toImage", "zoom2d", "pan2d", "resetScale2d"]];
  Plotly.react(name, traces, shape, { responsive: true, displaylogo: false, modeBarButtons: buttons });
}

// Equity of the account and of its first coins held, in the numeraire and scale that are chosen.
function series() {
  const isCoin = chosen("numeraire") === "coin";
  const rate = isCoin ? curve.index.map(() => 1) : curve.index;
  const equity = curve.equity.map((coins, i) => coins * rate[i]);
  const hold = rate.map((each) => curve.equity[0] * each);
  const unit = chosen("scale") === "percent" ? 100 / equity[0] : 1;
  const start = chosen("scale") === "percent" ? equity[0] : 0;
  const scaled = (values) => values.map((value) => unit * (value - start));
  const name = chosen("scale") === "percent" ? "% of initial capital" : isCoin ? data.coin : "USD";
  return { isCoin, unit, name, raw: equity, equity: scaled(equity), hold: scaled(hold) };
}

function drawEquity() {
  const now = series();
  const time = curve.at.map((each) => instant(each));
  const line = { mode: "lines", type: "scatter", x: time };
  const traces = [];
  if (isOn("show-equity")) {
    traces.push({ ...line, y: now.equity, name: "Equity", line: { color: colour("equity"), width: 1.5 } });
  }
  if (isOn("show-hold")) {
    traces.push({
      ...line, y: now.hold, name: "Buy & hold", line: { color: colour("hold"), width: 1.2, dash: "dot" },
    });
  }
  const below = { yaxis: "y2" };
  if (isOn("show-phases")) {
    const peak = running(now.raw, Math.max);
    const low = running(now.raw, Math.min);
    const area = { ...line, ...below, fill: "tozeroy" };
    traces.push({
      ...area, y: now.raw.map((value, i) => now.unit * (value - low[i])), name: "Run-up",
      line: { color: colour("gain"), width: 0.6 },
    });
    traces.push({
      ...area, y: now.raw.map((value, i) => now.unit * (value - peak[i])), name: "Drawdown",
      line: { color: colour("loss"), width: 0.6 },
    });
  }
  if (isOn("show-excursions")) {
    const bar = { ...below, type: "bar", x: data.excursions.at.map((each) => instant(each)) };
    const worth = data.excursions.index.map((each) => now.unit * (now.isCoin ? 1 : each));
    const sized = (values) => values.map((value, i) => value * worth[i]);
    traces.push({
      ...bar, y: sized(data.excursions.best), name: "Favorable excursion", marker: { color: colour("gain") },
    });
    traces.push({
      ...bar, y: sized(data.excursions.worst), name: "Adverse excursion", marker: { color: colour("loss") },
    });
  }
  const isSplit = isOn("show-phases") || isOn("show-excursions");
  plot("equity", traces, layout("Equity, " + now.name, {
    yaxis: { domain: isSplit ? [0.36, 1] : [0, 1] },
    yaxis2: { domain: [0, 0.3], anchor: "x", visible: isSplit },
    barmode: "overlay",
  }));
}

function drawDrawdown() {
  const time = curve.at.map((each) => instant(each));
  const fall = (values) => {
    const peak = running(values, Math.max);
    return values.map((value, i) => 100 * (value / peak[i] - 1));
  };
  const usd = curve.equity.map((coins, i) => coins * curve.index[i]);
  const line = { type: "scatter", mode: "lines", x: time };
  plot("drawdown", [
    { ...line, y: fall(usd), name: "in USD", line: { color: colour("hold"), width: 1 } },
    { ...line, y: fall(curve.equity), name: "in " + data.coin, fill: "tozeroy",
      line: { color: colour("loss"), width: 1 } },
  ], layout("Drawdown from the peak, %"));
}

function drawTrades() {
  let rows = trades.number.map((_, i) => i);
  const isCut = rows.length > MARKED_TRADES;
  if (isCut) {
    rows.sort((a, b) => Math.abs(trades.pnl_coin[b]) - Math.abs(trades.pnl_coin[a]));
    rows = rows.slice(0, MARKED_TRADES).sort((a, b) => trades.opened[a] - trades.opened[b]);
  }
  const strikes = { x: [], y: [] };
  for (const i of rows) {
    strikes.x.push(instant(trades.opened[i]), instant(trades.closed[i]), null);
    strikes.y.push(trades.strike[i], trades.strike[i], null);
  }
  const ends = (wanted, name, shade, symbol) => {
    const those = rows.filter((i) => wanted(trades.pnl_coin[i]));
    return {
      type: "scatter", mode: "markers", name,
      x: those.map((i) => instant(trades.closed[i])), y: those.map((i) => trades.exit_index[i]),
      text: those.map((i) => `#${trades.number[i]} ${trades.contract[i]} ${trades.pnl_coin[i]}`),
      marker: { color: colour(shade), size: 7, symbol },
    };
  };
  const title = isCut
    ? `Trades on the price, USD: the ${MARKED_TRADES} with the greatest gain or loss`
    : "Trades on the price, USD";
  plot("trades-on-price", [
    { type: "scatter", mode: "lines", name: "Index", x: curve.at.map((each) => instant(each)),
      y: curve.index, line: { color: colour("quiet"), width: 1 } },
    { type: "scatter", mode: "lines", name: "Strike while held", ...strikes, hoverinfo: "skip",
      line: { color: colour("hold"), width: 1.4 } },
    { type: "scatter", mode: "markers", name: "Sale",
      x: rows.map((i) => instant(trades.opened[i])), y: rows.map((i) => trades.entry_index[i]),
      text: rows.map((i) => `#${trades.number[i]} ${trades.contract[i]} at ${trades.entry[i]}`),
      marker: { color: colour("text"), size: 6, symbol: "triangle-down-open" } },
    ends((pnl) => pnl >= 0, "End with a gain", "gain", "circle"),
    ends((pnl) => pnl < 0, "End with a loss", "loss", "x"),
  ], layout(title, { hovermode: "closest" }));
}

function drawAttribution() {
  const isCoin = chosen("measure") === "coin";
  const found = isCoin ? data.attribution.coin : data.attribution.usd;
  const time = data.attribution.at.map((each) => instant(each));
  const traces = Object.entries(found.paths).map(([name, y]) => ({
    type: "scatter", mode: "lines", name, x: time, y, line: { width: name === "Change of equity" ? 2.4 : 1.2 },
  }));
  const unit = isCoin ? data.coin : "USD";
  plot("attribution", traces, layout("P&L attribution over time, " + unit));
  drawBars("attribution-sum", "P&L attribution, " + unit, found.sums);
}

function drawBars(name, title, sums) {
  const values = Object.values(sums);
  plot(name, [{
    type: "bar", orientation: "h", x: values, y: Object.keys(sums),
    text: values.map((each) => each.toLocaleString("en", { maximumSignificantDigits: 4 })),
    textposition: "auto", cliponaxis: false,
    marker: { color: values.map((each) => colour(each < 0 ? "loss" : "gain")) },
  }], layout(title, {
    showlegend: false, hovermode: "closest", yaxis: { autorange: "reversed" },
  }));
}

function drawDistribution() {
  const found = data.distribution;
  const lines = [];
  const notes = [];
  for (const [name, at] of Object.entries(found.lines)) {
    lines.push({ type: "line", x0: at, x1: at, y0: 0, y1: 1, yref: "paper",
      line: { color: colour(at < 0 ? "loss" : "gain"), dash: "dash" } });
    notes.push({ x: at, y: 1, yref: "paper", text: name, showarrow: false, yanchor: "bottom",
      xanchor: at < 0 ? "right" : "left", font: { size: 11 } });
  }
  plot("distribution", [{
    type: "bar", x: found.middle, y: found.count, width: found.width,
    marker: { color: found.middle.map((each) => colour(each < 0 ? "loss" : "gain")) },
  }], layout("P&L distribution, " + data.coin, {
    showlegend: false, hovermode: "closest", shapes: lines, annotations: notes, bargap: 0.05,
    margin: { l: 10, r: 10, t: 52, b: 30 },
  }));
}

function drawRanges() {
  const now = series();
  const one = (name, values, shade) => ({
    type: "scatter", mode: "lines+markers+text", name,
    x: [Math.min(...values), values[values.length - 1], Math.max(...values)], y: [name, name, name],
    text: Math.min(...values) < Math.max(...values) ? ["min", "now", "max"] : ["", "now", ""], textposition: "top center", textfont: { size: 10 },
    line: { color: colour(shade), width: 5 }, marker: { size: 11, symbol: "line-ns-open" },
  });
  plot("ranges", [one("Strategy", now.equity, "equity"), one("Buy & hold", now.hold, "hold")],
    layout("Benchmarking, " + now.name, {
      showlegend: false, hovermode: "closest", yaxis: { range: [-0.6, 1.7] },
    }));
}

// The list of trades, newest first, a page at a time.
let page = 0;

function gain(value, digits) {
  const cell = document.createElement("td");
  if (value === null) {
    cell.textContent = "-";
    return cell;
  }
  const isLoss = value < 0;
  cell.className = isLoss ? "loss" : "gain";
  cell.textContent = `${isLoss ? "▼" : "▲"} ${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
  const word = document.createElement("span");
  word.className = "hidden";
  word.textContent = isLoss ? " loss" : " gain";
  cell.append(word);
  return cell;
}

function cell(first, second, kind) {
  const made = document.createElement("td");
  made.className = kind || "";
  made.append(first);
  if (second !== undefined) {
    const small = document.createElement("small");
    small.textContent = second;
    made.append(small);
  }
  return made;
}

function drawList() {
  const count = trades.number.length;
  const pages = Math.max(Math.ceil(count / ROWS_A_PAGE), 1);
  page = Math.min(Math.max(page, 0), pages - 1);
  const rows = [];
  const last = count - 1 - page * ROWS_A_PAGE;
  for (let i = last; i > Math.max(last - ROWS_A_PAGE, -1); i -= 1) {
    const row = document.createElement("tr");
    const way = data.words[trades.exit_reason[i]];
    row.append(
      cell(String(trades.number[i])),
      cell(way === "left_open" ? "Open" : "Exit short", "Entry short " + trades.contract[i], "word"),
      cell(instant(trades.closed[i]), instant(trades.opened[i]), "word"),
      cell(way, data.words[trades.entry_reason[i]], "word"),
      cell(String(trades.exit[i]), String(trades.entry[i])),
      cell(String(trades.amount[i])),
      gain(trades.pnl_coin[i], 6),
      gain(trades.pnl_usd[i], 2),
      gain(trades.best[i], 6),
      gain(trades.worst[i], 6),
      gain(trades.sum_coin[i], 6),
    );
    rows.push(row);
  }
  byId("list").replaceChildren(...rows);
  byId("page").textContent = `page ${page + 1} of ${pages}, ${count} trades, newest first`;
  byId("newer").disabled = page === 0;
  byId("older").disabled = page === pages - 1;
}

function drawAll() {
  drawEquity();
  drawDrawdown();
  drawTrades();
  drawAttribution();
  drawBars("structure", "Profit structure, " + data.coin, data.structure);
  drawDistribution();
  drawRanges();
}

for (const input of document.querySelectorAll("#switches input")) {
  input.addEventListener("change", () => { drawEquity(); drawRanges(); });
}
for (const input of document.querySelectorAll("#measures input")) {
  input.addEventListener("change", drawAttribution);
}
byId("newer").addEventListener("click", () => { page -= 1; drawList(); });
byId("older").addEventListener("click", () => { page += 1; drawList(); });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
drawAll();
drawList();
