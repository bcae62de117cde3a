package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// metricsTail reads a run's metrics as they grow.
type metricsTail struct {
	outputs outputs
	path    string

	at       int64  // read up to there
	rest     []byte // of a line that has not ended
	identity string // of the file
	seen     time.Time
	last     int
}

// largestMetrics bounds what of a file is read at first, the last part of it, and what
// it may grow by between two looks.
const largestMetrics = 256 << 20

// metricsPiece is how much of a file is in memory at once.
const metricsPiece = 1 << 20

// more gives what is new, nil for nothing.
func (t *metricsTail) more() (*losses, error) {
	f, in, err := t.outputs.open(t.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &losses{}
	if id := fileIdentity(in); id != t.identity || in.Size() < t.at {
		t.identity, t.at, t.rest, t.last, t.seen = id, max(0, in.Size()-largestMetrics), nil, 0, time.Time{}
		l.Reset = true
	}
	if in.Size() == t.at && !l.Reset {
		return nil, nil
	}
	if in.Size()-t.at > largestMetrics {
		return nil, fmt.Errorf("%s has grown by %d MB at once, which no training writes: look whether it is damaged", t.path, (in.Size()-t.at)>>20)
	}
	var steps []lossOf
	b := make([]byte, min(metricsPiece, in.Size()-t.at))
	for t.at < in.Size() {
		n, err := f.ReadAt(b[:min(int64(len(b)), in.Size()-t.at)], t.at)
		if n == 0 && err == io.EOF {
			break // it has become shorter since: the next look sees that
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
		t.at += int64(n)
		steps = append(steps, parseMetrics(append(t.rest, b[:n]...), &t.rest)...)
	}
	if len(steps) == 0 && !l.Reset {
		return nil, nil
	}
	now := time.Now()
	if len(steps) > 0 {
		last := steps[len(steps)-1].step
		if !t.seen.IsZero() && last > t.last {
			l.Rate = float64(last-t.last) / now.Sub(t.seen).Seconds()
		}
		t.last, t.seen = last, now
	}
	most := mostParts
	if !l.Reset {
		most = 20
	}
	l.gather(steps, most)
	return l, nil
}

// lossOf is a line of metrics.jsonl.
type lossOf struct {
	step int
	loss float64
}

// parseMetrics reads whole lines; what follows the last of them goes to rest. Lines that
// are none of ours, or whose loss was no number, are left out.
func parseMetrics(b []byte, rest *[]byte) []lossOf {
	end := bytes.LastIndexByte(b, '\n') + 1
	*rest = bytes.Clone(b[end:])
	if len(*rest) > 1<<20 { // no line of ours
		*rest = nil
	}
	var all []lossOf
	for line := range bytes.Lines(b[:end]) {
		var m struct {
			Step int      `json:"step"`
			Loss *float64 `json:"loss"`
		}
		if json.Unmarshal(line, &m) == nil && m.Loss != nil && m.Step > 0 {
			all = append(all, lossOf{m.Step, *m.Loss})
		}
	}
	return all
}

// gather parts steps into at most so many parts.
func (l *losses) gather(steps []lossOf, most int) {
	l.Step, l.Low, l.Mean, l.High = []int{}, []float64{}, []float64{}, []float64{}
	size := max(1, (len(steps)+most-1)/most)
	for first := 0; first < len(steps); first += size {
		part := steps[first:min(len(steps), first+size)]
		low, high, sum := part[0].loss, part[0].loss, 0.0
		for _, p := range part {
			low, high, sum = min(low, p.loss), max(high, p.loss), sum+p.loss
		}
		l.Step = append(l.Step, part[len(part)-1].step)
		l.Low, l.Mean, l.High = append(l.Low, low), append(l.Mean, sum/float64(len(part))), append(l.High, high)
	}
}

// fileIdentity tells a file from another one that has taken its name.
func fileIdentity(in fs.FileInfo) string {
	if st, ok := in.Sys().(*syscall.Stat_t); ok {
		return itoa(int64(st.Dev)) + ":" + itoa(int64(st.Ino))
	}
	return ""
}
