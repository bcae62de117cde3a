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

// reporter shows a run's progress, and once its own steps are timed, how long
// it will take.
type reporter struct {
	bar       *terminal.Bar
	device    torch.Device
	started   time.Time
	first     int
	estimated bool
	advice    string
	waiting   string // what the time without a step is spent on
}

func (r *reporter) look(l trainer.Look) {
	p := l.Progress
	if math.IsNaN(p.Loss) {
		return // no step was an update
	}
	if !r.estimated && p.Step-r.first >= 3 && time.Since(r.started) > 2*time.Second {
		r.estimated = true
		all := time.Duration(float64(p.Total-r.first) / p.StepsPerSecond * float64(time.Second))
		r.bar.Note(fmt.Sprintf("%s steps take about %s, and %s of memory", terminal.Count(int64(p.Total-r.first)), terminal.Duration(all), memory(r.device)))
		if all > time.Hour && r.advice != "" {
			r.bar.Note("for a first try, this is smaller: " + r.advice)
		}
	}
	r.bar.Set(p.Step, p.Total, detail(p, r.gpuBytes(), r.waiting))
}

// gpuBytes is what the run holds of the GPU's memory, 0 on a processor.
func (r *reporter) gpuBytes() int64 {
	if !r.device.IsCUDA() {
		return 0
	}
	return torch.CUDAMemory(r.device).Reserved
}

// detail is what the progress line says: the most telling first, for a terminal
// cuts it. Waiting for data is worth a word where it costs something.
func detail(p trainer.Progress, gpuBytes int64, waiting string) string {
	s := fmt.Sprintf("loss %.4f  %s steps/s  %s left", p.Loss, rate(p.StepsPerSecond), terminal.Duration(p.Left))
	if gpuBytes > 0 {
		s += fmt.Sprintf("  GPU %s", terminal.Bytes(gpuBytes))
	}
	if percent := int(100*p.Waiting + 0.5); percent > 0 {
		s += fmt.Sprintf("  %d%% %s", percent, waiting)
	}
	return s
}

func rate(v float64) string {
	if v >= 10 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// memory is what the process holds, and the GPU's share.
func memory(d torch.Device) string {
	s := fmt.Sprintf("%d MB", resident()>>20)
	if d.IsCUDA() {
		s += fmt.Sprintf(" and %d MB on the GPU", torch.CUDADeviceInfo(d).AllocatedPeak>>20)
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
