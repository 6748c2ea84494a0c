import { assert, describe, it } from "@effect/vitest"
import { isGuarded } from "../../../src/policy/guards/ArgumentGuards.ts"
import { accepts, refusal, refuses } from "./words.ts"

describe("refusedArgument", () => {
  it("guards test", () => {
    accepts(`
      test
      test -f x
      test -n "$x"
      test "$x"
      test "$x" = y
      test "$x" = "$y"
      test "$x" -lt 3
      [ "$x" = y ]
      [ -n "$x" ]
      [ ! -f "$x" ]
      [ ! "$x" = y ]
      [ "$x" -ge "$y" ]
      [ "$safe" -gt 1 -a "$safe" -lt 5 ]
      [ -f x -a -f y ]
      [ -z "$x" ]
      [ a -nt "$x" ]
      [ -d /srv/app ]`)
    refuses(`
      test -v 'a[$(x)]'
      test -R x
      test ! -v x
      test "$op" "$x"
      test ! "$op" "$x"
      test "$a" "$op" "$b"
      test a "$op" b
      test $x
      test $x = y
      test *.log
      test -f /x/*
      [ 'a[$(x)]' -eq 0 ]
      [ "a[$x]" -eq 0 ]
      [ "$x" = y
      [ "$x" = y "$z"
      [ x
      [ "$a" = b -o "$c" = d ]
      [ "$a" "$b" "$c" "$d" ]
      [`)
  })

  it("guards printf", () => {
    accepts(`
      printf '%s\\n' "$x" $y *.log
      printf -- -v
      printf '%s' -v
      printf "x=$y"
      printf "$safe"
      printf -- "$x"`)
    refuses(`
      printf -v 'a[0]' x
      printf -va x
      printf "$x"
      printf $x
      printf $safe
      printf -"$x"
      printf '%d' 'a[$(x)]'`)
  })

  it("guards other programs that read", () => {
    accepts(`
      rg -- "$x" y
      rg -e "$x" y
      dmesg -T
      dmesg --level err
      tcpdump -n -c 5 -i eth0 port 80
      fd x /srv
      tree -L 2 /srv
      rpm -qa
      fuser -v /srv
      apt list --installed
      ssh h uptime -o
      rsync -av x y`)
    refuses(`
      rg "$x" y
      rg --pre sh x
      rg --pre=sh x
      rg -z x
      dmesg -C
      dmesg -c
      dmesg -n 1
      dmesg "$x"
      tcpdump -w x
      tcpdump -nz sh
      tcpdump "$x"
      fd -x rm
      fdfind --exec rm
      tree -o x
      rpm -E '%(id)'
      rpm --eval '%(id)'
      rpm --pipe sh
      fuser -k /srv
      pidstat -e sh
      apt-get -o APT::X=y update
      ssh -oProxyCommand=sh h
      ssh h -oProxyCommand=sh
      ssh "$x" uptime
      scp -S sh x y
      scp "$x" y
      rsync -e sh x y
      rsync -ave sh x y
      rsync --rsh=sh x y
      rsync --rsync-path=sh x y`)
  })

  it("never guards a word that the rule names, and no other program", () => {
    accepts(`
      sort @-o @x
      sort @--output=x y
      find . @-fls @x
      ip @link @set @x @down
      cat "$x"
      ls $x
      uptime -o x`)
  })

  it("tells the next step", () => {
    const steps: ReadonlyArray<readonly [string, RegExp]> = [
      ['sort "$x"', /Put -- before it/],
      ["sort $x", /Quote it, and put -- before it/],
      ["sort -o x", /A rule may name it literally, or set unsafe_args/],
      ['find "$x"', /Begin a path with \/ or \.\//],
      ['git log "$x"', /--end-of-options/],
      ["awk '{print}' \"$x\"", /Put -- before the program/],
      ['printf "$x"', /Put a format before it/],
      ["[ $x = y ]", /Quote it/],
      ['date "$x"', /Write it out/]
    ]
    for (const [command, step] of steps) assert.match(refusal(command) ?? "", step, command)
  })

  it("says which programs it guards", () => {
    for (const program of ["sort", "find", "git", "[", "curl", "docker", "tar"]) assert.isTrue(isGuarded(program))
    for (const program of ["cat", "ls", "uptime", "sudo", "toString"]) assert.isFalse(isGuarded(program))
  })

  it("decides long inputs at once", () => {
    for (const command of [
      `awk '{print ${")/\n".repeat(3000)}}'`,
      `awk '${"/[[:a".repeat(1600)}'`,
      `sed 's/${"[[:x".repeat(2000)}/b/'`,
      `sed '${"/[\\]".repeat(2400)}'`,
      `find ${'"$x" '.repeat(2000)}-exec ls ';'`,
      `find . ${"-exec ls {} + ".repeat(700)}`,
      `find . -exec ls ${'"$safe" '.repeat(1200)} ';'`,
      `sort ${"-k ".repeat(3000)}`,
      `test ${"! ".repeat(4000)}"$x" y`
    ]) {
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now()
        refusal(command)
        return performance.now() - start
      })
      assert.isBelow(Math.min(...times), 30, command.slice(0, 40))
    }
  })
})
