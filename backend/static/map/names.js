// Names on the islands: each class where it is densest and most of what is around is of it, the larger ones first, and no name over another.

const CELL_PX = 36;
const FEWEST = 5;
const LONGEST = 26;
const HEIGHT_PX = 18;
const SHIFTS_PX = [0, -20, 20, -40, 40];

// Where names stand: text, x and y of their middle in pixels. `drawn`: groups, and which points are seen.
export function placeNames({ groups, seen }, points, view, { measure, taken }) {
  const boxes = [...taken];
  const cells = new Cells(points, seen, view);
  const all = groups.map((group) => cells.count(group.members));
  const sum = cells.sum(all);
  const spots = groups.map((group, place) => (group.isNone ? null : cells.densest(group, all[place], sum)));
  return spots
    .filter((spot) => spot !== null)
    .sort((a, b) => b.count - a.count)
    .flatMap((spot) => {
      const box = freeBox(spot, measure(spot.text), boxes, view);
      if (box === null) return [];
      boxes.push(box);
      return [{ text: spot.text, x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 }];
    });
}

// The part of the map that is seen, in squares with one around it: of each how many points, and the sums of their places.
class Cells {
  constructor(points, seen, view) {
    this.points = points;
    this.seen = seen;
    this.view = view;
    this.row = Math.ceil(view.width / CELL_PX) + 3;
    this.size = this.row * (Math.ceil(view.height / CELL_PX) + 3);
  }

  count(members) {
    const { points, seen, view } = this;
    const cells = this.#none();
    for (const index of members) {
      if (!seen[index]) continue;
      const x = view.toX(points.x[index]);
      const y = view.toY(points.y[index]);
      if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
      const cell = (Math.floor(y / CELL_PX) + 1) * this.row + Math.floor(x / CELL_PX) + 1;
      cells.count[cell] += 1;
      cells.x[cell] += x;
      cells.y[cell] += y;
    }
    return cells;
  }

  sum(parts) {
    const cells = this.#none();
    for (const part of parts) for (let cell = 0; cell < this.size; cell += 1) cells.count[cell] += part.count[cell];
    return cells;
  }

  // Where most points of a group are, and most points are of it; null for nowhere.
  densest(group, own, all) {
    let best = null;
    let most = FEWEST - 1;
    for (let cell = 0; cell < this.size; cell += 1) {
      if (!own.count[cell]) continue;
      const here = this.#around(own.count, cell);
      if (here <= most || 2 * here <= this.#around(all.count, cell)) continue;
      [best, most] = [cell, here];
    }
    if (best === null) return null;
    const [x, y] = [own.x, own.y].map((sums) => this.#around(sums, best) / most);
    return { text: shorten(group.name), count: most, x, y };
  }

  #around(values, cell) {
    let sum = 0;
    for (let down = -1; down <= 1; down += 1) {
      for (let across = -1; across <= 1; across += 1) sum += values[cell + down * this.row + across];
    }
    return sum;
  }

  #none() {
    return { count: new Uint32Array(this.size), x: new Float64Array(this.size), y: new Float64Array(this.size) };
  }
}

function freeBox(spot, width, boxes, view) {
  const half = width / 2 + 4;
  const x = Math.min(Math.max(spot.x, half), view.width - half);
  for (const shift of SHIFTS_PX) {
    const y = spot.y + shift;
    const box = { left: x - half, right: x + half, top: y - HEIGHT_PX / 2, bottom: y + HEIGHT_PX / 2 };
    const isInside = box.top >= 0 && box.bottom <= view.height && box.left >= 0;
    if (isInside && !boxes.some((other) => overlap(box, other))) return box;
  }
  return null;
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

// Names that begin alike often differ at their ends.
function shorten(name) {
  if (name.length <= LONGEST) return name;
  return `${name.slice(0, LONGEST / 2 - 1).trimEnd()}…${name.slice(1 - LONGEST / 2).trimStart()}`;
}
