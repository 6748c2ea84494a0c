import type { WrapperOptions } from "./WrapperOptions.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** Wrappers with their options (man pages of sudo 1.9, doas, coreutils 9, util-linux 2.38, bash 5.2). */
export const WRAPPERS: ReadonlyMap<string, WrapperOptions> = new Map<string, WrapperOptions>([
  [
    "sudo",
    {
      flags: "nHSEk",
      values: "ugpT",
      longFlags: ["--non-interactive", "--set-home", "--stdin"],
      longValues: ["--user", "--group", "--prompt", "--command-timeout"]
    }
  ],
  ["doas", { flags: "n", values: "u" }],
  [
    "env",
    {
      flags: "i0v",
      values: "u",
      longFlags: ["--ignore-environment", "--null", "--debug"],
      longValues: ["--unset"],
      assignments: true,
      alone: true
    }
  ],
  ["nohup", {}],
  ["nice", { values: "n", longValues: ["--adjustment"], numeric: true, alone: true }],
  [
    "ionice",
    { flags: "t", values: "cn", longFlags: ["--ignore"], longValues: ["--class", "--classdata"], alone: true }
  ],
  [
    "timeout",
    {
      flags: "vfp",
      values: "ks",
      longFlags: ["--preserve-status", "--foreground", "--verbose"],
      longValues: ["--kill-after", "--signal"],
      operands: 1
    }
  ],
  ["stdbuf", { values: "ioe", longValues: ["--input", "--output", "--error"] }],
  ["setsid", { flags: "cfw", longFlags: ["--ctty", "--fork", "--wait"] }],
  [
    "chrt",
    {
      flags: "abdfior",
      longFlags: words("--batch --fifo --idle --other --rr --all-tasks"),
      operands: 1,
      // Some versions let a policy go without its priority: a name here would be the command.
      operand: /^\d+$/
    }
  ],
  ["taskset", { flags: "ac", longFlags: ["--all-tasks", "--cpu-list"], operands: 1 }],
  ["chroot", { longFlags: ["--skip-chdir"], longValues: ["--userspec", "--groups"], operands: 1 }],
  [
    "unshare",
    {
      flags: "imnpuUCTfrc",
      values: "SGw",
      longFlags: words(
        "--ipc --mount --net --pid --uts --user --cgroup --time --fork --map-root-user --map-current-user --keep-caps"
      ),
      longValues: ["--setuid", "--setgid", "--wd", "--propagation"],
      longOptional: ["--kill-child"]
    }
  ],
  ["command", { flags: "p" }],
  ["exec", { flags: "cl", values: "a" }],
  ["builtin", {}],
  ["time", { flags: "pv", values: "f", longFlags: ["--portability", "--verbose"], longValues: ["--format"] }],
  [
    "flock",
    {
      flags: "sxnueoF",
      values: "wE",
      longFlags: ["--shared", "--exclusive", "--nonblock", "--unlock", "--close", "--no-fork"],
      longValues: ["--wait", "--timeout", "--conflict-exit-code"],
      operands: 1
    }
  ],
  ["busybox", {}],
  ["toybox", {}],
  ["noglob", {}],
  ["nocorrect", {}]
])

/** The options of xargs (findutils 4.9) but those that read a file (`-a`) or set a variable. */
export const XARGS: WrapperOptions = {
  flags: "0rtpxo",
  values: "nPLIdEs",
  optional: "ile",
  longFlags: words("--null --no-run-if-empty --verbose --interactive --exit --open-tty --show-limits"),
  longValues: words("--max-args --max-procs --delimiter --max-chars"),
  longOptional: words("--replace --max-lines --eof")
}

/** Shells that take `-c TEXT`. */
export const SHELLS: ReadonlySet<string> = new Set(words("sh bash rbash dash ash ksh ksh93 mksh lksh yash zsh"))

/** Programs that run another one in a way that is not followed: only a pattern without wildcards allows them. */
export const OPAQUE: ReadonlySet<string> = new Set(
  words(
    "nsenter su runuser setpriv watch script scriptlive systemd-run systemd-inhibit systemd-cat systemd-nspawn " +
      "systemd-socket-activate run0 run-parts parallel sem chronic ifne pee mispipe lckdo strace ltrace uftrace gdb " +
      "gdbserver lldb valgrind perf rr heaptrack hyperfine catchsegv fakeroot fakechroot faketime proot prlimit choom " +
      "uclampset coresched exch schedtool cpulimit trickle nocache eatmydata unbuffer cgexec numactl chpst softlimit " +
      "setlock envdir envuidgid setuidgid s6-setuidgid s6-softlimit gosu su-exec tini dumb-init catatonit linux32 " +
      "linux64 setarch i386 x86_64 dbus-run-session dbus-launch xvfb-run xinit startx start-stop-daemon daemon " +
      "daemonize screen tmux dtach abduco byobu expect entr socat ssh-agent sshpass autossh torify torsocks tsocks " +
      "proxychains proxychains4 rlwrap logsave ttyrec asciinema pkexec machinectl lxc-attach lxc-execute fish csh tcsh " +
      "elvish nu xonsh pwsh runcon sg newgrp capsh firejail bwrap unionfs at batch aa-exec timelimit wine"
  )
)
