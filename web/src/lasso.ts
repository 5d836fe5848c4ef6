/** Points inside a polygon. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Strips that the polygon is cut into: a point is tested against the edges that cross its strip only. */
const STRIPS = 256;

/** Rows whose flag has bit 0 and whose point lies inside the polygon (even-odd rule), ascending. */
export function inside(polygon: readonly Point[], x: ArrayLike<number>, y: ArrayLike<number>, flags: Uint8Array): Uint32Array {
  if (polygon.length < 3) return new Uint32Array(0);
  const px = Float64Array.from(polygon, (point) => point.x);
  const py = Float64Array.from(polygon, (point) => point.y);
  const [left, right, low, high] = [Math.min(...px), Math.max(...px), Math.min(...py), Math.max(...py)];
  const scale = STRIPS / (high - low || 1);
  const strips = crossing(py, low, scale);
  const rows = new Uint32Array(flags.length);
  let count = 0;
  for (let row = 0; row < flags.length; row++) {
    const u = x[row]!;
    const v = y[row]!;
    if (!(flags[row]! & 1) || !(u >= left && u <= right && v >= low && v <= high)) continue;
    if (within(px, py, strips[Math.min(STRIPS - 1, Math.floor((v - low) * scale))]!, u, v)) rows[count++] = row;
  }
  return rows.slice(0, count);
}

/** Edges, by their last corner, that touch each strip. */
function crossing(py: Float64Array, low: number, scale: number): Uint32Array[] {
  const strips = Array.from({ length: STRIPS }, (): number[] => []);
  for (let i = 0, j = py.length - 1; i < py.length; j = i++) {
    const from = Math.floor((Math.min(py[i]!, py[j]!) - low) * scale);
    const to = Math.floor((Math.max(py[i]!, py[j]!) - low) * scale);
    for (let k = Math.max(0, from - 1); k <= Math.min(STRIPS - 1, to + 1); k++) strips[k]!.push(i);
  }
  return strips.map((edges) => Uint32Array.from(edges));
}

function within(px: Float64Array, py: Float64Array, edges: Uint32Array, u: number, v: number): boolean {
  let odd = false;
  for (let k = 0; k < edges.length; k++) {
    const i = edges[k]!;
    const j = i ? i - 1 : px.length - 1;
    const vi = py[i]!;
    const vj = py[j]!;
    if (vi > v !== vj > v && u < ((px[j]! - px[i]!) * (v - vi)) / (vj - vi) + px[i]!) odd = !odd;
  }
  return odd;
}
