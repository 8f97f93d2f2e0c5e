/**
 * Who may talk to the endpoint. It listens on the loopback only and checks no signature, so what remains is a web page in
 * the user's own browser: it always sends an Origin or Sec-Fetch headers, or, after rebinding a name of its own to
 * 127.0.0.1, that name as the Host.
 */
import type { IncomingHttpHeaders } from "node:http";

const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/** Why a request is refused, for its sender; undefined when it is welcome. @param host Host, or `:authority` */
export function refusal(host: string | undefined, headers: IncomingHttpHeaders): string | undefined {
  if (host === undefined || !LOCAL_HOST.test(host)) {
    return "This endpoint answers only to the host names 127.0.0.1, localhost and [::1].";
  }
  const browser = headers.origin ?? headers["sec-fetch-site"] ?? headers["sec-fetch-mode"];
  return browser === undefined ? undefined : "This endpoint answers no requests of web pages.";
}
