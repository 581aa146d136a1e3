// Draws the map on a canvas: points by group, names, the lasso, and a ring around the point that is told of.

import { colour } from "../theme.js";
import { placeNames } from "./names.js";
import { Pixels, Stamp } from "./pixels.js";

const NAME_FONT = '600 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const DIMMED = 0.13;
const RING_PX = 4;
// Smaller points would be mostly outline.
const OUTLINED_PX = 3;
const LARGEST_PX = 7;
const MOST_STAMPS = 1000;

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.ink = canvas.getContext("2d", { alpha: false });
    this.pixels = new Pixels();
    this.stamps = new Map();
  }

  resize(width, height) {
    this.sharpness = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.sharpness);
    this.canvas.height = Math.round(height * this.sharpness);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.painted = null;
    this.pixels.resize(this.canvas.width, this.canvas.height, Math.ceil(2 * (LARGEST_PX + 1) * this.sharpness));
  }

  // Which points are drawn how: those that are not seen below the others, small groups over large ones.
  arrange(groups, seen) {
    const found = { groups, seen, order: new Uint32Array(seen.length), kinds: new Uint16Array(seen.length) };
    let at = 0;
    for (const isSeen of [0, 1]) {
      for (let place = groups.length - 1; place >= 0; place -= 1) {
        for (const index of groups[place].members) {
          if (seen[index] !== isSeen) continue;
          found.order[at] = index;
          found.kinds[index] = 2 * place + isSeen;
          at += 1;
        }
      }
    }
    this.drawn = found;
    this.stamps.clear();
    this.painted = null;
  }

  // `scene`: map, view, chosen (a point or null), lasso (pixels), taken (boxes without names), hasNames.
  draw(scene) {
    const radius = radiusFor(scene.map.points.x.length, scene.view);
    this.#paint(scene, radius);
    this.pixels.show(this.ink);
    this.ink.setTransform(this.sharpness, 0, 0, this.sharpness, 0, 0);
    this.#names(scene);
    if (scene.chosen !== null) this.#ring(scene, radius);
    if (scene.lasso.length > 1) this.#lasso(scene.lasso);
  }

  // Where only the ring or the lasso changes, the points are there already.
  #paint({ map, view }, radius) {
    const place = [view.centre.x, view.centre.y, view.zoom, view.width, view.height].join();
    if (this.painted === place) return;
    const stamps = this.drawn.groups.flatMap((group) => [this.#stamp(group, radius, DIMMED), this.#stamp(group, radius, 1)]);
    this.pixels.clear(colour("ground"));
    this.pixels.paint(map.points, view, this.sharpness, { ...this.drawn, stamps });
    this.painted = place;
  }

  #stamp(group, radius, strength) {
    const key = [group.colour, group.shape, radius, strength].join();
    if (this.stamps.size > MOST_STAMPS) this.stamps.clear();
    if (!this.stamps.has(key)) this.stamps.set(key, new Stamp(drawPoint(group, radius, this.sharpness), strength));
    return this.stamps.get(key);
  }

  #names({ map, view, taken, hasNames }) {
    if (!hasNames) return;
    this.ink.font = NAME_FONT;
    this.ink.textAlign = "center";
    this.ink.textBaseline = "middle";
    this.ink.lineJoin = "round";
    const measure = (text) => this.ink.measureText(text).width;
    this.ink.strokeStyle = colour("paper");
    this.ink.fillStyle = colour("ink");
    this.ink.lineWidth = 4;
    for (const name of placeNames(this.drawn, map.points, view, { measure, taken })) {
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
  return Math.min(LARGEST_PX, least * view.zoom ** 0.35 * (view.width < 500 ? 0.85 : 1));
}

// A point drawn once, to be copied.
function drawPoint({ colour: fill, shape }, radius, sharpness) {
  const stamp = document.createElement("canvas");
  const middle = (radius + 1) * sharpness;
  stamp.width = stamp.height = Math.ceil(2 * middle);
  const ink = stamp.getContext("2d", { willReadFrequently: true });
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
