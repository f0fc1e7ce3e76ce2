/** Apple's engine: it hangs with threads (onnxruntime#11679), and has streams of frames in workers only. Chrome bears its name, too. */
export function isSafari(): boolean {
  return /AppleWebKit/.test(navigator.userAgent) && !/Chrom(e|ium)\//.test(navigator.userAgent);
}
