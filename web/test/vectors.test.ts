/** TypeScript and Python give one photo the same alpha. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isNobody } from "../src/cleanAlpha";
import { findPeople } from "../src/photo/people";
import { renderPhoto } from "../src/photo/render";
import { Predictor, enlarged } from "../src/predictor";
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
    const frame = frameOf(vector);
    const coarse = await predictor.look(frame);
    const alpha = enlarged(coarse, frame);
    const { threshold } = predictor.card;
    if (model === "photo") expect(isNobody(coarse, frame, threshold)).toBe(vector.people === 0);
    if (model === "photo" && vector.people) expect(findPeople(coarse.alpha, threshold).people).toHaveLength(vector.people);
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

describe("a cut-out", () => {
  let predictor: Predictor;

  beforeAll(async () => {
    predictor = new Predictor(await loadModel("photo"));
  });
  afterAll(() => predictor.close());

  it.each(vectors.filter((vector) => vector.cut))("of $name is Python's: clean alpha, colors at the edge", async (vector) => {
    await new Promise(setImmediate);
    const frame = frameOf(vector);
    const coarse = await predictor.look(frame);
    const look = { behind: { kind: "transparent" }, crop: false, shadow: false, keep: [], strokes: [] } as const;
    const { frame: result } = renderPhoto(coarse, frame, look, predictor.card.threshold);
    const expected = readGz(`vectors/${vector.name}.cut.gz`);
    let alpha = 0;
    let colors = 0;
    let weight = 0;
    for (let i = 0; i < expected.length; i += 4) {
      const [a, b] = [result.data[i + 3]! / 255, expected[i + 3]! / 255];
      alpha += Math.abs(a - b);
      // Where the edge is soft in both; the more person, the more its color counts.
      if (a === 1 || b === 1) continue;
      const share = Math.min(a, b);
      weight += share;
      for (let c = i; c < i + 3; c++) colors += (share * Math.abs(result.data[c]! - expected[c]!)) / 255 / 3;
    }
    expect(alpha / (vector.width * vector.height)).toBeLessThanOrEqual(0.005);
    expect(weight).toBeGreaterThan(100);
    expect(colors / weight).toBeLessThanOrEqual(0.02);
  });
});
