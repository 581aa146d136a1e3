// Which tasks are picked: by a class, a lasso or a search, and of these those with all marks that are switched on.

export class Picking {
  constructor(map) {
    this.map = map;
    this.indexOf = new Map(map.points.task.map((task, index) => [task, index]));
    this.layers = new Set();
    this.base = null;
  }

  // Tasks in order, and in words where they are from; null for none.
  pick(tasks, words) {
    this.base = tasks === null ? null : { tasks, words };
  }

  pickPoints(indices, words) {
    const sure = this.map.points.confidence;
    const ordered = [...indices].sort((a, b) => (sure[a] ?? 0) - (sure[b] ?? 0));
    this.pick(ordered.map((index) => this.map.points.task[index]), words);
  }

  switchLayer(layer) {
    if (!this.layers.delete(layer)) this.layers.add(layer);
  }

  clear() {
    this.base = null;
    this.layers.clear();
  }

  // Null: nothing is picked. Else tasks in order, words, and how many of them are on the map.
  read() {
    if (this.base === null && !this.layers.size) return null;
    const from = this.base?.tasks ?? this.map.points.task;
    const tasks = this.layers.size ? from.filter((task) => this.#isMarked(this.indexOf.get(task))) : from;
    const marks = [...this.layers].map((layer) => this.map.layers[layer].toLowerCase());
    const words = [this.base?.words, ...marks].filter(Boolean).join(", ");
    return { tasks, words, onMap: tasks.filter((task) => this.indexOf.has(task)).length };
  }

  // A mask over the points: whether each is among what was read, or all where nothing is picked.
  seen(found) {
    const mask = new Uint8Array(this.map.points.task.length).fill(found === null ? 1 : 0);
    for (const task of found?.tasks ?? []) {
      const index = this.indexOf.get(task);
      if (index !== undefined) mask[index] = 1;
    }
    return mask;
  }

  #isMarked(index) {
    if (index === undefined) return false;
    return [...this.layers].every((layer) => this.map.points.layers[index] & (1 << layer));
  }
}

// The points within a line drawn on the screen (even-odd rule).
export function insideOf(corners, points, view) {
  const [across, down] = [0, 1].map((way) => corners.map((corner) => corner[way]));
  const [left, right, top, bottom] = [Math.min(...across), Math.max(...across), Math.min(...down), Math.max(...down)];
  const found = [];
  for (let index = 0; index < points.x.length; index += 1) {
    const x = view.toX(points.x[index]);
    const y = view.toY(points.y[index]);
    if (x >= left && x <= right && y >= top && y <= bottom && isInside(x, y, across, down)) found.push(index);
  }
  return found;
}

function isInside(x, y, across, down) {
  let inside = false;
  for (let at = 0, last = across.length - 1; at < across.length; last = at, at += 1) {
    const crosses = down[at] > y !== down[last] > y;
    if (crosses && x < ((across[last] - across[at]) * (y - down[at])) / (down[last] - down[at]) + across[at]) inside = !inside;
  }
  return inside;
}
