/** What WebGL2 needs to be told before it draws. */

/** A compiled pair of shaders, and where its uniforms are. */
export interface Program {
  readonly program: WebGLProgram;
  readonly at: (name: string) => WebGLUniformLocation | null;
}

/** @throws Error with what the compiler says. */
export function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): Program {
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
  const places = uniforms(gl, made);
  return { program: made, at: (name) => places.get(name) ?? null };
}

/** Asked once: a look-up per frame waits for the card. */
function uniforms(gl: WebGL2RenderingContext, made: WebGLProgram): ReadonlyMap<string, WebGLUniformLocation> {
  const count = gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS) as number;
  const names = Array.from({ length: count }, (_, k) => gl.getActiveUniform(made, k)!.name);
  return new Map(names.map((name) => [name, gl.getUniformLocation(made, name)!]));
}

export function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture()!;
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}

/** Floats to draw into and to read from, four to a cell. */
export interface Target {
  readonly texture: WebGLTexture;
  readonly frame: WebGLFramebuffer;
  readonly width: number;
  readonly height: number;
}

export function target(gl: WebGL2RenderingContext, width: number, height: number): Target {
  const floats = texture(gl);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, null);
  const frame = gl.createFramebuffer()!;
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, floats, 0);
  return { texture: floats, frame, width, height };
}

export function dropped(gl: WebGL2RenderingContext, { texture: floats, frame }: Target): void {
  gl.deleteTexture(floats);
  gl.deleteFramebuffer(frame);
}
