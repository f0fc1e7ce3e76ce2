/**
 * Alpha that is steady in time: each new alpha is averaged with the last one, moved to where things are now. Where the moved picture
 * doesn't look like the new one (uncovered background, a wrong motion), its alpha has no say: that keeps ghosts away. The averaging of
 * Python's `standout.inference.smoothing`, with motion found by block matching instead of optical flow; holes and flickers of a few
 * frames, which Python also sets right (`dropouts`), are not looked for.
 */
import { type Alpha, type Rgb, clamp } from "../arrays";
import { constants } from "../constants";
import { type Gray, findMotion, halfGray, moved } from "./motion";
import { resizeChannels } from "../resize";

interface View {
  readonly gray: Gray;
  readonly alpha: Alpha;
}

export class Smoothing {
  private last: View | undefined;

  /** Forgets the past, as after a pause. */
  reset(): void {
    this.last = undefined;
  }

  /** This frame's alpha, smoothed. */
  next(picture: Rgb, alpha: Alpha): Alpha {
    const gray = halfGray(picture);
    const past = this.last && this.carried(gray, alpha.width, alpha.height);
    let result = alpha;
    if (past) {
      const data = new Float32Array(alpha.data.length);
      const { memory } = constants().smoothing;
      for (let i = 0; i < data.length; i++) {
        const now = alpha.data[i]!;
        const doubt = 1 - Math.abs(2 * now - 1);
        const say = memory * past.trust[i]! * 0.5 * (1 + doubt);
        data[i] = clamp(now + say * (past.alpha[i]! - now), 0, 1);
      }
      result = { data, width: alpha.width, height: alpha.height };
    }
    this.last = { gray, alpha: result };
    return result;
  }

  /** The last alpha moved to this frame, for frames that the network skips; undefined without a past or after a cut. */
  carry(picture: Rgb): Alpha | undefined {
    if (!this.last) return undefined;
    const { width, height } = this.last.alpha;
    const gray = halfGray(picture);
    const past = this.carried(gray, width, height);
    if (!past) return undefined;
    const alpha = { data: past.alpha, width, height };
    this.last = { gray, alpha };
    return alpha;
  }

  private carried(gray: Gray, width: number, height: number): { alpha: Float32Array; trust: Float32Array } | undefined {
    const last = this.last!;
    if (last.gray.width !== gray.width || last.gray.height !== gray.height) return undefined;
    if (last.alpha.width !== width || last.alpha.height !== height) return undefined;
    const motion = findMotion(gray, last.gray);
    const seen = moved(last.gray.data, gray.width, gray.height, motion, gray.width);
    const difference = new Float32Array(seen.length);
    let sum = 0;
    for (let i = 0; i < seen.length; i++) {
      difference[i] = Math.abs(seen[i]! - gray.data[i]!);
      sum += difference[i]!;
    }
    const { scene, tolerance } = constants().smoothing;
    if (sum / seen.length > scene) return undefined;
    const trust = softened(difference, gray.width, gray.height).map((value) => Math.exp(-value / tolerance));
    return {
      alpha: moved(last.alpha.data, width, height, motion, gray.width),
      trust: resizeChannels({ data: trust, width: gray.width, height: gray.height }, 1, width, height),
    };
  }
}

/** Means of 5 × 5. */
function softened(values: Float32Array, width: number, height: number): Float32Array {
  const pass = (source: Float32Array, step: number, count: number, lines: number, lineStep: number): Float32Array => {
    const out = new Float32Array(source.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let k = -2; k <= 2; k++) sum += source[line * lineStep + clamp(i + k, 0, count - 1) * step]!;
        out[line * lineStep + i * step] = sum / 5;
      }
    }
    return out;
  };
  return pass(pass(values, 1, width, height, width), width, height, width, 1);
}
