package faults

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets/npz"
	"flowmatch/datasets/picture/picturetest"
	"flowmatch/trainer"
)

// phase is something that a program does for long, and when it does it.
type phase struct {
	name, program string
	args          []string
	states        int           // saved before the signal
	within        time.Duration // the signal comes at any time from then on until this is over
	inside        bool          // it comes in the midst of a save
	run           string        // the run's folder below the output folder, "" for none
	steps         bool          // a step was done, and is saved
}

func phases(t *testing.T) []phase {
	train := func(more ...string) []string {
		return append([]string{"--dataset", "moons", "--hidden-dim", "8", "--batch-size", "8", "--iterations", "1000000", "--no-figures"}, more...)
	}
	pictures := t.TempDir()
	class := filepath.Join(pictures, "class")
	if err := os.Mkdir(class, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		img := picturetest.Paint(200, 200, func(x, y int) color.Color { return color.NRGBA{uint8(x * y), uint8(x + i), uint8(y), 255} })
		if err := os.WriteFile(filepath.Join(class, fmt.Sprintf("%d.png", i)), picturetest.PNG(img), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const moment = 300 * time.Millisecond
	return []phase{
		{name: "start", program: "train", args: train(), within: moment, run: "cfm/moons"},
		{name: "loading", program: "train", args: []string{"--dataset", "folder:" + pictures, "--image-size", "64", "--batch-size", "4", "--num-channels", "32", "--iterations", "1000"}, within: 2 * moment},
		{name: "step", program: "train", args: train("--checkpoint-every", "50"), states: 1, within: moment / 4, run: "cfm/moons", steps: true},
		{name: "saving", program: "train", args: train("--checkpoint-every", "5"), states: 3, inside: true, run: "cfm/moons", steps: true},
		{name: "sampling", program: "sample", args: []string{"--pretrained", "checkerboard", "--steps", "100000", "--npz", "OUT/x.npz", "--no-figures"}, within: 2 * moment},
		{name: "evaluation", program: "evaluate", args: []string{"--pretrained", "checkerboard", "--solvers", "euler:100000"}, within: 2 * moment},
		{name: "drawing pairs", program: "reflow", args: []string{"--pretrained", "checkerboard", "--pairs", "100000", "--steps", "10000", "--no-figures"}, within: 2 * moment},
		{name: "comparison", program: "compare", args: []string{"--pretrained", "checkerboard", "--figure-samples", "300000"}, within: 2 * moment},
		{name: "download", program: "train", args: []string{"--dataset", "mnist", "--download", "--data-dir", "OUT/data"}, within: moment},
	}
}

// silent is the address of a proxy that never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

// asFirst lets a program be process 1, as in a container, where the system lets it do so.
func asFirst(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWPID | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}},
		}
	}
}

// canBeFirst tells whether the system lets it.
func canBeFirst() bool {
	c := exec.Command("true")
	asFirst(c)
	return c.Run() == nil
}

// Programs are sent signals in every phase of theirs, one or two, also as process 1: they
// leave with the status of the signal, what they have done is saved, and nothing is left half
// done. A second one may leave behind what the next process sweeps.
func TestSignals(t *testing.T) {
	all, first, proxy := phases(t), canBeFirst(), silent(t)
	if !first {
		t.Log("no program can be process 1 here")
	}
	var slowest time.Duration
	for i := range faulttest.Cases(t, "7", 27) {
		random := rand.New(rand.NewPCG(7, uint64(i)))
		p := all[i%len(all)]
		signal := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[(i/len(all)+i)%3]
		again := syscall.Signal(0)
		if random.IntN(3) == 0 {
			again = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[random.IntN(2)]
		}
		out := t.TempDir()
		var args []string
		for _, a := range append(p.args, "--output-dir", out) {
			args = append(args, strings.Replace(a, "OUT", out, 1))
		}
		alone := first && random.IntN(3) == 0
		what := fmt.Sprintf("case %d, %s, %v then %v, as process 1 %v", i, p.name, signal, again, alone)
		change := func(c *exec.Cmd) {
			if alone {
				asFirst(c)
			}
			c.Env = append(c.Env, "HTTPS_PROXY="+proxy, "https_proxy="+proxy)
		}
		aim := ""
		if p.inside {
			aim = fmt.Sprintln(1+random.IntN(2), 1+random.IntN(25), int(signal), int(again))
		}
		child := started(t, p.program, aim, change, args...)
		if alone {
			<-child.up // process 1 gets no signal that it does not listen for
		}
		child.until(p.states, tooLong)
		begin := time.Now()
		if !p.inside {
			time.Sleep(time.Duration(random.Int64N(int64(p.within))))
			begin = time.Now()
			_ = child.Process.Signal(signal) // its status tells whether it arrived
			if again != 0 {
				time.Sleep(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
				_ = child.Process.Signal(again)
			}
		}
		status := child.end(t)
		slowest = max(slowest, time.Since(begin))
		early := alone && p.states == 0 && status == 2 // before the program listens: what the Go runtime makes of a process that cannot die of a signal
		if status != 128+int(signal) && (again == 0 || status != 128+int(again)) && !early {
			t.Errorf("%s: status %d: %s", what, status, child.errOut.String())
		}
		checkStopped(t, what, p, child, out, again != 0)
	}
	t.Logf("the slowest left after %v", slowest)
}

var stoppedAfter = regexp.MustCompile(`stopped after step (\d+), everything is saved`)

// checkStopped looks at what a program has left that a signal has stopped.
func checkStopped(t *testing.T, what string, p phase, child *process, out string, doubled bool) {
	t.Helper()
	if strings.Contains(child.errOut.String(), "goroutine") {
		t.Errorf("%s: a trace: %.300s", what, child.errOut.String())
	}
	if _, err := os.Stat(filepath.Join(out, "x.npz")); err == nil {
		if _, err := npz.OpenSamples(filepath.Join(out, "x.npz")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := filepath.WalkDir(out, func(path string, e os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".") && e.Name() != ".lock" && (!doubled || strings.Contains(e.Name(), ".tmp-")) {
			t.Errorf("%s: left %s", what, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if p.run == "" {
		return
	}
	dir := filepath.Join(out, p.run)
	s, _, passed, err := trainer.Newest(dir)
	if err != nil && trainer.HoldsRun(dir) || len(passed) > 0 {
		entries, _ := os.ReadDir(dir)
		t.Errorf("%s: %v, passed over %v; there are %v", what, err, passed, entries)
		return
	}
	if p.steps && err != nil && !(p.inside && doubled) { // the first save may have been the one that was broken off
		t.Errorf("%s: %v", what, err)
		return
	}
	m := stoppedAfter.FindStringSubmatch(child.errOut.String())
	if m == nil {
		if p.steps && !doubled {
			t.Errorf("%s: nothing is said of the step that is saved: %s", what, child.errOut.String())
		}
		return
	}
	if step, _ := strconv.Atoi(m[1]); err != nil || s.Step() != step {
		t.Errorf("%s: saved is said of step %d, and the state: %v", what, step, err)
	}
}
