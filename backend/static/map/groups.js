// What has which colour. A class keeps the colour of its number whatever is shown and however many there are.

import { colour } from "../theme.js";

const COLOURS = 10;
export const SHAPES = ["circle", "square", "triangle", "diamond"];
const EDGES = [0, 0.5, 0.7, 0.85, 0.95, 1.01];

// Groups of points, the largest first: name, colour, shape and the places of its points; `none` has no value.
export function groupBy(kind, map) {
  const groups = kind === "confidence" ? byConfidence(map.points.confidence) : byClass(map.points[kind], map.classes);
  return groups.filter((group) => group.members.length);
}

function byClass(values, classes) {
  const groups = classes.map(({ name, colour: number }) => ({ name, number, ...look(number), members: [] }));
  const none = nobody();
  values.forEach((value, index) => (value === null ? none : groups[value]).members.push(index));
  return [...groups.sort((a, b) => b.members.length - a.members.length), none];
}

function look(number) {
  const shape = SHAPES[Math.floor(number / COLOURS) % SHAPES.length];
  return { colour: colour(`class-${number % COLOURS}`), shape };
}

function byConfidence(values) {
  const groups = EDGES.slice(0, -1).map((low, step) => ({
    name: step ? `${percent(low)} to ${Math.floor(100 * Math.min(1, EDGES[step + 1]))} %` : `below ${percent(EDGES[1])} %`,
    colour: colour(`step-${step}`),
    shape: "circle",
    members: [],
  }));
  const none = nobody();
  values.forEach((value, index) => {
    const step = value === null ? -1 : EDGES.findLastIndex((low) => value >= low);
    (groups[step] ?? none).members.push(index);
  });
  return [...groups, none];
}

function percent(share) {
  return Math.round(100 * share);
}

function nobody() {
  return { name: "none", isNone: true, colour: colour("muted"), shape: "circle", members: [] };
}
