package train

import (
	"encoding/json"
	"io"
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/training"
	"flowmatch/trainer"
)

// finished is what --json prints.
type finished struct {
	Files     []string `json:"files"` // the checkpoint first
	Device    string   `json:"device"`
	Precision string   `json:"precision"`
	Steps     int      `json:"steps"` // in all
	New       int      `json:"new_steps"`
	Loss      *float64 `json:"loss"` // mean of the last 100, null where one is not finite
	Skipped   int      `json:"skipped"`
	Exploded  int      `json:"exploded_step,omitempty"` // of the highest loss, where it rose out of all bounds and came down again
	Seconds   float64  `json:"seconds"`                 // of the new steps
	Waited    float64  `json:"waited_seconds"`
	// Pace has [steps done, seconds since the first step began], each taken
	// when the device had nothing left to do.
	Pace     [][2]float64 `json:"pace"`
	Resident int64        `json:"peak_bytes"`     // of the process
	GPU      int64        `json:"peak_gpu_bytes"` // of tensors, 0 on a processor
	// Operations of a step that was recorded as a CUDA graph, and of those the kernels.
	Nodes   int `json:"graph_nodes,omitempty"`
	Kernels int `json:"graph_kernels,omitempty"`
}

// report prints what a training came to.
func report(w io.Writer, r trainer.Result, d torch.Device, precision string, files []cli.Written) error {
	out := finished{
		Files: cli.Paths(files), Device: d.String(), Precision: precision, Steps: r.Steps, New: r.New, Skipped: r.Skipped,
		Seconds: r.Time.Seconds(), Waited: r.Waited.Seconds(), Pace: [][2]float64{},
		Nodes: r.GraphNodes, Kernels: r.GraphKernels,
	}
	if r.Exploded != nil {
		out.Exploded = r.Exploded.Step
	}
	last, mean := r.Losses[max(0, len(r.Losses)-100):], 0.0
	for _, l := range last {
		mean += float64(l) / float64(len(last))
	}
	if !math.IsNaN(mean) && !math.IsInf(mean, 0) {
		out.Loss = &mean
	}
	for _, m := range r.Pace {
		out.Pace = append(out.Pace, [2]float64{float64(m.Step), m.At.Seconds()})
	}
	out.Resident, out.GPU = training.PeakMemory(d)
	return json.NewEncoder(w).Encode(out)
}
