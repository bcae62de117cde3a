package models

import "fmt"

// DiTConfig describes a DiT. Size and Channels must be set; Defaults fills in the
// rest.
type DiTConfig struct {
	Channels   int `json:"channels"`    // of the image
	Size       int `json:"size"`        // height and width in pixels
	PatchSize  int `json:"patch_size"`  // height and width of what becomes a token; 2
	Depth      int `json:"depth"`       // blocks; 6
	Width      int `json:"width"`       // features of a token, a multiple of 4; 192
	NumHeads   int `json:"num_heads"`   // of attention; 3
	NumClasses int `json:"num_classes"` // 0: unconditional
	// NullClass adds a row to the class embedding, index NumClasses, which
	// stands for "no class" in classifier-free guidance.
	NullClass bool `json:"null_class"`
}

// mlpRatio is how many times a token's features are in the middle of a block's
// MLP.
const mlpRatio = 4

// Defaults is c with the fields that are not set filled in.
func (c DiTConfig) Defaults() DiTConfig {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&c.PatchSize, 2)
	set(&c.Depth, 6)
	set(&c.Width, 192)
	set(&c.NumHeads, 3)
	return c
}

// Check says what is wrong with c, a *FieldError.
func (c DiTConfig) Check() error {
	switch {
	case c.Channels < 1 || c.Size < 1:
		return fmt.Errorf("an image of %d channels and %d x %d pixels has no network", c.Channels, c.Size, c.Size)
	case c.PatchSize < 1 || c.Size%c.PatchSize != 0:
		return Wrong("patch_size", "%d does not divide %d pixels", c.PatchSize, c.Size)
	case c.tokens() > 1<<14:
		return Wrong("patch_size", "%d cuts %d x %d pixels into %d patches, and every one looks at all others: at most %d", c.PatchSize, c.Size, c.Size, c.tokens(), 1<<14)
	case c.Depth < 1 || c.Depth > 1000:
		return Wrong("depth", "%d is not in 1..1000", c.Depth)
	case c.Width < 4 || c.Width%4 != 0 || c.Width > 1<<15:
		return Wrong("width", "%d is not a multiple of 4 in 4..32768: a quarter each is sine and cosine of row and column", c.Width)
	case c.NumHeads < 1 || c.Width%c.NumHeads != 0:
		return Wrong("num_heads", "%d does not divide width %d", c.NumHeads, c.Width)
	case c.NumClasses < 0 || c.NullClass && c.NumClasses == 0:
		return fmt.Errorf("a network for %d classes cannot be built", c.NumClasses)
	}
	return nil
}

// tokens is the number of patches.
func (c DiTConfig) tokens() int { return (c.Size / c.PatchSize) * (c.Size / c.PatchSize) }

// Kind is "dit".
func (c DiTConfig) Kind() string { return "dit" }

// Build is NewDiT.
func (c DiTConfig) Build() (Network, error) { return built(NewDiT(c)) }

// SampleShape is [C,H,W].
func (c DiTConfig) SampleShape() []int64 {
	return []int64{int64(c.Channels), int64(c.Size), int64(c.Size)}
}

// Classes is NumClasses.
func (c DiTConfig) Classes() int { return c.NumClasses }

// HasNullClass is NullClass.
func (c DiTConfig) HasNullClass() bool { return c.NullClass }

// WithClasses is c with NumClasses and NullClass.
func (c DiTConfig) WithClasses(n int, null bool) Config {
	c.NumClasses, c.NullClass = n, null
	return c
}

// HasDropout is false.
func (c DiTConfig) HasDropout() bool { return false }

// LeastParameters is that of the blocks' products: attention 4, the MLP 8 and the
// modulation 6 times Width squared.
func (c DiTConfig) LeastParameters() float64 {
	w := float64(c.Width)
	return float64(c.Depth) * 18 * w * w
}

// WorkBytes is that of a block's tensors: the MLP's middle twice, queries, keys
// and values, and some 16 of a token's width.
func (c DiTConfig) WorkBytes() int { return (2*mlpRatio + 3 + 16) * c.SampleBytes() }

// SampleBytes is that of a block's output.
func (c DiTConfig) SampleBytes() int { return 4 * c.tokens() * c.Width }
