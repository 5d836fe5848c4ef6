/** Draws with WebGL2: positions stay on the card, a frame is one or two calls. */

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

const COUNTED = `#version 300 es
precision highp float;
in vec4 colour; flat in int shape; out vec4 pixel;
void main() { pixel = vec4(colour.rgb, 1.0); }`;

const SCREEN = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

const TONED = `#version 300 es
precision highp float;
uniform sampler2D sums; uniform vec2 cells; uniform vec2 full; uniform float most; uniform float least; uniform float share; out vec4 pixel;
void main() {
  vec4 sum = texelFetch(sums, ivec2(gl_FragCoord.xy / full * cells), 0);
  float alpha = sum.a > 0.0 ? min(1.0, least + (1.0 - least) * log(1.0 + sum.a) / log(1.0 + most)) * share : 0.0;
  pixel = vec4(sum.rgb / max(sum.a, 1.0) * alpha, alpha);
}`;

const FLOATS = ["ax", "ay", "bx", "by"] as const;

export class GlRenderer implements Renderer {
  readonly name = "gl";
  private readonly gl: WebGL2RenderingContext;
  private readonly marks: WebGLProgram;
  private readonly counts: WebGLProgram | null;
  private readonly tone: WebGLProgram | null;
  private readonly buffers = new Map<string, { buffer: WebGLBuffer; data: ArrayBufferView }>();
  private readonly colours: WebGLTexture;
  private cells: { texture: WebGLTexture; frame: WebGLFramebuffer; width: number; height: number } | null = null;
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
    this.counts = sums ? program(gl, POINTS, COUNTED) : null;
    this.tone = sums ? program(gl, SCREEN, TONED) : null;
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
    if (palette !== this.palette) this.paint(palette);
    this.now = scene;
    this.palette = palette;
  }

  fit(width: number, height: number): void {
    this.ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.drop();
  }

  draw(frame: Frame): void {
    const { gl, now } = this;
    if (!now) return;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (frame.density && this.counts && this.tone) return this.drawCells(frame, now, this.counts, this.tone);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.drawRows(this.marks, frame, now, { mask: frame.dim ? 3 : 1, want: 1, share: frame.dim ? dimmed(frame.dark) : 1 });
    if (frame.dim) this.drawRows(this.marks, frame, now, { mask: 3, want: 3, share: 1 });
  }

  dispose(): void {
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.drop();
    for (const { buffer } of this.buffers.values()) this.gl.deleteBuffer(buffer);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private upload(name: string, at: number, data: Float32Array | Uint8Array, type: number): void {
    const { gl } = this;
    const there = this.buffers.get(name);
    const buffer = there?.buffer ?? gl.createBuffer()!;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    if (there?.data !== data) gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    if (type === gl.FLOAT) gl.vertexAttribPointer(at, 1, type, false, 0, 0);
    else gl.vertexAttribIPointer(at, 1, type, 0, 0);
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

  private drawRows(
    marks: WebGLProgram,
    frame: Frame,
    scene: Scene,
    { mask, want, share }: { readonly mask: number; readonly want: number; readonly share: number },
  ): void {
    const { gl } = this;
    const at = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(marks, name);
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
    gl.drawArrays(gl.POINTS, 0, scene.flags.length);
  }

  private drawCells(frame: Frame, scene: Scene, counts: WebGLProgram, tone: WebGLProgram): void {
    const pale = frame.dim ? dimmed(frame.dark) : 1;
    this.drawSums(frame, scene, { counts, tone, mask: frame.dim ? 3 : 1, want: 1, share: pale });
    if (frame.dim) this.drawSums(frame, scene, { counts, tone, mask: 3, want: 3, share: 1 });
  }

  /** Count the rows whose flags, under the mask, are `want`, and draw the counts. */
  private drawSums(
    frame: Frame,
    scene: Scene,
    { counts, tone, mask, want, share }: { readonly counts: WebGLProgram; readonly tone: WebGLProgram; readonly mask: number; readonly want: number; readonly share: number },
  ): void {
    const { gl } = this;
    const cells = (this.cells ??= this.framed());
    gl.bindFramebuffer(gl.FRAMEBUFFER, cells.frame);
    gl.viewport(0, 0, cells.width, cells.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.blendFunc(gl.ONE, gl.ONE);
    this.drawRows(counts, { ...frame, size: 1 / this.ratio }, { ...scene, size: null }, { mask, want, share: 1 });
    const most = this.most(cells.width, cells.height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.useProgram(tone);
    gl.bindTexture(gl.TEXTURE_2D, cells.texture);
    const at = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(tone, name);
    gl.uniform2f(at("cells"), cells.width, cells.height);
    gl.uniform2f(at("full"), this.canvas.width, this.canvas.height);
    gl.uniform1f(at("most"), most);
    gl.uniform1f(at("least"), faintest(frame.dark));
    gl.uniform1f(at("share"), share);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private most(width: number, height: number): number {
    const { gl } = this;
    const sums = new Float32Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, sums);
    let most = 1;
    for (let at = 3; at < sums.length; at += 4) if (sums[at]! > most) most = sums[at]!;
    return most;
  }

  private framed(): { texture: WebGLTexture; frame: WebGLFramebuffer; width: number; height: number } {
    const { gl } = this;
    const width = (this.canvas.width + 1) >> 1;
    const height = (this.canvas.height + 1) >> 1;
    const sums = texture(gl);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, null);
    const frame = gl.createFramebuffer()!;
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, sums, 0);
    return { texture: sums, frame, width, height };
  }

  private drop(): void {
    if (!this.cells) return;
    this.gl.deleteTexture(this.cells.texture);
    this.gl.deleteFramebuffer(this.cells.frame);
    this.cells = null;
  }
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const made = gl.createProgram()!;
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(`shader: ${gl.getProgramInfoLog(made)}`);
  return made;
}

function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture()!;
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}
