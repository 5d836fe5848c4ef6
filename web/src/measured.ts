/** How wide a text is as the page draws it. */

const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null = null;

/** The page's font, as an SVG that leaves the page must name it. */
export const family = (): string => getComputedStyle(document.documentElement).fontFamily;

/** Width of a text in pixels; `font` is its weight and size, such as `600 11px`. */
export function measured(text: string, font: string): number {
  const key = `${font} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement("canvas").getContext("2d")!;
  context.font = `${font} ${family()}`;
  const { width } = context.measureText(text);
  widths.set(key, width);
  return width;
}
