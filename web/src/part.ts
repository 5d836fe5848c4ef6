/** A part of a map, as an address says it. Pure. */

/** What a canvas shows of a layout, from edge to edge, whatever its size in pixels. */
export interface Part {
  /** The coordinate in the middle. */
  readonly x: number;
  readonly y: number;
  /** Units across and up; null: as many to a pixel as across. */
  readonly wide: number;
  readonly tall: number | null;
}

/** Part of a map in an address: `0.25_0.5_0.1_0.2`, the middle and what lies across and up, to a thousandth of it, a pixel or so;
 * without the last where units are as long up as across.
 *
 * framed({ x: 1 / 3, y: 0.5, wide: 0.1, tall: null }) is "0.3333_0.5_0.1" */
export function framed({ x, y, wide, tall }: Part): string {
  const exact = (value: number, of: number): number => Number(value.toFixed(Math.max(0, Math.min(20, Math.ceil(3 - Math.log10(of))))));
  const up = tall ?? wide;
  return [exact(x, wide), exact(y, up), exact(wide, wide), ...(tall === null ? [] : [exact(tall, tall)])].join("_");
}

/** The part of a map that an address says; null if it says none. */
export function unframed(text: string): Part | null {
  const said = text.split("_");
  const [x = NaN, y = NaN, wide = NaN, tall = null] = said.map((value) => (value ? Number(value) : NaN));
  const sides = [wide, tall ?? wide];
  const isPart = said.length <= 4 && [x, y, ...sides].every(Number.isFinite) && sides.every((side) => side > 0);
  return isPart ? { x, y, wide, tall } : null;
}
