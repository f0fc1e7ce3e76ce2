/** Something that can't be done, in one sentence: what was wrong, what was expected, what was received. */
export class StandoutError extends Error {
  override name = "StandoutError";

  /**
   * @param code A word for programs: `input`, `model`, `download`, `device` or `closed`.
   */
  constructor(
    readonly code: "input" | "model" | "download" | "device" | "closed",
    message: string,
  ) {
    super(message);
  }
}
