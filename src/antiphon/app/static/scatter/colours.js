// Colours of a map: names by Okabe and Ito with a shape each, quantities by viridis, hours around a circle.

import { colours } from "../media/colours.js";

const ON_WHITE = ["0072b2", "d55e00", "009e73", "cc79a7", "e69f00", "56b4e9", "1a1a1a"];
const ON_BLACK = ["56b4e9", "e69f00", "009e73", "cc79a7", "d55e00", "f0e442", "e8e8e8"];

export const SHAPES = ["circle", "square", "triangle"];

const bytes = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));

// For each of 256 codes [red, green, blue, shape]; the last is that of what is not known.
export function palette(legend, dark) {
  const table = Array.from({ length: 256 }, () => [128, 128, 128, 0]);
  if (legend.kind === "categories") {
    const names = (dark ? ON_BLACK : ON_WHITE).map(bytes);
    for (let i = 0; i < names.length * SHAPES.length; i++) {
      table[i] = [...names[i % names.length], Math.floor(i / names.length)];
    }
  } else {
    const { steps } = legend;
    const map = legend.kind === "cycle" ? hours() : colours("viridis");
    for (let i = 0; i <= steps; i++) table[i] = [...map[Math.round((i / steps) * 255)], 0];
  }
  table[255] = dark ? [92, 100, 110, 0] : [176, 183, 192, 0];
  return table;
}

export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

// Midnight dark, noon light, morning blue, evening orange: both the lightness and the axis from
// blue to orange can be told apart by the colour-blind. Steps are even in OKLab.
export function hours() {
  return Array.from({ length: 256 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 256;
    const light = 0.64 - 0.2 * Math.cos(angle);
    const side = -Math.sin(angle);
    return side < 0
      ? oklab(light, 0.01 + 0.04 * side, 0.02 + 0.14 * side)
      : oklab(light, 0.01 + 0.09 * side, 0.02 + 0.11 * side);
  });
}

// B. Ottosson (2020), "A perceptual color space for image processing".
function oklab(L, a, b) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const c = Math.min(1, Math.max(0, linear));
    return Math.round(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
  });
}
