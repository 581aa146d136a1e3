// The list of picked tasks, and what can be done with them.

import { describe, element, picture, why } from "./page.js";

const AT_ONCE = 8;
const LONGEST_TITLE = 40;
// What the server takes of a selection.
const MOST_IN_TAB = 500;
const MOST_SENT = 2000;

export class Panel {
  // `told` has the functions clear and like (a task).
  constructor(root, server, address, told) {
    this.root = root;
    this.server = server;
    this.address = address;
    this.told = told;
    this.title = root.querySelector("h3");
    this.list = root.querySelector("ol");
    this.more = root.querySelector("[data-more]");
    this.said = root.querySelector("[data-said]");
    this.form = root.querySelector("form");
    this.waiting = document.querySelector("[data-asked]");
    this.#listen();
  }

  show(found) {
    this.found = found;
    this.shown = 0;
    this.root.hidden = found === null;
    this.say("");
    if (found === null) return;
    const count = found.tasks.length;
    const elsewhere = found.onMap < count ? `, ${found.onMap.toLocaleString("en")} of them on this map` : "";
    this.title.textContent = `${counted(count)}: ${found.words}${elsewhere}`;
    this.form.elements.title.value = capital(found.words).slice(0, LONGEST_TITLE);
    this.list.replaceChildren();
    this.#showMore();
  }

  say(words, link) {
    this.said.replaceChildren(words);
    if (link) this.said.append(" ", element("a", { href: link, textContent: "Open it" }));
  }

  showWaiting(count) {
    this.waiting.hidden = !count;
    this.waiting.querySelector("span").textContent = `${counted(count)} picked here ${count === 1 ? "comes" : "come"} first.`;
  }

  async #showMore() {
    const found = this.found;
    const part = found.tasks.slice(this.shown, this.shown + AT_ONCE);
    this.shown += part.length;
    this.more.hidden = this.shown >= found.tasks.length;
    const cards = await this.#try(() => this.server.texts(part));
    if (cards && found === this.found) this.list.append(...cards.map((card) => this.#row(card)));
  }

  #row(card) {
    const link = element("a", { href: this.address + card.task, textContent: card.text || `Task ${card.task}` });
    const like = element("button", { type: "button", textContent: "More like this" });
    like.setAttribute("aria-label", `More like task ${card.task}`);
    like.addEventListener("click", () => this.told.like(card.task));
    const row = element("li");
    const said = element("div");
    said.append(link, element("span", { className: "muted", textContent: describe(card) }), ...why(card, "span"));
    row.append(...picture(card, this.server.addresses.picture), said, like);
    return row;
  }

  #listen() {
    const button = (name) => this.root.querySelector(`[data-${name}]`);
    this.more.addEventListener("click", () => this.#showMore());
    button("clear").addEventListener("click", () => this.told.clear());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(() => this.server.makeTab(this.found.tasks.slice(0, MOST_IN_TAB + 1), this.form.elements.title.value));
    });
    button("ask").addEventListener("click", () => this.#do(() => this.server.askNext(this.found.tasks.slice(0, MOST_SENT))));
    this.waiting.querySelector("button").addEventListener("click", () => this.#do(() => this.server.takeBack()));
  }

  async #do(act) {
    const done = await this.#try(act);
    if (!done) return;
    this.say(done.words, done.link);
    if (done.asked !== undefined) this.showWaiting(done.asked);
  }

  async #try(act) {
    try {
      return await act();
    } catch (error) {
      this.say(error.message || "That did not work.");
      return null;
    }
  }
}

function counted(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "task" : "tasks"}`;
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
