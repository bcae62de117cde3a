package figures

import (
	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/models"
	"flowmatch/trainer/trained"
)

// Flags are --no-figures and --figure-samples.
type Flags struct {
	Off     bool
	Samples int // 0: by the device, or the recipe

	cmd *cli.Command
}

// mostSamples keeps the noise and the samples, 16 bytes each, within memory.
const mostSamples = 100_000_000

// FlagsTitle is that of the flags in help.
const FlagsTitle = "Figures"

// AddFlags adds the flags.
func AddFlags(c *cli.Command) *Flags {
	f := &Flags{cmd: c}
	g := c.Group(FlagsTitle)
	g.BoolVar(&f.Off, "no-figures", false, "write no pictures")
	f.addSamples(g, " and by --recipe reference")
	return f
}

// AddSamples adds --figure-samples alone.
func AddSamples(c *cli.Command, g *cli.Group) *Flags {
	f := &Flags{cmd: c}
	f.addSamples(g, "")
	return f
}

// addSamples adds --figure-samples. where says in which cases, besides on a GPU, the
// larger number holds.
func (f *Flags) addSamples(g *cli.Group, where string) {
	g.IntVar(&f.Samples, "figure-samples", 0, "samples in pictures of points; films take half of them (100,000 on a processor, 1,000,000 on a GPU"+where+")")
}

// Check finds what is wrong with the flags.
func (f *Flags) Check() error {
	switch {
	case !f.cmd.Changed("figure-samples"):
		return nil
	case f.Off:
		return cli.Usagef("--figure-samples and --no-figures exclude each other")
	case f.Samples < 2 || f.Samples > mostSamples:
		return cli.Usagef("--figure-samples %d: 2 to %d", f.Samples, mostSamples)
	}
	return nil
}

// samples is how many are drawn where the user has not said.
func samples(asked int, reference bool, d torch.Device) int {
	switch {
	case asked > 0:
		return asked
	case reference || d.IsCUDA():
		return 1_000_000
	}
	return 100_000
}

// Batch is how many samples of a network of points are solved together for a figure:
// on a GPU all that keep it busy.
func Batch(n models.Config, d torch.Device) int {
	if d.IsCUDA() {
		return 1 << 16
	}
	return trained.Batch(n, d)
}
