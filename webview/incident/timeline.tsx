/** What happened, in the order in which it was entered: automatic events and people's notes; and the note being written. */
import type { Incident, TimelineEntry } from "../../src/rpc/page.ts";
import { formatTime, type Zone } from "../parts/format.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { Markdown } from "../parts/markdown.tsx";
import { named, textOf } from "../parts/toolkit.ts";
import { entryText } from "./sentence.ts";

interface Props {
  readonly incident: Incident;
  readonly zone: Zone;
  readonly draft: string;
  readonly preview: boolean;
  readonly busy: boolean;
  readonly author: string;
  readonly onDraft: (draft: string) => void;
  readonly onPreview: (preview: boolean) => void;
  readonly onNote: () => void;
  readonly onLink: (href: string) => void;
}

const ICONS: Readonly<Record<TimelineEntry["kind"], IconName>> = {
  opened: "bell",
  joined: "plus",
  recovered: "check",
  alarm: "alert",
  note: "note",
  severity: "flag",
  owner: "user",
  evidence: "pin",
  resolved: "check",
  reopened: "reopen",
};

export function Timeline(props: Props) {
  const { incident, zone, onLink } = props;
  // Automatic entries carry event time, people's the wall clock: only the order of entry is common to both.
  const entries = incident.timeline.toSorted((a, b) => a.id - b.id);
  return (
    <div class="timeline">
      <ol>
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} incident={incident} zone={zone} onLink={onLink} />
        ))}
      </ol>
      <Editor {...props} />
    </div>
  );
}

interface EntryProps {
  readonly entry: TimelineEntry;
  readonly incident: Incident;
  readonly zone: Zone;
  readonly onLink: (href: string) => void;
}

function Entry({ entry, incident, zone, onLink }: EntryProps) {
  const time = (
    <time dateTime={new Date(entry.at).toISOString()} class="muted number">
      {formatTime(entry.at, zone, { year: entry.author !== null })}
    </time>
  );
  if (entry.kind === "note") {
    return (
      <li class="entry note">
        <span class="entry-icon">
          <Icon name="note" />
        </span>
        <article class="card">
          <header class="card-head">
            <b>{entry.author}</b> {time}
          </header>
          <Markdown text={entry.text} breaks onLink={onLink} />
        </article>
      </li>
    );
  }
  return (
    <li class={`entry ${entry.kind}`}>
      <span class="entry-icon">
        <Icon name={ICONS[entry.kind]} />
      </span>
      <p class="entry-text">
        {entryText(entry.text, incident.contributors, zone)}
        {entry.author !== null && <b class="entry-author">{entry.author}</b>} {time}
      </p>
    </li>
  );
}

function Editor({ draft, preview, busy, author, onDraft, onPreview, onNote, onLink }: Props) {
  const empty = draft.trim() === "";
  return (
    <div class="entry editor">
      <span class="entry-icon">
        <Icon name="edit" />
      </span>
      <div class="card">
        <div class="card-head row">
          <fieldset class="segments" aria-label="Note">
            <button type="button" class="segment" aria-pressed={!preview} onClick={() => onPreview(false)}>
              Write
            </button>
            <button type="button" class="segment" aria-pressed={preview} onClick={() => onPreview(true)}>
              Preview
            </button>
          </fieldset>
          <span class="grow" />
          <span class="muted">Markdown</span>
        </div>
        {preview ? (
          <div class="note-preview">
            {empty ? <p class="muted">Nothing to preview.</p> : <Markdown text={draft} breaks onLink={onLink} />}
          </div>
        ) : (
          <vscode-text-area
            id="note"
            rows={4}
            resize="vertical"
            ref={named("New note")}
            placeholder="What did you see, try, or decide?"
            value={draft}
            onInput={(event) => onDraft(textOf(event))}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !empty && !busy) onNote();
            }}
          />
        )}
        <div class="row card-foot">
          <span class="muted grow">{empty ? `Signed as ${author}` : "Draft kept"}</span>
          <vscode-button disabled={empty || busy} onClick={onNote} title="Ctrl+Enter">
            Add note
          </vscode-button>
        </div>
      </div>
    </div>
  );
}
