package page

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"syscall"
)

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
