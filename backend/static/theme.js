// Colours for canvases, as the style sheet has them now, and a word when they change.

const scheme = window.matchMedia("(prefers-color-scheme: dark)");

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function translucent(hex, share) {
  return `rgb(${channels(hex).join(" ")} / ${share})`;
}

// Red, green and blue of "#rrggbb", 0 to 255.
export function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

export function whenColoursChange(redraw) {
  scheme.addEventListener("change", redraw);
}

// Calls draw(width) now, whenever the width of the host changes, and when the colours do.
export function drawInto(host, draw) {
  let width = 0;
  const redraw = () => {
    width = Math.floor(host.clientWidth);
    if (width > 0) draw(width, host.clientHeight);
  };
  new ResizeObserver(() => {
    if (Math.floor(host.clientWidth) !== width) redraw();
  }).observe(host);
  whenColoursChange(redraw);
}

export const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
