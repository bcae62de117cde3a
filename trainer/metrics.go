package trainer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

// Metric is a line of metrics.jsonl.
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

func (c Config) metric(step int, loss, norm float32, byTime []float32) Metric {
	return Metric{step, number(loss), number(norm), c.GradClip > 0 && float64(norm) > c.GradClip, c.Rate(step - 1), timeLossAt(byTime, step)}
}

// number is v in few digits; JSON has no NaN.
func number(v float32) *float64 {
	f := float64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// metricsLog appends to metrics.jsonl. It starts the file anew with the steps
// that the state knows, so that a torn line is never appended to.
type metricsLog struct {
	c Config
	f *os.File
	w *bufio.Writer
	n int // steps written
}

func openMetrics(path string, c Config, s *State) (*metricsLog, error) {
	l := &metricsLog{c: c}
	err := atomicfile.Write(path, func(w io.Writer) error {
		if s == nil {
			return nil
		}
		e := json.NewEncoder(w)
		for i := range s.Losses {
			if err := e.Encode(c.metric(i+1, s.Losses[i], s.GradNorms[i], s.TimeLosses)); err != nil {
				return err
			}
		}
		l.n = len(s.Losses)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the metrics cannot be written: %w", err)
	}
	if l.f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return nil, err
	}
	l.w = bufio.NewWriter(l.f)
	return l, nil
}

func (l *metricsLog) add(losses, norms, byTime []float32) error {
	e := json.NewEncoder(l.w)
	for i := range losses {
		l.n++
		if err := e.Encode(l.c.metric(l.n, losses[i], norms[i], byTime)); err != nil {
			return err
		}
	}
	return l.w.Flush()
}

func (l *metricsLog) close() error {
	if err := l.w.Flush(); err != nil {
		return err
	}
	return l.f.Close()
}
