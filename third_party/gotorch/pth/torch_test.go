package pth_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// What torch.load sees of a file of ours; and torch saves it again, for us.
const torchScript = `
import json, sys, torch
d = torch.load(sys.argv[1], weights_only=True)
assert type(d) is dict, type(d)
torch.load(sys.argv[1], weights_only=True, mmap=True)
torch.save(d, sys.argv[2])
def show(t):
    assert t.device.type == "cpu" and t.is_contiguous() and not t.requires_grad and type(t) is torch.Tensor
    flat = t.reshape(-1)
    data = bytes(flat.view(torch.uint8).tolist()) if t.dtype is not torch.bool else bytes(flat.tolist())
    return [str(t.dtype).removeprefix("torch."), list(t.shape), data.hex()]
print(json.dumps([[k, *show(t)] for k, t in d.items()]))
`

// TestTorch needs a Python with torch: FLOWMATCH_TEST_PYTHON=/path/to/python.
func TestTorch(t *testing.T) {
	python := os.Getenv("FLOWMATCH_TEST_PYTHON")
	if python == "" {
		t.Skip("FLOWMATCH_TEST_PYTHON is not set: torch.load was not tried")
	}
	want := sample()
	ours, theirs := filepath.Join(t.TempDir(), "ours.pth"), filepath.Join(t.TempDir(), "theirs.pth")
	if err := pth.WriteFile(ours, &weights.File{Tensors: want, Record: []byte(record)}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", torchScript, ours, theirs)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var seen [][4]any
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatal(err)
	}
	got := new(weights.Dict)
	types := make(map[string]weights.DType)
	for d := weights.Float; d <= weights.Bool; d++ {
		types[d.String()] = d
	}
	for _, s := range seen {
		data, err := hex.DecodeString(s[3].(string))
		if err != nil {
			t.Fatal(err)
		}
		tensor := &weights.Tensor{DType: types[s[1].(string)], Data: data}
		for _, n := range s[2].([]any) {
			tensor.Shape = append(tensor.Shape, int64(n.(float64)))
		}
		got.Set(s[0].(string), tensor)
	}
	if err := difference(got, want); err != nil {
		t.Errorf("torch.load: %v", err)
	}
	back, err := pth.Read(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if err := difference(back.Tensors, want); err != nil {
		t.Errorf("torch.save: %v", err)
	}
}
