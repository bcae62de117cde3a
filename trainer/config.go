package trainer

import (
	"math"
	"slices"
	"strings"

	"flowmatch/flow"
	"flowmatch/models"
)

// Config is what decides the weights, and nothing else: two runs with equal
// configurations, networks and data give equal weights.
type Config struct {
	Recipe         string  `json:"recipe"`        // "default" or "reference"
	Iterations     int     `json:"iterations"`    // planned steps; the schedule follows them
	BatchSize      int     `json:"batch_size"`    // samples that go through the network together
	LearningRate   float64 `json:"learning_rate"` // after warm-up
	Warmup         int     `json:"warmup"`        // steps over which the learning rate grows from 0
	Schedule       string  `json:"schedule"`      // "constant" or "cosine"
	WeightDecay    float64 `json:"weight_decay"`
	EMADecay       float64 `json:"ema_decay"`     // 0: no average is kept
	GradClip       float64 `json:"grad_clip"`     // greatest norm of all gradients; 0: no limit
	Accumulate     int     `json:"accumulate"`    // batches whose mean gradient makes a step
	SigmaMin       float64 `json:"sigma_min"`     // of flow.OTPath
	ClassDropout   float64 `json:"class_dropout"` // part of the labels replaced by the null class
	HorizontalFlip bool    `json:"horizontal_flip"`
	Precision      string  `json:"precision"` // one of Precisions but "auto"
	Seed           int64   `json:"seed"`

	// Path is that from noise to data, by its name in flow.Paths; "" is ot.
	Path string `json:"path,omitempty"`
	// Coupling says which noise goes with which data, by its name in
	// flow.Couplings; "" is independent.
	Coupling string `json:"coupling,omitempty"`
	// Times is the distribution of the times, by its name in flow.Times; "" is uniform.
	Times string `json:"times,omitempty"`
	// TimePower p draws times as 1 - (1-u)^p, u uniform: above 1, more of them
	// near the data. The minimiser is the same, the effort is spent elsewhere.
	// 0 is 1: uniform.
	TimePower float64 `json:"time_power,omitempty"`
	// StratifiedTimes draws one time of a batch in each of its B-ths, u = (i +
	// U(0,1)) / B: the same distribution, and a gradient of less variance.
	StratifiedTimes bool `json:"stratified_times,omitempty"`
	// StableTargets averages each target over the batch (flow.StableTargets):
	// for points. Losses are lower by the variance that this takes away.
	StableTargets bool `json:"stable_targets,omitempty"`

	Reflow *ReflowConfig `json:"reflow,omitempty"` // of a student of a teacher's pairs

	// Earlier are the planned ends of a run that went on past them, at which its
	// schedule began again. See Longer.
	Earlier []int `json:"earlier_iterations,omitempty"`
	// InitFrom is the Fingerprint of the weights that the run began with; "" where they
	// were fresh.
	InitFrom string `json:"init_from,omitempty"`
}

// Defaults is c with the fields that are not set filled in: batches of 128, a
// constant learning rate of 1e-3, float32.
func (c Config) Defaults() Config {
	if c.Recipe == "" {
		c.Recipe = "default"
	}
	if c.BatchSize == 0 {
		c.BatchSize = 128
	}
	if c.LearningRate == 0 {
		c.LearningRate = 1e-3
	}
	if c.Schedule == "" {
		c.Schedule = "constant"
	}
	if c.Accumulate == 0 {
		c.Accumulate = 1
	}
	if c.Precision == "" {
		c.Precision = "fp32"
	}
	return c
}

// Check says what is wrong with c, a *models.FieldError.
func (c Config) Check() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case c.Iterations < 1:
		return models.Wrong("iterations", "%d: at least 1 step", c.Iterations)
	case c.BatchSize < 1 || c.BatchSize > 1<<20:
		return models.Wrong("batch_size", "%d: 1 to 1,048,576", c.BatchSize)
	case !finite(c.LearningRate) || c.LearningRate <= 0:
		return models.Wrong("learning_rate", "%v: above 0", c.LearningRate)
	case c.Warmup < 0:
		return models.Wrong("warmup", "%d: 0 or more steps", c.Warmup)
	case c.Schedule != "constant" && c.Schedule != "cosine":
		return models.Wrong("schedule", "%q: constant or cosine", c.Schedule)
	case !finite(c.WeightDecay) || c.WeightDecay < 0:
		return models.Wrong("weight_decay", "%v: 0 or more", c.WeightDecay)
	case !(c.EMADecay >= 0 && c.EMADecay < 1):
		return models.Wrong("ema_decay", "%v: in [0,1)", c.EMADecay)
	case !finite(c.GradClip) || c.GradClip < 0:
		return models.Wrong("grad_clip", "%v: 0 (off) or more", c.GradClip)
	case c.Accumulate < 1:
		return models.Wrong("accumulate", "%d: at least 1", c.Accumulate)
	case !(c.SigmaMin >= 0 && c.SigmaMin < 1):
		return models.Wrong("sigma_min", "%v: in [0,1)", c.SigmaMin)
	case c.SigmaMin > 0 && c.Path != "" && c.Path != "ot":
		return models.Wrong("sigma_min", "%v: the path %s has a width of its own (only ot takes it)", c.SigmaMin, c.Path)
	case !(c.ClassDropout >= 0 && c.ClassDropout < 1):
		return models.Wrong("class_dropout", "%v: in [0,1)", c.ClassDropout)
	case !(c.TimePower >= 0 && c.TimePower <= 10):
		return models.Wrong("time_power", "%v: above 0, at most 10", c.TimePower)
	case !slices.Contains(Precisions[1:], c.Precision):
		return models.Wrong("precision", "%q: %s", c.Precision, strings.Join(Precisions, ", "))
	}
	if _, err := c.path(); err != nil {
		return err
	}
	if _, err := flow.NewTimes(c.timesConfig()); err != nil {
		return models.Wrong("times", "%v", err)
	}
	if err := c.checkEarlier(); err != nil {
		return err
	}
	return c.checkCoupling()
}

func (c Config) checkCoupling() error {
	_, paired := c.pairing()
	_, err := flow.NewCoupling(c.Coupling)
	switch {
	case err != nil:
		return models.Wrong("coupling", "%v", err)
	case paired && c.StableTargets:
		return models.Wrong("coupling", "%s: stable_targets averages over data that are not paired with the noise", c.Coupling)
	case paired && c.BatchSize > flow.MostPaired:
		return models.Wrong("coupling", "%s: batch_size %d: at most %d can be paired", c.Coupling, c.BatchSize, flow.MostPaired)
	case paired && c.Reflow != nil:
		return models.Wrong("coupling", "%s: a teacher's pairs belong together", c.Coupling)
	}
	return nil
}
