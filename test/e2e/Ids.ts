import { createHash } from "node:crypto"

/** The hash of a command as every answer carries it. */
export const hashOf = (command: string): string => createHash("sha256").update(command).digest("hex").slice(0, 16)

/** The id of a task on one host. */
export const TASK_ID = /^[A-Za-z0-9._-]+:[0-9a-f]{16}:[0-9A-Z]{26}$/
