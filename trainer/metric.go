package trainer

import "math"

// Metric is what is known of a step, and a line of metrics.jsonl.
type Metric struct {
	Step     int      `json:"step"` // from 1
	Loss     *float64 `json:"loss"` // null where it was not finite
	GradNorm *float64 `json:"grad_norm"`
	Clipped  bool     `json:"clipped"`
	Rate     float64  `json:"learning_rate"`
	// LossByTime is the mean loss of the last 100 steps in each tenth of
	// [0,1), every 100 steps.
	LossByTime []*float64 `json:"loss_by_time,omitempty"`
}

func (c Config) metric(step int, loss, norm float32) Metric {
	return Metric{
		Step: step, Loss: number(loss), GradNorm: number(norm),
		Clipped: c.GradClip > 0 && float64(norm) > c.GradClip, Rate: c.Rate(step - 1),
	}
}

// number is v in few digits; JSON has no NaN.
func number(v float32) *float64 {
	f := float64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}
