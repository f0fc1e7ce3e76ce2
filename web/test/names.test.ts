/** Names inside a zip. */
import { expect, it } from "vitest";
import { unique } from "../page/dom";

it("a name that is taken gets a number before its ending", () => {
  const taken = new Set<string>();
  const names = ["a.b.png", "a.b.png", "photo", "photo", "A.B.png"].map((name) => unique(name, taken));
  expect(names).toEqual(["a.b.png", "a.b (2).png", "photo", "photo (2)", "A.B (3).png"]);
});
