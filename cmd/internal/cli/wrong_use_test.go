package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// read parses a command line that has every group of flags.
func read(t *testing.T, args ...string) (*Command, *Solver, *Network, error) {
	t.Helper()
	c := &Command{Name: "sample", About: "draw samples"}
	s := c.AddSolver(c.Group("Sampling"), "the solver")
	n := c.AddNetwork(c.Group("Network"), "")
	c.AddCommon("", "")
	return c, s, n, c.Execute(t.Context(), Env{Args: args, Stdout: io.Discard, Stderr: io.Discard})
}

func mustRead(t *testing.T, args ...string) (*Command, *Solver, *Network) {
	t.Helper()
	c, s, n, err := read(t, args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return c, s, n
}

// refused fails the test unless err is wrong use and says the words.
func refused(t *testing.T, args []string, err error, want string) {
	t.Helper()
	if Status(err) != WrongUse || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: %v, want wrong use that says %q", args, err, want)
	}
}

func TestRead(t *testing.T) {
	c, _, _ := mustRead(t, "--output_dir", "x", "--seed=7")
	if c.OutputDir != "x" || c.Seed != 7 || c.RunDir("cfm", "moons") != "x/cfm/moons" {
		t.Errorf("%+v", c)
	}
	for _, args := range [][]string{{"--sead", "7"}, {"--output-dri=x"}} {
		_, _, _, err := read(t, args...)
		refused(t, args, err, "did you mean --")
	}
	_, _, _, err := read(t, "--zzzzzzzzzzzz")
	if Status(err) != WrongUse || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("%v", err)
	}
	for _, word := range []string{"n", "zz"} { // as near to one flag as to any other
		_, _, _, err := read(t, "--"+word, "1")
		if Status(err) != WrongUse || strings.Contains(err.Error(), "did you mean") {
			t.Errorf("--%s: %v", word, err)
		}
	}
	_, _, _, err = read(t, "moons")
	refused(t, []string{"moons"}, err, `"moons" is no flag`)
	for _, args := range [][]string{{"--device", "gpu"}, {"--threads", "-1"}, {"--precision", "fp8"}} {
		c, _, _ := mustRead(t, args...)
		refused(t, args, c.CheckPrecision(), args[0])
	}
	if c, _, _ := mustRead(t, "--device", "cuda:3", "--precision", "tf32"); c.CheckPrecision() != nil {
		t.Error(c.CheckPrecision())
	}
}

// --help and --version print to standard output, and end the command.
func TestReadPrints(t *testing.T) {
	for flag, want := range map[string]string{"--help": "sample: draw samples", "--version": "libtorch " + torch.Version} {
		var out strings.Builder
		c := &Command{Name: "sample", About: "draw samples"}
		c.AddCommon("", "")
		status := c.Status(t.Context(), Env{Args: []string{flag}, Stdout: &out, Stderr: io.Discard})
		if status != OK || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, %q", flag, status, out.String())
		}
	}
}

func TestSolver(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // the solver, or what is said
		ok   bool
	}{
		{nil, "midpoint, 20 steps", true},
		{[]string{"--method", "rk4", "--steps", "5"}, "rk4, 5 steps", true},
		{[]string{"--method", "dopri5", "--rtol", "1e-3", "--atol", "0"}, "dopri5, rtol 0.001, atol 0", true},
		{[]string{"--method", "dopri5", "--steps", "5"}, "--steps", false},
		{[]string{"--method", "euler", "--rtol", "1e-3"}, "--rtol", false},
		{[]string{"--method", "eular"}, "did you mean euler?", false},
		{[]string{"--method", "x1234567"}, "midpoint", false},
		{[]string{"--steps", "0"}, "--steps 0", false},
		{[]string{"--method", "dopri5", "--rtol", "1"}, "--rtol 1", false},
		{[]string{"--method", "dopri5", "--atol", "NaN"}, "--atol", false},
		{[]string{"--method", "dopri5", "--atol", "0", "--rtol", "0"}, "both 0", false},
	} {
		_, s, _ := mustRead(t, c.args...)
		got, err := s.Solver()
		if !c.ok {
			refused(t, c.args, err, c.want)
		} else if err != nil || got.String() != c.want {
			t.Errorf("%q: %v, %v, want %s", c.args, got, err, c.want)
		}
	}
}

func TestSolverList(t *testing.T) {
	for _, c := range []struct {
		list string
		args []string
		want string
		ok   bool
	}{
		{"euler:1, midpoint:20,dopri5", nil, "euler 1, midpoint 20, dopri5 0", true},
		{"dopri5:7", nil, "leave the number out", false},
		{"euler", nil, "--solvers", false},
		{"euler:0", nil, "--solvers", false},
		{"euler:1,", nil, "--solvers", false},
		{"euler:1", []string{"--rtol", "1e-3"}, "names none", false},
	} {
		_, s, _ := mustRead(t, c.args...)
		all, err := s.List("--solvers", c.list)
		var names []string
		for _, n := range all {
			names = append(names, fmt.Sprint(n.Method, " ", n.Steps))
		}
		if !c.ok {
			refused(t, []string{c.list}, err, c.want)
		} else if got := strings.Join(names, ", "); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.list, got, err, c.want)
		}
	}
}

// What a set's network is without flags, and what flags make of it.
func TestNetwork(t *testing.T) {
	digits := datasets.Info{Name: "digits", Shape: []int{1, 8, 8}, ClassNames: make([]string, 10)}
	cifar := datasets.Info{Name: "cifar10", Shape: []int{3, 32, 32}, ClassNames: make([]string, 10)}
	for _, c := range []struct {
		in   datasets.Info
		args []string
		null bool
		want models.Config
	}{
		{digits, nil, false, models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 2}, NumResBlocks: 2,
			AttentionResolutions: []int{4}, NumHeads: 1, NumClasses: 10}},
		{cifar, nil, true, models.UNetConfig{Channels: 3, Size: 32, NumChannels: 64, ChannelMult: []int{1, 2, 2, 2}, NumResBlocks: 2,
			AttentionResolutions: []int{16}, NumHeads: 1, NumClasses: 10, NullClass: true}},
		{cifar, []string{"--unconditional", "--channel-mult", "1, 2", "--attention-resolutions", "none", "--num-heads", "2"}, false,
			models.UNetConfig{Channels: 3, Size: 32, NumChannels: 64, ChannelMult: []int{1, 2}, NumResBlocks: 2, AttentionResolutions: []int{}, NumHeads: 2}},
		{digits, []string{"--network", "dit", "--depth", "3"}, false,
			models.DiTConfig{Channels: 1, Size: 8, PatchSize: 2, Depth: 3, Width: 192, NumHeads: 3, NumClasses: 10}},
	} {
		_, _, n := mustRead(t, c.args...)
		got, err := n.Config(c.in, c.null)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: %+v, %v, want %+v", c.in.Name, c.args, got, err, c.want)
		}
		if n.Changed() != (len(c.args) > 0) {
			t.Errorf("%q: changed is %v", c.args, n.Changed())
		}
	}
	for _, args := range [][]string{
		{"--num-channels", "0"}, {"--num-channels", "48"}, {"--channel-mult", "1,x"}, {"--attention-resolutions", "4;8"},
		{"--num-res-blocks", "0"}, {"--num-heads", "0"}, {"--network", "mlp"}, {"--depth", "3"},
	} {
		_, _, n := mustRead(t, args...)
		_, err := n.Config(digits, false)
		refused(t, args, err, args[0])
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, OK},
		{errors.New("no such file"), Failed},
		{fmt.Errorf("train: %w", Usagef("--steps 0")), WrongUse},
		{AsUsage(errors.New("x")), WrongUse},
		{&datasets.UnknownError{}, WrongUse},
		{&trainer.DivergedError{}, Diverged},
		{&torch.Error{}, Failed},
		{&torch.Error{OutOfMemory: true}, OutOfMemory},
		{&CheckError{}, CheckFailed},
		{&trainer.InterruptedError{Cause: signalled{syscall.SIGINT}}, 130},
		{fmt.Errorf("stopped: %w", signalled{syscall.SIGTERM}), 143},
		{context.Canceled, Failed},
	} {
		if got := (&Command{Name: "train"}).Report(io.Discard, c.err); got != c.want {
			t.Errorf("%v: status %d, want %d", c.err, got, c.want)
		}
	}
	if AsUsage(nil) != nil {
		t.Error("nothing is no wrong use")
	}
}

// Panics of tensor maths are errors of their own, others are told as mistakes of ours.
func TestGuard(t *testing.T) {
	lack := &torch.Error{Op: "MM"}
	if err := Guard(func() error { panic(lack) }); !errors.Is(err, lack) {
		t.Errorf("%v", err)
	}
	if err := Guard(func() error { panic("index out of range") }); err == nil || !strings.Contains(err.Error(), "internal error: index out of range") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("%v", err)
	}
	if err := Guard(func() error { return nil }); err != nil {
		t.Error(err)
	}
}

// An error is one line, however long, without what would act on a terminal.
func TestOneLine(t *testing.T) {
	var out strings.Builder
	(&Command{Name: "sample"}).Report(&out, errors.New("a\r\nb\x1b[31m"+strings.Repeat("é", 5000)+"end"))
	s := out.String()
	if strings.Count(s, "\n") != 1 || strings.Contains(s, "\x1b") || !strings.HasPrefix(s, "sample: a; b") || !strings.HasSuffix(s, "end\n") || len(s) > longestLine+100 {
		t.Errorf("%d bytes: %.80q", len(s), s)
	}
}

// A network for images is no network for points, and the other way round.
func TestNetworkFor(t *testing.T) {
	points, images := datasets.Info{Name: "moons", Shape: []int{2}}, datasets.Info{Name: "mnist", Shape: []int{1, 28, 28}}
	for _, c := range []struct {
		in   datasets.Info
		args []string
		kind string // "" is wrong use
	}{
		{points, nil, "mlp"}, {points, []string{"--hidden-dim", "8"}, "mlp"}, {points, []string{"--depth", "2"}, ""}, {points, []string{"--network", "dit"}, ""},
		{images, nil, "unet"}, {images, []string{"--network", "dit"}, "dit"}, {images, []string{"--hidden-dim", "8"}, ""},
	} {
		_, _, n := mustRead(t, c.args...)
		err := n.CheckFor(c.in)
		if c.kind == "" {
			if err == nil || !strings.Contains(err.Error(), c.in.Name+" is a set of ") {
				t.Errorf("%q of %s: %v", c.args, c.in.Name, err)
			}
			continue
		}
		if net, err2 := n.Config(c.in, false); err != nil || err2 != nil || net.Kind() != c.kind {
			t.Errorf("%q of %s: %v, %v, %v", c.args, c.in.Name, net, err, err2)
		}
	}
	_, _, n := mustRead(t, "--hidden-dim", "0")
	if err := n.CheckHiddenDim(); err == nil || !strings.Contains(err.Error(), "--hidden-dim 0") {
		t.Errorf("%v", err)
	}
}
