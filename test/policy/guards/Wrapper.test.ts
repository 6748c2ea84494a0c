import { assert, describe, it } from "@effect/vitest"
import { isWrapper, unwrap } from "../../../src/policy/guards/Wrapper.ts"
import { renderWord, type Word, type Words } from "../../../src/policy/shell/Word.ts"
import { wordsOf } from "./words.ts"

const render = (words: Words): string => words.map(renderWord).join(" ")

/** What a command runs, in short: `plain`, `unknown`, `script: TEXT`, or the inner commands with what is set before. */
const run = (text: string): string => {
  const wrapped = unwrap(wordsOf(text))
  switch (wrapped._tag) {
    case "Plain":
      return "plain"
    case "Unknown":
      return "unknown"
    case "Script":
      return `script ${wrapped.index}: ${wrapped.text}`
    case "Inner":
      return [
        ...wrapped.assignments.map((name) => `${name}=`),
        ...wrapped.commands.map((each) => render(each.words))
      ].join(" & ")
  }
}

const table = (cases: Readonly<Record<string, string>>): void => {
  for (const [command, expected] of Object.entries(cases)) assert.strictEqual(run(command), expected, command)
}

const all = (expected: string, commands: string): void => {
  for (const command of commands.trim().split("\n")) assert.strictEqual(run(command.trim()), expected, command)
}

/** The word at `index` of the only inner command, behind its name. */
const innerWord = (text: string, index: number): Word | undefined => {
  const wrapped = unwrap(wordsOf(text))
  return wrapped._tag === "Inner" ? wrapped.commands[0]?.words[index] : undefined
}

describe("unwrap", () => {
  it("finds the command behind the options of a wrapper", () => {
    table({
      "sudo uptime": "uptime",
      "/usr/bin/sudo uptime": "uptime",
      "sudo -n -u app ls /x": "ls /x",
      "sudo -nu app -- ls": "ls",
      "sudo --user=app ls": "ls",
      'sudo -u "$u" ls "$x"': 'ls "$x"',
      "sudo timeout 5 ls": "timeout 5 ls",
      "doas -u app ls": "ls",
      "nohup ls": "ls",
      "nice ls": "ls",
      "nice -10 ls": "ls",
      "nice -n 5 ls": "ls",
      'nice -n "$n" ls': "ls",
      "ionice -c 3 ls": "ls",
      "ionice -c3 -n7 ls": "ls",
      "timeout 5 ls": "ls",
      "timeout -k 1 --signal=KILL 5 ls": "ls",
      'timeout --signal="$s" 5 ls': "ls",
      'timeout "$safe" ls': "ls",
      'timeout -- "$t" ls': "ls",
      "stdbuf -oL ls": "ls",
      "setsid -w ls": "ls",
      "chrt -r 5 ls": "ls",
      "taskset -c 0 ls": "ls",
      "chroot /srv ls": "ls",
      "unshare -rn ls": "ls",
      "unshare --kill-child=TERM --fork ls": "ls",
      "command ls": "ls",
      "command -p ls": "ls",
      "exec -a x ls": "ls",
      "builtin echo x": "echo x",
      "time -p ls": "ls",
      "flock -n /x ls": "ls",
      "busybox ls": "ls",
      "noglob ls *.log": "ls *.log",
      "env ls": "ls"
    })
  })

  it("names what env sets", () => {
    table({
      "env LC_ALL=C TZ=UTC ls": "LC_ALL= & TZ= & ls",
      'env -i LC_ALL="$x" ls': "LC_ALL= & ls",
      "env LD_PRELOAD=/x ls": "LD_PRELOAD= & ls",
      "env -u X A=b ls": "A= & ls"
    })
    all("unknown", "env 'a.b=c' ls\nenv A=$x ls\nenv A=b $x\nenv \"$x\" ls\nsudo A=b ls\nnice A=b")
    assert.strictEqual(run("env A=b"), "plain")
  })

  it("says that a wrapper alone, or one that describes, runs nothing", () => {
    all(
      "plain",
      'env\nnice\nionice\ncommand -v ls\ncommand -V "$x"\ncommand -pv ls\nuptime\nls "$x"\nfind . -name x\nxargs\nxargs -0'
    )
  })

  it("does not guess at options that it does not know", () => {
    all(
      "unknown",
      `sudo
       sudo -e x
       sudo -i ls
       sudo -s ls
       sudo -l
       sudo --use=x ls
       sudo "$x" ls
       sudo $x ls
       sudo -u $x ls
       sudo -u"$x" ls
       sudo -u
       env -S ls
       env --split-string=ls
       env - ls
       timeout --kil=1 5 ls
       timeout "$t" ls
       timeout $safe ls
       timeout *.x ls
       timeout 5
       timeout 5 "$x"
       timeout 5 $x
       timeout 5 -x
       chrt -o ls uptime
       chrt -p 1
       chrt "$safe" ls
       flock /x -c ls
       flock -c ls
       taskset -p 1
       unshare --mount=/x ls
       unshare
       chroot /srv
       time -o /x ls
       nohup
       nohup -- "$x"
       stdbuf -o $x ls
       command "$x"
       command -x ls
       builtin -x
       exec
       "$x" ls
       busybox --list`
    )
  })

  it("finds the script of a shell", () => {
    table({
      "sh -c 'ls; id'": "script 2: ls; id",
      "bash -ec 'ls'": "script 2: ls",
      "sh -eu -c ls": "script 3: ls",
      "sh -e -u -x -f -c ls": "script 6: ls",
      "zsh -c ls": "script 2: ls",
      "/bin/sh -c ls": "script 2: ls",
      "eval ls /x": "script 1: ls /x",
      "eval 'ls; id'": "script 1: ls; id"
    })
    all(
      "unknown",
      `sh
       sh x.sh
       sh -s
       sh "$x"
       sh -c
       sh -c "$x"
       sh -c $x
       sh -c ls a
       sh -c -- ls
       sh -c -e ls
       sh -c +x ls
       sh -c 'ls '"$x"
       bash -lc ls
       bash -ic ls
       bash -sc ls
       bash --rcfile x -c ls
       bash --norc -c ls
       bash -o errexit -c ls
       bash -e x.sh
       sh -e
       eval
       eval "$x"
       eval ls "$x"
       eval $x
       eval -- ls`
    )
  })

  it("does not follow programs that it cannot", () => {
    all(
      "unknown",
      "nsenter -t 1 ls\nperf stat ls\nsystemd-run ls\nssh-agent ls\nxvfb-run ls\nproxychains4 ls\nltrace ls\nparallel ls\nwatch ls\nscript\nsetarch x86_64 ls\nrun-parts /x\nchoom -n 1 -- ls"
    )
  })

  it("adds to a command what xargs reads", () => {
    table({
      "xargs ls": 'ls "$@"',
      "xargs -0 -r ls -l": 'ls -l "$@"',
      "xargs -0rt -n 1 -P 4 ls": 'ls "$@"',
      'xargs -P "$n" ls': 'ls "$@"',
      "xargs -L1 ls": 'ls "$@"',
      "xargs -d , -E x -s 100 ls": 'ls "$@"',
      "xargs --null --max-args=1 --max-procs 2 --no-run-if-empty ls": 'ls "$@"',
      "xargs -- ls": 'ls "$@"',
      "xargs -I '{}' ls '{}' x": "ls '{}' x",
      "xargs -I% ls % a": "ls % a",
      "xargs -i ls x": "ls x",
      "xargs --replace=R ls R": "ls R",
      "xargs -n 1 -I % ls %": 'ls % "$@"',
      "xargs sh -c ls": 'sh -c ls "$@"'
    })
    all(
      "unknown",
      `xargs -a x ls
       xargs --arg-file=x ls
       xargs --process-slot-var=X ls
       xargs --max-a 1 ls
       xargs "$x"
       xargs $x ls
       xargs -n $x ls
       xargs -n"$x" ls
       xargs -n 1 "$x"
       xargs -I "$x" ls
       xargs -I '' ls
       xargs -I % -I R ls
       xargs -I % % x
       xargs -I s ls s
       xargs -x -y ls`
    )
  })

  it("knows of a replaced word only what stands around the marker", () => {
    assert.deepInclude(innerWord("xargs -I % ls /srv/%.log", 1), {
      _tag: "Dynamic",
      count: "one",
      prefix: "/srv/",
      suffix: ".log",
      mayBeOption: false,
      mayTraverse: true
    })
    assert.deepInclude(innerWord("xargs -I % ls %", 1), { count: "one", prefix: "", mayBeOption: true })
    assert.deepInclude(innerWord("xargs -I % ls -x%", 1), { prefix: "-x", mayBeOption: true })
    assert.deepInclude(innerWord("xargs -I % ls a%b%c", 1), { prefix: "a", suffix: "c" })
    assert.deepInclude(innerWord("xargs -n 1 -I % ls /srv/%", 1), { prefix: "", mayBeOption: true })
    // The variable's value may be the marker.
    assert.deepInclude(innerWord('xargs -I % ls "$safe"', 1), { mayBeOption: true })
    assert.deepInclude(innerWord("xargs ls", 1), { count: "any", prefix: "", mayBeOption: true, mayTraverse: true })
  })

  it("finds the commands that find runs", () => {
    table({
      "find . -exec ls {} ';'": "ls '{}'",
      "find . -name x -exec ls -l {} +": "ls -l '{}'",
      "find . -exec ls {} ';' -exec wc -l {} +": "ls '{}' & wc -l '{}'",
      "find . -execdir ls {} ';' -o -ok rm {} ';' -okdir id ';'": "ls '{}' & rm '{}' & id",
      "find . -exec sudo ls {} ';'": "sudo ls '{}'",
      "find . -exec ls x-{} ';'": "ls 'x-{}'",
      "find . -exec grep \"$x\" {} ';'": "grep \"$x\" '{}'",
      "find . -name -exec": "plain",
      "find . -name -exec -print": "plain",
      'find "$d" -name x': "plain",
      "find . -name *.log": "plain",
      "find . -exec echo -exec ls ';'": "echo -exec ls",
      "find . -ok ls {} + ';'": "ls '{}' +",
      "find . -exec ls + ';'": "ls +",
      "find . -fprintf -exec x -exec ls ';'": "ls"
    })
    all(
      "unknown",
      `find . -exec
       find . -exec ls
       find . -exec ls {}
       find . -exec ';'
       find . -exec {} ';'
       find . -exec "$x" ';'
       find . -exec ls x{} +
       find . -exec ls "$x" +
       find . -exec ls $x ';'
       find . -exec ls * ';'
       find . -exec ls "$x" -exec rm {} ';'
       find . -exec ls "$x" -delete ';'
       find . -exec ls "$x" "$y" ';'
       find $x -name y
       find "$a" "$b" "$c"
       find "$d" -exec ls {} ';'
       find . "$a" ls ';'
       find . -name "$x" "$y" rm {} ';'
       find . -name $x -exec ls {} ';'
       find . -unknown -name -exec ls ';'
       find . -unknown "$x" -exec ls ';'`
    )
  })

  it("says where the words of an inner command lie in the outer one", () => {
    const wrapped = unwrap(wordsOf("find . -exec ls -l {} ';' -exec id ';'"))
    assert.deepStrictEqual(wrapped._tag === "Inner" && wrapped.commands.map((each) => [each.from, each.words.length]), [
      [3, 3],
      [8, 1]
    ])
    const sudo = unwrap(wordsOf("sudo -u x ls -l"))
    assert.strictEqual(sudo._tag === "Inner" && sudo.commands[0]?.from, 3)
  })

  it("knows of {} what all starting points have in common", () => {
    const cases: ReadonlyArray<readonly [string, object]> = [
      [
        "find /srv -exec ls {} ';'",
        { count: "one", prefix: "/srv", suffix: "", mayBeOption: false, mayTraverse: false }
      ],
      ["find /srv /srg -exec ls {} ';'", { prefix: "/sr", mayBeOption: false }],
      ["find -exec ls {} ';'", { prefix: ".", mayBeOption: false }],
      ["find . -exec ls {} +", { count: "any", prefix: ".", mayBeOption: false }],
      ["find -L /a -exec ls {} ';'", { prefix: "/a" }],
      ["find /a/../b -exec ls {} ';'", { mayTraverse: true }],
      ["find /a -execdir ls {} ';'", { prefix: "./", mayBeOption: false, mayTraverse: false }],
      ["find / -execdir ls {} ';'", { prefix: "", mayBeOption: false }],
      ["find \"$safe\" -exec ls {} ';'", { prefix: "", mayBeOption: false, mayTraverse: true }],
      ["find \"/a/$x\" /a/b -exec ls {} ';'", { prefix: "/a/", mayBeOption: false }],
      ["find - -exec ls {} ';'", { prefix: "-", mayBeOption: true }],
      ["find , -exec ls {} ';'", { prefix: "", mayBeOption: true }],
      ["find -files0-from x -exec ls {} ';'", { prefix: "", mayBeOption: true }],
      ["find /a -exec ls x={}.y ';'", { count: "one", prefix: "x=/a", suffix: ".y", mayBeOption: false }],
      ["find /a -exec ls -x{} ';'", { prefix: "-x/a", mayBeOption: true }]
    ]
    for (const [command, expected] of cases) assert.deepInclude(innerWord(command, 1), expected, command)
  })

  it("takes a variable in a command of find as what find makes of its value", () => {
    assert.deepInclude(innerWord("find /a -exec ls \"{}/$x\" ';'", 1), { prefix: "", mayTraverse: true })
    assert.deepInclude(innerWord("find - -exec ls \"$safe\" ';'", 1), { mayBeOption: true })
    assert.deepInclude(innerWord("find /a -exec ls \"$safe\" ';'", 1), { mayBeOption: false })
  })

  it("says which programs run others", () => {
    for (const program of ["sudo", "env", "sh", "zsh", "eval", "find", "xargs", "busybox", "perf", "watch"]) {
      assert.isTrue(isWrapper(program), program)
    }
    for (const program of ["ls", "uptime", "git", "toString"]) assert.isFalse(isWrapper(program), program)
  })

  it("unwraps long inputs at once", () => {
    for (const command of [
      `find ${'"-e$x" '.repeat(1400)}`,
      `find . ${"-exec ls {} + ".repeat(700)}`,
      `find ${"/a ".repeat(2000)}${"-exec ls {} + ".repeat(280)}`,
      `find . -exec ls ${'"$safe" '.repeat(1200)}';'`,
      `env ${"A=b ".repeat(2400)}ls`,
      `sudo ${"-n ".repeat(3000)}ls`,
      `xargs -I % ls ${"% ".repeat(4000)}`,
      `eval ${"a ".repeat(4900)}`
    ]) {
      const words = wordsOf(command)
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now()
        unwrap(words)
        return performance.now() - start
      })
      assert.isBelow(Math.min(...times), 30, command.slice(0, 40))
    }
  })
})
