/** Something that `check` tells about policy.yml; an error keeps the file from being used. */
export interface DocumentProblem {
  readonly severity: "error" | "warning"
  /** Where: keys and indices from the top of the document. */
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** A problem that keeps the file from being used. */
export const error = (path: ReadonlyArray<string | number>, message: string): DocumentProblem => ({
  severity: "error",
  path,
  message
})

/** A problem that is told, and nothing more. */
export const warning = (path: ReadonlyArray<string | number>, message: string): DocumentProblem => ({
  severity: "warning",
  path,
  message
})
