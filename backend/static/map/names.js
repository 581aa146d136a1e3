// Names on the islands: each class where it is densest and most of what is around is of it, the larger ones first, and no name over another.

const CELL_PX = 36;
// Cells in a row, more than any screen has.
const ROW = 1000;
const FEWEST = 5;
const LONGEST = 26;
const HEIGHT_PX = 18;
const SHIFTS_PX = [0, -20, 20, -40, 40];

// Where names stand: text, x and y of their middle in pixels. `isSeen` says of a point whether it counts.
export function placeNames(groups, points, view, isSeen, { measure, taken }) {
  const boxes = [...taken];
  const all = countCells(points.x.keys(), points, view, isSeen);
  const spots = groups.filter((group) => !group.isNone).map((group) => densest(group, points, view, { isSeen, all }));
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

function countCells(indices, points, view, isSeen) {
  const cells = new Map();
  for (const index of indices) {
    if (!isSeen(index)) continue;
    const x = view.toX(points.x[index]);
    const y = view.toY(points.y[index]);
    if (x < 0 || y < 0 || x > view.width || y > view.height) continue;
    const key = Math.floor(y / CELL_PX) * ROW + Math.floor(x / CELL_PX);
    if (!cells.has(key)) cells.set(key, { count: 0, x: 0, y: 0 });
    const cell = cells.get(key);
    cell.count += 1;
    cell.x += x;
    cell.y += y;
  }
  return cells;
}

function densest(group, points, view, { isSeen, all }) {
  const cells = countCells(group.members, points, view, isSeen);
  let best = null;
  for (const key of cells.keys()) {
    const here = around(cells, key);
    if (2 * here.count <= around(all, key).count) continue;
    if (best === null || here.count > best.count) best = here;
  }
  if (best === null || best.count < FEWEST) return null;
  return { text: shorten(group.name), count: best.count, x: best.x / best.count, y: best.y / best.count };
}

function around(cells, key) {
  const sum = { count: 0, x: 0, y: 0 };
  for (let across = -1; across <= 1; across += 1) {
    for (let down = -1; down <= 1; down += 1) {
      const cell = cells.get(key + down * ROW + across);
      if (!cell) continue;
      sum.count += cell.count;
      sum.x += cell.x;
      sum.y += cell.y;
    }
  }
  return sum;
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
