/** What host key verification needs from the configuration: the file to read at each connect, and its state at load. */
export interface HostKeyPolicy {
  /** known_hosts files in the order of preference; the first that exists is used. Absolute paths. */
  readonly paths: ReadonlyArray<string>
  /** SHA-256 of the file's content when the configuration was loaded; "" when no file existed. */
  readonly digest: string
}
