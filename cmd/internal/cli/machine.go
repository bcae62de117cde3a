package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/trainer"
)

// AddCommon adds the flags that most commands have, in the groups Machine and
// General, after the command's own. precision and json are what help says of
// --precision and --json; without json there is none.
func (c *Command) AddCommon(precision, json string) {
	m := c.Group("Machine")
	c.AddDevice(m)
	m.StringVar(&c.Precision, "precision", "auto", precision)
	m.Choices("precision", trainer.Precisions...)
	m.BoolVar(&c.Deterministic, "deterministic", false, "equal runs compute equal numbers on a GPU, too, at some cost of speed; a processor's do anyway")
	g := c.Group("General")
	c.AddOutputDir(g)
	g.Int64Var(&c.Seed, "seed", 42, "decides every random number")
	c.AddLast(g, "no progress and no notes", json)
}

// AddNoGraph adds --no-graph to AddCommon's flags, for commands that train.
func (c *Command) AddNoGraph() {
	c.Group("Machine").BoolVar(&c.NoGraph, "no-graph", false, "do a GPU's steps operation by operation, not recorded and replayed as one CUDA graph; the numbers are the same")
}

// AddLast adds the flags that end every command's help.
func (c *Command) AddLast(g *Group, quiet, json string) {
	g.BoolVar(&c.Quiet, "quiet", false, quiet)
	if json != "" {
		g.BoolVar(&c.JSON, "json", false, json)
	}
	g.BoolVar(&c.version, "version", false, "print the version")
	g.BoolVar(&c.licence, "licences", false, "print the licences of all that is in the program")
	g.BoolP("help", "h", false, "print this")
}

// AddDevice adds the flags that say where to compute.
func (c *Command) AddDevice(g *Group) {
	g.StringVar(&c.Device, "device", fromEnv("FLOWMATCH_DEVICE", "auto"), "auto, cpu, cuda or cuda:N (or set FLOWMATCH_DEVICE)")
	g.Choices("device", "auto", "cpu", "cuda", "cuda:0")
	g.IntVar(&c.Threads, "threads", 0, "processor cores to compute with; 0 is all")
}

// AddOutputDir adds --output-dir.
func (c *Command) AddOutputDir(g *Group) {
	g.StringVar(&c.OutputDir, "output-dir", "outputs", "the folder of all results")
	g.Folders("output-dir")
}

// AddDataDir adds --data-dir.
func (c *Command) AddDataDir(g *Group) {
	g.StringVar(&c.DataDir, "data-dir", fromEnv("FLOWMATCH_DATA_DIR", "data"), "the folder of the data sets' folders (or set FLOWMATCH_DATA_DIR)")
	g.Folders("data-dir")
}

// fromEnv is a variable of the environment, or where it is empty the usual value.
func fromEnv(name, usual string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return usual
}

// OpenDevice loads libtorch and gives the device that --device asks for.
func (c *Command) OpenDevice() (torch.Device, error) {
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
	why = WithCUDARemedy(why)
	if c.Device == "auto" {
		want, why = choose(gpus{
			why: why, present: torch.HasNVIDIADevice(),
			unfit: func() string { return torch.CUDAUnfit(torch.NewDevice("cuda")) },
		})
		if why != "" {
			c.Note("computing on the processor, for the GPU cannot be used: %s", why)
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
func (c *Command) CheckMachine() error {
	if c.Threads < 0 {
		return Usagef("--threads %d: 1 or more, or 0 for all", c.Threads)
	}
	if _, err := torch.ParseDevice(c.Device); c.Device != "auto" && err != nil {
		return Usagef("--device %q: auto, cpu, cuda or cuda:N", c.Device)
	}
	return nil
}

// CheckPrecision refuses what is wrong with --precision, and CheckMachine's.
func (c *Command) CheckPrecision() error {
	if err := c.CheckMachine(); err != nil {
		return err
	}
	if !slices.Contains(trainer.Precisions, c.Precision) {
		return Usagef("--precision %q: %s", c.Precision, strings.Join(trainer.Precisions, ", "))
	}
	return nil
}
