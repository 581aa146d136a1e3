// Which part of the map is seen: from places in data to pixels and back.

const MARGIN = 0.93;
const DEEPEST = 60;

export class View {
  constructor(points) {
    const [left, right] = ends(points.x);
    const [low, high] = ends(points.y);
    this.middle = { x: (left + right) / 2, y: (low + high) / 2 };
    this.reach = { x: (right - left) / 2 || 1, y: (high - low) / 2 || 1 };
    this.centre = { ...this.middle };
    this.zoom = 1;
    this.resize(1, 1);
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.#measure();
  }

  // Pixels for one unit of data, by direction: all of the map fills the frame.
  #measure() {
    this.unit = {
      x: (this.zoom * MARGIN * this.width) / (2 * this.reach.x),
      y: (this.zoom * MARGIN * this.height) / (2 * this.reach.y),
    };
  }

  toX(x) {
    return this.width / 2 + (x - this.centre.x) * this.unit.x;
  }

  toY(y) {
    return this.height / 2 - (y - this.centre.y) * this.unit.y;
  }

  toPixels(x, y) {
    return [this.toX(x), this.toY(y)];
  }

  // Keeps what lies under a pixel there.
  zoomAt(factor, [across, down] = [this.width / 2, this.height / 2]) {
    const before = this.unit;
    const [fromMiddle, fromTop] = [across - this.width / 2, down - this.height / 2];
    this.zoom = Math.min(DEEPEST, Math.max(1, this.zoom * factor));
    this.#measure();
    const after = this.unit;
    this.centre.x += fromMiddle / before.x - fromMiddle / after.x;
    this.centre.y -= fromTop / before.y - fromTop / after.y;
    this.#stayInside();
  }

  move(across, down) {
    this.centre.x -= across / this.unit.x;
    this.centre.y += down / this.unit.y;
    this.#stayInside();
  }

  showAll() {
    this.zoom = 1;
    this.#measure();
    this.centre = { ...this.middle };
  }

  showPlace(x, y) {
    const [across, down] = this.toPixels(x, y);
    if (across >= 0 && across <= this.width && down >= 0 && down <= this.height) return;
    this.centre = { x, y };
    this.#stayInside();
  }

  #stayInside() {
    for (const way of ["x", "y"]) {
      const most = this.reach[way] * (1 - 1 / this.zoom);
      const off = this.centre[way] - this.middle[way];
      this.centre[way] = this.middle[way] + Math.min(most, Math.max(-most, off));
    }
  }
}

function ends(values) {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
