package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/trainer"
)

// Version is set by the build from the repository.
var Version = ""

// Common are the flags that every command has.
type Common struct {
	*pflag.FlagSet
	Device, Precision, OutputDir, DataDir string
	Threads                               int
	Seed                                  int64
	Quiet, Deterministic                  bool

	// PrecisionHelp is what --help says of --precision; set it before AddCommon.
	PrecisionHelp string

	name, about string
	version     bool
	notes       io.Writer // of OpenDevice and Note
}

// Note tells the user something, unless --quiet.
func (c *Common) Note(format string, args ...any) {
	if !c.Quiet && c.notes != nil {
		fmt.Fprintf(c.notes, "note: "+format+"\n", args...)
	}
}

// New makes a command's flags. about is a line for --help.
func New(name, about string) *Common {
	c := &Common{FlagSet: pflag.NewFlagSet(name, pflag.ContinueOnError), name: name, about: about,
		PrecisionHelp: "auto, fp32, tf32 (GPUs) or bf16; auto is bf16 where there are instructions for it, and tf32 for points on a GPU"}
	c.SetNormalizeFunc(func(_ *pflag.FlagSet, s string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(s, "_", "-"))
	})
	c.Usage = func() {}
	c.SortFlags = false
	c.SetInterspersed(true)
	return c
}

// AddCommon adds the common flags after the command's own.
func (c *Common) AddCommon() {
	c.StringVar(&c.Precision, "precision", "auto", c.PrecisionHelp)
	c.Int64Var(&c.Seed, "seed", 42, "decides every random number")
	c.AddMachine()
	c.BoolVar(&c.Deterministic, "deterministic", false, "equal runs compute equal numbers on a GPU, too, at some cost of speed; a processor's do anyway")
	c.BoolVar(&c.Quiet, "quiet", false, "no progress and no notes")
	c.AddVersion()
}

// AddMachine adds the flags that say where to compute and where to write.
func (c *Common) AddMachine() {
	device := os.Getenv("FLOWMATCH_DEVICE")
	if device == "" {
		device = "auto"
	}
	c.StringVar(&c.Device, "device", device, "auto, cpu, cuda or cuda:N (or set FLOWMATCH_DEVICE)")
	c.IntVar(&c.Threads, "threads", 0, "processor cores to compute with; 0 is all")
	c.StringVar(&c.OutputDir, "output-dir", "outputs", "the folder of all results")
}

// AddVersion adds --version alone.
func (c *Common) AddVersion() { c.BoolVar(&c.version, "version", false, "print the version") }

// AddDataDir adds --data-dir.
func (c *Common) AddDataDir() {
	dir := os.Getenv("FLOWMATCH_DATA_DIR")
	if dir == "" {
		dir = "data"
	}
	c.StringVar(&c.DataDir, "data-dir", dir, "the folder of the data sets' folders (or set FLOWMATCH_DATA_DIR)")
}

// ErrDone ends a command that has printed what was asked for.
var ErrDone = pflag.ErrHelp

// Read parses the arguments. After --help and --version, which print to
// standard output, it returns ErrDone.
func (c *Common) Read(env Env) error {
	c.notes = env.Stderr
	err := c.Parse(env.Args)
	c.VisitAll(c.inHome)
	if err == pflag.ErrHelp {
		fmt.Fprintf(env.Stdout, "%s: %s\n\nUsage:\n%s\nFlags (underscores may stand for hyphens):\n%s", c.name, c.about, c.forms(), c.FlagUsages())
		return ErrDone
	}
	if err != nil {
		return Usagef("%s", c.explain(err))
	}
	if err := c.noneEmpty(); err != nil {
		return err
	}
	if c.version {
		v := trainer.Version
		if Version != "" {
			v += " (" + Version + ")"
		}
		fmt.Fprintf(env.Stdout, "flowmatch %s %s, for libtorch %s, %s\n", c.name, v, torch.Version, runtime.Version())
		return ErrDone
	}
	return nil
}

// noneEmpty refuses texts that are given and empty, as a shell's variable is that nobody has
// set: they would mean what the flag's absence means.
func (c *Common) noneEmpty() (err error) {
	c.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = Usagef("--%s is empty: give a value, or leave it out", f.Name)
		}
	})
	return err
}

// inHome turns the ~ that begins a path into the user's own folder. A shell does so
// only at the start of a word: not in --output-dir=~/x.
func (c *Common) inHome(f *pflag.Flag) {
	rest, ok := strings.CutPrefix(f.Value.String(), "~")
	if !ok || f.Value.Type() != "string" || rest != "" && rest[0] != '/' {
		return
	}
	if home, err := os.UserHomeDir(); err == nil {
		_ = f.Value.Set(filepath.Join(home, rest)) // a string takes any
	}
}

// Forms are the lines of --help that show how the command is used.
var Forms = map[string]string{}

func (c *Common) forms() string { return "  " + strings.ReplaceAll(Forms[c.name], "\n", "\n  ") + "\n" }

// explain adds the nearest flag to pflag's message about an unknown one.
func (c *Common) explain(err error) string {
	msg := err.Error()
	name, ok := strings.CutPrefix(msg, "unknown flag: --")
	if !ok {
		return msg
	}
	name, _, _ = strings.Cut(name, "=")
	var names []string
	c.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := datasets.Closest(strings.ReplaceAll(name, "_", "-"), names); near != "" {
		return msg + "; did you mean --" + near + "?"
	}
	return msg
}

// NoArgs refuses arguments that are no flags.
func (c *Common) NoArgs() error {
	if c.NArg() > 0 {
		return Usagef("%q is no flag; all of %s's arguments are flags", c.Arg(0), c.name)
	}
	return nil
}

// OpenDevice loads libtorch and gives the device that --device asks for.
func (c *Common) OpenDevice() (torch.Device, error) {
	cpu := torch.Device{}
	want := torch.CPU
	if c.Device != "auto" {
		d, err := torch.ParseDevice(c.Device)
		if err != nil {
			return cpu, Usagef("--device %q: auto, cpu, cuda or cuda:N", c.Device)
		}
		want = d
	}
	if err := torch.Init(torch.InitOptions{NoCUDA: c.Device == "cpu", NumThreads: c.Threads}); err != nil {
		return cpu, err
	}
	if c.Deterministic {
		torch.UseDeterministicAlgorithms(true)
	}
	ok, why := torch.CUDAStatus()
	if c.Device == "auto" {
		want, why = choose(gpus{
			why: why, present: torch.HasNVIDIADevice(),
			unfit: func() string { return torch.CUDAUnfit(torch.NewDevice("cuda")) },
		})
		if why != "" && !c.Quiet {
			fmt.Fprintf(c.notes, "note: computing on the processor, for the GPU cannot be used: %s\n", why)
		}
	}
	if !want.IsCUDA() {
		return want, nil
	}
	if !ok {
		return cpu, fmt.Errorf("--device %s: CUDA cannot be used: %s", c.Device, why)
	}
	if n := torch.CUDADeviceCount(); want.Index() >= n {
		return cpu, fmt.Errorf("--device %s: %s", c.Device, count(n))
	}
	if why := torch.CUDAUnfit(want); why != "" {
		return cpu, fmt.Errorf("--device %s: %s", c.Device, why)
	}
	// Only who asks for it gets samples that were rounded to TF32; training, where
	// auto may be that, sets it itself.
	torch.AllowTF32(c.Precision == "tf32" || c.Precision == "bf16")
	return want, nil
}

// gpus is what is known of a machine's GPUs.
type gpus struct {
	why     string        // CUDA is off, or ""
	present bool          // NVIDIA's driver shows a GPU
	unfit   func() string // why libtorch cannot use the first one, or ""
}

// choose is what --device auto means. why is not empty where there is a GPU that
// cannot be used; without one nothing is to be said.
func choose(g gpus) (d torch.Device, why string) {
	switch {
	case g.why != "" && g.present:
		return torch.CPU, g.why
	case g.why != "":
		return torch.CPU, ""
	}
	if why := g.unfit(); why != "" {
		return torch.CPU, why
	}
	return torch.NewDevice("cuda"), ""
}

// count says which GPUs there are.
func count(n int) string {
	if n == 1 {
		return "there is one GPU, cuda:0"
	}
	return fmt.Sprintf("there are %d GPUs, cuda:0 to cuda:%d", n, n-1)
}

// CheckMachine refuses what is wrong with --device and --threads, before
// anything is read or libtorch is loaded.
func (c *Common) CheckMachine() error {
	if c.Threads < 0 {
		return Usagef("--threads %d: 1 or more, or 0 for all", c.Threads)
	}
	if _, err := torch.ParseDevice(c.Device); c.Device != "auto" && err != nil {
		return Usagef("--device %q: auto, cpu, cuda or cuda:N", c.Device)
	}
	return nil
}

// CheckPrecision refuses what is wrong with --precision, and CheckMachine's.
func (c *Common) CheckPrecision() error {
	if err := c.CheckMachine(); err != nil {
		return err
	}
	if !slices.Contains(trainer.Precisions, c.Precision) {
		return Usagef("--precision %q: %s", c.Precision, strings.Join(trainer.Precisions, ", "))
	}
	return nil
}

// RunDir is the folder of a set's run: <root>/cfm/<set>.
func (c *Common) RunDir(kind, slug string) string { return filepath.Join(c.OutputDir, kind, slug) }
