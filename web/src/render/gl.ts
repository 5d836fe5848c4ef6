/** Draws with WebGL2: positions stay on the card, a frame is one or two calls. */

import { inDevice } from "./cells";
import { COUNTED, GlCells } from "./glcells";
import { program, type Program, texture } from "./program";
import { dimmed, faintest, type Frame, type Palette, type Renderer, type Scene } from "./renderer";

const POINTS = `#version 300 es
layout(location=0) in float ax; layout(location=1) in float ay;
layout(location=2) in float bx; layout(location=3) in float by;
layout(location=4) in uint code; layout(location=5) in float size; layout(location=6) in uint flag;
uniform vec4 ca; uniform vec4 cb; uniform vec2 half_size; uniform float mixing; uniform float ratio; uniform float usual;
uniform uint want; uniform uint mask; uniform float share; uniform sampler2D colours;
out vec4 colour; flat out int shape;
void main() {
  vec2 a = (vec2(ax, ay) - ca.xy) * ca.zw;
  vec2 b = (vec2(bx, by) - cb.xy) * cb.zw;
  vec2 at = mixing <= 0.0 ? a : mixing >= 1.0 ? b : mix(a, b, mixing);
  bool drawn = (flag & mask) == want && at == at;
  gl_Position = drawn ? vec4(at / half_size, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = max(1.0, (usual > 0.0 ? usual : size) * ratio);
  vec4 texel = texelFetch(colours, ivec2(int(code), 0), 0);
  colour = vec4(texel.rgb, share);
  shape = int(texel.a * 255.0 + 0.5);
}`;

const SHAPED = `#version 300 es
precision mediump float;
in vec4 colour; flat in int shape; out vec4 pixel;
bool covers(int s, vec2 p) {
  vec2 q = abs(p);
  if (s == 0) return dot(p, p) <= 0.92;
  if (s == 1) return q.x <= 0.8 && q.y <= 0.8;
  if (s == 2) return p.y <= 0.8 && p.y >= -0.95 && q.x <= (p.y + 0.95) * 0.57;
  if (s == 3) return q.x + q.y <= 1.08;
  if (s == 4) return (q.x <= 0.32 && q.y <= 0.98) || (q.y <= 0.32 && q.x <= 0.98);
  if (s == 5) return abs(q.x - q.y) <= 0.42 && q.x <= 0.86 && q.y <= 0.86;
  if (s == 6) return dot(p, p) <= 1.0 && dot(p, p) >= 0.3;
  return q.x <= 0.98 && q.y <= 0.4;
}
void main() {
  if (!covers(shape, gl_PointCoord * 2.0 - 1.0)) discard;
  pixel = vec4(colour.rgb * colour.a, colour.a);
}`;

const FLOATS = ["ax", "ay", "bx", "by"] as const;

export class GlRenderer implements Renderer {
  readonly name = "gl";
  private readonly gl: WebGL2RenderingContext;
  private readonly marks: Program;
  /** Null where the card cannot sum floats. */
  private readonly density: { readonly counts: Program; readonly cells: GlCells } | null;
  private readonly buffers = new Map<string, { buffer: WebGLBuffer; data: ArrayBufferView }>();
  private readonly colours: WebGLTexture;
  private now: Scene | null = null;
  private palette: Palette | null = null;
  private ratio = 1;

  /** `lost` is called when the card takes the context away; the renderer is then of no more use. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly lost: () => void,
  ) {
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, premultipliedAlpha: true });
    if (!gl) throw new Error("this browser has no WebGL2");
    this.gl = gl;
    this.marks = program(gl, POINTS, SHAPED);
    const sums = gl.getExtension("EXT_color_buffer_float") && gl.getExtension("EXT_float_blend");
    this.density = sums ? { counts: program(gl, POINTS, COUNTED), cells: new GlCells(gl, canvas) } : null;
    this.colours = texture(gl);
    gl.enable(gl.BLEND);
    canvas.addEventListener("webglcontextlost", this.lost);
  }

  scene(scene: Scene, palette: Palette): void {
    const { gl } = this;
    FLOATS.forEach((name, at) => this.upload(name, at, scene[name], gl.FLOAT));
    this.upload("colour", 4, scene.colour, gl.UNSIGNED_BYTE);
    if (scene.size) this.upload("size", 5, scene.size, gl.FLOAT);
    else gl.disableVertexAttribArray(5);
    this.upload("flags", 6, scene.flags, gl.UNSIGNED_BYTE);
    if (scene.order) this.bind("order", gl.ELEMENT_ARRAY_BUFFER, scene.order);
    if (palette !== this.palette) this.paint(palette);
    this.now = scene;
    this.palette = palette;
  }

  fit(width: number, height: number): void {
    this.ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.density?.cells.drop();
  }

  draw(frame: Frame): void {
    const { gl, now, density } = this;
    if (!now) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const pale = frame.dim ? dimmed(frame.dark) : 1;
    const put = (mask: number, want: number, share: number): void => {
      if (!frame.density || !density) return this.drawRows(this.marks, frame, now, { mask, want, share });
      const dots = { ...frame, size: 1 / this.ratio };
      const count = (): void => this.drawRows(density.counts, dots, { ...now, size: null }, { mask, want, share: 1 });
      density.cells.draw(count, { side: inDevice(frame.cell, this.ratio), least: faintest(frame.dark), share });
    };
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    put(frame.dim ? 3 : 1, 1, pale);
    if (frame.dim) put(3, 3, 1);
  }

  dispose(): void {
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.density?.cells.drop();
    for (const { buffer } of this.buffers.values()) this.gl.deleteBuffer(buffer);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private upload(name: string, at: number, data: Float32Array | Uint8Array, type: number): void {
    const { gl } = this;
    this.bind(name, gl.ARRAY_BUFFER, data);
    gl.enableVertexAttribArray(at);
    if (type === gl.FLOAT) gl.vertexAttribPointer(at, 1, type, false, 0, 0);
    else gl.vertexAttribIPointer(at, 1, type, 0, 0);
  }

  /** Bind the buffer of a name, with new content only if the array is another one. */
  private bind(name: string, target: number, data: ArrayBufferView): void {
    const { gl } = this;
    const there = this.buffers.get(name);
    const buffer = there?.buffer ?? gl.createBuffer()!;
    gl.bindBuffer(target, buffer);
    if (there?.data !== data) gl.bufferData(target, data, gl.DYNAMIC_DRAW);
    this.buffers.set(name, { buffer, data });
  }

  /** Colours, with the shape where alpha would be. */
  private paint(palette: Palette): void {
    const { gl } = this;
    const texels = palette.colours.slice();
    palette.shapes.forEach((shape, code) => (texels[4 * code + 3] = shape));
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  /** Draw the rows whose flags, under the mask, are `want`. */
  private drawRows(
    { program: marks, at }: Program,
    frame: Frame,
    scene: Scene,
    { mask, want, share }: { readonly mask: number; readonly want: number; readonly share: number },
  ): void {
    const { gl } = this;
    gl.useProgram(marks);
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.uniform4f(at("ca"), frame.a.x, frame.a.y, frame.a.sx, frame.a.sy);
    gl.uniform4f(at("cb"), frame.b.x, frame.b.y, frame.b.sx, frame.b.sy);
    gl.uniform2f(at("half_size"), this.canvas.width / this.ratio / 2, this.canvas.height / this.ratio / 2);
    gl.uniform1f(at("mixing"), frame.mix);
    gl.uniform1f(at("ratio"), this.ratio);
    gl.uniform1f(at("usual"), scene.size ? 0 : frame.size);
    gl.uniform1ui(at("mask"), mask);
    gl.uniform1ui(at("want"), want);
    gl.uniform1f(at("share"), share);
    if (scene.order) gl.drawElements(gl.POINTS, scene.order.length, gl.UNSIGNED_INT, 0);
    else gl.drawArrays(gl.POINTS, 0, scene.flags.length);
  }
}
