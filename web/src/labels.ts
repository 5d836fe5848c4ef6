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

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LONGEST = 28; // characters
const LETTER = 6.4; // pixels that a letter of 11 px bold takes, about
const LINE = 15;
/** Where a label may go from its place, pixels downwards, best first. */
const SHIFTS = [0, -LINE, LINE, -2 * LINE, 2 * LINE] as const;

/** Labels that fit into a canvas, the weightiest first: each at its place or a line or two beside it, or left out. */
export function placedLabels(wanted: readonly Wanted[], width: number, height: number): Label[] {
  const taken: Box[] = [];
  return [...wanted]
    .sort((a, b) => b.weight - a.weight)
    .flatMap(({ text, x, y }) => {
      const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
      const half = (cut.length * LETTER) / 2;
      const middle = Math.max(half + 4, Math.min(width - half - 4, x));
      if (x < 0 || x > width || y < 0 || y > height || !cut) return [];
      for (const shift of SHIFTS) {
        const box = { left: middle - half, right: middle + half, top: y + shift - LINE / 2, bottom: y + shift + LINE / 2 };
        if (box.top < 0 || box.bottom > height || taken.some((other) => meet(box, other))) continue;
        taken.push(box);
        return [{ text: cut, x: middle, y: y + shift }];
      }
      return [];
    });
}

const meet = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
