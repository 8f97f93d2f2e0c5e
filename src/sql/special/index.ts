import { COLLECTION_CALLS } from "./collections.ts";
import { DATETIME_CALLS } from "./datetime.ts";
import type { Special } from "./kinds.ts";
import { TEXT_CALLS } from "./text.ts";

/** Calls that no template can write, by the function's name. */
export const SPECIAL: Readonly<Record<string, Special>> = { ...DATETIME_CALLS, ...TEXT_CALLS, ...COLLECTION_CALLS };
