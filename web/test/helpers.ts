import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as ort from "onnxruntime-web/wasm";
import type { Frame } from "../src/arrays";
import { createNetwork, readCard } from "../src/network";
import type { Network } from "../src/predictor";

export const here = (path: string): string => new URL(`../${path}`, import.meta.url).pathname;

export function readGz(path: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(here(path))));
}

export async function loadModel(name: string): Promise<Network> {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const card = readCard(readFileSync(here(`models/${name}.json`)));
  return createNetwork(ort, readFileSync(here(`models/${name}.onnx`)), card);
}

export interface Vector {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** How many people Python finds. */
  readonly people: number;
  /** Whether Python's finished cut-out is there, too. */
  readonly cut: boolean;
}

export const vectors = JSON.parse(readFileSync(here("vectors/vectors.json"), "utf8")) as Vector[];

export function frameOf(vector: Vector): Frame {
  const rgb = readGz(`vectors/${vector.name}.rgb.gz`);
  const data = new Uint8Array(vector.width * vector.height * 4).fill(255);
  for (let i = 0, j = 0; i < rgb.length; i += 3, j += 4) data.set(rgb.subarray(i, i + 3), j);
  return { data, width: vector.width, height: vector.height };
}
