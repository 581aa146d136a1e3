// The parts of the page around the map: elements, the legend, the marks, and the tip beside a point.

const FEW = 10;

export function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

// What is known of a task beside its text.
export function describe(card) {
  const sure = card.confidence === null ? "" : `, ${Math.round(100 * card.confidence)} % sure`;
  const said = card.label === null ? (card.skipped ? "skipped" : "not labelled") : `labelled ${card.label}`;
  const believed = card.predicted === null ? "" : `predicted ${card.predicted}${sure}`;
  return [said, believed].filter(Boolean).join(" · ");
}

// A button for each group; of many classes the small ones are behind a button of their own.
export function showLegend(list, groups, pressed, { all, press, showAll }) {
  const shown = all ? groups : groups.slice(0, FEW);
  const items = shown.map((group) => {
    const swatch = element("span", { className: `swatch ${group.shape}` });
    swatch.style.background = group.colour;
    return toggle([swatch, `${group.name} (${group.members.length.toLocaleString("en")})`], group.name === pressed, () =>
      press(group),
    );
  });
  if (shown.length < groups.length) {
    items.push(toggle([`and ${groups.length - shown.length} more`], null, showAll));
  }
  refill(list, items);
}

// A button for each mark that some point has.
export function showLayers(list, map, on, press) {
  const counts = map.layers.map((_name, bit) => map.points.layers.filter((marks) => marks & (1 << bit)).length);
  const items = map.layers.flatMap((name, bit) =>
    counts[bit] ? [toggle([`${name} (${counts[bit].toLocaleString("en")})`], on.has(bit), () => press(bit))] : [],
  );
  list.parentElement.hidden = !items.length;
  refill(list, items);
}

// The small picture of a task, if it shows one that could be read; `address` is that of task 0.
export function picture(card, address) {
  if (!card.picture) return [];
  const image = element("img", {
    className: "small-picture",
    src: address.replace("/0/", `/${card.task}/`),
    alt: `Picture of task ${card.task}`,
  });
  image.addEventListener("error", () => image.remove());
  return [image];
}

// Why a task stands out, where it does: the line that it carries in Label Studio.
export function why(card, kind) {
  return filled((text) => element(kind, { className: "why", textContent: text }), card.why);
}

function filled(make, text) {
  return text ? [make(text)] : [];
}

export function showTip(tip, card, { address, pictures, held, like }) {
  tip.classList.toggle("held", held);
  const line = (text) => element("p", { textContent: text });
  const heading = element("p");
  heading.append(element("strong", { textContent: `Task ${card.task}` }));
  const words = element("div");
  words.append(heading, line(describe(card)), ...why(card, "p"), ...filled(line, card.text));
  tip.replaceChildren(...picture(card, pictures), words);
  if (!held) return;
  const more = element("button", { type: "button", textContent: "More like this" });
  more.addEventListener("click", () => like(card.task));
  const row = element("p", { className: "buttons" });
  row.append(element("a", { href: address + card.task, textContent: "Open in Label Studio" }), more);
  words.append(row);
}

export function placeTip(tip, [x, y], frame) {
  const left = Math.min(Math.max(8, x + 14), frame.clientWidth - tip.offsetWidth - 8);
  const below = y + 14 + tip.offsetHeight <= frame.clientHeight - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? y + 14 : Math.max(8, y - 14 - tip.offsetHeight)}px`;
}

function toggle(content, pressed, press) {
  const button = element("button", { type: "button" });
  if (pressed !== null) button.setAttribute("aria-pressed", String(pressed));
  button.append(...content);
  button.addEventListener("click", press);
  const item = element("li");
  item.append(button);
  return item;
}

// The button that has the focus keeps it.
function refill(list, items) {
  const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
  list.replaceChildren(...items);
  if (focused >= 0) (items[focused] ?? items[items.length - 1])?.querySelector("button").focus();
}
