/** What the explorer's tree is made of, before VS Code's own items: plain data that tests can read. */

import type { CommandName, NodeContext, Ref, StatementRef } from "../ids.ts";
import type { PastRun } from "../queries/words.ts";

export interface TreeNode {
  /** Stable over refreshes, so that VS Code keeps selection and expansion. */
  readonly id: string;
  readonly context: NodeContext;
  readonly label: string;
  readonly description?: string;
  /** Markdown. */
  readonly tooltip?: string;
  readonly icon?: Icon;
  /** What a command is told that is called on this node. */
  readonly ref: Ref & Partial<StatementRef>;
  /** What a click does; nodes without it only open and close. */
  readonly command?: CommandName;
  readonly children?: readonly TreeNode[];
  readonly expanded?: boolean;
}

/** A codicon with a theme colour. */
export interface Icon {
  readonly id: string;
  readonly color?: Color;
}

/** The theme colours that carry a meaning here. */
export const COLORS = {
  good: "testing.iconPassed",
  bad: "testing.iconFailed",
  warning: "list.warningForeground",
  idle: "disabledForeground",
  busy: "charts.blue",
} as const;
export type Color = (typeof COLORS)[keyof typeof COLORS];

/** How the state of a statement's run is shown: in the tree, in the history. */
export const RUN_ICONS = {
  running: { id: "sync~spin", color: COLORS.busy },
  succeeded: { id: "pass", color: COLORS.good },
  failed: { id: "error", color: COLORS.bad },
  cancelled: { id: "circle-slash", color: COLORS.idle },
} as const satisfies Readonly<Record<PastRun["state"], Icon>>;

/** The ids of the nodes in `after` that differ from `before` in themselves or gained or lost children; undefined: the roots did. */
export function changedNodes(before: readonly TreeNode[], after: readonly TreeNode[]): readonly string[] | undefined {
  if (before.length !== after.length || before.some((node, i) => node.id !== after[i]!.id)) return undefined;
  return after.flatMap((node, i) => changed(before[i]!, node));
}

function changed(before: TreeNode, after: TreeNode): readonly string[] {
  if (!sameFace(before, after)) return [after.id];
  return changedNodes(before.children ?? [], after.children ?? []) ?? [after.id];
}

function sameFace(a: TreeNode, b: TreeNode): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.tooltip === b.tooltip &&
    a.context === b.context &&
    a.icon?.id === b.icon?.id &&
    a.icon?.color === b.icon?.color &&
    a.ref.offset === b.ref.offset &&
    (a.children === undefined) === (b.children === undefined)
  );
}
