/** A button that opens a menu. Arrow keys move, Enter chooses, Escape closes, as the ARIA pattern for menu buttons says. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

interface Item {
  readonly label: string;
  readonly hint?: string;
  readonly onChoose: () => void;
}

interface Props {
  readonly label: string;
  readonly icon?: IconName;
  readonly items: readonly Item[];
  readonly disabled?: boolean;
  /** Which edge of the button the menu keeps to. */
  readonly align?: "left" | "right";
}

export function Menu({ label, icon, items, disabled = false, align = "right" }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    const close = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", close);
    return () => window.removeEventListener("pointerdown", close);
  }, [open]);

  const leave = () => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>(".menu-button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const entries = [...(root.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (event.key === "Escape") leave();
    else if (event.key === "Tab") return setOpen(false);
    else if (next !== undefined) entries[(next + entries.length) % entries.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class={`menu ${align}`} ref={root}>
      <button
        type="button"
        class="tool menu-button"
        aria-haspopup="menu"
        aria-expanded={open}
        disabled={disabled}
        onClick={() => setOpen(!open)}
      >
        {icon && <Icon name={icon} />}
        {label}
        <Icon name="down" size={11} />
      </button>
      {open && (
        <div class="menu-list" role="menu" tabIndex={-1} aria-label={label} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button
              type="button"
              key={item.label}
              role="menuitem"
              tabIndex={-1}
              class="menu-item"
              onClick={() => {
                leave();
                item.onChoose();
              }}
            >
              <span class="grow">{item.label}</span>
              {item.hint && <span class="muted">{item.hint}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
