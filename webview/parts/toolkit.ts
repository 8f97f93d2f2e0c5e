/**
 * The toolkit's components that the pages use, registered here and nowhere else, and their types in JSX: to replace the
 * (archived) toolkit, replace this file. `vscode-badge` is left out, for its inline style breaks the pages' policy.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextArea,
  vsCodeTextField,
} from "@vscode/webview-ui-toolkit";
import type { AriaAttributes, ComponentChildren, Ref } from "preact";

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextArea(),
  vsCodeTextField(),
);

/** What every component takes. */
interface ToolkitElement extends AriaAttributes {
  readonly key?: string | number;
  readonly id?: string;
  readonly class?: string;
  readonly title?: string;
  readonly disabled?: boolean;
  readonly children?: ComponentChildren;
  readonly ref?: Ref<HTMLElement>;
  readonly onClick?: (event: MouseEvent) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly onFocus?: (event: FocusEvent) => void;
  readonly onBlur?: (event: FocusEvent) => void;
}

interface ToolkitField extends ToolkitElement {
  readonly value?: string;
  readonly placeholder?: string;
  readonly onInput?: (event: Event) => void;
  readonly onChange?: (event: Event) => void;
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "vscode-button": ToolkitElement & { readonly appearance?: "primary" | "secondary" | "icon" };
      "vscode-checkbox": ToolkitElement & { readonly checked?: boolean; readonly onChange?: (event: Event) => void };
      "vscode-dropdown": ToolkitField;
      "vscode-option": ToolkitElement & { readonly value: string; readonly selected?: boolean };
      "vscode-progress-ring": ToolkitElement;
      "vscode-text-area": ToolkitField & { readonly rows?: number; readonly resize?: "none" | "vertical" };
      "vscode-text-field": ToolkitField & { readonly type?: "text" | "search" };
    }
  }
}

/** The value of the field that an event comes from. */
export function textOf(event: Event): string {
  const target = event.currentTarget;
  return target instanceof HTMLElement && "value" in target && typeof target.value === "string" ? target.value : "";
}

/** A ref that gives a text field its accessible name: the toolkit puts its own in place of `aria-label` when connected. */
export function named(label: string): (element: HTMLElement | null) => void {
  return (element) => element?.setAttribute("aria-label", label);
}
