/** What is shown instead of a frame that must not be seen: a plain picture with a sign for "paused". */
export class Cover {
  private readonly canvas = new OffscreenCanvas(16, 16);

  /** Draws the cover at a size. */
  draw(width: number, height: number): void {
    const { canvas } = this;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d")!;
    context.fillStyle = "#1f2933";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#9fb3c8";
    const side = Math.min(width, height) / 6;
    for (const across of [-0.75, 0.25]) context.fillRect(width / 2 + across * side, height / 2 - side, side / 2, 2 * side);
  }

  videoFrame(timestamp: number): VideoFrame {
    return new VideoFrame(this.canvas, { timestamp });
  }

  async bitmap(): Promise<ImageBitmap> {
    return createImageBitmap(this.canvas);
  }
}
