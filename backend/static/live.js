// Keeps what the page says of this moment true: asks every two seconds while the page is seen.

const EVERY_MS = 2000;
const section = document.querySelector("[data-live]");
const overall = section.querySelector("[data-overall]");
const running = section.querySelector(".running");
const bar = running.querySelector("progress");
const news = section.querySelector("[data-news]");
const { loop: firstLoop, faults: firstFaults } = section.dataset;
let wasRunning = !running.hidden;

// On a phone, what is long begins closed.
if (window.matchMedia("(max-width: 640px)").matches) {
  for (const part of document.querySelectorAll("[data-fold]")) part.open = false;
}

for (const time of document.querySelectorAll("time")) time.title = new Date(time.dateTime).toLocaleString();

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(section.dataset.live, { headers: { Accept: "application/json" } });
    if (answer.ok) show(await answer.json());
    else if (answer.status === 401) offer("You are not logged in any more. ", "Log in");
  } catch {
    // the backend is being restarted, perhaps: the next look tells
  }
}

function show(state) {
  for (const [name, item] of Object.entries(state.items)) showItem(name, item);
  setTone(overall, state.overall.tone);
  setText(overall.querySelector(".words"), state.overall.words);
  running.hidden = !state.is_running;
  if (state.is_running) showProgress(state.progress);
  if (String(state.loop ?? "") !== firstLoop) offer("It has looked for new answers. ", "Show the new figures");
  else if (state.faults.join(" ") !== firstFaults) offer("Something has changed. ", "Show it");
  else if (state.is_running && !wasRunning) news.textContent = "It has begun to learn.";
  wasRunning = state.is_running;
}

function showItem(name, item) {
  for (const place of document.querySelectorAll(`[data-item="${name}"]`)) {
    if (place.matches("dl *")) setTone(place, item.tone);
    setText(place.querySelector(".words"), item.words);
    const meter = place.querySelector("meter");
    if (meter) meter.value = item.share;
  }
}

function showProgress(progress) {
  setText(running.querySelector(".words"), progress.words);
  if (progress.share === null) bar.removeAttribute("value");
  else bar.value = progress.share;
}

function offer(words, invitation) {
  if (news.querySelector("a")) return;
  const link = document.createElement("a");
  link.href = window.location.pathname;
  link.textContent = invitation;
  news.replaceChildren(words, link);
}

function setTone(element, tone) {
  element.classList.remove("plain", "good", "warning", "bad");
  element.classList.add(tone);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
