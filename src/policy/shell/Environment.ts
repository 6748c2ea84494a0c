/** Our own tag of a run (`LC_MCP_RUN`): by it, the processes of a cancelled run are found. */
const OWN = /^LC_MCP_/

/** Variables that change how a program prints and nothing else. */
const HARMLESS = /^(?:LANG|LANGUAGE|LC_[A-Z_]+|TZ|COLUMNS|LINES|NO_COLOR|TERM|SYSTEMD_COLORS)$/

/** Variables that make a shell, the loader or a common program run code or lead it elsewhere. */
const FORBIDDEN =
  /^(?:PATH|IFS|ENV|BASH_.*|BASHOPTS|SHELLOPTS|PS4|PROMPT_COMMAND|LD_.*|DYLD_.*|GIT_.*|.*PAGER|.*EDITOR|VISUAL|BROWSER|LESS.*|MAN.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|KUBECONFIG|DOCKER_.*|SSH_.*|HOME|SHELL|CDPATH|ZDOTDIR|FPATH|TERMINFO.*|NLSPATH|LOCPATH|GCONV_PATH|TMPDIR|MAIL.*)$/

/** Lower-case names with a meaning of their own in some shell (zsh ties `path` to `PATH`), and those of proxies. */
const SPECIAL =
  /^(?:_|path|fpath|cdpath|manpath|mailpath|fignore|module_path|prompt|psvar|status|pipestatus|argv|signals|watch|histchars|keymap|widgets|options|aliases|functions|commands|parameters|modules|builtins|.*_functions|.*_proxy)$/

/** Whether a variable may be set for any command without a rule that says so. */
export const isHarmlessVariable = (name: string): boolean => HARMLESS.test(name) && !OWN.test(name)

/** Whether a variable may never be set for a command, whatever a rule says. */
export const isForbiddenVariable = (name: string): boolean =>
  OWN.test(name) || FORBIDDEN.test(name) || SPECIAL.test(name)

/** Whether a name is one of the script's own variables: lower case, without a meaning to any shell. Never exported. */
export const isScriptVariable = (name: string): boolean => /^[a-z_][a-z0-9_]*$/.test(name) && !SPECIAL.test(name)
