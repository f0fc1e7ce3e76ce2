/** TypeScript and Python give one photo the same alpha. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Predictor } from "../src/predictor";
import { frameOf, loadModel, readGz, vectors } from "./helpers";

describe.each(["photo", "live"])("alpha of %s", (model) => {
  let predictor: Predictor;
  const differences: number[] = [];

  beforeAll(async () => {
    predictor = new Predictor(await loadModel(model));
  });
  afterAll(() => predictor.close());

  it.each(vectors)("of $name is Python's", async (vector) => {
    // WebAssembly lets no message through while it computes; Vitest would give this process up for dead.
    await new Promise(setImmediate);
    const alpha = await predictor.alpha(frameOf(vector));
    const expected = readGz(`vectors/${vector.name}.${model}.gz`);
    expect([alpha.width, alpha.height]).toEqual([vector.width, vector.height]);
    let sum = 0;
    for (let i = 0; i < expected.length; i++) sum += Math.abs(alpha.data[i]! - expected[i]! / 255);
    differences.push(sum / expected.length);
    expect(sum / expected.length).toBeLessThanOrEqual(0.02);
  });

  it("differs by 0.01 at most on average", () => {
    console.log(model, differences.map((d) => d.toFixed(4)).join(" "));
    expect(differences).toHaveLength(vectors.length);
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThanOrEqual(0.01);
  });
});
