/** What a reader does not see, or sees elsewhere than it stands: control, format, bidi, tag and filler characters. */
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/**
 * A client's text as a prompt may hold it: a JSON string on one line, so that it can neither end its quotes nor begin
 * a line, cut to `maximum` characters with a mark. What cannot be seen becomes `?`.
 */
export const quoted = (text: string, maximum: number): string => {
  const json = JSON.stringify(text.slice(0, maximum)).replaceAll(UNSEEN, "?")
  return text.length > maximum ? `${json} (cut after ${maximum} characters)` : json
}
