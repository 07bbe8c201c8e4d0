// The charts of the figures, drawn by Chart.js from the tables below them: a column of a table with
// `data-series` is a series. A series has a pattern or a marker besides its colour.

import "./history.js";

const { Chart } = globalThis;
const MAX_SERIES = 7;
const DASHES = [[], [6, 4]];
const MARKERS = ["circle", "triangle"];

// Strokes on a tile of 8 by 8 pixels, from corner to corner where they meet those of the next tile.
const STROKES = [
  [],
  [[0, 8, 8, 0]],
  [[0, 4, 8, 4]],
  [[0, 0, 8, 8]],
  [[4, 0, 4, 8]],
  [[0, 8, 8, 0], [0, 0, 8, 8]],
  [[0, 4, 8, 4], [4, 0, 4, 8]],
];

function fill(colour, number) {
  const strokes = STROKES[number];
  if (!strokes.length) return colour;
  const tile = document.createElement("canvas");
  tile.width = 8;
  tile.height = 8;
  const context = tile.getContext("2d");
  context.globalAlpha = 0.25;
  context.fillStyle = colour;
  context.fillRect(0, 0, 8, 8);
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  for (const [fromX, fromY, toX, toY] of strokes) {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
  }
  return context.createPattern(tile, "repeat");
}

function cellsOf(table, column) {
  return [...table.tBodies[0].rows].map((row) => row.cells[column]);
}

function valueOf(cell) {
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function readSeries(table) {
  const series = [];
  for (const head of table.tHead.rows[0].cells) {
    if (!("series" in head.dataset)) continue;
    const cells = cellsOf(table, head.cellIndex);
    series.push({ label: head.textContent.trim(), cells, data: cells.map(valueOf) });
  }
  return series;
}

// The first series, and what they leave of the sum as one more.
function withOthers(series, table) {
  const sum = table.querySelector("th[data-sum]");
  if (!sum) return series;
  const rest = cellsOf(table, sum.cellIndex).map(valueOf);
  const first = series.length > MAX_SERIES ? series.slice(0, MAX_SERIES - 1) : series;
  for (const { data } of first) {
    data.forEach((value, row) => { rest[row] -= value; });
  }
  if (!rest.some((value) => value > 0)) return first;
  return [...first.slice(0, MAX_SERIES - 1), { label: sum.dataset.sum, cells: [], data: rest }];
}

function colourOf(style, number) {
  return style.getPropertyValue(`--series-${number + 1}`).trim();
}

function bars(series, style) {
  return series.map(({ label, data }, number) => {
    const colour = colourOf(style, number);
    return { label, data, backgroundColor: fill(colour, number), borderColor: colour, borderWidth: 1 };
  });
}

function lines(series, style) {
  return series.map(({ label, data }, number) => {
    const colour = colourOf(style, number);
    return {
      label,
      data,
      backgroundColor: colour,
      borderColor: colour,
      borderDash: DASHES[number],
      borderWidth: 2,
      pointRadius: 4,
      pointStyle: MARKERS[number],
      spanGaps: true,
    };
  });
}

// A press on a bar or point opens the decisions that its cell links to.
function openCell(series, elements) {
  if (!elements.length) return;
  const { datasetIndex, index } = elements[0];
  const link = series[datasetIndex].cells[index]?.querySelector("a");
  if (link) link.click();
}

function draw(place) {
  const table = document.getElementById(place.dataset.table);
  const style = getComputedStyle(place);
  const isStacked = place.dataset.chart === "bars";
  const series = withOthers(readSeries(table), table);
  const labels = cellsOf(table, 0).map((cell) => cell.dataset.short);
  const grid = { color: style.borderTopColor };
  const ticks = { color: style.color, maxRotation: 0 };
  const legend = { color: style.color, boxWidth: 28, usePointStyle: !isStacked };

  const canvas = place.querySelector("canvas");
  Chart.getChart(canvas)?.destroy();
  return new Chart(canvas, {
    type: isStacked ? "bar" : "line",
    data: { labels, datasets: (isStacked ? bars : lines)(series, style) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      font: { family: style.fontFamily },
      interaction: { mode: "index", intersect: false },
      onClick: (event, elements, chart) => {
        const pressed = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false);
        openCell(series, pressed);
      },
      plugins: { legend: { position: "bottom", labels: legend } },
      scales: {
        x: { stacked: isStacked, grid: { display: false }, ticks },
        y: { stacked: isStacked, beginAtZero: true, grid, ticks: isStacked ? { ...ticks, precision: 0 } : ticks },
      },
    },
  });
}

const places = document.querySelectorAll("[data-chart]");

function drawAll() {
  for (const place of places) draw(place);
}

for (const place of places) place.hidden = false;
drawAll();

// The theme's colours are the chart's.
const root = document.documentElement;
new MutationObserver(drawAll).observe(root, { attributeFilter: ["data-theme"] });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

// Paper is light.
let themeOnScreen = root.dataset.theme;
window.addEventListener("beforeprint", () => {
  themeOnScreen = root.dataset.theme;
  root.dataset.theme = "light";
  drawAll();
});
window.addEventListener("afterprint", () => {
  root.dataset.theme = themeOnScreen;
});

// Days are the reader's: the address names the zone, so that a link shows everybody the same days.
const address = new URL(window.location.href);
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
if (!address.searchParams.has("zone") && timeZone !== "UTC") {
  address.searchParams.set("zone", timeZone);
  window.location.replace(address);
}
