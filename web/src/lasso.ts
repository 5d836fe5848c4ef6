/** Points inside a polygon. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Rows whose flag has bit 0 and whose point lies inside the polygon (even-odd rule), ascending.
 * Edges are tested only for points in the polygon's bounding box. */
export function inside(polygon: readonly Point[], x: ArrayLike<number>, y: ArrayLike<number>, flags: Uint8Array): Uint32Array {
  if (polygon.length < 3) return new Uint32Array(0);
  const px = Float64Array.from(polygon, (point) => point.x);
  const py = Float64Array.from(polygon, (point) => point.y);
  const left = Math.min(...px);
  const right = Math.max(...px);
  const low = Math.min(...py);
  const high = Math.max(...py);
  const rows = new Uint32Array(flags.length);
  let count = 0;
  for (let row = 0; row < flags.length; row++) {
    const u = x[row]!;
    const v = y[row]!;
    if (!(flags[row]! & 1) || !(u >= left && u <= right && v >= low && v <= high)) continue;
    if (within(px, py, u, v)) rows[count++] = row;
  }
  return rows.slice(0, count);
}

function within(px: Float64Array, py: Float64Array, u: number, v: number): boolean {
  let odd = false;
  for (let i = 0, j = px.length - 1; i < px.length; j = i++) {
    const vi = py[i]!;
    const vj = py[j]!;
    if (vi > v !== vj > v && u < ((px[j]! - px[i]!) * (v - vi)) / (vj - vi) + px[i]!) odd = !odd;
  }
  return odd;
}
