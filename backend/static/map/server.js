// What the map asks of the server: texts of tasks, searches, and what to do with picked tasks.

const AT_ONCE = 100;

export class Server {
  constructor(frame) {
    this.addresses = frame.dataset;
    this.token = frame.querySelector("[name=csrf_token]").value;
    this.cards = new Map();
  }

  map() {
    return this.#ask(this.addresses.map);
  }

  // What is known of some tasks, their texts as well; each is asked for once.
  async texts(tasks) {
    const missing = tasks.filter((task) => !this.cards.has(task)).slice(0, AT_ONCE);
    if (missing.length) {
      const found = await this.#ask(`${this.addresses.tasks}?task=${missing.join(",")}`);
      for (const card of found.tasks) this.cards.set(card.task, card);
    }
    return tasks.flatMap((task) => (this.cards.has(task) ? [this.cards.get(task)] : []));
  }

  async search(what, count) {
    return (await this.#send(this.addresses.search, { ...what, count })).tasks;
  }

  makeTab(tasks, title) {
    return this.#send(this.addresses.tabs, { tasks, title });
  }

  askNext(tasks) {
    return this.#send(this.addresses.ask, { tasks });
  }

  takeBack() {
    return this.#send(this.addresses.undo, {});
  }

  #send(address, fields) {
    const form = new FormData();
    form.set("csrf_token", this.token);
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return this.#ask(address, { method: "POST", body: form });
  }

  async #ask(address, options = {}) {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
    const found = await answer.json();
    if (answer.ok) return found;
    throw new Error([found.error?.message, found.error?.hint].filter(Boolean).join(" "));
  }
}
