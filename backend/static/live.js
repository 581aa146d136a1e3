// Keeps the state at the top of the page true: asks every two seconds while the page is seen.

const EVERY_MS = 2000;
const section = document.querySelector("[data-live]");
const running = section.querySelector(".running");
const bar = running.querySelector("progress");
const news = section.querySelector("[data-news]");
const firstLoop = section.dataset.loop;
let wasRunning = !running.hidden;

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(section.dataset.live, { headers: { Accept: "application/json" } });
    if (answer.ok) show(await answer.json());
  } catch {
    // the backend is being restarted, perhaps: the next look tells
  }
}

function show(state) {
  for (const [name, item] of Object.entries(state.items)) showItem(name, item);
  running.hidden = !state.is_running;
  if (state.is_running) showProgress(state.progress);
  if (String(state.loop ?? "") !== firstLoop) tellOfNewFigures();
  else if (state.is_running && !wasRunning) news.textContent = "A loop has begun.";
  wasRunning = state.is_running;
}

function showItem(name, item) {
  const place = section.querySelector(`[data-item="${name}"]`);
  place.classList.remove("plain", "good", "warning", "bad");
  place.classList.add(item.tone);
  setText(place.querySelector(".words"), item.words);
  const meter = place.querySelector("meter");
  if (meter) meter.value = item.share;
}

function showProgress(progress) {
  setText(running.querySelector(".words"), progress.words);
  if (progress.share === null) bar.removeAttribute("value");
  else bar.value = progress.share;
}

function tellOfNewFigures() {
  if (news.querySelector("a")) return;
  const link = document.createElement("a");
  link.href = window.location.pathname;
  link.textContent = "Show the new figures";
  news.replaceChildren("A loop has ended. ", link);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
