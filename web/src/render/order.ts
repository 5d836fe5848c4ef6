/** In which order rows are drawn, so that where points pile up no colour is hidden for good. Pure. */

/** Code of rows without a value: they lie below all others. */
const NOTHING = 255;
const HEIGHTS = 1 << 16;

/** Rows from the lowest to the topmost, shuffled in a way that is always the same. With `fair`, rare codes rise: in a pile that
 * mixes the codes as the whole does, each lies on top equally often (Efraimidis & Spirakis 2006, weights 1 / count).
 *
 * @param codes - Index into the palette, [rows]. */
export function order(codes: Uint8Array, fair: boolean): Uint32Array {
  const powers = fair ? shares(codes) : null;
  const heights = new Uint16Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code === NOTHING) continue;
    const height = powers ? scattered(row) ** powers[code]! : scattered(row);
    heights[row] = 1 + Math.floor(height * (HEIGHTS - 1));
  }
  return ascending(heights);
}

/** Rows of each code, as a share of those of the most frequent one, [256]. */
function shares(codes: Uint8Array): Float64Array {
  const counts = new Float64Array(256);
  for (const code of codes) counts[code] = counts[code]! + 1;
  const most = counts.subarray(0, NOTHING).reduce((largest, count) => Math.max(largest, count), 1);
  return counts.map((count) => count / most);
}

/** A number in [0, 1) that looks drawn at random, the same for a row every time. */
function scattered(row: number): number {
  let bits = Math.imul((row + 1) ^ (row >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}

/** Rows by their height, lowest first, by counting. */
function ascending(heights: Uint16Array): Uint32Array {
  const starts = new Uint32Array(HEIGHTS + 1);
  for (const height of heights) starts[height + 1]!++;
  for (let height = 0; height < HEIGHTS; height++) starts[height + 1]! += starts[height]!;
  const rows = new Uint32Array(heights.length);
  for (let row = 0; row < heights.length; row++) rows[starts[heights[row]!]!++] = row;
  return rows;
}
