/** What lays the person of each frame over a background. */
import type { Frame } from "../arrays";
import type { Color } from "../color";
import type { Coefficients } from "../guidedFilter";
import { defaultBlur } from "../photo/background";

export type LivePicture = VideoFrame | ImageBitmap;

/** What comes behind the person of a moving picture. */
export type LiveBehind =
  | { readonly kind: "none" }
  | { readonly kind: "color"; readonly color: Color }
  /** Strength 1 is the radius that photos have where none is asked for. */
  | { readonly kind: "blur"; readonly strength: number }
  | { readonly kind: "image"; readonly image: ImageBitmap };

/** Alpha below which a soft pixel says too little of the person's own color to be freed of the background's share. */
export const LEAST_SHARE = 0.35;

/** The blur's radius for a frame, pixels of the frame. */
export function blurRadius(width: number, height: number, behind: LiveBehind): number {
  return defaultBlur(width, height) * (behind.kind === "blur" ? behind.strength : 1);
}

/** One frame goes through `take`, `shrunken`, `draw`, and one of the two outputs. */
export interface Compositor {
  readonly kind: "webgl2" | "cpu";
  /** Whether nothing can be drawn now; the picture must not be shown then. */
  readonly lost: boolean;
  setBehind(behind: LiveBehind): void;
  take(frame: LivePicture, width: number, height: number): Promise<void>;
  /** The frame at a smaller size, for the network. */
  shrunken(width: number, height: number): Frame;
  /** Makes the finished picture; alpha is given by the guided filter's coefficients. */
  draw(coefficients: Coefficients): void;
  videoFrame(timestamp: number): VideoFrame;
  bitmap(): Promise<ImageBitmap>;
  close(): void;
}

export function pictureSize(picture: LivePicture): { width: number; height: number } {
  return picture instanceof ImageBitmap
    ? { width: picture.width, height: picture.height }
    : { width: picture.displayWidth, height: picture.displayHeight };
}
