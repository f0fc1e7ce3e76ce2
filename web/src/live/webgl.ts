/** Compositing in WebGL2: blur from the background's own light, color, image; alpha brought up along the frame's edges. */
import type { Frame } from "../arrays";
import { contrast } from "../cleanAlpha";
import { constants } from "../constants";
import type { Coefficients } from "../guidedFilter";
import { coverBox } from "../photo/background";
import { type Compositor, type LiveBehind, type LivePicture, blurRadius } from "./compositor";
import { BLUR, FILL, FINISH, LIGHT, VERTEX } from "./shaders";

interface Target {
  readonly texture: WebGLTexture;
  readonly buffer: WebGLFramebuffer;
}

interface Resources {
  readonly light: WebGLProgram;
  readonly blur: WebGLProgram;
  readonly fill: WebGLProgram;
  readonly finish: WebGLProgram;
  readonly frame: WebGLTexture;
  readonly lines: WebGLTexture;
  readonly image: WebGLTexture;
  readonly corners: WebGLBuffer;
}

export class WebGlCompositor implements Compositor {
  readonly kind = "webgl2";
  /** Whether the processor draws: then our own loop is faster. */
  readonly isSoftware: boolean;
  private readonly canvas: OffscreenCanvas;
  private readonly small = new OffscreenCanvas(16, 16);
  private readonly gl: WebGL2RenderingContext;
  private resources: Resources | undefined;
  private targets: { light: Target; half: Target; veil: Target; own: Target; width: number; height: number } | undefined;
  private frame: LivePicture | undefined;
  private width = 0;
  private height = 0;
  private behind: LiveBehind = { kind: "blur", strength: 1 };
  private imageIsNew = true;

  /** Throws where there is no WebGL2. */
  constructor() {
    this.canvas = new OffscreenCanvas(16, 16);
    const gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, desynchronized: true, preserveDrawingBuffer: false });
    if (!gl) throw new Error("This browser has no WebGL2.");
    this.gl = gl;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    this.isSoftware = /swiftshader|llvmpipe|software|basic render/i.test(String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.resources = this.targets = undefined;
    });
    this.canvas.addEventListener("webglcontextrestored", () => this.build());
    this.build();
  }

  get lost(): boolean {
    return this.gl.isContextLost() || !this.resources;
  }

  setBehind(behind: LiveBehind): void {
    this.behind = behind;
    this.imageIsNew = true;
  }

  async take(frame: LivePicture, width: number, height: number): Promise<void> {
    this.frame = frame;
    this.width = width;
    this.height = height;
  }

  shrunken(width: number, height: number): Frame {
    const { small } = this;
    if (small.width !== width || small.height !== height) {
      small.width = width;
      small.height = height;
    }
    const context = small.getContext("2d", { willReadFrequently: true })!;
    context.imageSmoothingQuality = "medium";
    context.drawImage(this.frame!, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }

  draw(coefficients: Coefficients): void {
    const { gl, resources, frame, width, height } = this;
    if (!resources || !frame || this.lost) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, resources.frame);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, frame);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, resources.lines);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA16F, coefficients.width, coefficients.height, 0, gl.RGBA, gl.FLOAT, coefficients.data,
    );
    this.ownBackground(resources, width, height);
    this.uploadImage(resources);
    this.finish(resources, width, height);
  }

  videoFrame(timestamp: number): VideoFrame {
    return new VideoFrame(this.canvas, { timestamp });
  }

  async bitmap(): Promise<ImageBitmap> {
    return this.canvas.transferToImageBitmap();
  }

  /** Loses the context as a driver would, for tests; it comes back after a while. */
  loseContext(restoreAfterMs: number): void {
    const extension = this.gl.getExtension("WEBGL_lose_context");
    extension?.loseContext();
    setTimeout(() => extension?.restoreContext(), restoreAfterMs);
  }

  close(): void {
    this.frame = undefined;
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.resources = undefined;
  }

  private build(): void {
    const { gl } = this;
    // Without it light is kept in bytes: steps that a veil hides.
    gl.getExtension("EXT_color_buffer_float");
    gl.getExtension("EXT_color_buffer_half_float");
    const corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.resources = {
      light: program(gl, LIGHT), blur: program(gl, BLUR), fill: program(gl, FILL), finish: program(gl, FINISH),
      frame: texture(gl), lines: texture(gl), image: texture(gl), corners,
    };
    gl.bindTexture(gl.TEXTURE_2D, this.resources.image);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([32, 36, 42, 255]));
    this.targets = undefined;
    this.imageIsNew = true;
  }

  /** The frame's background at low resolution: its light, and that out of focus. */
  private ownBackground(resources: Resources, width: number, height: number): void {
    const { gl } = this;
    const scale = Math.min(1, constants().live.blur_radius / blurRadius(width, height, this.behind));
    const w = Math.max(8, Math.round(width * scale));
    const h = Math.max(8, Math.round(height * scale));
    if (!this.targets || this.targets.width !== w || this.targets.height !== h) {
      // Making a texture binds it: on a unit of its own, or it would take the place of alpha's and show the room.
      gl.activeTexture(gl.TEXTURE5);
      for (const name of ["light", "half", "veil", "own"] as const) {
        if (!this.targets) break;
        gl.deleteTexture(this.targets[name].texture);
        gl.deleteFramebuffer(this.targets[name].buffer);
      }
      this.targets = { light: target(gl, w, h, true), half: target(gl, w, h), veil: target(gl, w, h), own: target(gl, w, h), width: w, height: h };
    }
    const { light, half, veil, own } = this.targets;
    gl.viewport(0, 0, w, h);
    this.pass(resources.light, light, (name) => {
      gl.uniform1i(name("frame"), 0);
      gl.uniform1i(name("lines"), 1);
      gl.uniform1f(name("contrast"), contrast());
      gl.uniform1f(name("lit"), constants().blur.lit);
      gl.uniform2f(name("step"), 1 / w, 1 / h);
    });
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, light.texture);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.pass(resources.blur, half, (name) => {
      gl.uniform1i(name("source"), 2);
      gl.uniform2f(name("step"), 1 / w, 0);
    });
    gl.activeTexture(gl.TEXTURE3);
    gl.bindTexture(gl.TEXTURE_2D, half.texture);
    this.pass(resources.blur, veil, (name) => {
      gl.uniform1i(name("source"), 3);
      gl.uniform2f(name("step"), 0, 1 / h);
    });
    gl.bindTexture(gl.TEXTURE_2D, veil.texture);
    this.pass(resources.fill, own, (name) => {
      gl.uniform1i(name("veil"), 3);
      gl.uniform1i(name("light"), 2);
      gl.uniform1f(name("levels"), Math.floor(Math.log2(Math.max(w, h))));
    });
    gl.bindTexture(gl.TEXTURE_2D, own.texture);
  }

  private uploadImage(resources: Resources): void {
    const { gl, behind } = this;
    gl.activeTexture(gl.TEXTURE4);
    gl.bindTexture(gl.TEXTURE_2D, resources.image);
    if (behind.kind !== "image" || !this.imageIsNew) return;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, behind.image);
    this.imageIsNew = false;
  }

  private finish(resources: Resources, width: number, height: number): void {
    const { gl, behind } = this;
    gl.viewport(0, 0, width, height);
    this.pass(resources.finish, undefined, (name) => {
      gl.uniform1i(name("frame"), 0);
      gl.uniform1i(name("lines"), 1);
      gl.uniform1i(name("own"), 3);
      gl.uniform1i(name("image"), 4);
      gl.uniform1f(name("contrast"), contrast());
      gl.uniform1i(name("kind"), behind.kind === "blur" ? 1 : behind.kind === "image" ? 2 : 0);
      const [r, g, b] = behind.kind === "color" ? behind.color : [0, 0, 0];
      gl.uniform3f(name("plain"), r / 255, g / 255, b / 255);
      if (behind.kind === "image") {
        const { image } = behind;
        const part = coverBox(image.width, image.height, width, height);
        gl.uniform4f(name("part"), part.x / image.width, part.y / image.height, part.width / image.width, part.height / image.height);
      }
    });
  }

  private pass(
    used: WebGLProgram, to: Target | undefined, setUniforms: (name: (text: string) => WebGLUniformLocation | null) => void,
  ): void {
    const { gl } = this;
    gl.useProgram(used);
    gl.bindFramebuffer(gl.FRAMEBUFFER, to?.buffer ?? null);
    gl.uniform1f(gl.getUniformLocation(used, "turn"), to ? 0 : 1);
    setUniforms((text) => gl.getUniformLocation(used, text));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

function texture(gl: WebGL2RenderingContext, mipmaps = false): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, mipmaps ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}

function target(gl: WebGL2RenderingContext, width: number, height: number, mipmaps = false): Target {
  const made = texture(gl, mipmaps);
  const buffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
  for (const [format, type] of [[gl.RGBA16F, gl.HALF_FLOAT], [gl.RGBA8, gl.UNSIGNED_BYTE]] as const) {
    gl.texImage2D(gl.TEXTURE_2D, 0, format, width, height, 0, gl.RGBA, type, null);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, made, 0);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE) break;
  }
  return { texture: made, buffer };
}

function program(gl: WebGL2RenderingContext, fragment: string): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.bindAttribLocation(made, 0, "corner");
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) {
    const logs = (gl.getAttachedShaders(made) ?? []).map((shader) => gl.getShaderInfoLog(shader)).join(" ");
    throw new Error(`The compositor's program can't be built: ${gl.getProgramInfoLog(made)} ${logs}`);
  }
  return made;
}
