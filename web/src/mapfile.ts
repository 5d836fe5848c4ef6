/** The map as a file: its points, what lies over them, and the legend, in one SVG; as PNG the same, drawn. */

import { frame } from "./drawing";
import { camera, colours, extent, here, palette, scene } from "./plane";
import { PATHS } from "./marks";
import { family, measured } from "./measured";
import { reference } from "./reference";
import { CpuRenderer } from "./render/cpu";
import { SHAPES } from "./render/shapes";
import { named } from "./wire";

const NAMESPACE = "http://www.w3.org/2000/svg";
const LINE = 20;
const EDGE = 12;
const FONT = "400 12px";
/** Room for the mark of an entry and before the next one, pixels. */
const BESIDE = 32;
/** Device pixels to a pixel of the map: what is printed is looked at closely. */
const FINE = 2;
/** Named entries of the legend in a picture. */
const NAMED = 20;
/** What an element of the overlay gets from the page's style sheet, which a file does not have. */
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "paint-order", "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline"] as const;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

/** The points as a PNG, finer than on the screen, as a data address. */
function points(): string {
  const canvas = document.createElement("canvas");
  const drawing = new CpuRenderer(canvas, FINE);
  const places = here.peek()!;
  drawing.fit(extent.peek().width, extent.peek().height);
  drawing.scene(scene(places, places), palette());
  drawing.draw(frame(camera.peek()!));
  const address = canvas.toDataURL("image/png");
  drawing.dispose();
  return address;
}

/** A copy of what lies over or under the points that looks the same without the page's style sheet. */
function copied(from: SVGElement): SVGElement {
  const { width, height } = extent.peek();
  const copy = from.cloneNode(true) as SVGElement;
  const seen = [from, ...from.querySelectorAll<SVGElement>("*")];
  [copy, ...copy.querySelectorAll<SVGElement>("*")].forEach((one, at) => {
    const look = getComputedStyle(seen[at]!);
    for (const name of STYLES) one.setAttribute(name, look.getPropertyValue(name));
    one.removeAttribute("class");
  });
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  return copy;
}

interface Entry {
  readonly name: string;
  readonly colour: string;
  /** Index into `SHAPES`. */
  readonly shape: number;
}

function entries(): readonly Entry[] {
  const now = colours.peek();
  if (now?.ramp) return [now.ramp.low, now.ramp.high].map((end, at) => ({ name: String(Number(end.toPrecision(3))), colour: now.ramp!.colours.at(at ? -1 : 0)!, shape: 0 }));
  return (now?.entries ?? []).slice(0, NAMED).map((one) => ({ ...one, name: named(now!.column, one.name) }));
}

/** What lies below the points, which is none of the column's. */
const below = (): readonly Entry[] => (reference.peek() ? [{ name: "reference", colour: token("--muted"), shape: 0 }] : []);

/** Entries of the legend side by side, in as many lines as they need. The bottom of the last line is where the picture ends. */
function legend(width: number, top: number): { readonly parts: readonly SVGElement[]; readonly bottom: number } {
  const parts: SVGElement[] = [];
  let x = EDGE;
  let y = top + LINE;
  const title = { name: `${colours.peek()?.column ?? ""}:`, colour: "none", shape: 0 };
  for (const { name, colour, shape } of [...below(), title, ...entries()]) {
    const wide = BESIDE + measured(name, FONT);
    if (x + wide > width - EDGE && x > EDGE) {
      x = EDGE;
      y += LINE;
    }
    parts.push(element("path", { d: PATHS[SHAPES[shape]!], transform: `translate(${x - 1} ${y - 10})`, fill: colour }));
    parts.push(element("text", { x: x + 14, y, fill: token("--text"), "font-size": 12, "font-family": family() }, name));
    x += wide;
  }
  return { parts, bottom: y + EDGE };
}

/** The map as it is seen now; null where none is shown. */
export function picture(): { readonly svg: string; readonly width: number; readonly height: number } | null {
  const over = document.querySelector<SVGElement>(".map svg.overlay");
  const { width, height } = extent.peek();
  if (!over || !here.peek() || !camera.peek() || !width) return null;
  const { parts, bottom } = legend(width, height);
  const whole = element("svg", { xmlns: NAMESPACE, width, height: bottom, viewBox: `0 0 ${width} ${bottom}` });
  const under = document.querySelector<SVGElement>(".map svg.underlay");
  whole.append(
    element("rect", { width, height: bottom, fill: token("--ground") }),
    ...(under ? [copied(under)] : []),
    element("image", { width, height, href: points() }),
    copied(over),
    ...parts,
  );
  return { svg: new XMLSerializer().serializeToString(whole), width, height: bottom };
}

/** An SVG drawn as finely as its points. */
export async function raster({ svg, width, height }: { readonly svg: string; readonly width: number; readonly height: number }): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [FINE * width, FINE * height];
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture could not be drawn"))), "image/png"));
}
