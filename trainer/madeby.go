package trainer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// What a run is made by decides the last bits of its numbers. A state remembers it, so that
// going on elsewhere can be told of; a checkpoint has the versions alone, for equal runs
// give equal files.
const (
	byVersion   = "version"
	byLibtorch  = "libtorch"
	byThreads   = "threads"
	byProcessor = "processor"
)

func madeBy(d torch.Device) map[string]string {
	return map[string]string{
		byVersion: Version, byLibtorch: torch.Version,
		byThreads: strconv.Itoa(torch.NumThreads()), byProcessor: processor(d),
	}
}

// processor is what decides which kernels compute.
func processor(d torch.Device) string {
	if d.IsCUDA() {
		return torch.CUDADeviceInfo(d).Name
	}
	for _, kind := range []string{"amx_bf16", "avx512_bf16", "avx512f", "avx2"} {
		if slices.Contains(torch.CPUFlags(), kind) {
			return kind
		}
	}
	return "x86-64"
}

// Elsewhere says in a line what a run that goes on is made by now and was not before, ""
// for nothing.
func Elsewhere(r *Record, d torch.Device) string { return elsewhere(r.MadeBy, madeBy(d)) }

func elsewhere(was, now map[string]string) string {
	names := map[string]string{byVersion: "flowmatch", byLibtorch: "libtorch", byThreads: "threads:", byProcessor: "the processor"}
	var diff []string
	for _, k := range []string{byVersion, byLibtorch, byThreads, byProcessor} {
		if was[k] != "" && was[k] != now[k] {
			diff = append(diff, fmt.Sprintf("%s %s, was %s", names[k], Printable(now[k]), Printable(was[k])))
		}
	}
	if diff == nil {
		return ""
	}
	return strings.Join(diff, "; ") + ": the run goes on, but its numbers may differ in their last bits from those that it would have had"
}

// ofCheckpoint is a state's record, read from b, for ckpt.pth.
func ofCheckpoint(state *Record, b []byte) []byte {
	if state.MadeBy[byThreads] == "" && state.MadeBy[byProcessor] == "" {
		return b
	}
	r := *state
	r.MadeBy = maps.Clone(r.MadeBy)
	delete(r.MadeBy, byThreads)
	delete(r.MadeBy, byProcessor)
	without, err := json.Marshal(r)
	if err != nil {
		return b // it was marshalled before
	}
	return without
}
