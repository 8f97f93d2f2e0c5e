/** The local target: a Backend that is a proxy of the engine's process. */
export { type LocalBackend, type LocalOptions, type LocalState, openLocal } from "./open.ts";
export { type EngineRecord, readEngineRecord } from "./record.ts";
