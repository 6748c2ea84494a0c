const SERVER_TO_CLIENT =
  "The server sends no requests to its client: sampling and elicitation are not offered (a host can accept them by itself, so they would be no security boundary)."

/** Scenarios for servers of 2025-11-25 that do not apply to this one, with the reason of each. The last one is reported by the suite and not required. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  "tools-call-sampling": SERVER_TO_CLIENT,
  "tools-call-elicitation": SERVER_TO_CLIENT,
  "elicitation-sep1034-defaults": SERVER_TO_CLIENT,
  "elicitation-sep1330-enums": SERVER_TO_CLIENT,
  "server-sse-polling":
    "A stream that the server closes in the middle of a call to have the client poll is a matter of Streamable HTTP; the server speaks stdio only."
}
