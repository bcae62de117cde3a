package trainer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"sync"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/datasets"
)

// metricsLog writes metrics.jsonl, a line a step. It starts the file anew with the
// steps that are known, so that a torn line is never appended to. Lines are written
// by a goroutine of its own: a GPU would have no work meanwhile.
type metricsLog struct {
	path string

	f     disk.File
	w     *bufio.Writer
	queue chan metricsBatch
	done  chan struct{} // closed when the goroutine has ended; nil before Start
	mu    sync.Mutex
	err   error // the first that the goroutine met
}

// metricsBatch is what is to be written: steps, or a signal to answer when all
// before it is written.
type metricsBatch struct {
	steps   []Metric
	flushed chan<- struct{}
}

func (l *metricsLog) Start(past []Metric) error {
	err := atomicfile.Replace(l.path, func(w io.Writer) error { return encode(w, past) })
	if err != nil {
		return fmt.Errorf("the metrics cannot be written: %w", err)
	}
	if l.f, err = disk.Append(l.path); err != nil {
		return err
	}
	l.w = bufio.NewWriter(l.f)
	l.queue, l.done = make(chan metricsBatch, 4), make(chan struct{})
	go l.work()
	return nil
}

// Finish writes what else belongs to a finished run beside its state: ckpt.pth, and
// metrics.jsonl, of which a kill may have left less. Where they are there they stay as they
// are: they are not newly made.
func (f *Folder) Finish(s *State) error {
	if !f.derived(s) {
		if err := f.Derive(s); err != nil {
			return err
		}
	}
	history, err := s.timeLosses()
	if err != nil {
		return err
	}
	byTime := &timeLoss{history: history}
	steps := make([]Metric, s.Step())
	for i := range steps {
		steps[i] = s.Record.Training.Configuration.metric(i+1, s.Losses[i], s.GradNorms[i])
		byTime.Annotate(&steps[i])
	}
	var text bytes.Buffer
	if err := encode(&text, steps); err != nil {
		return err
	}
	if disk.Holds(f.path(MetricsFile), text.Bytes()) {
		return nil
	}
	err = atomicfile.Replace(f.path(MetricsFile), func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("the metrics cannot be written: %w", err)
	}
	return nil
}

// derived tells whether ckpt.pth is the state's already.
func (f *Folder) derived(s *State) bool {
	have, err := ReadCheckpoint(f.path(CheckpointFile))
	want := s.checkpoint()
	return err == nil && !have.State && bytes.Equal(have.record, want.Record) && Fingerprint(have.Tensors) == Fingerprint(want.Tensors)
}

// Restart writes the file anew after an error.
func (l *metricsLog) Restart(past []Metric) error {
	_ = l.Close() // with the error that is known
	l.done, l.err = nil, nil
	if l.err = l.Start(past); l.err != nil {
		l.done = nil
	}
	return l.err
}

// Look has the steps written, soon, and returns what went wrong up to now.
func (l *metricsLog) Look(k Look) error {
	if l.done != nil {
		l.queue <- metricsBatch{steps: k.Steps}
	}
	return l.failed()
}

// Flush waits until all is written.
func (l *metricsLog) Flush() error {
	if l.done == nil {
		return l.failed()
	}
	flushed := make(chan struct{})
	l.queue <- metricsBatch{flushed: flushed}
	<-flushed
	return l.failed()
}

func (l *metricsLog) Close() error {
	if l.done == nil {
		return l.failed()
	}
	close(l.queue)
	<-l.done
	return errors.Join(l.failed(), l.f.Close())
}

func (l *metricsLog) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		return nil
	}
	return fmt.Errorf("metrics: %w", l.err)
}

func (l *metricsLog) work() {
	defer close(l.done)
	for b := range l.queue {
		if b.flushed != nil {
			close(b.flushed)
			continue
		}
		if l.failed() != nil {
			continue // a line is missing: none may follow
		}
		if err := l.write(b.steps); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
		}
	}
}

func (l *metricsLog) write(steps []Metric) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &datasets.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if err = encode(l.w, steps); err == nil {
		err = l.w.Flush()
	}
	var named *fs.PathError
	if err != nil && !errors.As(err, &named) { // as a short write
		err = &fs.PathError{Op: "write", Path: l.path, Err: err}
	}
	return err
}

func encode(w io.Writer, steps []Metric) error {
	e := json.NewEncoder(w)
	for i := range steps {
		if err := e.Encode(&steps[i]); err != nil {
			return err
		}
	}
	return nil
}
