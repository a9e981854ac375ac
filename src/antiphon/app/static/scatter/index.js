// Where points of the plane are: the nearest one, those in a polygon, the next one in a direction.

const CELLS = 256;

export class PointIndex {
  // xy: Float32Array of x and y in turn, both from -1 to 1.
  constructor(xy) {
    this.xy = xy;
    const n = xy.length / 2;
    const cell = new Uint16Array(n);
    this.first = new Uint32Array(CELLS * CELLS + 1);
    for (let i = 0; i < n; i++) {
      cell[i] = index(xy[2 * i]) + CELLS * index(xy[2 * i + 1]);
      this.first[cell[i] + 1]++;
    }
    for (let c = 0; c < CELLS * CELLS; c++) this.first[c + 1] += this.first[c];
    const at = this.first.slice(0, -1);
    this.order = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.order[at[cell[i]]++] = i;
  }

  // Points in a rectangle, in no order.
  within(left, bottom, right, top) {
    const { xy, first, order } = this;
    const found = [];
    for (let row = index(bottom); row <= index(top); row++) {
      const begin = first[CELLS * row + index(left)];
      const end = first[CELLS * row + index(right) + 1];
      for (let k = begin; k < end; k++) {
        const i = order[k];
        const x = xy[2 * i];
        const y = xy[2 * i + 1];
        if (x >= left && x <= right && y >= bottom && y <= top) found.push(i);
      }
    }
    return found;
  }

  // The nearest point within a distance that is wanted; -1 if there is none.
  nearest(x, y, most, wanted = () => true) {
    let best = -1;
    let least = most * most;
    for (const i of this.within(x - most, y - most, x + most, y + most)) {
      const apart = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
      if (apart <= least && wanted(i)) {
        least = apart;
        best = i;
      }
    }
    return best;
  }

  // The next point from point i towards (dx, dy), of length 1: near, and not far off the line.
  towards(i, dx, dy, wanted = () => true) {
    const x = this.xy[2 * i];
    const y = this.xy[2 * i + 1];
    for (let reach = 2 / CELLS; reach < 8; reach *= 2) {
      let best = -1;
      let least = Infinity;
      for (const k of this.within(x - reach, y - reach, x + reach, y + reach)) {
        const ax = this.xy[2 * k] - x;
        const ay = this.xy[2 * k + 1] - y;
        const along = ax * dx + ay * dy;
        const across = Math.abs(ax * dy - ay * dx);
        const cost = along + 2 * across;
        if (along > 1e-7 && across <= along && cost < least && along <= reach && wanted(k)) {
          least = cost;
          best = k;
        }
      }
      if (best >= 0) return best;
    }
    return -1;
  }

  // Points inside a closed polygon [[x, y], ...] by the even-odd rule, in rising order.
  inside(polygon, wanted = () => true) {
    if (polygon.length < 3) return [];
    const xs = polygon.map(([x]) => x);
    const ys = polygon.map(([, y]) => y);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    return this.within(...box)
      .filter((i) => wanted(i) && isInside(this.xy[2 * i], this.xy[2 * i + 1], polygon))
      .sort((a, b) => a - b);
  }
}

export function isInside(x, y, polygon) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

function index(value) {
  return Math.min(CELLS - 1, Math.max(0, Math.floor(((value + 1) / 2) * CELLS)));
}
