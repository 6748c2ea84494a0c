import type { OpenSSHAgent, utils as Utilities } from "ssh2"

/** The agent of the library; its constructor takes the path of the socket. */
export type Agent = typeof OpenSSHAgent

/** What authentication uses of the library. */
export interface AuthLibrary {
  readonly utils: Pick<typeof Utilities, "parseKey">
  readonly OpenSSHAgent: Agent
}
