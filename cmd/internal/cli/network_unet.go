package cli

import (
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer/recipe"
)

// unetFlags describe a UNet.
type unetFlags struct {
	numChannels, numResBlocks int
	channelMult, attention    string
	dropout                   float64
}

func (u *unetFlags) add(g *Group) {
	g.IntVar(&u.numChannels, "num-channels", 0, "channels of the UNet's first level, a multiple of 32 (digits 32, else 64)")
	g.StringVar(&u.channelMult, "channel-mult", "", "channels of each level, in multiples of them (by size: 8: 1,2; 28: 1,2,2; 32: 1,2,2,2; 64: 1,2,3,4)")
	g.IntVar(&u.numResBlocks, "num-res-blocks", 0, "residual blocks of each level (2)")
	g.StringVar(&u.attention, "attention-resolutions", "", "attention where the factor of downsampling is size // R for an R of the list; none: in the middle only (digits 4, else 16)")
	g.Lists("channel-mult")
	g.Lists("attention-resolutions", "none")
	g.Float64Var(&u.dropout, "dropout", 0, "part of the values set to 0 in training")
}

func (u *unetFlags) config(in datasets.Info, n *Network, classes int, nullClass bool) (models.Config, error) {
	c := recipe.UNet(in)
	c.NumHeads, c.Dropout, c.NumClasses, c.NullClass = n.numHeads, u.dropout, classes, nullClass
	if n.cmd.Changed("num-channels") {
		c.NumChannels = u.numChannels
	}
	if u.numResBlocks != 0 {
		c.NumResBlocks = u.numResBlocks
	}
	var err error
	if u.channelMult != "" {
		if c.ChannelMult, err = ints(u.channelMult); err != nil {
			return nil, Usagef("--channel-mult %q: whole numbers with commas between, as in 1,2,2", u.channelMult)
		}
	}
	switch {
	case u.attention == "none":
		c.AttentionResolutions = []int{}
	case u.attention != "":
		if c.AttentionResolutions, err = ints(u.attention); err != nil {
			return nil, Usagef("--attention-resolutions %q: whole numbers with commas between, or none", u.attention)
		}
	}
	if n.cmd.Changed("num-res-blocks") && u.numResBlocks < 1 {
		return nil, Usagef("--num-res-blocks %d: at least 1", u.numResBlocks)
	}
	return c.Defaults(), nil
}
