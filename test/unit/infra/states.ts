/**
 * The Amazon States Language as far as the training workflow speaks it, in JSONata: Pass, Task, Map, Choice, Succeed, Fail, with
 * Assign, Output, Retry and Catch. Written from the language's specification and the Step Functions Developer Guide ("Transforming
 * data with JSONata", "Passing data between states with variables"); strict where Step Functions is: an expression without a value,
 * and a variable of the same name inside and outside of a Map, are failures.
 */
import jsonata from "jsonata";

type Json = unknown;
type Variables = Readonly<Record<string, Json>>;

interface State {
  readonly Type: "Pass" | "Task" | "Map" | "Choice" | "Succeed" | "Fail";
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Resource?: string;
  readonly Arguments?: Json;
  readonly Assign?: Readonly<Record<string, Json>>;
  readonly Output?: Json;
  readonly Items?: Json;
  readonly ItemSelector?: Json;
  readonly ItemProcessor?: Machine;
  readonly Choices?: readonly { readonly Condition: string; readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Next: string;
    readonly Assign?: object;
  }[];
  readonly Error?: string;
  readonly Cause?: string;
}

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** A failure with a name, as services and Fail states give them; a timeout has no cause. */
export class StateError extends Error {
  constructor(
    readonly error: string,
    readonly reason?: string,
  ) {
    super(`${error}: ${reason ?? ""}`);
  }
}

/** What a task's service answers; throws a StateError when it fails. */
export type Tasks = (resource: string, args: Record<string, unknown>) => Promise<unknown>;

/** Runs an execution from its input to its output; throws the StateError that it ends with. */
export async function execute(machine: Machine, input: Json, startTime: string, tasks: Tasks): Promise<Json> {
  return runMachine(machine, input, {}, { Execution: { StartTime: startTime } }, tasks);
}

async function runMachine(
  machine: Machine,
  input: Json,
  outer: Variables,
  context: Readonly<Record<string, Json>>,
  tasks: Tasks,
): Promise<Json> {
  const own: Record<string, Json> = {};
  let name: string | undefined = machine.StartAt;
  let data = input;
  while (name !== undefined) {
    const state: State = machine.States[name]!;
    const evaluate = (template: Json, more: object = {}) =>
      fill(template, { ...outer, ...own, states: { input: data, context, ...more } });
    const assign = async (values: object | undefined, more: object) => {
      const made = (await evaluate(values ?? {}, more)) as Record<string, Json>;
      for (const [variable, value] of Object.entries(made)) {
        if (variable in outer) throw new StateError("States.Runtime", `$${variable} is there outside of the Map too`);
        own[variable] = value;
      }
    };
    if (state.Type === "Fail") throw new StateError(state.Error!, (await evaluate(state.Cause)) as string);
    if (state.Type === "Succeed") return state.Output === undefined ? data : evaluate(state.Output);
    if (state.Type === "Choice") {
      name = state.Default;
      for (const { Condition, Next } of state.Choices!) {
        if ((await evaluate(Condition)) === true) {
          name = Next;
          break;
        }
      }
      continue;
    }
    try {
      const result = await retried(state, () =>
        resultOf(state, { data, evaluate, outer: { ...outer, ...own }, context, tasks }),
      );
      const seen = result === undefined ? {} : { result };
      const output = state.Output === undefined ? (result ?? data) : await evaluate(state.Output, seen);
      await assign(state.Assign, seen);
      data = output;
      name = state.End ? undefined : state.Next!;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const caught = state.Catch?.find((c) => c.ErrorEquals.some((e) => e === "States.ALL" || e === error.error));
      if (!caught) throw error;
      const errorOutput = { Error: error.error, ...(error.reason !== undefined && { Cause: error.reason }) };
      await assign(caught.Assign, { errorOutput });
      data = errorOutput;
      name = caught.Next;
    }
  }
  return data;
}

interface Frame {
  readonly data: Json;
  readonly evaluate: (template: Json, more?: object) => Promise<Json>;
  readonly outer: Variables;
  readonly context: Readonly<Record<string, Json>>;
  readonly tasks: Tasks;
}

/** What a task or a Map gives; undefined for a Pass. */
async function resultOf(state: State, { evaluate, outer, context, tasks }: Frame): Promise<Json> {
  if (state.Type === "Task") {
    return tasks(state.Resource!, (await evaluate(state.Arguments)) as Record<string, unknown>);
  }
  if (state.Type === "Map") {
    const items = await evaluate(state.Items);
    if (!Array.isArray(items)) throw new StateError("States.QueryEvaluationError", "Items is no array");
    const results: Json[] = [];
    for (const [Index, Value] of items.entries()) {
      const inner = { ...context, Map: { Item: { Index, Value } } };
      // The selector sees the item that it selects from.
      const states = { states: { input: Value, context: inner } };
      const selected = await fill(state.ItemSelector, { ...outer, ...states });
      results.push(await runMachine(state.ItemProcessor!, selected, outer, context, tasks));
    }
    return results;
  }
  return undefined;
}

/** As often as the state's retriers allow, without their pauses. */
async function retried(state: State, run: () => Promise<Json>): Promise<Json> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const retrier = error instanceof StateError && state.Retry?.find((r) => r.ErrorEquals.includes(error.error));
      if (!retrier || attempt >= retrier.MaxAttempts) throw error;
    }
  }
}

/** A template's `{% ... %}` texts evaluated. */
async function fill(template: Json, bindings: Variables): Promise<Json> {
  if (typeof template === "string") {
    const expression = /^\{%(.*)%\}$/s.exec(template)?.[1];
    if (expression === undefined) return template;
    const compiled = jsonata(expression);
    compiled.registerFunction("uuid", () => "0a1b2c3d-0000-4000-8000-000000000000");
    const value = await compiled.evaluate({}, { ...bindings });
    if (value === undefined) throw new StateError("States.QueryEvaluationError", `no value: ${expression}`);
    return JSON.parse(JSON.stringify(value));
  }
  if (Array.isArray(template)) return Promise.all(template.map((item) => fill(item, bindings)));
  if (typeof template === "object" && template !== null) {
    const entries = Object.entries(template).map(async ([key, value]) => [key, await fill(value, bindings)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
  return template;
}
