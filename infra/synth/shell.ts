/** Words of commands that people paste into a shell: sh, bash or zsh, on Windows the bash of Git. */

/** Characters that mean nothing to a shell, wherever in a word they stand. */
const PLAIN = /^[\w./:@%+,-]+$/;

/** `text` as one word of a command: as it is where it can be, else within single quotes, in which a shell expands nothing. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
