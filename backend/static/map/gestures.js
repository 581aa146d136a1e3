// Pointers and wheel on the map, as what they mean: moved, zoomed, drawn around, pointed at, tapped.

const TAP_PX = 6;
const WHEEL_STEP = 1.0018;
const STEP_PX = 4;

// `told` has the functions move, zoom, lasso, lassoEnd, point, tap, leave, plainWheel; `isLasso` says which tool.
export function listen(surface, isLasso, told) {
  const fingers = new Map();
  let moved = 0;
  let line = [];

  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, place(event));
    moved = fingers.size > 1 ? Infinity : 0;
    line = isLasso() || event.shiftKey ? [place(event)] : [];
  });
  surface.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") told.point(place(event));
      return;
    }
    const now = place(event);
    moved += distance(before, now);
    if (moved <= TAP_PX) return;
    if (!surface.hasPointerCapture(event.pointerId)) surface.setPointerCapture(event.pointerId);
    if (fingers.size === 2) pinch(fingers, event.pointerId, now, told);
    else if (line.length) {
      if (distance(line[line.length - 1], now) >= STEP_PX) line.push(now);
      told.lasso(line);
    } else told.move(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (event.type === "pointercancel") told.lasso([]);
    else if (moved <= TAP_PX) told.tap(place(event), event.pointerType !== "mouse");
    else if (line.length > 2) told.lassoEnd(line);
    line = [];
  };
  surface.addEventListener("pointerup", lift);
  surface.addEventListener("pointercancel", lift);
  surface.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !fingers.size) told.leave();
  });
  surface.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) {
        told.plainWheel();
        return;
      }
      event.preventDefault();
      told.zoom(WHEEL_STEP ** -event.deltaY, place(event));
    },
    { passive: false },
  );
}

function pinch(fingers, moving, now, told) {
  const [id] = [...fingers.keys()].filter((other) => other !== moving);
  const [still, before] = [fingers.get(id), fingers.get(moving)];
  const middle = [(still[0] + now[0]) / 2, (still[1] + now[1]) / 2];
  told.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  told.zoom(distance(still, now) / Math.max(1, distance(still, before)), middle);
}

function distance([x, y], [otherX, otherY]) {
  return Math.hypot(x - otherX, y - otherY);
}
