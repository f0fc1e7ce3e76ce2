/** The large picture: before and after, the slider between them, the brush, clicks on people. */
import type { Rendered, Stroke } from "../src/index";
import { get } from "./dom";

export type Tool = "none" | "keep" | "restore" | "erase";

/** Longer side of the original's preview, pixels. */
const SIDE = 1400;

export class Stage {
  onStroke: (stroke: Stroke) => void = () => {};
  onPoint: (x: number, y: number) => void = () => {};
  private tool: Tool = "none";
  private brush = 0;
  private part: Rendered["part"] = { left: 0, top: 0, right: 1, bottom: 1 };
  private original: ImageBitmap | undefined;
  /** Counts photos: one that is read only when the next was chosen is not shown. */
  private turn = 0;
  private finished = false;
  private points: number[] = [];
  private drawing = false;
  private readonly stage = get("stage");
  private readonly before = get<HTMLCanvasElement>("before");
  private readonly after = get<HTMLCanvasElement>("after");
  private readonly mark = get<HTMLCanvasElement>("brush-mark");
  private readonly slider = get<HTMLInputElement>("slider");

  constructor() {
    this.slider.addEventListener("input", () => this.stage.style.setProperty("--split", `${this.slider.value}%`));
    this.stage.addEventListener("pointerdown", (event) => this.down(event));
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) this.stage.addEventListener(name, () => this.up());
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.stage.classList.toggle("keeping", tool === "keep");
    this.stage.classList.toggle("brushing", tool === "restore" || tool === "erase");
  }

  /** The brush's radius as a share of the photo's longer side. */
  setBrush(share: number): void {
    this.brush = share;
  }

  /** Whether the finished picture is seen, not only the original. */
  get isFinished(): boolean {
    return this.finished;
  }

  /** A new photo: its original, upright. */
  async open(file: Blob): Promise<void> {
    this.clear();
    const mine = this.turn;
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const resizeWidth = Math.max(1, Math.round(bitmap.width * scale));
    const resizeHeight = Math.max(1, Math.round(bitmap.height * scale));
    const original = scale < 1 ? await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: "medium" }) : bitmap;
    if (original !== bitmap) bitmap.close();
    if (mine !== this.turn) {
      original.close();
      return;
    }
    this.original = original;
    this.show(undefined);
  }

  /** The finished picture, or the original alone while there is none yet. */
  show(rendered: Rendered | undefined): void {
    const { original } = this;
    const picture = rendered?.picture as ImageBitmap | undefined;
    if (!original) {
      picture?.close();
      return;
    }
    this.finished = !!picture;
    this.stage.classList.remove("empty");
    this.part = rendered?.part ?? { left: 0, top: 0, right: 1, bottom: 1 };
    const width = picture?.width ?? original.width;
    const height = picture?.height ?? original.height;
    for (const canvas of [this.before, this.after, this.mark]) {
      canvas.width = width;
      canvas.height = height;
    }
    const { left, top, right, bottom } = this.part;
    this.before
      .getContext("2d")!
      .drawImage(original, left * original.width, top * original.height, (right - left) * original.width, (bottom - top) * original.height, 0, 0, width, height);
    if (!picture) {
      this.after.getContext("2d")!.drawImage(original, 0, 0);
      return;
    }
    this.after.getContext("2d")!.drawImage(picture, 0, 0);
    picture.close();
  }

  /** Nobody stays on it. */
  clear(): void {
    this.turn++;
    this.original?.close();
    this.original = undefined;
    this.finished = false;
    this.stage.classList.add("empty");
    for (const canvas of [this.before, this.after, this.mark]) canvas.width = canvas.height = 1;
  }

  /** A point of the screen in shares of the whole photo. */
  private at(event: PointerEvent): { x: number; y: number } {
    const box = this.after.getBoundingClientRect();
    const { left, top, right, bottom } = this.part;
    return {
      x: left + ((event.clientX - box.left) / box.width) * (right - left), y: top + ((event.clientY - box.top) / box.height) * (bottom - top),
    };
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || !this.original) return;
    const { x, y } = this.at(event);
    if (this.tool === "keep") {
      this.onPoint(x, y);
      return;
    }
    if (this.tool === "none") {
      this.drawing = true;
      this.split(event);
      return;
    }
    this.stage.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.points = [x, y];
    this.drawMark(event);
  }

  private move(event: PointerEvent): void {
    if (!this.drawing) return;
    if (this.tool === "none") {
      this.split(event);
      return;
    }
    const { x, y } = this.at(event);
    this.points.push(x, y);
    this.drawMark(event);
  }

  private up(): void {
    if (!this.drawing) return;
    this.drawing = false;
    if (this.tool !== "restore" && this.tool !== "erase") return;
    this.onStroke({ mode: this.tool, radius: this.brush, points: this.points.map((value) => Math.round(value * 1e4) / 1e4) });
    this.points = [];
  }

  private split(event: PointerEvent): void {
    const box = this.after.getBoundingClientRect();
    this.slider.value = String(Math.round(((event.clientX - box.left) / box.width) * 100));
    this.slider.dispatchEvent(new Event("input"));
  }

  /** What the brush has touched, until the picture is made anew. */
  private drawMark(event: PointerEvent): void {
    const context = this.mark.getContext("2d")!;
    const box = this.after.getBoundingClientRect();
    const scale = this.mark.width / box.width;
    const whole = Math.max(this.mark.width / (this.part.right - this.part.left), this.mark.height / (this.part.bottom - this.part.top));
    context.fillStyle = this.tool === "restore" ? "rgb(0 160 80 / 45%)" : "rgb(220 40 40 / 45%)";
    context.beginPath();
    context.arc((event.clientX - box.left) * scale, (event.clientY - box.top) * scale, this.brush * whole, 0, 2 * Math.PI);
    context.fill();
  }
}
