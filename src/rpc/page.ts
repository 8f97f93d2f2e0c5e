/** All that a page and its host need of each other: the protocol, the transport that carries it, the document around it. */
export type {
  Cell,
  Change,
  ChartPoint,
  Contributor,
  Evidence,
  Incident,
  PlannedChange,
  SeriesChart,
  SeriesInfo,
  StackPlan,
  TimelineEntry,
} from "../backend.ts";
export { PLAN_COLUMN } from "../backend.ts";
export type { FaultData } from "../core/fault.ts";
export type { Severity } from "../core/spec.ts";
export {
  connectPage,
  createPageConnection,
  type PageChannel,
  type PageClient,
  type PageHost,
  servePage,
} from "./channel.ts";
export { type ChartColumns, packChart, unpackChart } from "./columns.ts";
export * from "./protocol.ts";
export { pageHtml, type Shell } from "./shell.ts";
