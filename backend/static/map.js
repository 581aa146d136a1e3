// The map of the pool: colour by a choice, a tip for the task under the pointer, arrow keys from task to task.

import { colour, drawInto, isDark } from "./theme.js";

const LIGHT = ["#1f56c4", "#c2571a", "#14804a", "#a3208f", "#8a6d00", "#0f7f8c", "#b3261e", "#6244bb", "#5b7a12", "#8c4a5e"];
const DARK = ["#86b0ff", "#f0a36b", "#6fcf97", "#ee8fdd", "#e3c34f", "#6fd3df", "#ff8f85", "#b7a0ff", "#b5d465", "#e2a3b4"];
const STEPS_LIGHT = ["#b02318", "#c2761a", "#8a8f1f", "#3f8f5a", "#1f56c4"];
const STEPS_DARK = ["#ff8f85", "#f3b562", "#d3d66a", "#7fd39e", "#86b0ff"];
const CONFIDENCE = [0.5, 0.7, 0.85, 0.95];
const REACH_PX = 24;
const TOUCH_REACH_PX = 44;
const NONE = "none";
const OTHER = "other";

const frame = document.querySelector("[data-map]");
if (frame) start();

async function start() {
  const answer = await fetch(frame.dataset.map, { headers: { Accept: "application/json" } });
  if (answer.ok) showMap(await answer.json());
}

function showMap(points) {
  const surface = frame.querySelector(".surface");
  const tip = frame.querySelector(".tip");
  const spoken = document.getElementById("map-task");
  const choice = document.getElementById("colour");
  const legend = document.querySelector(".map-legend");
  let plot = null;
  let groups = [];
  let alone = null;
  let chosen = null;

  const draw = (width, height) => {
    plot?.destroy();
    groups = groupBy(choice.value, points);
    if (!groups.some((group) => group.name === alone)) alone = null;
    plot = new uPlot(options(width, height, groups, alone), dataOf(points, groups), surface);
    showLegend();
    choose(null);
  };

  const showLegend = () => {
    const named = groups.filter((group) => group.name !== NONE && group.name !== OTHER);
    const unnamed = groups.filter((group) => !named.includes(group));
    legend.replaceChildren(
      ...[...named, ...unnamed].map((group) => {
        const button = document.createElement("button");
        const swatch = document.createElement("span");
        const item = document.createElement("li");
        button.type = "button";
        button.setAttribute("aria-pressed", String(group.name === alone));
        swatch.className = "swatch";
        swatch.style.background = group.colour;
        button.append(swatch, `${group.name} (${group.members.length})`);
        button.addEventListener("click", () => {
          alone = group.name === alone ? null : group.name;
          draw(surface.clientWidth, surface.clientHeight);
          [...legend.querySelectorAll("button")].find((other) => other.textContent === button.textContent)?.focus();
        });
        item.append(button);
        return item;
      }),
    );
  };

  const choose = (index, { held = false, speak = false } = {}) => {
    chosen = index;
    tip.hidden = index === null;
    tip.classList.toggle("held", held);
    if (index === null) return;
    tip.replaceChildren(...describe(points, index, held ? frame.dataset.task : null));
    place(tip, plot, points, index);
    if (speak) spoken.textContent = [...tip.querySelectorAll("p")].map((line) => line.textContent).join(". ");
  };

  const seen = (index) => alone === null || groups.find((group) => group.name === alone).members.includes(index);
  const nearest = (event, reach) => nearestPoint(plot, points, seen, event, reach);
  const open = (index) => window.open(frame.dataset.task + points.task[index], "_blank", "noopener");

  surface.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 0) choose(nearest(event, REACH_PX));
  });
  surface.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") choose(null);
  });
  let touched = false;
  surface.addEventListener("pointerdown", (event) => {
    touched = event.pointerType !== "mouse";
  });
  surface.addEventListener("click", (event) => {
    const index = nearest(event, touched ? TOUCH_REACH_PX : REACH_PX);
    if (touched) choose(index, { held: true });
    else if (index !== null) open(index);
  });
  surface.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) choose(neighbour(points, seen, chosen, step), { speak: true });
    else if (event.key === "Enter" && chosen !== null) open(chosen);
    else if (event.key === "Escape") choose(null);
    else return;
    event.preventDefault();
  });
  surface.addEventListener("blur", () => choose(null));
  choice.addEventListener("change", () => {
    alone = null;
    draw(surface.clientWidth, surface.clientHeight);
  });
  drawInto(surface, draw);
}

function groupBy(kind, points) {
  if (kind === "confidence") return byConfidence(points.confidence);
  const palette = isDark() ? DARK : LIGHT;
  const members = new Map();
  points[kind].forEach((value, index) => {
    if (value !== null) members.set(value, [...(members.get(value) ?? []), index]);
  });
  const bySize = [...members].sort((a, b) => b[1].length - a[1].length);
  const named = bySize.slice(0, palette.length).map(([name, found], at) => ({ name, members: found, colour: palette[at] }));
  const rest = bySize.slice(palette.length).flatMap(([, found]) => found);
  const nothing = points[kind].flatMap((value, index) => (value === null ? [index] : []));
  return [...greys(nothing, NONE), ...greys(rest, OTHER), ...named].filter((group) => group.members.length);
}

function greys(members, name) {
  return [{ name, members, colour: colour(name === NONE ? "line" : "muted") }];
}

function byConfidence(values) {
  const steps = isDark() ? STEPS_DARK : STEPS_LIGHT;
  const edges = [0, ...CONFIDENCE, 1.0001];
  const named = steps.map((shade, at) => ({
    name: at === 0 ? `below ${100 * edges[1]} %` : `${100 * edges[at]} to ${Math.floor(100 * edges[at + 1])} %`,
    colour: shade,
    members: values.flatMap((value, index) => (value !== null && value >= edges[at] && value < edges[at + 1] ? [index] : [])),
  }));
  const nothing = values.flatMap((value, index) => (value === null ? [index] : []));
  return [...greys(nothing, NONE), ...named].filter((group) => group.members.length);
}

// One series a group: its points where it has some, holes elsewhere.
function dataOf(points, groups) {
  const series = groups.map((group) => {
    const values = new Array(points.x.length).fill(null);
    for (const index of group.members) values[index] = points.y[index];
    return values;
  });
  return [points.x, ...series];
}

function options(width, height, groups, alone) {
  const size = width < 500 ? 5 : 7;
  return {
    width,
    height,
    padding: [8, 8, 8, 8],
    legend: { show: false },
    cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: true, uni: 20 } },
    scales: { x: { time: false, range: roomAround }, y: { range: roomAround } },
    axes: [{ show: false }, { show: false }],
    series: [
      {},
      ...groups.map((group) => ({
        label: group.name,
        show: alone === null || alone === group.name,
        paths: () => null,
        points: { show: true, size, width: 0, fill: group.colour, stroke: group.colour },
      })),
    ],
  };
}

function roomAround(_plot, low, high) {
  const room = 0.04 * (high - low) || 1;
  return [low - room, high + room];
}

function nearestPoint(plot, points, seen, event, reach) {
  const box = plot.over.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  let best = null;
  let shortest = reach ** 2;
  for (let index = 0; index < points.x.length; index += 1) {
    if (!seen(index)) continue;
    const distance = (plot.valToPos(points.x[index], "x") - x) ** 2 + (plot.valToPos(points.y[index], "y") - y) ** 2;
    if (distance < shortest) [best, shortest] = [index, distance];
  }
  return best;
}

function neighbour(points, seen, chosen, step) {
  const all = points.x.map((_value, index) => index).filter(seen);
  if (!all.length) return null;
  const at = all.indexOf(chosen);
  if (chosen === null || at < 0) return step > 0 ? all[0] : all[all.length - 1];
  return all[(at + step + all.length) % all.length];
}

function describe(points, index, address) {
  const line = (text, strong) => {
    const paragraph = document.createElement("p");
    if (strong) paragraph.append(Object.assign(document.createElement("strong"), { textContent: text }));
    else paragraph.textContent = text;
    return paragraph;
  };
  const sure = points.confidence[index] === null ? "" : `, ${Math.round(100 * points.confidence[index])} % sure`;
  const said = points.label[index] === null ? "not labelled" : `labelled ${points.label[index]}`;
  const believed = points.predicted[index] === null ? "" : `predicted ${points.predicted[index]}${sure}`;
  const marks = [points.flag[index], points.synthetic[index] ? "synthetic" : null].filter(Boolean);
  const lines = [
    line(`Task ${points.task[index]}`, true),
    line([said, believed, ...marks].filter(Boolean).join(" · ")),
    line(points.text[index]),
  ];
  if (address) {
    const link = document.createElement("a");
    link.href = address + points.task[index];
    link.textContent = "Open in Label Studio";
    lines.push(link);
  }
  return lines;
}

function place(tip, plot, points, index) {
  const frameBox = frame.getBoundingClientRect();
  const over = plot.over.getBoundingClientRect();
  const x = over.left - frameBox.left + plot.valToPos(points.x[index], "x");
  const y = over.top - frameBox.top + plot.valToPos(points.y[index], "y");
  const left = Math.min(Math.max(8, x + 14), frameBox.width - tip.offsetWidth - 8);
  const below = y + 14 + tip.offsetHeight <= frameBox.height - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? y + 14 : Math.max(8, y - 14 - tip.offsetHeight)}px`;
}
