// Colour maps that the colour-blind can read; the same control points as on the server.

const CONTROL = {
  viridis:
    "440154 481568 482677 453781 3f4788 39558c 32648e 2d718e 287d8e 238a8d " +
    "1f968b 20a386 29af7f 3cbc75 56c667 74d055 94d840 b8de29 dce318 fde725",
  magma: "000004 180f3e 451077 721f81 9f2f7f cd4071 f1605d fd9567 fec98d fcfdbf",
  grey: "000000 ffffff",
};

export const MAPS = [
  "viridis",
  "magma",
  "grey",
  "viridis-inverted",
  "magma-inverted",
  "grey-inverted",
];

const bytes = new Map();
const words = new Map();

// 256 colours of a map from quiet to loud, as [red, green, blue].
export function colours(name) {
  if (!bytes.has(name)) bytes.set(name, make(name));
  return bytes.get(name);
}

// The same as 256 pixels of a canvas.
export function pixels(name) {
  if (!words.has(name)) {
    const table = new Uint8ClampedArray(4 * 256);
    colours(name).forEach((rgb, i) => table.set([...rgb, 255], 4 * i));
    words.set(name, new Uint32Array(table.buffer));
  }
  return words.get(name);
}

// The colour of a share from 0 to 1, for CSS.
export function cssColour(share, name = "viridis") {
  const at = Math.round(Math.min(Math.max(share || 0, 0), 1) * 255);
  return `rgb(${colours(name)[at].join(" ")})`;
}

function make(name) {
  const [map, inverted] = name.split("-");
  const control = (CONTROL[map] || CONTROL.viridis)
    .split(" ")
    .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const table = Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (control.length - 1);
    const below = Math.min(Math.floor(at), control.length - 2);
    return [0, 1, 2].map((k) =>
      Math.round(control[below][k] + (at - below) * (control[below + 1][k] - control[below][k])),
    );
  });
  return inverted ? table.reverse() : table;
}
