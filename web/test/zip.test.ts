/** Python's zipfile reads it in the browser test; here are its corners. */
import { describe, expect, it } from "vitest";
import { Zip, crc32 } from "../page/zip";

describe("a zip", () => {
  it("has the checksum that everybody computes", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  it("gives a name that is taken a number", async () => {
    const zip = new Zip();
    for (let i = 0; i < 2; i++) await zip.add({ name: "a.b.png", blob: new Blob(["x"]) });
    const text = await zip.finish().text();
    expect(text).toContain("a.b.png");
    expect(text).toContain("a.b (2).png");
  });
});
