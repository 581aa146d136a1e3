// The map of the pool: what is drawn, how it is moved, and which tasks are picked on it.

import { drawInto } from "./theme.js";
import { listen } from "./map/gestures.js";
import { groupBy } from "./map/groups.js";
import { placeTip, showLayers, showLegend, showTip } from "./map/page.js";
import { Panel } from "./map/panel.js";
import { Picking, insideOf } from "./map/picking.js";
import { Picture } from "./map/picture.js";
import { Server } from "./map/server.js";
import { View } from "./map/view.js";

const REACH_PX = 18;
const TOUCH_REACH_PX = 44;
const ZOOM_STEP = 1.6;
const MOVE_PX = 60;
const LOUD_MS = 1800;
const FOUND = 50;
const FETCHED_AROUND = 30;

const frame = document.querySelector("[data-map]");
if (frame) start();

async function start() {
  const server = new Server(frame);
  try {
    // after the page has been painted
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    new PoolMap(server, await server.map());
  } catch {
    frame.querySelector(".map-hint").textContent = "The map could not be loaded. Load the page again.";
  }
}

class PoolMap {
  constructor(server, map) {
    this.server = server;
    this.map = map;
    this.surface = frame.querySelector(".surface");
    this.tip = frame.querySelector(".tip");
    this.spoken = document.getElementById("map-task");
    this.choice = document.getElementById("colour");
    this.legend = document.querySelector(".map-legend");
    this.marks = document.querySelector(".map-layers");
    for (const way of ["x", "y"]) map.points[way] = Float32Array.from(map.points[way]);
    this.view = new View(map.points);
    this.picture = new Picture(this.surface.querySelector("canvas"));
    this.picking = new Picking(map);
    this.seen = this.picking.seen(null);
    this.pressed = null;
    this.showsAllClasses = false;
    this.chosen = null;
    this.isHeld = false;
    this.lasso = [];
    const told = { clear: () => this.clear(), like: (task) => this.search({ task }, `like task ${task}`) };
    this.panel = new Panel(document.querySelector("[data-picked]"), server, frame.dataset.task, told);
    this.panel.showWaiting(map.asked);
    this.listen();
    drawInto(this.surface, (width, height) => this.resize(width, height));
  }

  resize(width, height) {
    this.view.resize(width, height);
    this.picture.resize(width, height);
    this.group();
  }

  group() {
    this.groups = groupBy(this.choice.value, this.map);
    this.picture.arrange(this.groups, this.seen);
    this.showButtons();
    this.draw();
  }

  showButtons() {
    showLegend(this.legend, this.groups, this.pressed, {
      all: this.showsAllClasses,
      press: (group) => this.pickGroup(group),
      showAll: () => {
        this.showsAllClasses = true;
        this.showButtons();
      },
    });
    showLayers(this.marks, this.map, this.picking.layers, (bit) => {
      this.picking.switchLayer(bit);
      this.picked();
    });
  }

  // Many changes between two frames are one drawing.
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.surface.classList.toggle("zoomed", this.view.zoom > 1);
      this.picture.draw({
        map: this.map,
        view: this.view,
        chosen: this.chosen,
        lasso: this.lasso,
        hasNames: this.choice.value !== "confidence",
        taken: [this.toolBox()],
      });
    });
  }

  toolBox() {
    const tools = frame.querySelector(".map-tools");
    return {
      left: tools.offsetLeft,
      right: tools.offsetLeft + tools.offsetWidth,
      top: tools.offsetTop,
      bottom: tools.offsetTop + tools.offsetHeight,
    };
  }

  picked() {
    const found = this.picking.read();
    this.seen = this.picking.seen(found);
    this.picture.arrange(this.groups, this.seen);
    this.panel.show(found);
    this.choose(null);
    this.showButtons();
    this.draw();
  }

  clear() {
    this.picking.clear();
    this.pressed = null;
    this.picked();
    this.surface.focus({ preventScroll: true });
  }

  pickGroup(group) {
    this.pressed = this.pressed === group.name ? null : group.name;
    const words = group.isNone ? `no ${this.choice.selectedOptions[0].text}` : group.name;
    if (this.pressed === null) this.picking.pick(null);
    else this.picking.pickPoints(group.members, words);
    this.picked();
  }

  pickInside(line) {
    this.lasso = [];
    const found = insideOf(line, this.map.points, this.view);
    this.pressed = null;
    if (found.length) this.picking.pickPoints(found, "inside the lasso");
    else this.picking.pick(null);
    this.picked();
  }

  async search(what, words) {
    const said = document.querySelector("[data-searched]");
    said.textContent = "Looking …";
    try {
      const tasks = await this.server.search(what, FOUND);
      said.textContent = "";
      this.pressed = null;
      this.picking.pick(tasks, words);
      this.picked();
      this.panel.title.focus({ preventScroll: true });
    } catch (error) {
      said.textContent = error.message;
    }
  }

  zoom(factor, place) {
    this.view.zoomAt(factor, place);
    this.choose(null);
    this.draw();
  }

  showAll() {
    this.view.showAll();
    this.choose(null);
    this.draw();
  }

  // Tells of a point: its tip stays when it is held, and is read aloud when it was reached by a key.
  async choose(index, { held = false, speak = false } = {}) {
    this.chosen = index;
    this.isHeld = held && index !== null;
    if (index === null) this.tip.hidden = true;
    this.draw();
    if (index === null) return;
    const { task, x, y } = this.map.points;
    this.view.showPlace(x[index], y[index]);
    const place = this.view.toPixels(x[index], y[index]);
    const [card] = await this.server.texts([task[index], ...this.tasksAround(index)]).catch(() => []);
    if (this.chosen !== index) return;
    if (!card) {
      this.isHeld = false;
      return;
    }
    const like = (number) => this.search({ task: number }, `like task ${number}`);
    // of two that wait for the same card, the one of the pointer must not let go what was held meanwhile
    const look = { address: frame.dataset.task, pictures: frame.dataset.picture, held: this.isHeld, like };
    showTip(this.tip, card, look);
    this.tip.hidden = false;
    placeTip(this.tip, place, frame);
    if (speak) this.spoken.textContent = [...this.tip.querySelectorAll("p")].map((line) => line.textContent).join(". ");
  }

  // Those that may be asked for next: their texts come along.
  tasksAround(index) {
    const { task } = this.map.points;
    const first = Math.max(0, index - FETCHED_AROUND / 2);
    return this.server.cards.has(task[index]) ? [] : task.slice(first, first + FETCHED_AROUND).filter((other) => other !== task[index]);
  }

  nearest([x, y], reach) {
    const { points } = this.map;
    let best = null;
    let shortest = reach ** 2;
    for (let index = 0; index < points.x.length; index += 1) {
      if (!this.seen[index]) continue;
      const distance = (this.view.toX(points.x[index]) - x) ** 2 + (this.view.toY(points.y[index]) - y) ** 2;
      if (distance < shortest) [best, shortest] = [index, distance];
    }
    return best;
  }

  next(step) {
    const count = this.seen.length;
    let at = this.chosen ?? (step > 0 ? -1 : count);
    for (let tried = 0; tried < count; tried += 1) {
      at = (at + step + count) % count;
      if (this.seen[at]) return at;
    }
    return null;
  }

  press(event) {
    const far = event.shiftKey && { ArrowRight: [-1, 0], ArrowLeft: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (far) {
      this.view.move(MOVE_PX * far[0], MOVE_PX * far[1]);
      this.draw();
    } else if (step) this.choose(this.next(step), { speak: true });
    else if (event.key === "Enter" && this.chosen !== null) this.open(this.chosen);
    else if (event.key === "m" && this.chosen !== null) {
      const task = this.map.points.task[this.chosen];
      this.search({ task }, `like task ${task}`);
    } else if (event.key === "+" || event.key === "=") this.zoom(ZOOM_STEP);
    else if (event.key === "-") this.zoom(1 / ZOOM_STEP);
    else if (event.key === "0") this.showAll();
    else if (event.key === "Escape") this.choose(null);
    else return;
    event.preventDefault();
  }

  open(index) {
    window.open(frame.dataset.task + this.map.points.task[index], "_blank", "noopener");
  }

  listen() {
    const lassoButton = frame.querySelector("[data-lasso]");
    const isLasso = () => lassoButton.getAttribute("aria-pressed") === "true";
    const hint = document.querySelector(".map-hint");
    lassoButton.addEventListener("click", () => {
      lassoButton.setAttribute("aria-pressed", String(!isLasso()));
      this.surface.classList.toggle("lasso", isLasso());
    });
    frame.querySelector("[data-in]").addEventListener("click", () => this.zoom(ZOOM_STEP));
    frame.querySelector("[data-out]").addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    frame.querySelector("[data-all]").addEventListener("click", () => this.showAll());
    listen(this.surface, isLasso, {
      move: (across, down) => {
        this.view.move(across, down);
        this.choose(null);
      },
      zoom: (factor, place) => this.zoom(factor, place),
      lasso: (line) => {
        this.lasso = line;
        this.choose(null);
      },
      lassoEnd: (line) => this.pickInside(line),
      point: (place) => this.point(place),
      tap: (place, touched) => this.tap(this.nearest(place, touched ? TOUCH_REACH_PX : REACH_PX), touched),
      leave: () => this.point(null),
      plainWheel: () => {
        hint.classList.add("loud");
        setTimeout(() => hint.classList.remove("loud"), LOUD_MS);
      },
    });
    this.surface.addEventListener("keydown", (event) => this.press(event));
    this.choice.addEventListener("change", () => {
      this.pressed = null;
      this.group();
    });
    // pictures alone are not found by a sentence
    document.querySelector(".map-search")?.addEventListener("submit", (event) => {
      event.preventDefault();
      const sentence = event.target.elements.sentence.value.trim();
      if (sentence) this.search({ sentence }, `like “${sentence}”`);
    });
  }

  // Who has no pointer to hover with reads the tip first: there is a link in it.
  tap(index, touched) {
    this.choose(index, { held: true });
    if (index !== null && !touched) this.open(index);
  }

  // A tip that is held stays until something else is tapped.
  point(place) {
    if (this.isHeld) return;
    const index = place === null ? null : this.nearest(place, REACH_PX);
    if (index !== this.chosen) this.choose(index);
  }
}
