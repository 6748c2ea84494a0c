/** zsh reads `-` and `=` before a name as its own, job control `%`; odd path segments only serve to hide a name. */
const BAD_NAME = /^$|^[-=%]|(?:^|\/)\.{1,2}(?:\/|$)|\/\//

/** Whether a word may name the program of a command. */
export const isProgramName = (word: string): boolean => !BAD_NAME.test(word)
