/** Characters of a caller's value that an error text shows. */
const SHOWN_LENGTH = 64

/**
 * A caller's value as an error text may show it: everything but printable ASCII becomes `?`, and what is longer than
 * `maximum` characters is cut with a mark. Keeps escape sequences, look-alikes and megabytes out of answers and logs.
 */
export const shown = (text: string, maximum: number = SHOWN_LENGTH): string => {
  const safe = text.slice(0, maximum).replaceAll(/[^\x20-\x7e]/g, "?")
  return text.length > maximum ? `${safe}...` : safe
}

/** An operator's text, such as a configuration problem: any script, but no control, format or invisible characters, cut. */
export const printable = (text: string, maximum: number): string => {
  const safe = text.slice(0, maximum).replaceAll(/[\p{C}\u2028\u2029\p{Default_Ignorable_Code_Point}]/gu, "?")
  return text.length > maximum ? `${safe}...` : safe
}

/** Characters of a task id that a "not found" text repeats. */
const TASK_ID_LENGTH = 200

/** A task id as a "not found" text repeats it: at most 200 characters, and only those that a task id can hold. */
export const shownTaskId = (text: string): string => text.slice(0, TASK_ID_LENGTH).replaceAll(/[^A-Za-z0-9._:-]/g, "?")
