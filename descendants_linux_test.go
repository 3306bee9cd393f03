package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aws-switch-role/internal/figure"
)

// kin is a script that asks from all over the shell's family, so many times
// each: as a child, a grandchild, a daemon, in a session of its own, and within
// a tmux that was started in the shell.
const kin = `ask() { ~/ask >>~/served.$1 2>&1; }
again() { until [ "$(grep -c 'asked: ' ~/served.$1 2>/dev/null)" = $2 ]; do sleep 0.01; done; }
i=0
while [ $i -lt $1 ]; do
	i=$((i + 1))
	~/ask >>~/served.child 2>&1
	sh -c "sh -c '~/ask >>~/served.grandchild 2>&1'; true"
	(nohup sh -c '~/ask >>~/served.daemon 2>&1' >/dev/null 2>&1 &)
	again daemon $i
	setsid -f sh -c '~/ask >>~/served.setsid 2>&1'
	again setsid $i
	TMUX_TMPDIR=$HOME/tmp tmux -f /dev/null new-session -d '~/ask >>~/served.tmux 2>&1'
	again tmux $i
done
echo "all ""asked"
`

// connecting is a program that connects from a process which ends, while the
// keeper is stopped, waits until its pid is that of another process, and asks
// then.
const connecting = `import os, signal, socket, struct, sys, time
path, keeper, want, there, rounds = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
request = b'{"verb":"get"}'
refused = 0
for i in range(rounds):
    os.kill(keeper, signal.SIGSTOP)
    s = socket.socket(socket.AF_UNIX)
    pid = os.fork()
    if pid == 0:
        s.connect(path)
        os._exit(0)
    os.waitpid(pid, 0)
    with open(want + ".new", "w") as f:
        f.write(str(pid))
    os.rename(want + ".new", want)
    while not os.path.exists(there):
        time.sleep(0.005)
    os.remove(there)
    assert open("/proc/%d/comm" % pid).read() == "sleep\n"
    os.kill(keeper, signal.SIGCONT)
    s.settimeout(60)
    greeting = s.recv(37, socket.MSG_WAITALL)
    if greeting:
        s.sendall(struct.pack(">I", 64 + len(request)) + b"x" * 64 + request)
    answer = b""
    while True:
        try:
            part = s.recv(1 << 16)
        except ConnectionResetError:
            break
        if not part:
            break
        answer += part
    os.kill(pid, signal.SIGKILL)
    if b"ASIA" not in answer and (not answer or answer[36] == 4):
        refused += 1
print(refused, "refused")
`

// reusing is a program that starts processes with the pids that it is told.
const reusing = `import ctypes, os, struct, sys, time
want, there, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
for i in range(rounds):
    while not os.path.exists(want):
        time.sleep(0.005)
    pid = int(open(want).read())
    os.remove(want)
    tid = ctypes.c_int(pid)
    args = ctypes.create_string_buffer(struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(tid), 1, 0))
    got = libc.syscall(435, args, 88)
    if got == 0:
        os.execvp("sleep", ["sleep", "1000"])
    assert got == pid, os.strerror(ctypes.get_errno())
    while open("/proc/%d/comm" % pid).read() != "sleep\n":
        time.sleep(0.005)
    open(there, "w").close()
    os.waitpid(pid, 0)
`

// knocking is a program that connects, so many times, and says how often it was
// told anything at all.
const knocking = `import socket, sys
told = 0
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    try:
        told += s.recv(100) != b""
    except ConnectionResetError:
        pass
print("connected", told)
`

// systemPython is not one that another user cannot run.
const systemPython = "/usr/bin/python3"

// TestDescendants asks a keeper from everywhere, time and again: five ways to be
// of the shell's family, and four to be a stranger; with a key in the kernel's
// keyring, and without one, by descent alone.
func TestDescendants(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("some of the strangers can be played by root alone")
	}
	s := &stage{bin: buildProgram(t)}
	rounds := figure.Of(1, 1000)
	served := map[string]int{}
	refused := map[string]int{}
	for _, way := range []string{"by key", "by descent"} {
		t.Run(way, func(t *testing.T) {
			p := s.secretlessPlace(t)
			x := p.openShell("bash")
			x.line(map[string]string{
				"by key":     "aws-switch-role tempsession",
				"by descent": "strace -f -qqq --seccomp-bpf -o /dev/null -e signal=none -e trace=keyctl,add_key -e inject=keyctl,add_key:error=EPERM aws-switch-role tempsession",
			}[way])
			x.answer()
			x.prompt("tempsession")
			write(t, filepath.Join(p.home, "kin"), kin, 0o600)
			x.line(fmt.Sprintf("sh ~/kin %d", rounds))
			x.holds("all kin have asked", func() bool {
				text, err := os.ReadFile(filepath.Join(p.home, "served.tmux"))
				return err == nil && strings.Count(string(text), "asked: ") >= rounds
			})
			x.expect("all asked")
			x.prompt("tempsession")
			for _, who := range []string{"child", "grandchild", "daemon", "setsid", "tmux"} {
				text, err := os.ReadFile(filepath.Join(p.home, "served."+who))
				n := strings.Count(string(text), "ASIA")
				if err != nil || n != rounds || strings.Count(string(text), "asked: 0.") != rounds {
					t.Errorf("%s: served %d times of %d, %v\n%s", who, n, rounds, err, last(string(text), 500))
				}
				served[who] += n
			}

			env := p.outsiders(x)
			for range rounds {
				if out, err := p.ask(env); err == nil || !strings.Contains(out, "was not started in it") || strings.Contains(out, "ASIA") {
					t.Errorf("a sibling: %s %v", out, err)
				} else {
					refused["sibling"]++
				}
			}
			if way == "by descent" {
				refused["reused pid"] += p.reusePIDs(x, rounds)
			} else {
				refused["another user"] += p.knock(rounds, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
			}
			x.line("exit")
			x.prompt("")
			x.exit()
		})
	}
	t.Run("of another user", func(t *testing.T) {
		p := s.secretlessPlace(t)
		as := p.unprivileged()
		shell := exec.Command(as[0], append(slices.Clone(as[1:]), "aws-switch-role", "open", "--", "sh", "-c", "~/ask >/dev/null && exec cat")...)
		shell.Env, shell.Dir = p.env, p.home
		in, err := shell.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		p.holds("the shell has asked", func() bool { return p.pidOf("cat") != 0 })
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pidOf("cat")))
		if err != nil {
			t.Fatal(err)
		}
		env := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		if out, err := p.ask(env); err == nil || strings.Contains(out, "ASIA") {
			t.Errorf("root: %s %v", out, err)
		}
		refused["root"] += p.knock(rounds)
		_ = in.Close()
		if err := shell.Wait(); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	if len(served)+len(refused) != 9 {
		t.Errorf("served %v, refused %v", served, refused)
	}
	note(t, "descendants", "%d of 9; rounds: %d; served %v; refused %v", len(served)+len(refused), rounds, listed(served), listed(refused))
}

// listed is what was counted, by name.
func listed(counts map[string]int) string {
	var all []string
	for name, n := range counts {
		all = append(all, fmt.Sprint(name, " ", n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// knock connects to the keeper as somebody else, whom the directories are opened
// for, and returns how often he was told nothing.
func (p *place) knock(rounds int, as ...string) int {
	p.t.Helper()
	dir := p.session()
	modes := map[string]os.FileMode{}
	for path := dir; path != "/" && path != os.TempDir(); path = filepath.Dir(path) {
		fi, err := os.Stat(path)
		if err == nil {
			err = os.Chmod(path, 0o755)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		modes[path] = fi.Mode().Perm()
	}
	socket := filepath.Join(dir, "s")
	if err := os.Chmod(socket, 0o666); err != nil {
		p.t.Fatal(err)
	}
	argv := append(as, systemPython, "-c", knocking, socket, strconv.Itoa(rounds))
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "connected 0" {
		p.t.Errorf("%q: %s %v", as, out, err)
		return 0
	}
	for path, mode := range modes {
		if err := os.Chmod(path, mode); err != nil {
			p.t.Fatal(err)
		}
	}
	return rounds
}

// reusePIDs has a stranger connect whose pid is a descendant's when the keeper
// looks at it, and returns how often he was refused.
func (p *place) reusePIDs(x *terminal, rounds int) int {
	p.t.Helper()
	want, there := filepath.Join(p.home, "want"), filepath.Join(p.home, "there")
	write(p.t, filepath.Join(p.home, "reusing.py"), reusing, 0o600)
	x.wantRun("tempsession", fmt.Sprintf("%s reusing.py %s %s %d >reused 2>&1 & true", systemPython, want, there, rounds))
	out, err := exec.Command(systemPython, "-c", connecting, filepath.Join(p.session(), "s"), strconv.Itoa(p.keeper()), want, there, strconv.Itoa(rounds)).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(rounds, " refused") {
		said, _ := os.ReadFile(filepath.Join(p.home, "reused"))
		p.t.Errorf("whose pid is another's now: %s %v\n%s", out, err, said)
		return 0
	}
	return rounds
}
