package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"flowmatch/datasets"
	"flowmatch/models"
)

// Network are the flags that describe a UNet.
type Network struct {
	set                                 *pflag.FlagSet
	numChannels, numResBlocks, numHeads int
	channelMult, attention              string
	dropout                             float64
	unconditional                       bool
}

// AddNetwork adds the flags; their defaults depend on the set.
func AddNetwork(f *pflag.FlagSet) *Network {
	n := &Network{set: f}
	f.IntVar(&n.numChannels, "num-channels", 0, "channels of the UNet's first level, a multiple of 32 (digits 32, else 64)")
	f.StringVar(&n.channelMult, "channel-mult", "", "channels of each level, in multiples of them (by size: 8: 1,2; 28: 1,2,2; 32: 1,2,2,2; 64: 1,2,3,4)")
	f.IntVar(&n.numResBlocks, "num-res-blocks", 0, "residual blocks of each level (2)")
	f.StringVar(&n.attention, "attention-resolutions", "", "attention where the factor of downsampling is size // R for an R of the list; none: in the middle only (digits 4, else 16)")
	f.IntVar(&n.numHeads, "num-heads", 1, "heads of attention")
	f.Float64Var(&n.dropout, "dropout", 0, "part of the values set to 0 in training")
	f.BoolVar(&n.unconditional, "unconditional", false, "a model without classes")
	return n
}

// Changed tells whether any of the flags was given.
func (n *Network) Changed() bool {
	for _, name := range []string{"num-channels", "channel-mult", "num-res-blocks", "attention-resolutions", "num-heads", "dropout", "unconditional"} {
		if n.set.Changed(name) {
			return true
		}
	}
	return false
}

// Unconditional tells whether a model without classes is asked for.
func (n *Network) Unconditional() bool { return n.unconditional }

// Config is the network for a set.
func (n *Network) Config(in datasets.Info, nullClass bool) (models.UNetConfig, error) {
	c := models.UNetConfig{
		Channels: in.Shape[0], Size: in.Shape[1], NumChannels: n.numChannels, NumResBlocks: n.numResBlocks,
		NumHeads: n.numHeads, Dropout: n.dropout, NumClasses: in.Classes(), NullClass: nullClass,
	}
	small := in.Shape[1] <= 8
	if c.NumChannels == 0 && !n.set.Changed("num-channels") {
		c.NumChannels = 64
		if small {
			c.NumChannels = 32
		}
	}
	if n.unconditional {
		c.NumClasses = 0
	}
	var err error
	if n.channelMult != "" {
		if c.ChannelMult, err = ints(n.channelMult); err != nil {
			return c, Usagef("--channel-mult %q: whole numbers with commas between, as in 1,2,2", n.channelMult)
		}
	}
	switch {
	case n.attention == "none":
		c.AttentionResolutions = []int{}
	case n.attention != "":
		if c.AttentionResolutions, err = ints(n.attention); err != nil {
			return c, Usagef("--attention-resolutions %q: whole numbers with commas between, or none", n.attention)
		}
	case small:
		c.AttentionResolutions = []int{4}
	default:
		c.AttentionResolutions = []int{16}
	}
	if n.set.Changed("num-res-blocks") && n.numResBlocks < 1 {
		return c, Usagef("--num-res-blocks %d: at least 1", n.numResBlocks)
	}
	if n.set.Changed("num-heads") && n.numHeads < 1 {
		return c, Usagef("--num-heads %d: at least 1", n.numHeads)
	}
	c = c.Defaults()
	return c, AsUsage(c.Check())
}

func ints(s string) ([]int, error) {
	var out []int
	for _, w := range strings.Split(s, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(w))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Ints reads whole numbers with commas between.
func Ints(s string) ([]int, error) { return ints(s) }
