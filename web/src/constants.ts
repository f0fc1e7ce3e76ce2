/**
 * What this library must know of Python's rules. `standout export --web` writes it into the JSON beside a model, from where Python
 * has it (`standout.workshop.export.browser_constants`); there is no second copy here.
 */
import { StandoutError } from "./errors";

export interface Constants {
  readonly letterbox: { readonly gray: number };
  readonly hysteresis: { readonly edge: number; readonly fade: number };
  readonly clean_alpha: { readonly undecided: number };
  readonly nobody: { readonly share: number };
  readonly looks: {
    readonly margin: number; readonly margin_px: number; readonly least_piece: number; readonly most_px: number; readonly doubt: number;
  };
  readonly guided_filter: {
    readonly subsample: number; readonly radius: number; readonly epsilon: number; readonly tile: number; readonly decided: number;
    readonly flat: number;
  };
  readonly blur: { readonly share: number; readonly least: number; readonly work_radius: number; readonly lit: number; readonly far: number };
  readonly edge_colors: {
    readonly flat: number; readonly work_side: number; readonly margin: number; readonly sweeps_small: number; readonly sweeps_large: number;
    readonly small: number; readonly tiny: number;
  };
  readonly people: { readonly work_side: number; readonly least_share: number; readonly least_of_largest: number; readonly near: number };
  readonly crop: { readonly margin: number; readonly least: number };
  readonly shadow: { readonly offset: readonly number[]; readonly softness: number; readonly darkness: number; readonly work_side: number };
  readonly smoothing: { readonly memory: number; readonly tolerance: number; readonly scene: number };
  readonly live: { readonly longest_side: number; readonly every: number; readonly blur_radius: number };
  readonly limits: { readonly max_pixels: number };
}

let current: Constants | undefined;

/** Takes them from a model's JSON; a worker has one model, and all models of a version say the same. */
export function useConstants(given: Constants | undefined): void {
  // The filter's windows are unrolled.
  if (given?.guided_filter?.radius !== 1) {
    throw new StandoutError("model", "The model's JSON must be of this library's version; write it anew by `standout export --web`.");
  }
  current = given;
}

export function constants(): Constants {
  if (!current) throw new StandoutError("model", "There are no rules before a model is loaded.");
  return current;
}
