import { describe, it } from "@effect/vitest"
import { accepts, refuses } from "./words.ts"

describe("the guards of find, tar, date, ip, ss, journalctl and systemctl", () => {
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
})
