import type { PageName, PageSubjects } from "../../rpc/page.ts";

/** What makes a subject the same page: not which series or range it shows just now. */
export function identity(subject: PageSubjects[PageName]): string {
  if ("incident" in subject) return subject.incident;
  if ("file" in subject) return subject.file;
  return subject.pipeline;
}
