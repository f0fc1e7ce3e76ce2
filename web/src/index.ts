/** standout-web: separates people from their background in the browser; nothing is uploaded. */
export type { Alpha, Frame } from "./arrays";
export type { OpenOptions } from "./assets";
export { StandoutError } from "./errors";
export type { LiveStats } from "./live/messages";
export type { Found, PhotoBackground, RenderOptions, Rendered } from "./photo/engine";
export type { Person } from "./photo/people";
export type { Stroke } from "./photo/strokes";
export type { Card } from "./predictor";
export { type CutOut, type ImageSource, Segmenter, createSegmenter } from "./segmenter";
export { type VideoBackground, type VirtualBackgroundOptions, type VirtualStream, virtualBackground } from "./virtualBackground";
