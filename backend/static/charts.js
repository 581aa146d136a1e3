// The learning curve and the calibration, drawn with uPlot from the JSON in the page.

import { colour, drawInto, font, translucent } from "./theme.js";

const figures = JSON.parse(document.getElementById("figures").textContent);
const percent = (share) => `${Math.round(100 * share)} %`;
const plots = new Map();

const curve = document.querySelector('[data-chart="curve"]');
if (curve) drawInto(curve, (width, height) => show(curve, curveOptions(width, height), curveData()));

const calibration = document.querySelector('[data-chart="calibration"]');
if (calibration) {
  drawInto(calibration, (width, height) => show(calibration, calibrationOptions(width, height), calibrationData()));
}

function show(host, options, data) {
  plots.get(host)?.destroy();
  plots.set(host, new uPlot(options, data, host));
}

function curveData() {
  const table = (rows) => ["labels", "accuracy", "low", "high"].map((name) => rows.map((row) => row[name]));
  const { ours, random } = figures.curve;
  return random.length ? uPlot.join([table(ours), table(random)]) : [...table(ours), [], [], []];
}

function curveOptions(width, height) {
  const ours = colour("accent");
  const random = colour("other");
  const band = Number(colour("band"));
  const edge = { stroke: "transparent", points: { show: false }, spanGaps: true };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false }, y: { range: roomForShares } },
    axes: [axis("answers"), axis("accuracy", { values: percentTicks, side: true })],
    series: [
      {},
      { label: "this order", stroke: ours, width: 2.5, spanGaps: true, points: dots(ours) },
      edge,
      edge,
      { label: "random order", stroke: random, width: 2.5, dash: [6, 5], spanGaps: true, points: dots(random) },
      edge,
      edge,
    ],
    bands: [
      { series: [3, 2], fill: translucent(ours, band) },
      { series: [6, 5], fill: translucent(random, band) },
    ],
    hooks: { setCursor: [(plot) => read(plot, "curve", curveWords)] },
  };
}

function curveWords(plot, index) {
  const [labels, ours, low, high, random, randomLow, randomHigh] = plot.data.map((values) => values[index]);
  const said = (name, value, from, to) =>
    value == null ? [] : [`${name} ${percent(value)} (${Math.round(100 * from)} to ${Math.round(100 * to)})`];
  return `${labels} answers: ${[...said("this order", ours, low, high), ...said("random order", random, randomLow, randomHigh)].join(", ")}`;
}

function calibrationData() {
  const bins = [...figures.calibration.bins].sort((a, b) => a.confidence - b.confidence);
  const found = ["confidence", "accuracy", "low", "high"].map((name) => bins.map((bin) => bin[name]));
  const joined = uPlot.join([found, [[0, 1], [0, 1]]]);
  const counts = new Map(bins.map((bin) => [bin.confidence, bin.n]));
  return [...joined, joined[0].map((confidence) => counts.get(confidence) ?? null)];
}

function calibrationOptions(width, height) {
  const ours = colour("accent");
  const edge = { stroke: "transparent", points: { show: false }, spanGaps: true };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] }, count: { range: [0, 1] } },
    axes: [axis("so sure", { values: percentTicks }), axis("right", { values: percentTicks, side: true })],
    series: [
      {},
      { label: "right", stroke: ours, width: 2, spanGaps: true, points: { ...dots(ours), size: 8 } },
      edge,
      edge,
      { label: "ideal", stroke: colour("muted"), width: 1.5, dash: [3, 5], spanGaps: true, points: { show: false } },
      { label: "blind answers", scale: "count", show: false },
    ],
    bands: [{ series: [3, 2], fill: translucent(ours, Number(colour("band"))) }],
    hooks: { setCursor: [(plot) => read(plot, "calibration", calibrationWords)] },
  };
}

function calibrationWords(plot, index) {
  const [confidence, accuracy, low, high, , count] = plot.data.map((values) => values[index]);
  if (accuracy == null) return "";
  return `So sure: ${percent(confidence)}. Right: ${percent(accuracy)} (${Math.round(100 * low)} to ${Math.round(100 * high)}), of ${count} blind answers.`;
}

function read(plot, name, words) {
  const readout = document.querySelector(`[data-readout="${name}"]`);
  const index = plot.cursor.idx;
  readout.textContent = index == null ? "" : words(plot, index);
}

function axis(label, { values, side = false } = {}) {
  const muted = colour("muted");
  return {
    stroke: muted,
    font,
    label: label || undefined,
    labelFont: font,
    labelSize: 20,
    size: side ? 46 : 34,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    ...(values ? { values } : {}),
  };
}

function percentTicks(_plot, ticks) {
  return ticks.map(percent);
}

function dots(stroke) {
  return { show: true, size: 6, fill: stroke, stroke };
}

function roomForShares(_plot, low, high) {
  const room = Math.max(0.04, 0.08 * (high - low));
  return [Math.max(0, low - room), Math.min(1, high + room)];
}
