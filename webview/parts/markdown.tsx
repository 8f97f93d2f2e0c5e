/**
 * Markdown as elements, without HTML ever being parsed: marked reads the text into tokens, and each token becomes an element
 * from a fixed set. HTML in the text is shown as the text it is; images become links; links lead only to http, https and
 * mailto, and are opened by the host.
 */
import { marked, type Token, type Tokens } from "marked";
import type { ComponentChildren } from "preact";

interface Props {
  readonly text: string;
  /** A line that is begun anew stays one, as whoever types a note means it; in a file it is only where the text wraps. */
  readonly breaks?: boolean;
  readonly onLink: (href: string) => void;
}

export function Markdown({ text, breaks = false, onLink }: Props) {
  const tokens = marked.lexer(text, { gfm: true, breaks });
  return <div class="markdown">{blocks(tokens, onLink)}</div>;
}

type OnLink = Props["onLink"];

/** The link if it may be followed, else undefined. */
export function safeHref(href: string): string | undefined {
  return /^(https?:\/\/|mailto:)/i.test(href.trim()) ? href.trim() : undefined;
}

function blocks(tokens: readonly Token[], onLink: OnLink): ComponentChildren {
  return tokens.map((token, i) => <Block key={i} token={token} onLink={onLink} />);
}

function Block({ token, onLink }: { readonly token: Token; readonly onLink: OnLink }) {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading":
      return heading(token as Tokens.Heading, onLink);
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens, onLink)}</p>;
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, onLink)}</blockquote>;
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        <pre tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "list":
      return list(token as Tokens.List, onLink);
    case "table":
      return table(token as Tokens.Table, onLink);
    case "text": {
      const text = token as Tokens.Text;
      return <>{text.tokens ? inline(text.tokens, onLink) : decode(text.text)}</>;
    }
    default:
      return <p class="raw">{token.raw}</p>;
  }
}

/** Headings inside a page stand below the page's own. */
function heading({ depth, tokens }: Tokens.Heading, onLink: OnLink) {
  const content = inline(tokens, onLink);
  if (depth === 1) return <h3>{content}</h3>;
  return depth === 2 ? <h4>{content}</h4> : <h5>{content}</h5>;
}

function list({ ordered, start, items }: Tokens.List, onLink: OnLink) {
  const entries = items.map((item, i) => (
    <li key={i} class={item.task ? "task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label="Task" />}
      {blocks(
        item.tokens.filter((token) => token.type !== "checkbox"),
        onLink,
      )}
    </li>
  ));
  return ordered ? <ol start={Number(start) || 1}>{entries}</ol> : <ul>{entries}</ul>;
}

function table({ header, rows }: Tokens.Table, onLink: OnLink) {
  return (
    <table>
      <thead>
        <tr>
          {header.map((cell, i) => (
            <th key={i}>{inline(cell.tokens, onLink)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, k) => (
              <td key={k}>{inline(cell.tokens, onLink)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inline(tokens: readonly Token[] | undefined, onLink: OnLink): ComponentChildren {
  return (tokens ?? []).map((token, i) => <Inline key={i} token={token} onLink={onLink} />);
}

function Inline({ token, onLink }: { readonly token: Token; readonly onLink: OnLink }) {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens, onLink)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens, onLink)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens, onLink)}</del>;
    case "codespan":
      return <code>{decode((token as Tokens.Codespan).text)}</code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      return <Link href={href} content={inline(tokens, onLink)} onLink={onLink} />;
    }
    case "image": {
      const { href, text } = token as Tokens.Image;
      return <Link href={href} content={text || href} onLink={onLink} />;
    }
    case "text":
    case "escape": {
      const { tokens, text } = token as Tokens.Text;
      return <>{tokens ? inline(tokens, onLink) : decode(text)}</>;
    }
    default:
      return <>{token.raw}</>;
  }
}

interface LinkProps {
  readonly href: string;
  readonly content: ComponentChildren;
  readonly onLink: OnLink;
}

function Link({ href, content, onLink }: LinkProps) {
  const safe = safeHref(href);
  if (!safe) return <>{content}</>;
  return (
    <a
      href={safe}
      title={safe}
      onClick={(event) => {
        event.preventDefault();
        onLink(safe);
      }}
    >
      {content}
    </a>
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  nbsp: "\u00a0",
};

/** The few entities that people write, as characters; text nodes need no escaping. */
function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => ENTITIES[name]!);
}
