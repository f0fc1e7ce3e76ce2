/** Where the worker's script is. In the library (`vite.library.config.ts`) it lies inside the module, as text. */
import url from "./worker?worker&url";

export const workerUrl = (): string => url;
