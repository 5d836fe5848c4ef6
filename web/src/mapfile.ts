/** The map as a file: its points, what lies over them, and the legend, in one SVG; as PNG the same, drawn. */

import { frame } from "./drawing";
import { camera, colours, extent, here, palette, scene } from "./plane";
import { PATHS } from "./marks";
import { family, measured } from "./measured";
import { copied, element, FINE, type Picture, token, whole } from "./picture";
import { reference } from "./reference";
import { CpuRenderer } from "./render/cpu";
import { SHAPES } from "./render/shapes";
import { named } from "./wire";

const LINE = 20;
const EDGE = 12;
const FONT = "400 12px";
/** Room for the mark of an entry and before the next one, pixels. */
const BESIDE = 32;
/** Named entries of the legend in a picture. */
const NAMED = 20;
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
export function picture(): Picture | null {
  const over = document.querySelector<SVGElement>(".map svg.overlay");
  const { width, height } = extent.peek();
  if (!over || !here.peek() || !camera.peek() || !width) return null;
  const { parts, bottom } = legend(width, height);
  const under = document.querySelector<SVGElement>(".map svg.underlay");
  const layers = [...(under ? [copied(under, { width, height })] : []), element("image", { width, height, href: points() }), copied(over, { width, height })];
  return whole(width, bottom, `0 0 ${width} ${bottom}`, [...layers, ...parts]);
}
