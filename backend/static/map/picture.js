// Draws the map on a canvas: points by group, names, the lasso, and a ring around the point that is told of.

import { colour } from "../theme.js";
import { placeNames } from "./names.js";

const NAME_FONT = '600 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const DIMMED = 0.13;
const RING_PX = 4;
// Smaller points would be mostly outline.
const OUTLINED_PX = 3;

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.ink = canvas.getContext("2d");
  }

  resize(width, height) {
    this.sharpness = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.sharpness);
    this.canvas.height = Math.round(height * this.sharpness);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  // `scene`: map, view, groups, isSeen, chosen (a point or null), lasso (pixels), taken (boxes without names).
  draw(scene) {
    const { view, groups } = scene;
    this.ink.setTransform(this.sharpness, 0, 0, this.sharpness, 0, 0);
    this.ink.clearRect(0, 0, view.width, view.height);
    const radius = radiusFor(scene.map.points.x.length, view);
    const drawn = [...groups].reverse(); // small groups over large ones
    const stamps = drawn.map((group) => makeStamp(group, radius, this.sharpness));
    for (const seen of [false, true]) {
      this.ink.globalAlpha = seen ? 1 : DIMMED;
      drawn.forEach((group, place) => this.#points(group.members, scene, stamps[place], seen));
    }
    this.ink.globalAlpha = 1;
    this.#names(scene);
    if (scene.chosen !== null) this.#ring(scene, radius);
    if (scene.lasso.length > 1) this.#lasso(scene.lasso);
  }

  #points(members, { map, view, isSeen }, stamp, seen) {
    const size = stamp.width / this.sharpness;
    for (const index of members) {
      if (isSeen(index) !== seen) continue;
      const x = view.toX(map.points.x[index]) - size / 2;
      const y = view.toY(map.points.y[index]) - size / 2;
      if (x < -size || y < -size || x > view.width || y > view.height) continue;
      this.ink.drawImage(stamp, x, y, size, size);
    }
  }

  #names({ map, view, groups, isSeen, taken, hasNames }) {
    if (!hasNames) return;
    this.ink.font = NAME_FONT;
    this.ink.textAlign = "center";
    this.ink.textBaseline = "middle";
    this.ink.lineJoin = "round";
    const measure = (text) => this.ink.measureText(text).width;
    this.ink.strokeStyle = colour("paper");
    this.ink.fillStyle = colour("ink");
    this.ink.lineWidth = 4;
    for (const name of placeNames(groups, map.points, view, isSeen, { measure, taken })) {
      this.ink.strokeText(name.text, name.x, name.y);
      this.ink.fillText(name.text, name.x, name.y);
    }
  }

  #ring({ map, view, chosen }, radius) {
    const [x, y] = view.toPixels(map.points.x[chosen], map.points.y[chosen]);
    this.ink.beginPath();
    this.ink.arc(x, y, radius + RING_PX, 0, 2 * Math.PI);
    this.ink.strokeStyle = colour("ink");
    this.ink.lineWidth = 2;
    this.ink.stroke();
  }

  #lasso(corners) {
    this.ink.beginPath();
    corners.forEach(([x, y], place) => (place ? this.ink.lineTo(x, y) : this.ink.moveTo(x, y)));
    this.ink.closePath();
    this.ink.globalAlpha = 0.12;
    this.ink.fillStyle = colour("accent");
    this.ink.fill();
    this.ink.globalAlpha = 1;
    this.ink.strokeStyle = colour("accent");
    this.ink.lineWidth = 2;
    this.ink.stroke();
  }
}

function radiusFor(count, view) {
  const least = count > 20_000 ? 1.3 : count > 3_000 ? 2.2 : 3.2;
  return Math.min(7, least * view.zoom ** 0.35 * (view.width < 500 ? 0.85 : 1));
}

// A point drawn once: to copy it is ten times quicker than to draw a path for each.
function makeStamp({ colour: fill, shape }, radius, sharpness) {
  const stamp = document.createElement("canvas");
  const middle = (radius + 1) * sharpness;
  stamp.width = stamp.height = Math.ceil(2 * middle);
  const ink = stamp.getContext("2d");
  ink.fillStyle = fill;
  ink.strokeStyle = colour("paper");
  ink.lineWidth = 0.7 * sharpness;
  ink.beginPath();
  outline(ink, shape, middle, radius * sharpness);
  ink.closePath();
  ink.fill();
  if (radius >= OUTLINED_PX) ink.stroke();
  return stamp;
}

function outline(ink, shape, middle, radius) {
  const corners = { square: [4, Math.PI / 4, 1.15], triangle: [3, -Math.PI / 2, 1.25], diamond: [4, 0, 1.25] }[shape];
  if (!corners) {
    ink.arc(middle, middle, radius, 0, 2 * Math.PI);
    return;
  }
  const [count, turn, stretch] = corners;
  for (let corner = 0; corner < count; corner += 1) {
    const angle = turn + (2 * Math.PI * corner) / count;
    ink.lineTo(middle + stretch * radius * Math.cos(angle), middle + stretch * radius * Math.sin(angle));
  }
}
