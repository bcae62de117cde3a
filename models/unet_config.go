package models

import (
	"slices"
)

// UNetConfig describes a UNet. Size, Channels and NumChannels must be set;
// Defaults fills in the rest.
type UNetConfig struct {
	Channels    int   `json:"channels"`     // of the image
	Size        int   `json:"size"`         // height and width in pixels
	NumChannels int   `json:"num_channels"` // of the first level, a multiple of 32
	ChannelMult []int `json:"channel_mult"` // channels of each level, in multiples of NumChannels; DefaultChannelMult(Size)
	// NumResBlocks is the residual blocks of each level; 2.
	NumResBlocks int `json:"num_res_blocks"`
	// AttentionResolutions puts attention where the downsampling factor is
	// Size / R for an R in the list; empty: in the middle block only, which
	// always has it.
	AttentionResolutions []int   `json:"attention_resolutions"`
	NumHeads             int     `json:"num_heads"`   // of attention; 1
	Dropout              float64 `json:"dropout"`     // 0
	NumClasses           int     `json:"num_classes"` // 0: unconditional
	// NullClass adds a row to the class embedding, index NumClasses, which
	// stands for "no class" in classifier-free guidance.
	NullClass bool `json:"null_class"`
}

// DefaultChannelMult is the multipliers for an image size: a level for each time that the
// sides can be halved and keep 4 pixels, at most four of them, from 128 pixels on five. It
// is nil for a size whose last level, which has attention, would be above 32 pixels.
func DefaultChannelMult(size int) []int {
	levels, most := 1, 4
	if size >= 128 {
		most = 5
	}
	last := size
	for levels < most && last%2 == 0 && last/2 >= 4 {
		levels, last = levels+1, last/2
	}
	switch {
	case last > 32:
		return nil
	case levels == 4 && size >= 64:
		return []int{1, 2, 3, 4}
	case levels == 5:
		return []int{1, 1, 2, 3, 4}
	}
	return []int{1, 2, 2, 2}[:levels:levels]
}

// Defaults is c with the fields that are not set filled in.
func (c UNetConfig) Defaults() UNetConfig {
	if len(c.ChannelMult) == 0 {
		c.ChannelMult = DefaultChannelMult(c.Size)
	}
	if c.NumResBlocks == 0 {
		c.NumResBlocks = 2
	}
	if c.NumHeads == 0 {
		c.NumHeads = 1
	}
	return c
}

// Check says what is wrong with c, a *FieldError.
func (c UNetConfig) Check() error {
	switch {
	case c.Channels < 1 || c.Size < 1:
		return Wrong("size", "%d, channels %d: such an image has no network", c.Size, c.Channels)
	case c.NumChannels < 32 || c.NumChannels%32 != 0:
		return Wrong("num_channels", "%d is not a multiple of 32, the number of groups that are normalised", c.NumChannels)
	case len(c.ChannelMult) == 0:
		return Wrong("channel_mult", "has no default for images of %d x %d pixels; give one, as in 1,2,2", c.Size, c.Size)
	case slices.Min(c.ChannelMult) < 1:
		return Wrong("channel_mult", "%v: every multiplier must be at least 1", c.ChannelMult)
	case len(c.ChannelMult) > 20 || c.Size%(1<<(len(c.ChannelMult)-1)) != 0:
		return Wrong("channel_mult", "%v halves %d pixels %d times, which does not divide", c.ChannelMult, c.Size, len(c.ChannelMult)-1)
	case c.NumResBlocks < 1:
		return Wrong("num_res_blocks", "%d: at least 1", c.NumResBlocks)
	case c.NumHeads < 1 || c.NumChannels%c.NumHeads != 0:
		return Wrong("num_heads", "%d does not divide num_channels %d", c.NumHeads, c.NumChannels)
	case c.Dropout < 0 || c.Dropout >= 1:
		return Wrong("dropout", "%v is not in [0,1)", c.Dropout)
	case c.NumClasses < 0 || c.NullClass && c.NumClasses == 0:
		return Wrong("num_classes", "%d, null_class %v: such a network cannot be built", c.NumClasses, c.NullClass)
	}
	for _, r := range c.AttentionResolutions {
		if r < 1 || r > c.Size {
			return Wrong("attention_resolutions", "%d is not in 1..%d", r, c.Size)
		}
	}
	return nil
}

// LeastParameters is a number that the network's parameters are not below, and
// mostly within a few times of: those of the second convolution of every block.
func (c UNetConfig) LeastParameters() float64 {
	n := 0.0
	for _, m := range c.ChannelMult {
		channels := float64(m) * float64(c.NumChannels)
		n += (2*float64(c.NumResBlocks) + 1) * 9 * channels * channels
	}
	return n
}

// Kind is "unet".
func (c UNetConfig) Kind() string { return "unet" }

// Build is NewUNet.
func (c UNetConfig) Build() (Network, error) { return built(NewUNet(c)) }

// SampleShape is [C,H,W].
func (c UNetConfig) SampleShape() []int64 {
	return []int64{int64(c.Channels), int64(c.Size), int64(c.Size)}
}

// Classes is NumClasses.
func (c UNetConfig) Classes() int { return c.NumClasses }

// HasNullClass is NullClass.
func (c UNetConfig) HasNullClass() bool { return c.NullClass }

// WithClasses is c with NumClasses and NullClass.
func (c UNetConfig) WithClasses(n int, null bool) Config {
	c.NumClasses, c.NullClass = n, null
	return c
}

// HasDropout tells whether Dropout is above 0.
func (c UNetConfig) HasDropout() bool { return c.Dropout > 0 }

// SampleBytes is that of the first level's output.
func (c UNetConfig) SampleBytes() int {
	return 4 * c.Size * c.Size * c.NumChannels * c.ChannelMult[0]
}

// WorkBytes is that of what the levels put aside and work on; attention stores no
// scores.
func (c UNetConfig) WorkBytes() int { return (2*c.NumResBlocks + 6) * c.SampleBytes() }

// Remarks tell of levels that have as many channels as GroupNorm has groups. What
// a residual block there adds to whole channels for time and class, the
// normalisation that follows takes away with each channel's mean.
func (c UNetConfig) Remarks() []string {
	if !slices.ContainsFunc(c.ChannelMult, func(m int) bool { return m*c.NumChannels == groups }) {
		return nil
	}
	return []string{"in levels of 32 channels each group of GroupNorm is one channel, whose mean takes away what time and class add: " +
		"those blocks see them only through the other levels (so do PyTorch's)"}
}

// attention tells whether the level of a downsampling factor has attention.
func (c UNetConfig) attention(factor int) bool {
	for _, r := range c.AttentionResolutions {
		if c.Size/r == factor {
			return true
		}
	}
	return false
}
