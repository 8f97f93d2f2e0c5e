/** What stands where content would: loading, nothing there, failed. */
import type { ComponentChildren } from "preact";
import type { FaultData } from "../../src/core/fault.ts";
import { Icon, type IconName } from "./icon.tsx";

export function Loading({ label }: { readonly label: string }) {
  return (
    <div class="notice" role="status">
      <vscode-progress-ring aria-label={label} />
      <p class="notice-text muted">{label}…</p>
    </div>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Nothing to show yet: what would be here, and how to get it. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="notice" role="status">
      <Icon name={icon} size={28} />
      <h2 class="notice-title">{title}</h2>
      <div class="notice-text muted">{children}</div>
    </div>
  );
}

interface FaultProps {
  readonly fault: FaultData;
  readonly onRetry?: () => void;
  readonly children?: ComponentChildren;
}

/** A failure in place of content: what happened, what to do, the reason, and another try. */
export function FaultNotice({ fault, onRetry, children }: FaultProps) {
  return (
    <div class="notice failed" role="alert">
      <Icon name="alert" size={28} />
      <h2 class="notice-title">{fault.message}</h2>
      <div class="notice-text muted">
        {fault.next && <p>{fault.next}</p>}
        {fault.cause && fault.cause !== fault.message && <pre class="cause">{fault.cause}</pre>}
      </div>
      <div class="row center">
        {onRetry && (
          <vscode-button appearance="secondary" onClick={onRetry}>
            Try again
          </vscode-button>
        )}
        {children}
      </div>
    </div>
  );
}

/** A failure beside content that still stands. */
export function FaultStrip({ fault, onClose }: { readonly fault: FaultData; readonly onClose: () => void }) {
  return (
    <div class="strip error" role="alert">
      <Icon name="alert" />
      <span class="grow">
        {fault.message} {fault.next}
      </span>
      <vscode-button appearance="icon" aria-label="Dismiss" onClick={onClose}>
        <Icon name="close" />
      </vscode-button>
    </div>
  );
}
