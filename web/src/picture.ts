/** Parts of the page as pictures that need no style sheet: an SVG, or the same drawn. */

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

const NAMESPACE = "http://www.w3.org/2000/svg";
/** Room around a part, pixels. */
const EDGE = 10;
/** Device pixels to a pixel of the page: what is printed is looked at closely. */
export const FINE = 2;
/** How far below the middle of a line its letters stand, in their size. */
const DROP = 0.35;
/** What an element of a drawing gets from the page's style sheet. */
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "paint-order", "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline"] as const;
/** What is no part of a picture. */
const LEFT_OUT = ".sr, [data-undrawn]";

export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function element(name: string, attributes: Readonly<Record<string, string | number>>, children: string | readonly Element[] = ""): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...(typeof children === "string" ? [children] : children));
  return made;
}

/** A colour as every reader of SVG knows it: mixed ones are computed as `color(srgb 1 0.5 0)`. */
export function plain(colour: string): string {
  const [, red, green, blue, alpha] = /^color\(srgb (\S+) (\S+) (\S+?)(?: \/ (\S+))?\)$/.exec(colour) ?? [];
  if (red === undefined) return colour;
  const [r, g, b] = [red, green, blue].map((one) => Math.round(255 * Number(one)));
  return alpha === undefined ? `rgb(${r}, ${g}, ${b})` : `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** A copy of a drawing that looks the same without the page's style sheet. */
export function copied(from: SVGElement, box: Readonly<Record<string, number>>): SVGElement {
  const copy = from.cloneNode(true) as SVGElement;
  const seen = [from, ...from.querySelectorAll<SVGElement>("*")];
  [copy, ...copy.querySelectorAll<SVGElement>("*")].forEach((one, at) => {
    const look = getComputedStyle(seen[at]!);
    for (const name of STYLES) one.setAttribute(name, plain(look.getPropertyValue(name)));
    one.removeAttribute("class");
  });
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, String(value));
  return copy;
}

/** An SVG of these parts on the page's ground. */
export function whole(width: number, height: number, viewBox: string, parts: readonly Element[]): Picture {
  const ground = element("rect", { width: "100%", height: "100%", fill: token("--ground") });
  const svg = element("svg", { xmlns: NAMESPACE, width, height, viewBox }, [ground, ...parts]);
  const [x, y] = viewBox.split(" ");
  ground.setAttribute("x", x!);
  ground.setAttribute("y", y!);
  return { svg: new XMLSerializer().serializeToString(svg), width, height };
}

/** An element of the page as it is seen now, to the lowest of its parts. */
export function pictured(of: HTMLElement): Picture {
  const { x, y } = of.getBoundingClientRect();
  const shown = [...of.children].filter((one) => !one.matches(LEFT_OUT));
  const foot = Math.max(...shown.map((one) => one.getBoundingClientRect().bottom));
  const [width, tall] = [of.scrollWidth + 2 * EDGE, foot - y + 2 * EDGE];
  return whole(width, tall, `${x - EDGE} ${y - EDGE} ${width} ${tall}`, [...of.childNodes].flatMap((one) => drawn(one, of)));
}

function drawn(node: Node, parent: Element): readonly SVGElement[] {
  if (node instanceof Text) return lines(node, getComputedStyle(parent));
  if (!(node instanceof Element) || node.matches(LEFT_OUT)) return [];
  const look = getComputedStyle(node);
  const { x, y, width, height } = node.getBoundingClientRect();
  if (look.display === "none" || look.visibility === "hidden") return [];
  if (node instanceof SVGElement) return [copied(node, { x, y, width, height })];
  if (node instanceof HTMLInputElement) return node.type === "number" || node.type === "text" ? [letters(node.value || node.placeholder, { x, y, width, height }, look)] : [];
  const inside = [...node.childNodes].flatMap((one) => drawn(one, node));
  const cut = look.overflowX !== "visible" && node.scrollWidth > node.clientWidth;
  return [...boxes(node, look), ...(cut ? [element("svg", { x, y, width, height, viewBox: `${x} ${y} ${width} ${height}` }, inside)] : inside)];
}

/** Ground and lower edge of an element, for each line that it is on. */
function boxes(of: Element, look: CSSStyleDeclaration): readonly SVGElement[] {
  const under = Number.parseFloat(look.borderBottomWidth);
  return [...of.getClientRects()].flatMap(({ x, y, width, height }) => [
    ...(isSeen(look.backgroundColor) ? [element("rect", { x, y, width, height, fill: plain(look.backgroundColor) })] : []),
    ...(under && isSeen(look.borderBottomColor) ? [element("rect", { x, y: y + height - under, width, height: under, fill: plain(look.borderBottomColor) })] : []),
  ]);
}

const isSeen = (colour: string): boolean => colour !== "transparent" && !/, 0\)$/.test(colour);

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A text, one element for each of its lines. */
function lines(text: Text, look: CSSStyleDeclaration): readonly SVGElement[] {
  const found: { said: string; box: Box }[] = [];
  const range = document.createRange();
  for (const { 0: word, index } of text.data.matchAll(/\S+/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const box = range.getBoundingClientRect();
    const last = found.at(-1);
    if (last && Math.abs(last.box.y - box.y) < 2) last.said += ` ${word}`;
    else if (box.width) found.push({ said: word, box });
  }
  return found.map(({ said, box }) => letters(said, box, look));
}

function letters(said: string, { x, y, width, height }: Box, look: CSSStyleDeclaration): SVGElement {
  const { direction, fontSize, fontWeight, fontFamily, color } = look;
  const foot = y + height / 2 + DROP * Number.parseFloat(fontSize);
  return element("text", { x: direction === "rtl" ? x + width : x, y: foot, direction, "font-size": fontSize, "font-weight": fontWeight, "font-family": fontFamily, fill: plain(color) }, said);
}

/** A picture drawn as finely as it is printed. */
export async function raster({ svg, width, height }: Picture): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(FINE * width), Math.ceil(FINE * height)];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture could not be drawn"))), "image/png"));
}

/** A picture as a file. */
export const filed = async (seen: Picture, kind: "png" | "svg"): Promise<Blob> => (kind === "png" ? raster(seen) : new Blob([seen.svg], { type: "image/svg+xml" }));
