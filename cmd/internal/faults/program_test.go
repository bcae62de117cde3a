package faults

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands"
	"flowmatch/trainer"
)

// The test's own executable is the programs too: where programVar names one it is that,
// and sends itself the signals that aimVar says.
const (
	programVar = "FLOWMATCH_TEST_PROGRAM"
	aimVar     = "FLOWMATCH_TEST_AIM"
)

func TestMain(m *testing.M) {
	name := os.Getenv(programVar)
	if name == "" {
		// What is ignored here, as SIGHUP is under nohup, the programs would ignore, too; what is
		// caught they begin with as it is by itself.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
		os.Exit(m.Run())
	}
	a := &aim{told: os.NewFile(3, "told")}
	if _, err := fmt.Sscan(os.Getenv(aimVar), &a.save, &a.effect, &a.signal, &a.again); err != nil {
		a.save = -1
	}
	disk.Use(&disktest.Failing{FS: disk.OS, Tell: a.tell})
	fmt.Fprintln(a.told, "up")
	for _, c := range commands.All() {
		if c.Name == name {
			run := c.Run
			c.Run = func(ctx context.Context, env cli.Env) error {
				a.stopped = ctx.Done()
				return run(ctx, env)
			}
			cli.Main(c)
		}
	}
	panic("no program " + name)
}

// aim is a moment to send the own process a signal at: before effect number effect on the
// disk, counted from 1, after the begin of save number save, or where that has fewer when the
// next save begins. Save 0 is the start.
type aim struct {
	save, effect  int
	signal, again syscall.Signal // again: a second one right behind it, 0 for none
	told          *os.File
	stopped       <-chan struct{} // closed once the program has noticed the first signal

	mu           sync.Mutex
	saves, since int // saves begun, and effects since then
	renamed      bool
}

// tell is told of all operations on files. It tells the parent of each save how many effects
// there were before it began, and of each state that is there.
func (a *aim) tell(op disktest.Op) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.renamed { // by now
		fmt.Fprintln(a.told, "saved")
		a.renamed = false
	}
	switch op.Name {
	case "create", "write", "half", "fsync", "fsync folder", "close", "rename", "link", "remove":
	default:
		return
	}
	if op.Name == "create" && strings.Contains(op.Path, "."+trainer.StateFile+".next") {
		fmt.Fprintln(a.told, "effects", a.since)
		a.saves++
		a.since = 0
	}
	a.since++
	a.renamed = op.Name == "rename" && strings.HasSuffix(op.Path, "/"+trainer.StateFile)
	if (a.saves != a.save || a.since != a.effect) && (a.save < 1 || a.saves != a.save+1 || a.since != 1) {
		return
	}
	for _, s := range []syscall.Signal{a.signal, a.again} {
		if s != 0 {
			_ = syscall.Kill(os.Getpid(), s)
		}
	}
	switch {
	case a.signal == syscall.SIGKILL:
		select {} // until it arrives
	case a.save == 0:
		<-a.stopped
	}
}

// process is one of the programs while it runs.
type process struct {
	*exec.Cmd
	errOut bytes.Buffer
	up     chan struct{} // closed when it has begun
	ended  chan struct{} // and when it has ended

	mu      sync.Mutex
	saves   int   // states that are there
	effects []int // on the disk before the first save, before the second one, ...
	more    chan struct{}
}

// started starts a program. change may change how, nil for nothing.
func started(t *testing.T, name, aim string, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), up: make(chan struct{}), ended: make(chan struct{}), more: make(chan struct{}, 1)}
	p.Env = append(os.Environ(), "FLOWMATCH_DEVICE=cpu", programVar+"="+name, aimVar+"="+aim)
	p.Stderr = &p.errOut
	told, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.ExtraFiles = []*os.File{w}
	if change != nil {
		change(p.Cmd)
	}
	err = p.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(told)
		for lines.Scan() {
			p.heard(lines.Text())
		}
		told.Close()
		_ = p.Wait() // the test looks at the status
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) heard(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := 0; line == "up" {
		close(p.up)
	} else if line == "saved" {
		p.saves++
	} else if _, err := fmt.Sscanf(line, "effects %d", &n); err == nil {
		p.effects = append(p.effects, n)
	}
	select {
	case p.more <- struct{}{}:
	default:
	}
}

func (p *process) saved() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.saves
}

// until waits until n states were saved, the time is over, or the program has ended.
func (p *process) until(n int, d time.Duration) {
	over := time.After(d)
	for p.saved() < n {
		select {
		case <-p.more:
		case <-over:
			return
		case <-p.ended:
			return
		}
	}
}

// tooLong is more than anything here takes on a machine that is busy with other things.
const tooLong = time.Minute

// end waits for the program's end and gives its status, as a shell has it.
func (p *process) end(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(tooLong):
		t.Fatalf("%v has not ended after %v: %s", p.Args[1:], tooLong, p.errOut.String())
	}
	if w := p.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ProcessState.ExitCode()
}
