package trainer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"sync"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/datasets"
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
// that the state knows, so that a torn line is never appended to. Lines are
// written by a goroutine of its own: a GPU would have no work meanwhile.
type metricsLog struct {
	c    Config
	f    *os.File
	w    *bufio.Writer
	n    int // steps written
	todo chan metricsBatch
	done chan struct{} // closed when the goroutine has ended
	mu   sync.Mutex
	err  error // the first that the goroutine met
}

// metricsBatch is what is to be written: steps, or a signal to answer when all
// before it is written.
type metricsBatch struct {
	losses, norms, byTime []float32
	flushed               chan<- struct{}
}

func openMetrics(path string, c Config, s *State) (*metricsLog, error) {
	l := &metricsLog{c: c, todo: make(chan metricsBatch, 4), done: make(chan struct{})}
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
	go l.work()
	return l, nil
}

// add has the steps written, soon, and returns what went wrong up to now.
func (l *metricsLog) add(losses, norms, byTime []float32) error {
	l.todo <- metricsBatch{losses: losses, norms: norms, byTime: byTime}
	return l.failed()
}

// flush waits until all is written.
func (l *metricsLog) flush() error {
	flushed := make(chan struct{})
	l.todo <- metricsBatch{flushed: flushed}
	<-flushed
	return l.failed()
}

func (l *metricsLog) close() error {
	close(l.todo)
	<-l.done
	return errors.Join(l.failed(), l.f.Close())
}

func (l *metricsLog) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *metricsLog) work() {
	defer close(l.done)
	for b := range l.todo {
		if b.flushed != nil {
			close(b.flushed)
			continue
		}
		if l.failed() != nil {
			continue // a line is missing: none may follow
		}
		if err := l.write(b); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
		}
	}
}

func (l *metricsLog) write(b metricsBatch) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &datasets.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	e := json.NewEncoder(l.w)
	for i := range b.losses {
		l.n++
		if err := e.Encode(l.c.metric(l.n, b.losses[i], b.norms[i], b.byTime)); err != nil {
			return err
		}
	}
	return l.w.Flush()
}
