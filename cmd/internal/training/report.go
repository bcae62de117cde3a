package training

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/trainer"
)

// reporter shows a run's progress: a line that changes, rows that stay, and once its own
// steps are timed, how long it will take.
type reporter struct {
	bar     *terminal.Bar
	device  torch.Device
	total   int    // steps in all
	samples int    // of a step
	unit    string // "images/s"
	advice  string // flags of a smaller job, said where the run takes hours
	waiting string // what the time without a step is spent on
	now     func() time.Time
	held    func() int64 // bytes of memory; nil: as they are

	first     int // steps done before
	started   time.Time
	estimated bool
	average   lossAverage
	due       int       // the step of the next row, 0 for none
	lastRow   time.Time // or the start
}

func (r *reporter) Start(past []trainer.Metric) error {
	r.first, r.started, r.lastRow = len(past), r.now(), r.now()
	for _, m := range past {
		r.average.add(m.Loss)
	}
	r.due = rowAfter(r.first, r.total)
	if r.held == nil {
		r.held = r.memoryHeld
	}
	return nil
}

func (r *reporter) Flush() error { return nil }
func (r *reporter) Close() error { return nil }

// Due has rows after round parts of the whole.
func (r *reporter) Due() int { return r.due }

func (r *reporter) Look(l trainer.Look) error {
	p := l.Progress
	for _, m := range l.Steps {
		r.average.add(m.Loss)
	}
	if math.IsNaN(p.Loss) {
		return nil // no step was an update
	}
	if since := r.now().Sub(r.started); !r.estimated && p.Timed && since > 2*time.Second {
		r.estimated = true
		all := since + p.Left
		r.bar.Note(fmt.Sprintf("%s about %s, and %s of memory", stepsTake(p.Total-r.first), terminal.Duration(all), r.memory()))
		if all > time.Hour && r.advice != "" {
			r.bar.Note("for a first try, this is smaller: " + r.advice)
		}
	}
	if r.rowNow(p.Step) {
		r.bar.Row(r.fields(p)...)
	}
	r.bar.Show(p.Step, p.Total, r.details(p)...)
	return nil
}

// stepsTake begins what is said of the time of so many steps.
func stepsTake(n int) string {
	if n == 1 {
		return "1 step takes"
	}
	return terminal.Counted(n, "step") + " take"
}

// details are what the line that changes says.
func (r *reporter) details(p trainer.Progress) []string {
	left := ""
	if p.Timed {
		left = terminal.Duration(p.Left) + " left"
	}
	all := []string{fmt.Sprintf("loss %.4f", p.Loss), left, terminal.Rate(p.StepsPerSecond) + " steps/s"}
	if percent := int(100*p.Waiting + 0.5); percent > 0 {
		all = append(all, fmt.Sprintf("%d%% %s", percent, r.waiting))
	}
	return all
}

// memoryHeld is what the run holds of the GPU's memory, or of the machine's.
func (r *reporter) memoryHeld() int64 {
	if b := r.gpuBytes(); b > 0 {
		return b
	}
	return resident()
}

// gpuBytes is what the run holds of the GPU's memory, 0 on a processor.
func (r *reporter) gpuBytes() int64 {
	if !r.device.IsCUDA() {
		return 0
	}
	return torch.CUDAMemory(r.device).Reserved
}

// memory is what the process holds, or the GPU's share.
func (r *reporter) memory() string {
	s := terminal.Bytes(r.held())
	if r.device.IsCUDA() {
		s += " on the GPU"
	}
	return s
}

// resident is the process's memory in bytes.
func resident() int64 { return processBytes("VmRSS:") }

// PeakMemory is the most memory that the process has held, and that tensors have
// held on the GPU (0 on a processor), in bytes.
func PeakMemory(d torch.Device) (resident, gpu int64) {
	if d.IsCUDA() {
		gpu = torch.CUDADeviceInfo(d).AllocatedPeak
	}
	return processBytes("VmHWM:"), gpu
}

// processBytes is a size of /proc/self/status.
func processBytes(name string) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
