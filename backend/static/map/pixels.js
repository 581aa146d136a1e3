// Paints points pixel by pixel: to let a canvas copy a hundred thousand small pictures takes a third of a second.

import { channels } from "../theme.js";

const OPAQUE = 255;

// What is copied to where a point stands: the pixels of a small canvas that are not empty.
export class Stamp {
  // `strength`: the share of its colour that is left, 1 for all.
  constructor(canvas, strength) {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const places = [...Array(width * height).keys()].filter((place) => strength * data[4 * place + 3] >= 1);
    this.half = Math.floor(width / 2);
    this.across = Int32Array.from(places, (place) => (place % width) - this.half);
    this.down = Int32Array.from(places, (place) => Math.floor(place / width) - this.half);
    this.alpha = Uint8Array.from(places, (place) => Math.round(strength * data[4 * place + 3]));
    this.colours = Uint32Array.from(places, (place) => pack(...data.subarray(4 * place, 4 * place + 3)));
  }
}

export class Pixels {
  // In pixels of the screen. Around them is a margin, so that points at the edge need no care.
  resize(width, height, margin) {
    this.margin = margin;
    this.row = width + 2 * margin;
    this.image = new ImageData(this.row, height + 2 * margin);
    this.buffer = new Uint32Array(this.image.data.buffer);
    [this.width, this.height] = [width, height];
  }

  clear(paper) {
    this.buffer.fill(pack(...channels(paper)));
  }

  // Points in the order given; `kinds` says which of the stamps each has, `sharpness` how many pixels are one of CSS.
  paint({ x, y }, view, sharpness, { order, kinds, stamps }) {
    const { buffer, row, margin, width, height } = this;
    const offsets = stamps.map((stamp) => stamp.down.map((down, at) => down * row + stamp.across[at]));
    const { centre, unit } = view;
    const [left, top] = [(sharpness * view.width) / 2, (sharpness * view.height) / 2];
    const [scaleX, scaleY] = [sharpness * unit.x, sharpness * unit.y];
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at];
      const kind = kinds[index];
      const { half, alpha, colours } = stamps[kind];
      const across = Math.floor(left + (x[index] - centre.x) * scaleX);
      const down = Math.floor(top - (y[index] - centre.y) * scaleY);
      if (across < -half || down < -half || across >= width + half || down >= height + half) continue;
      const place = (down + margin) * row + across + margin;
      const here = offsets[kind];
      for (let part = 0; part < here.length; part += 1) {
        const pixel = place + here[part];
        buffer[pixel] = alpha[part] === OPAQUE ? colours[part] : mix(buffer[pixel], colours[part], alpha[part]);
      }
    }
  }

  show(ink) {
    ink.putImageData(this.image, -this.margin, -this.margin);
  }
}

// Red is the lowest byte, as every processor has it that browsers run on.
function pack(red, green, blue) {
  return ((OPAQUE << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// Two bytes at a time: red and blue, then green.
function mix(under, over, alpha) {
  const left = 256 - alpha;
  const redBlue = (((over & 0xff00ff) * alpha + (under & 0xff00ff) * left) >>> 8) & 0xff00ff;
  const green = (((over & 0x00ff00) * alpha + (under & 0x00ff00) * left) >>> 8) & 0x00ff00;
  return (0xff000000 | redBlue | green) >>> 0;
}
