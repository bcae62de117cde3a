package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/trainer"
)

const (
	every   = 5  // steps between saves
	perKill = 20 // more steps than a run does before it is killed
)

// A training is killed again and again, and gone on with each time by the same command: half
// of the kills at any moment, half before some effect on the disk, in the midst of a save or
// of the start. Nothing is damaged, at most the steps since the last save are lost, and in
// the end there is the run that was never killed.
func TestKills(t *testing.T) {
	length := 50
	if faulttest.Long() {
		length = 1000
	}
	var c *chain
	for i := range faulttest.Cases(t, "1", 50) {
		if c == nil {
			c = newChain(t, length)
		}
		c.kill(i)
		if c.kills == length {
			c.finish()
			c = nil
		}
	}
	if c != nil {
		c.finish()
	}
}

// chain is a run and its kills.
type chain struct {
	t             *testing.T
	length, kills int
	dir           string // the run's
	inside        int    // kills that left something half done
	step          int    // of the newest state
	effects       [2]int // on the disk, of a start and of a save
	life          time.Duration
}

func newChain(t *testing.T, length int) *chain {
	return &chain{t: t, length: length, dir: filepath.Join(t.TempDir(), "cfm/moons"), effects: [2]int{10, 10}, life: time.Second}
}

// run starts the program in a run's folder.
func (c *chain) run(dir, aim string) *process {
	return started(c.t, "train", aim, nil, "--dataset", "moons", "--precision", "fp32", "--threads", "1", "--hidden-dim", "8", "--batch-size", "8",
		"--iterations", strconv.Itoa(perKill*(c.length+1)), "--ema-decay", "0.9", "--warmup", "10", "--checkpoint-every", strconv.Itoa(every),
		"--no-figures", "--quiet", "--resume", "--output-dir", filepath.Dir(filepath.Dir(dir)))
}

// kill is case i.
func (c *chain) kill(i int) {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	var p *process
	begin := time.Now()
	if i%2 == 0 {
		save := random.IntN(3)
		effect := 1 + random.IntN(c.effects[min(save, 1)])
		p = c.run(c.dir, fmt.Sprintln(save, effect, int(syscall.SIGKILL), 0))
		p.until(3, tooLong)
	} else {
		p = c.run(c.dir, "")
		p.until(3, time.Duration(random.Int64N(int64(c.life))))
	}
	_ = p.Process.Kill() // it may be dead
	if status := p.end(c.t); status != 128+int(syscall.SIGKILL) {
		c.t.Fatalf("kill %d: the training has ended by itself, with status %d: %s", i, status, p.errOut.String())
	}
	if p.saves == 3 {
		c.life = time.Since(begin)
	}
	for k, n := range p.effects {
		c.effects[min(k, 1)] = max(n, 1)
	}
	c.kills++
	c.check(fmt.Sprintf("kill %d, after %d saves", i, p.saves), p.saves)
}

// check looks at what a kill has left.
func (c *chain) check(what string, saves int) {
	if c.halfDone() != nil {
		c.inside++
	}
	least := c.step + every*saves
	s, name, passed, err := trainer.Newest(c.dir)
	switch {
	case err != nil && (least > 0 || trainer.HoldsRun(c.dir)):
		c.t.Errorf("%s: %v", what, err)
		return
	case err != nil:
		return // nothing was saved yet
	case name != trainer.StateFile || len(passed) > 0:
		c.t.Errorf("%s: %s is taken, and not %v", what, name, passed)
	case s.Step() < least || s.Step() > least+every || s.Step()%every != 0:
		c.t.Errorf("%s: the state is of step %d, it should be %d or %d", what, s.Step(), least, least+every)
	}
	prev, err := trainer.ReadState(filepath.Join(c.dir, trainer.PrevStateFile))
	if err == nil && prev.Step() != s.Step() && prev.Step() != s.Step()-every || err != nil && (!errors.Is(err, fs.ErrNotExist) || s.Step() > 2*every) {
		c.t.Errorf("%s: the state before: %v", what, err)
	}
	k, err := trainer.ReadCheckpoint(filepath.Join(c.dir, trainer.CheckpointFile))
	if err == nil && k.Record.Training.Step > s.Step() || err != nil && !errors.Is(err, fs.ErrNotExist) { // the next save that is not killed derives it
		c.t.Errorf("%s: the weights: %v", what, err)
	}
	c.step = s.Step()
}

// halfDone are the names of what was on its way to another name.
func (c *chain) halfDone() []string { return halfDone(c.t, c.dir) }

func halfDone(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

// finish lets the run come to its end, and compares it with one that was not killed.
func (c *chain) finish() {
	once := filepath.Join(c.t.TempDir(), "cfm/moons")
	for _, dir := range []string{c.dir, once} {
		if p := c.run(dir, ""); p.end(c.t) != 0 {
			c.t.Fatal(p.errOut.String())
		}
	}
	for _, name := range []string{trainer.StateFile, trainer.CheckpointFile, trainer.MetricsFile} {
		a, err := os.ReadFile(filepath.Join(once, name))
		if err != nil {
			c.t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(c.dir, name)); err != nil || !bytes.Equal(a, b) {
			c.t.Errorf("after %d kills %s is another, %v", c.kills, name, err)
		}
	}
	if left := c.halfDone(); left != nil {
		c.t.Errorf("nobody swept %v", left)
	}
	c.t.Logf("%d kills over %d steps, %d of them left something half done", c.kills, c.step, c.inside)
}
