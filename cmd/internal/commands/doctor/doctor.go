// Package doctor is the command that says what this machine and this installation can do.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/freememory"
	"github.com/wangkuiyi/gotorch/supervise"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// finding is a line of the report.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	What   string `json:"what"`
	Remark string `json:"remark,omitempty"` // what else is to be known
	Remedy string `json:"remedy,omitempty"` // what to do where it is not right
	Log    string `json:"log,omitempty"`    // in full what a compiler said
	fatal  bool   // without it nothing works
}

// Command is doctor.
func Command() *cli.Command {
	c := &cli.Command{Name: "doctor", About: "check this machine and this installation", Forms: []cli.Form{
		{Line: "doctor", What: "what works here, and what to do about the rest"},
	}}
	m := c.Group("Machine")
	fetch := m.Bool("fetch", false, "fetch libtorch for this installation: scripts/setup --libtorch beside the programs")
	c.AddDevice(m)
	c.AddDataDir(m)
	c.AddOutputDir(m)
	c.AddLast(c.Group("General"), "print only what is not right", "print the findings as JSON")
	c.Run = func(ctx context.Context, env cli.Env) error { return run(ctx, c, *fetch, env) }
	return c
}

func run(ctx context.Context, c *cli.Command, fetch bool, env cli.Env) error {
	if err := c.CheckMachine(); err != nil {
		return err
	}
	if fetch {
		return fetchLibtorch(ctx, env)
	}
	all, err := examine(ctx, c)
	if err != nil {
		return err
	}
	if c.Quiet {
		all = slices.DeleteFunc(all, func(f finding) bool { return f.OK })
	}
	if c.JSON {
		if err := json.NewEncoder(env.Stdout).Encode(all); err != nil {
			return err
		}
	} else {
		if err := print(env.Stdout, all); err != nil {
			return err
		}
	}
	for _, f := range all {
		if f.fatal && !f.OK {
			return errors.New("training cannot work here yet" + onDevice(c) + ": see above")
		}
	}
	return nil
}

func onDevice(c *cli.Command) string {
	if c.Device == "auto" {
		return ""
	}
	return " on --device " + c.Device
}

func print(w io.Writer, all []finding) error {
	list := terminal.List{}
	for _, f := range all {
		mark := "ok "
		if !f.OK {
			mark = "-- "
		}
		list.Rows = append(list.Rows, []string{mark + " " + f.Name, f.What, f.Remark, f.Remedy}) // empty ones have no line
	}
	p := terminal.NewPage(w)
	p.List(list)
	return p.Flush()
}

// cores is how many this process may use.
func cores() int { return runtime.GOMAXPROCS(0) }

// examine looks at one thing after the other. Of what was asked to stop nothing is said.
func examine(ctx context.Context, c *cli.Command) ([]finding, error) {
	var all []finding
	for _, of := range []func(context.Context, *cli.Command) []finding{basics, library, surroundings} {
		if ctx.Err() == nil {
			all = append(all, of(ctx, c)...)
		}
	}
	return all, context.Cause(ctx)
}

func basics(context.Context, *cli.Command) []finding { return []finding{machine(), processor()} }

// library looks at libtorch, and at what it makes of the machine.
func library(ctx context.Context, c *cli.Command) []finding {
	lib, err := torch.FindLibrary()
	if err != nil {
		return []finding{{Name: "libtorch", What: err.Error(), fatal: true}}
	}
	found := finding{Name: "libtorch", OK: true, What: fmt.Sprintf("%s in %s (through %s)", lib.Version, lib.Dir, lib.Source)}
	start := time.Now()
	if err := torch.Init(torch.InitOptions{NoCUDA: c.Device == "cpu", NumThreads: c.Threads}); err != nil {
		return []finding{found, {Name: "loading", What: err.Error(), Remedy: "run scripts/setup and scripts/build again", fatal: true}}
	}
	loading := finding{Name: "loading", OK: true, What: fmt.Sprintf("opened in %.2f s, threads: %d", time.Since(start).Seconds(), torch.NumThreads())}
	all := []finding{found, loading, usedThreads(), compute(ctx)}
	if most, command := supervise.Limit(); command != "" {
		all = append(all, limit(most, command, mapped(command)))
	}
	all = append(all, gpu(ctx, c))
	if last := all[len(all)-1]; last.OK && torch.IsCUDAAvailable() && c.Device != "cpu" && ctx.Err() == nil {
		all = append(all, kernels(torch.CUDAKernels(asked(c.Device))))
	}
	return all
}

// asked is the GPU that --device means, where it means one.
func asked(device string) torch.Device {
	if device == "auto" {
		device = "cuda"
	}
	return torch.NewDevice(device)
}

// kernels says whether a GPU runs the binding's own, without which training goes on, slower.
func kernels(in torch.CUDAKernelsInfo) finding {
	f := finding{Name: "kernels", OK: in.OK || in.Off, Log: in.Log}
	switch {
	case in.OK && in.Compiled > 0:
		f.What = fmt.Sprintf("our own were compiled for %s in %.1f s, and agree with libtorch's operations", in.Architecture, in.Compiling.Seconds())
		f.Remark = kept(in)
	case in.OK:
		f.What = fmt.Sprintf("our own, compiled for %s before, agree with libtorch's operations", in.Architecture)
		f.Remark = kept(in)
	case in.Off:
		f.What = "libtorch's own alone: " + in.Why
	default:
		f.What = "libtorch's own alone, which are slower: " + in.Why
		f.Remedy = "training works; please report this with what doctor --json prints"
	}
	return f
}

// kept says where kernels are from one start to the next.
func kept(in torch.CUDAKernelsInfo) string {
	switch {
	case in.NotKept != "":
		return "they are compiled at each start: " + in.NotKept
	case in.Folder == "":
		return "they are compiled at each start: nothing names a folder to keep them in, or GOTORCH_CUDA_KERNELS=anew forbids it"
	}
	return "they are kept in " + in.Folder
}

func machine() finding {
	f := finding{Name: "machine", OK: runtime.GOOS == "linux" && runtime.GOARCH == "amd64", fatal: true,
		What: fmt.Sprintf("%s on %s, %s, %s of memory free", runtime.GOOS, runtime.GOARCH, terminal.Counted(runtime.NumCPU(), "core"), available())}
	if !f.OK {
		f.Remedy = "only Linux on x86-64 (also under WSL2) is supported"
	}
	return f
}

// available is the memory that is free, of the machine or of the container, for people.
func available() string {
	if n := freememory.Bytes(); n > 0 {
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
	return "an unknown amount"
}

func processor() finding {
	flags := torch.CPUFlags()
	f := finding{Name: "processor", OK: slices.Contains(flags, "avx2")}
	switch {
	case trainer.FastBF16(torch.CPU):
		f.What = "AVX-512 with bf16: --precision auto trains in bf16"
	case trainer.HasBF16(torch.CPU):
		f.What = "AVX-512 with bf16 that is slower than float32: --precision auto trains in float32"
	case slices.Contains(flags, "avx512f"):
		f.What = "AVX-512 without bf16: --precision auto trains in float32"
	case f.OK:
		f.What = "AVX2: --precision auto trains in float32"
	default:
		f.What = "no AVX2: training works, slowly"
	}
	return f
}

func compute(ctx context.Context) finding {
	f := finding{Name: "arithmetic", fatal: true}
	speed, err := products(ctx, torch.CPU)
	f.What = fmt.Sprintf("products of float32 run at %.0f GFLOP/s", speed)
	if f.OK = err == nil; !f.OK {
		f.What = err.Error()
	}
	return f
}

// products computes products of float32 for a while, shorter if ctx ends, and gives
// their speed in GFLOP/s.
func products(ctx context.Context, d torch.Device) (speed float64, err error) {
	n := int64(512)
	if d.IsCUDA() {
		n = 4096
	}
	err = torch.Try(func() {
		torch.Scoped(func() {
			a := torch.FullWith([]int64{n, n}, 1, torch.Options{Device: d})
			torch.MM(a, a).Close()
			torch.Synchronize(d)
			start := time.Now()
			var count float64
			for ; time.Since(start) < 200*time.Millisecond && ctx.Err() == nil; count++ {
				torch.MM(a, a).Close()
				torch.Synchronize(d)
			}
			speed = count * 2 * math.Pow(float64(n), 3) / time.Since(start).Seconds() / 1e9
		})
	})
	return speed, err
}

func gpu(ctx context.Context, c *cli.Command) finding {
	if c.Device == "cpu" {
		return finding{Name: "GPU", OK: true, What: "not asked for: --device cpu"}
	}
	ok, why := torch.CUDAStatus()
	if !ok {
		return finding{Name: "GPU", What: "none: " + cli.WithCUDARemedy(why), Remedy: gpuRemedy(why), fatal: strings.HasPrefix(c.Device, "cuda")}
	}
	return gpus(torch.CUDADeviceCount(), c.Device, func(d torch.Device) (string, string) { return describe(ctx, d) })
}

// describe is what a GPU is, and why it cannot be used, or "".
func describe(ctx context.Context, d torch.Device) (what, why string) {
	var in torch.CUDAInfo
	if err := torch.Try(func() { in = torch.CUDADeviceInfo(d) }); err != nil {
		return "does not answer", firstLine(err)
	}
	what = fmt.Sprintf("%s, %.0f of %.0f GB free", in.Name, float64(in.Free)/(1<<30), float64(in.Total)/(1<<30))
	if why := torch.CUDAUnfit(d); why != "" {
		return what, why
	}
	speed, err := products(ctx, d)
	if err != nil {
		return what, firstLine(err)
	}
	return what + fmt.Sprintf(", products of float32 run at %.0f GFLOP/s", speed), ""
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// gpus describes n GPUs. One that cannot be used, because it is old or broken or
// another program has all of it, leaves the others good.
func gpus(n int, asked string, describe func(torch.Device) (what, why string)) finding {
	f := finding{Name: "GPU", fatal: strings.HasPrefix(asked, "cuda")}
	if asked == "auto" || asked == "cuda" {
		asked = "cuda:0"
	}
	var lines []string
	for i := range n {
		d := torch.NewDevice(fmt.Sprintf("cuda:%d", i))
		what, why := describe(d)
		line := d.String() + " " + what
		if why != "" {
			line += ", cannot be used: " + why
		} else if d.String() == asked {
			f.OK = true
		}
		lines = append(lines, line)
	}
	f.What = strings.Join(lines, "; ")
	if !f.OK {
		f.Remedy = asked + " cannot be used: choose another one with --device"
	}
	return f
}

// gpuRemedy is what to do where CUDA is off.
func gpuRemedy(why string) string {
	switch {
	case strings.Contains(why, "too old"):
		return "training on the processor works; for the GPU update NVIDIA's driver to 580 or newer: no libtorch 2.11 for an older CUDA is on the package index"
	case strings.Contains(why, "driver"):
		return "training on the processor works; for a GPU install NVIDIA's driver 580 or newer (in a container: the NVIDIA container toolkit, and docker run --gpus all)"
	case strings.Contains(why, "No CUDA GPUs"):
		return "training on the processor works; for a GPU see what nvidia-smi and CUDA_VISIBLE_DEVICES say (in a container: docker run --gpus all)"
	}
	return ""
}

func folder(c *cli.Command) finding {
	f := finding{Name: "output", fatal: true}
	if err := os.MkdirAll(c.OutputDir, 0o777); err != nil {
		f.What, f.Remedy = err.Error(), "choose another folder with --output-dir"
		return f
	}
	probe, err := os.CreateTemp(c.OutputDir, ".doctor-")
	if err != nil {
		f.What, f.Remedy = err.Error(), "choose another folder with --output-dir"
		return f
	}
	probe.Close()
	os.Remove(probe.Name())
	abs, _ := filepath.Abs(c.OutputDir)
	f.OK, f.What = true, abs+" can be written to"
	return f
}

// data tells which sets can be trained on now.
func data(ctx context.Context, c *cli.Command) finding {
	var here, missing []string
	for _, name := range datasets.Names() {
		if strings.Contains(name, ":") {
			continue // the user's own files
		}
		if _, err := datasets.OpenSet(ctx, name, datasets.Options{DataDir: c.DataDir}); err == nil {
			here = append(here, name)
		} else {
			missing = append(missing, name)
		}
	}
	f := finding{Name: "data", OK: len(here) > 0, What: "ready: " + strings.Join(here, ", ")}
	if len(missing) > 0 {
		f.Remark = fmt.Sprintf("not in %s: %s", c.DataDir, strings.Join(missing, ", "))
	}
	return f
}
