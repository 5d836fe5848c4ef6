/** Names on the map, without overlaps. Pure. */

export interface Label {
  readonly text: string;
  /** Middle of the text, pixels. */
  readonly x: number;
  readonly y: number;
}

export interface Wanted extends Label {
  /** Labels that weigh more are placed first. */
  readonly weight: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LONGEST = 28; // characters
const EDGE = 6; // pixels kept free at the edges of the canvas
/** Canvas for each label, square pixels: more would hide the points. Who zooms in sees more of them. */
const ROOM = 26_000;
const LINE = 15;
const GAP = 8; // pixels between two labels on a line
/** Where a label may go from its place, pixels downwards, best first. */
const SHIFTS = [0, -LINE, LINE, -2 * LINE, 2 * LINE] as const;

/** Labels that fit into a canvas, the weightiest first: each at its place or a line or two beside it, or left out.
 *
 * @param measured - Width of a text as it is drawn, pixels. */
export function placedLabels(wanted: readonly Wanted[], { width, height }: Size, measured: (text: string) => number): Label[] {
  const taken: Box[] = [];
  const inside = ({ text, x, y }: Wanted): boolean => text !== "" && x >= 0 && x <= width && y >= 0 && y <= height;
  return wanted
    .filter(inside)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, Math.ceil((width * height) / ROOM))
    .flatMap(({ text, x, y }) => {
      const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
      const half = measured(cut) / 2;
      const middle = Math.max(half + EDGE, Math.min(width - half - EDGE, x));
      for (const shift of SHIFTS) {
        const box = { left: middle - half - GAP / 2, right: middle + half + GAP / 2, top: y + shift - LINE / 2, bottom: y + shift + LINE / 2 };
        if (box.top < 0 || box.bottom > height || taken.some((other) => meet(box, other))) continue;
        taken.push(box);
        return [{ text: cut, x: middle, y: y + shift }];
      }
      return [];
    });
}

const meet = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
