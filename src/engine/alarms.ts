/** The noun `alarms`: the rules' states, the pipeline's own alarm, and their history. */
import type { AlarmInfo, Alarms, AlarmTransition } from "../backend.ts";
import { FRESH_RULE } from "../core/alert.ts";
import { Fault } from "../core/fault.ts";
import { type AlarmRule, FORECAST_MISSING } from "../core/spec.ts";
import type { Registry } from "./registry.ts";
import { type Store, tableName } from "./store.ts";

export function alarmsOf(registry: Registry, store: Store): Alarms {
  async function history(pipeline: string, alarm: string, limit: number): Promise<AlarmTransition[]> {
    const rows = await store.read(
      `SELECT event_time, from_state, to_state, reason, contributors FROM ${tableName(pipeline, "alarm_transition")} WHERE alarm = $1
       ORDER BY event_time DESC, rowid DESC LIMIT ${Math.max(1, Math.floor(limit))}`,
      [alarm],
    );
    return rows.map((r) => ({
      at: Number(r.event_time),
      from: String(r.from_state) as AlarmTransition["from"],
      to: String(r.to_state) as AlarmTransition["to"],
      reason: String(r.reason),
      contributors: JSON.parse(String(r.contributors)) as string[],
    }));
  }

  return {
    async list(name) {
      const { spec, pump } = registry.running(name);
      const { rules, missing } = pump.checkpoint;
      const alarms = await Promise.all(
        spec.alarms.map(async (rule): Promise<AlarmInfo> => {
          const memory = rules[rule.name] ?? FRESH_RULE;
          const [last] = await history(name, rule.name, 1);
          const contributors = Object.keys(memory.series).filter((id) => memory.series[id]!.state === "ALARM");
          return {
            name: rule.name,
            pipeline: name,
            measure: rule.measure,
            state: memory.state,
            since: memory.since,
            reason: last?.reason ?? "No window has been compared yet",
            contributors: contributors.sort(),
            severity: rule.severity,
            description: describeRule(rule),
          };
        }),
      );
      return [
        ...alarms,
        {
          name: FORECAST_MISSING,
          pipeline: name,
          measure: null,
          state: missing.state,
          since: missing.since,
          reason:
            missing.state === "ALARM"
              ? `${missing.series.length} series have no forecast`
              : "Every compared window has a forecast",
          contributors: missing.series,
          severity: null,
          description: "A window closed that has no forecast to be compared with",
        },
      ];
    },

    async history(name, alarm, limit) {
      const { spec } = registry.get(name);
      if (alarm !== FORECAST_MISSING && !spec.alarms.some((a) => a.name === alarm)) {
        throw new Fault("alarm.not-found", `The pipeline "${name}" has no alarm "${alarm}".`);
      }
      return history(name, alarm, limit);
    },
  };
}

function describeRule(rule: AlarmRule): string {
  const side = rule.direction === "both" ? "away from" : rule.direction;
  return `${rule.measure} ${side} its forecast by more than ${rule.threshold} half width${rule.threshold === 1 ? "" : "s"} in ${rule.datapoints} of ${rule.periods} windows`;
}
