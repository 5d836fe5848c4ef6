/** Which renderer: WebGL2 where a card draws, else the rasteriser, which beats WebGL2 in software about eightfold. */

import { CpuRenderer } from "./cpu";
import { GlRenderer } from "./gl";
import type { Renderer } from "./renderer";

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let probed: boolean | null = null;

/** Whether WebGL2 runs on a card here; asked once. */
export function accelerated(): boolean {
  return (probed ??= probe());
}

function probe(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}

/** The machine to draw with. `asked` (`gl`, `cpu`) is the address's word and overrides the probe. */
export function chosen(asked: string | null): Renderer["name"] {
  return asked === "gl" || asked === "cpu" ? asked : accelerated() ? "gl" : "cpu";
}

/** A renderer for a canvas that has no context yet; `lost` is called when a card takes its context away. */
export function renderer(canvas: HTMLCanvasElement, name: Renderer["name"], lost: () => void): Renderer {
  return name === "gl" ? new GlRenderer(canvas, lost) : new CpuRenderer(canvas);
}
