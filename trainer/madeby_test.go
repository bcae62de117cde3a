package trainer

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/weights"
)

func TestElsewhere(t *testing.T) {
	now := map[string]string{"version": "0.2", "libtorch": "2.11", "threads": "2", "processor": "avx2"}
	for what, c := range map[string]struct{ key, was, says string }{
		"the same":           {"", "", ""},
		"before 0.1 told it": {"threads", "", ""},
		"threads":            {"threads", "4", "threads: 2, was 4: "},
		"libtorch":           {"libtorch", "2.10", "libtorch 2.11, was 2.10: "},
		"code":               {"version", "0.1", "flowmatch 0.2, was 0.1: "},
		"processor":          {"processor", "amx_bf16", "the processor avx2, was amx_bf16: "},
	} {
		was := maps.Clone(now)
		if c.key != "" {
			was[c.key] = c.was
		}
		if got := elsewhere(was, now); (got == "") != (c.says == "") || !strings.HasPrefix(got, c.says) {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// Equal runs give equal checkpoints, wherever they are made.
func TestCheckpointHasVersionsAlone(t *testing.T) {
	var records []string
	for _, threads := range []string{"1", "2"} {
		r := Record{Format: 1, Kind: "mlp", Model: json.RawMessage(`{}`), MadeBy: map[string]string{"version": "0.1", "libtorch": "2.11", "threads": threads, "processor": "avx2"}}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		s := &State{Record: &r, file: &weights.File{Record: b}}
		records = append(records, string(ofCheckpoint(s.Record, s.file.Record)))
	}
	if records[0] != records[1] || !strings.Contains(records[0], `"made_by":{"libtorch":"2.11","version":"0.1"}`) {
		t.Errorf("%q", records)
	}
}
