/** What lays the person of each frame over a background. */
import type { Coefficients } from "../guidedFilter";
import type { Color } from "../color";

export type LivePicture = VideoFrame | ImageBitmap;

/** What comes behind the person of a moving picture. */
export type LiveBehind =
  | { readonly kind: "none" }
  | { readonly kind: "color"; readonly color: Color }
  /** Strength 1 is a radius of 2.5 % of the frame's longer side. */
  | { readonly kind: "blur"; readonly strength: number }
  | { readonly kind: "image"; readonly image: ImageBitmap };

/** Alpha's slope around 0.5: a network of few pixels is unsure far around an edge; 2 halves that. */
export const CONTRAST = 2;

export interface Compositor {
  readonly kind: "webgl2" | "2d";
  readonly canvas: OffscreenCanvas;
  /** Whether nothing can be drawn now; the picture must not be shown then. */
  readonly lost: boolean;
  setBehind(behind: LiveBehind): void;
  /** Draws a frame; alpha is given by the guided filter's coefficients. */
  draw(frame: LivePicture, width: number, height: number, coefficients: Coefficients): void;
  close(): void;
}

export function pictureSize(picture: LivePicture): { width: number; height: number } {
  return picture instanceof ImageBitmap
    ? { width: picture.width, height: picture.height }
    : { width: picture.displayWidth, height: picture.displayHeight };
}
