/** Frames by way of a canvas: one on its way at most, whatever the worker does. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CanvasTransport } from "../src/live/canvasTransport";
import type { ToWorker } from "../src/live/messages";

let nextFrame: () => void = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  const video = { readyState: 4, play: async () => {}, requestVideoFrameCallback: (call: () => void) => (nextFrame = call) };
  const canvas = { getContext: () => ({ transferFromImageBitmap: () => {} }), captureStream: () => ({ getVideoTracks: () => [{ stop: () => {} }] }) };
  vi.stubGlobal("document", {
    hidden: false, createElement: (name: string) => (name === "video" ? video : canvas), addEventListener: () => {}, removeEventListener: () => {},
  });
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("createImageBitmap", async () => ({ width: 640, height: 360 }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("asks again only for a frame that was lost", async () => {
  const sent: ToWorker[] = [];
  const listeners = new Map<string, (data: never) => void>();
  const transport = new CanvasTransport({ getSettings: () => ({}) } as MediaStreamTrack, (message) => sent.push(message), listeners);
  const frames = (): number => sent.filter(({ live }) => live === "frame").length;
  const arrive = async (): Promise<void> => {
    nextFrame();
    await vi.advanceTimersByTimeAsync(0);
  };
  await arrive();
  expect(frames()).toBe(1);
  // The first comes back just before its time is up; the second is on its way when that would have been.
  await vi.advanceTimersByTimeAsync(900);
  listeners.get("picture")!({ width: 640, height: 360 } as never);
  await arrive();
  await vi.advanceTimersByTimeAsync(500);
  await arrive();
  expect(frames()).toBe(2);
  // The second is lost.
  await vi.advanceTimersByTimeAsync(600);
  await arrive();
  expect(frames()).toBe(3);
  transport.close();
  expect(vi.getTimerCount()).toBe(0);
});
