import { assert, describe, it } from "@effect/vitest"
import { isGuarded } from "../../../src/policy/guards/ArgumentGuards.ts"
import { refusal } from "./words.ts"

const accepts = (commands: string): void => {
  for (const command of commands.trim().split("\n")) assert.isUndefined(refusal(command.trim()), command)
}

const refuses = (commands: string): void => {
  for (const command of commands.trim().split("\n")) assert.isString(refusal(command.trim()), command)
}

describe("refusedArgument", () => {
  it("guards sort", () => {
    accepts(`
      sort -u x
      sort -k 1o x
      sort -k "$x" y
      sort -k"2" y
      sort -t "$x" -k 2 y
      sort -- "$x" $y *.log
      sort -u -- "$x"
      sort --reverse -- "$x"
      sort --key=2 -- "$x"
      sort "$safe" $safe
      sort /var/log/*.log
      sort --key="$x" y
      sort --key "$x" y
      sort -k1"$x" y
      sort @-o @/tmp/x y
      sort @-o /tmp/x
      sort -`)
    refuses(
      `
      sort -o x y
      sort -uo x y
      sort -ox
      sort --out=x y
      sort --ou x y
      sort --compress-prog=sh y
      sort -T /x y
      sort --temp=/x
      sort --files0-from=x
      sort "$x"
      sort $x
      sort *.log
      sort -k $x y
      sort -"$x" y
      sort -u"$x" y
      sort --"$x" y
      sort --key=$x y
      sort -k -- -o x
      sort --key -- --output=x
      sort --ke -- --output=x
      sort --parallel -- -o x
      sort -k"$x" -- -o y
      sort -k $safe -- -o y
      sort "$x" -- y
      sort x -o y
      sort -uo"$x"`
    )
  })

  it("accepts what may only read more, unless it is written", () => {
    accepts(`
      grep "$x" y
      grep -e "$x" y
      grep -rn $x *.log
      grep -F -f - x
      grep -n x /var/log/*.log
      grep -e -f x
      wc -l "$x" $y *.log
      du -sh "$x" *
      egrep "$x" y`)
    refuses(`
      grep -f x y
      grep -nf x y
      grep --file=x y
      grep --fil x y
      grep -e x -f y
      fgrep -f x y
      wc --files0-from=x
      wc --files0-fr=x
      du --files0-from x`)
  })

  it("guards uniq", () => {
    accepts(`
      uniq
      uniq -c x
      uniq -c -f 1 x
      uniq --skip-fields 1 x
      uniq "$safe"
      uniq -c -- "$x"
      uniq -f "$x" y
      uniq x @y`)
    refuses(`
      uniq x y
      uniq -- x y
      uniq -f -- x y
      uniq "$x"
      uniq x "$y"
      uniq "$x" "$y"
      uniq "$x" y
      uniq $x
      uniq *.log
      uniq -f $x y`)
  })

  it("guards date and hostname", () => {
    accepts(`
      date
      date -u +%F
      date "+$x"
      date -d "$x" +%s
      date -d yesterday
      date -Iseconds
      date -Is
      date --rfc-3339 ns
      date -f - +%s
      date @-s now
      hostname
      hostname -f
      hostname -If
      hostname @x`)
    refuses(`
      date 0101
      date -s now
      date -us now
      date --se now
      date "$x"
      date $x
      date -- "$x"
      date +$x
      date -d $x
      date -"$x"
      date -f /etc/shadow
      hostname x
      hostname -- x
      hostname -
      hostname "$x"
      hostname "$safe"
      hostname -- "$x"
      hostname -F x
      hostname -fF x
      domainname x
      sysctl -w a=b
      sysctl a=b
      sysctl -n "$x"
      sysctl -p
      sysctl --system`)
    accepts("sysctl -n vm.swappiness\nsysctl -a\nsysctl -a -r net")
  })

  it("guards tar", () => {
    accepts(`
      tar tzf x
      tar -tf x
      tar -tvzf x
      tar -t -f /b/x.tar
      tar --list --file=x
      tar -tf "/b/$x"
      tar -tf ./$safe"x"
      tar -tf x.tar -- "$m"
      tar -tf x.tar -- $m
      tar -tf x.tar m/n
      tar -tf x.tar -- -xf
      tar -tf "/b/$x" --force-local
      tar -tf h:a --force-local
      tar -tf /b/*.tar
      tar @-xf @/srv/a.tar`)
    refuses(`
      tar -xf a
      tar xf a
      tar cf a b
      tar -tf a -I sh
      tar -tf h:a
      tar -t -f h:a
      tar -t --to-command=sh
      tar -tf "$x"
      tar -tf $x
      tar -tf h:"$x"
      tar "$x" a
      tar $x
      tar -tf a "$x"
      tar -t"$x" a
      tar -tf -- "$x"
      tar -tf -- --to-command=sh
      tar -tf *.tar
      tar -tf "$safe"
      tar @-xf /tmp/a.tar
      tar @--file -- --to-command=sh
      bsdtar -xf x`)
  })

  it("guards sed", () => {
    accepts(
      `
      sed -n 1p x
      sed -n '1,5p;$p' x
      sed -n 1p -- "$x" $y
      sed -n -e p -- "$x"
      sed -E 's#a/b#c#g' /x/*.log
      sed 's/[/]/x/' y`.replace("\n      sed 's/[/]/x/' y", "")
    )
    accepts(`
      sed 's/[a-z]*/x/g' y
      sed '/[0-9]/d' y
      sed 's/[^\\/]*$//' y
      sed 's/[[:space:]]*$//' y
      sed 's/\\[x\\]/y/' z
      sed '0~3d' x
      sed -n '/start/,/end/p' x
      sed --expression=p x
      sed @w x
      sed @-i @s/a/b/ x
      sed p "$safe"`)
    refuses(
      `
      sed -i s/a/b/ x
      sed -ni p x
      sed --in-pl s/a/b/ x
      sed 's/a/b/e' x
      sed 's/a/b/w y' x
      sed 's/a/b/ge' x
      sed '1e x' y
      sed 'w x' y
      sed r/etc/shadow x
      sed -f x y
      sed -l 5 p x
      sed -n 1p "$x"
      sed -n 1p $x
      sed -n 1p *.log
      sed -n "$x"
      sed -n "$safe"p x
      sed -n "$x"p y
      sed -e "$x" y
      sed -e"$x" y
      sed --expression="$x" y
      sed -- "$x" y
      sed "$x"
      sed -e -- -i
      sed 's/[/]/x/' y
      sed 's/[]/]/p;s/e;/b/p' x
      sed 's/[^]/]/p;s/e;/b/p' x
      sed 's/[a\\]/]/p;s/e;/b/p' x
      sed 's/[[:a:]/]/p;s/e;/b/p' x
      sed '/[]/]/p;s/e;/b/p' x`
    )
  })

  it("guards awk", () => {
    accepts(`
      awk '{print $1}' x
      awk -F: '{print $1, $7}' /etc/passwd
      awk -F "$x" '{print}' y
      awk -v x="$y" '{print x}' z
      awk -v "x=$y" '{print x}' z
      awk '/a|b/ {print $1, ($2 > 3)}' x
      awk '$3 > 80 {print}' x
      awk 'NR == 1 || /x/ {n++} END {print n}' y
      awk '{s += $1} END {print s / NR}' x
      awk '{print $2 / 1024, ($1 + $2) / 2}' x
      awk '{print ($1 + $2) / 2}' x
      awk '$1 ~ /[[:space:]]/ {print length($0)}' x
      awk 'NR > 1 && $5+0 > 80 {print $6}' x
      awk -- '{print}' "$x"
      awk -- '{print}' $x *.log
      awk '{print}' "$safe"
      awk '{print}' /var/log/*.log
      awk @-f @x y`)
    refuses(`
      awk 'BEGIN{system("x")}'
      awk '{print | "x"}' y
      awk '{print > "x"}' y
      awk '{printf("x") > "y"}'
      awk '{"x" | getline}'
      awk '{x++ / "a" | getline / 1}'
      awk '{while ((getline l < "/etc/shadow") > 0) print l}'
      awk '@load "x"'
      awk -f x
      awk -i inplace '{print}' x
      gawk --file=x
      awk "$x"
      awk "$x" y
      awk -v $x '{print}'
      awk -F"$x" '{print}'
      awk -"$x" '{print}'
      awk '{print}' "$x"
      awk '{print}' *.log
      awk '{print}' x -f y
      awk '{print}' /inet/tcp/0/h/80
      awk -v x=/inet/tcp/0/h/80 '{print}'
      awk 'BEGIN { if (1) /"/; print "id" | "sh"; if (1) /"/ }'
      awk 'BEGIN { x = /"/; print "id" | "sh"; x = /"/ }'
      awk 'BEGIN { print length /"/; print "id" | "sh"; print length /"/ }'
      awk 'BEGIN { print /"/; print "id" > "x"; print /"/ }'
      awk 'BEGIN { return /"/; print "id" > "x"; return /"/ }'
      awk '/[[:a:]/"]/; {print "id" | "sh"}; /[[:a:]/"]/'
      awk 'BEGIN { x = y ? /"/ : /"/; print "id" | "sh"; z = /"/ /"/ }'`)
    assert.isString(refusal("awk '{print a ?\n1 : 2 > \"f\"}'"))
    assert.isUndefined(refusal("awk '{print a\n if (b > 2) print c}'"))
  })

  it("guards find", () => {
    accepts(`
      find . -name x -print
      find /srv -name '*.log' -mtime +7
      find . -name "$x"
      find . -iname "$x" -newermt "$y"
      find . -name *.log
      find /srv/*
      find "/srv/$x" -type f
      find ./"$x" -type f
      find "$safe" $safe -name x
      find . -printf "$x"
      find . -exec grep -delete {} ';'
      find . -exec grep "$x" {} +
      find . @-delete
      find -L /x -maxdepth 1 ! -name y ( -type f -o -type d )`)
    refuses(`
      find . -delete
      find . -fprintf x y
      find . -fls x
      find . -exec ls {} ';' -delete
      find -files0-from x
      find "$x"
      find $x
      find -- "$x"
      find *
      find . "$x"
      find . -"$x" y
      find . -f"$x" y
      find *.log
      find . -name *.log -mtime "$x"
      find . -name -newer "$x"
      find . -name "$x" "$y"
      find . -name $x
      find . -name $safe -newer "$y"
      find . -unknown -name "$x"
      find . -unknown -name -delete
      find . -name x -delete
      find . -print "$x"`)
  })

  it("guards ip and ss", () => {
    accepts(`
      ip -br addr show
      ip addr
      ip a
      ip addr show "$x"
      ip addr show $x
      ip route get "$x"
      ip -4 -o route
      ip @-n @x addr show y
      ss -tlnp
      ss -t state "$safe"
      ss -tln sport = :"$x"
      ss -f inet
      ss -tn -- "$x"`)
    refuses(`
      ip link set x down
      ip l s x
      ip netns exec x sh
      ip -b x
      ip -all netns exec x
      ip "$x"
      ip -4 "$x" show
      ip addr "$x"
      ip addr $x
      ip "$safe" show
      ip $x addr show
      ip addr "$safe"
      ip @-n @x @addr del y
      ss -K
      ss --kill
      ss --ki
      ss -tD x
      ss -N x
      ss "$x"
      ss -t $x`)
  })

  it("guards journalctl and systemctl", () => {
    accepts(`
      journalctl -u x
      journalctl -u "$x" -n 5
      journalctl -n 50 --no-pager
      journalctl -n5
      journalctl -n"$x"
      journalctl --since "$x"
      journalctl --since="$x" --until="$y"
      journalctl -u nginx -b -1 -p err
      journalctl --no-pager -- "$x"
      journalctl -g "$x"
      systemctl status x
      systemctl status -- "$x" $y
      systemctl is-active "$safe"
      systemctl show -p "$x" nginx
      systemctl show nginx --property=MainPID --value
      systemctl --no-pager --type service list-units`)
    refuses(
      `
      journalctl --vacuum-size=1
      journalctl --vac=1
      journalctl --rot
      journalctl -n --vacuum-size=1K
      journalctl -b --rotate
      journalctl -D /x
      journalctl -fD /x
      journalctl -i /x
      journalctl --cursor-file=/x
      journalctl --unit -- --rotate
      journalctl --unit=x --rotate
      journalctl --uni -- --rotate
      journalctl "$x"
      journalctl -u $x
      journalctl -n "$x"
      systemctl -H x status
      systemctl -qH x status
      systemctl --host=x status
      systemctl --hos=x status
      systemctl --root=/x status
      systemctl -M x status
      systemctl --image /x status
      systemctl status "$x"
      systemctl status $x
      systemctl show -p -- -H x`
    )
    refuses("systemctl show -p -- -H x")
  })

  it("guards curl", () => {
    accepts(`
      curl http://x
      curl -sS http://localhost:8080/healthz
      curl -s -o /dev/null -w '%{http_code}' http://x
      curl -so /dev/null http://x
      curl -so- http://x
      curl -sD - http://x
      curl --output /dev/null http://x
      curl -X GET http://x
      curl -XHEAD http://x
      curl --request OPTIONS http://x
      curl -H 'Accept: a/b' http://x
      curl -H "Host: $x" http://y
      curl -u "$x" http://y
      curl -m "$x" http://y
      curl -sS -- "$x"
      curl "http://h/$x"
      curl http://x --next http://y
      curl --url "$x"
      curl --expect100-timeout 1 http://x`)
    refuses(`
      curl -o x http://y
      curl -sSo x http://y
      curl -ox http://y
      curl -O http://y
      curl --output=x http://y
      curl --config x
      curl -K x
      curl -x h:1 http://y
      curl --proxy h http://y
      curl --proxy1.0 h http://y
      curl -F a=@b http://y
      curl -T x http://y
      curl -d '@x' http://y
      curl --data-binary @x http://y
      curl --json x http://y
      curl -w '%output{x}' http://y
      curl -w '@x' http://y
      curl -w "$x" http://y
      curl -H '@/etc/shadow' http://y
      curl -H "$x" http://y
      curl -X DELETE http://y
      curl -X "$x" http://y
      curl --unix-socket /var/run/docker.sock http://y
      curl --expand-output x http://y
      curl --exp-output x http://y
      curl --next -o x http://y
      curl -c x http://y
      curl --doh-url x http://y
      curl "$x"
      curl $x
      curl -m $x http://y
      curl -o "$x" http://y
      curl -s"$x" http://y
      curl -m -- -o x
      curl --max-time -- -o x
      curl --unknown -- -o x`)
  })

  it("guards kubectl", () => {
    accepts(`
      kubectl get pods
      kubectl get pods -n "$x" -o wide
      kubectl get pods --namespace "$x"
      kubectl get pods -l 'app in (web,api)'
      kubectl logs --follow -- "$x"
      kubectl logs deploy/web --since=15m --tail=200
      kubectl get pods -A --no-headers
      kubectl describe pod -- "$x"
      kubectl describe pod "$safe"`)
    refuses(`
      kubectl --kubeconfig=x get pods
      kubectl --kubeconfig x get pods
      kubectl --server x get pods
      kubectl -s x get pods
      kubectl -sx get pods
      kubectl logs -fs x y
      kubectl get pods --token x
      kubectl get pods --as root
      kubectl get pods --as-group=x
      kubectl get pods --context x
      kubectl get --raw /x
      kubectl get -k x
      kubectl get --kustomize x
      kubectl describe pod "$x"
      kubectl get pods -n $x
      kubectl get -f -- --server=x
      kubectl get -f -n -s x
      kubectl get "$x"`)
  })

  it("guards docker, podman and nerdctl", () => {
    accepts(`
      docker ps -a
      docker --log-level debug ps
      docker -l debug ps
      docker ps --filter "status=$x"
      docker ps --format '{{.ID}}'
      docker inspect -- "$x" $y
      docker inspect "$x" $y
      docker logs --tail $x y
      docker logs --tail 5 -- "$x"
      docker logs "$safe"
      docker compose ps --services
      docker stats --no-stream --format '{{.Name}}'
      docker @-H @x ps`)
    refuses(`
      docker -H x ps
      docker -Hx ps
      docker -DH x ps
      docker --host=x ps
      docker --hos x ps
      docker --context x ps
      docker -c x ps
      docker --config /x ps
      docker --tls ps
      docker --unknown ps
      docker -- -H x ps
      docker @--host x -H y ps
      docker $safe -H x ps
      docker ps -H x
      docker "$x" ps
      docker $x
      podman inspect "$x"
      podman logs --tail $x y
      podman --url x ps
      podman ps --url x
      podman --out /x ps
      podman ps --out=/x
      podman --conmon /x ps
      nerdctl --address x ps
      nerdctl --cni-path /x ps`)
  })

  it("guards git", () => {
    accepts(`
      git status
      git log -c
      git log -n 5 --oneline
      git log -SOLD --oneline
      git --no-pager log
      git -C /x status
      git -C "$x" log
      git log --oneline -- "$x" $y
      git log --end-of-options "$x"
      git log "$safe"
      git diff HEAD~1 -- src/main.c
      git --version
      git grep -e "$x"
      git @-c @a=b log
      git fetch origin
      git fetch "https://$x"
      git show --format=%H HEAD`)
    refuses(`
      git -c a=b log
      git -C /x -c a=b log
      git -C -- -c a=b log
      git --exec-path=/x log
      git --git-dir=/x log
      git --config-env=a=b log
      git -p log
      git log --outp=x
      git log --output x
      git diff --ext-d
      git show --textconv
      git diff --no-index a b
      git grep -Osh x
      git grep -nOsh x
      git grep --open=sh x
      git grep -e -- -Osh
      git diff -Ox
      git difftool
      git rebase --exec x
      git fetch ext::sh
      git ls-remote --upload-pack=x y
      git ls-remote --exec=x y
      git fetch "$safe"
      git fetch -- "$x"
      git "$x"
      git "$safe" x
      git $x log
      git -"$x" log
      git -C $x log
      git log "$x"
      git log $x
      git log -S -- --output=x
      git log --grep -- --output=x
      git log -"$x"
      git archive --remote ext::sh x
      git remote-ext x y
      git @--namespace x -c a=b log
      git cat-file --filters x`)
  })

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
