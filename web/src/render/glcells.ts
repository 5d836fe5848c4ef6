/** Density with WebGL2: points are counted into floats, and the counts drawn. Nothing is read back: a frame waits for no card. */

import { dropped, program, type Program, type Target, target } from "./program";

/** Counts points and sums their colours; drawn with the vertices of the points. */
export const COUNTED = `#version 300 es
precision highp float;
in vec4 colour; flat in int shape; out vec4 pixel;
void main() { pixel = vec4(colour.rgb, 1.0); }`;

const SCREEN = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

const LARGEST = `#version 300 es
precision highp float;
uniform sampler2D sums; uniform ivec2 cells; uniform ivec2 block; out vec4 pixel;
void main() {
  ivec2 from = ivec2(gl_FragCoord.xy) * block;
  ivec2 to = min(from + block, cells);
  float most = 1.0;
  for (int y = from.y; y < to.y; y++) for (int x = from.x; x < to.x; x++) most = max(most, texelFetch(sums, ivec2(x, y), 0).a);
  pixel = vec4(most);
}`;

const TONED = `#version 300 es
precision highp float;
uniform sampler2D sums; uniform sampler2D largest; uniform vec2 cells; uniform vec2 full; uniform float least; uniform float share; out vec4 pixel;
void main() {
  vec4 sum = texelFetch(sums, ivec2(gl_FragCoord.xy / full * cells), 0);
  float most = texelFetch(largest, ivec2(0), 0).a;
  float alpha = sum.a > 0.0 ? min(1.0, least + (1.0 - least) * log(1.0 + sum.a) / log(1.0 + most)) * share : 0.0;
  pixel = vec4(sum.rgb / max(sum.a, 1.0) * alpha, alpha);
}`;

const BLOCK = 16; // cells to a side of what one pixel of the first reduction looks at

interface Targets {
  readonly sums: Target;
  /** Largest count of each block, and of all. */
  readonly blocks: Target;
  readonly top: Target;
}

export class GlCells {
  private readonly largest: Program;
  private readonly tone: Program;
  private targets: Targets | null = null;
  private side = 2;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly canvas: HTMLCanvasElement,
  ) {
    this.largest = program(gl, SCREEN, LARGEST);
    this.tone = program(gl, SCREEN, TONED);
  }

  /** Draw how many of the points, which `count` draws additively, lie in each cell of so many device pixels to a side. */
  draw(count: () => void, { side, least, share }: { readonly side: number; readonly least: number; readonly share: number }): void {
    const { gl } = this;
    if (this.side !== side) this.drop();
    this.side = side;
    const { sums, blocks, top } = (this.targets ??= this.made());
    this.into(sums);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.blendFunc(gl.ONE, gl.ONE);
    count();
    gl.blendFunc(gl.ONE, gl.ZERO);
    this.reduce(sums, blocks, BLOCK, BLOCK);
    this.reduce(blocks, top, blocks.width, blocks.height);
    this.toned(sums, top, least, share);
  }

  /** The canvas has another size. */
  drop(): void {
    for (const one of Object.values(this.targets ?? {}) as Target[]) dropped(this.gl, one);
    this.targets = null;
  }

  private made(): Targets {
    const wide = Math.ceil(this.canvas.width / this.side);
    const tall = Math.ceil(this.canvas.height / this.side);
    const blocks = target(this.gl, Math.ceil(wide / BLOCK), Math.ceil(tall / BLOCK));
    return { sums: target(this.gl, wide, tall), blocks, top: target(this.gl, 1, 1) };
  }

  private into({ frame, width, height }: Target): void {
    this.gl.bindFramebuffer(this.gl.FRAMEBUFFER, frame);
    this.gl.viewport(0, 0, width, height);
  }

  private reduce(from: Target, to: Target, across: number, down: number): void {
    const { gl, largest } = this;
    this.into(to);
    gl.useProgram(largest.program);
    gl.bindTexture(gl.TEXTURE_2D, from.texture);
    gl.uniform2i(largest.at("cells"), from.width, from.height);
    gl.uniform2i(largest.at("block"), across, down);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private toned(sums: Target, top: Target, least: number, share: number): void {
    const { gl, tone, canvas } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.useProgram(tone.program);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, top.texture);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, sums.texture);
    gl.uniform1i(tone.at("largest"), 1);
    gl.uniform2f(tone.at("cells"), sums.width, sums.height);
    gl.uniform2f(tone.at("full"), canvas.width, canvas.height);
    gl.uniform1f(tone.at("least"), least);
    gl.uniform1f(tone.at("share"), share);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
