package faults

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

// convert notices the first signal wherever it comes: what is there under the name is the old content or the new one, and
// nothing is left beside it. What a killed one leaves goes with the next.
func TestConvertIsStopped(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.pth")
	d := &weights.Dict{}
	d.Set("weight", weights.FromFloat32(make([]float32, 100_000), 100_000))
	if err := pth.WriteFile(in, &weights.File{Tensors: d}); err != nil {
		t.Fatal(err)
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var old bytes.Buffer
	d = &weights.Dict{}
	d.Set("old", weights.FromFloat32([]float32{1}, 1))
	if err := safetensors.Write(&old, &weights.File{Tensors: d}); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole.safetensors")
	if status := started(t, "convert", "", nil, in, whole).end(t); status != 0 {
		t.Fatalf("status %d", status)
	}
	signals := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL}
	for effect := 1; effect <= 8; effect++ {
		for i, signal := range signals {
			if i != (effect-1)%3 && signal != syscall.SIGKILL {
				continue
			}
			what := fmt.Sprintf("%v before effect %d", signal, effect)
			dir := t.TempDir()
			out := filepath.Join(dir, "out.safetensors")
			if err := os.WriteFile(out, old.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			child := started(t, "convert", fmt.Sprintln(0, effect, int(signal), 0), nil, in, out)
			status := child.end(t)
			now := read(out)
			fresh := bytes.Equal(now, read(whole))
			switch {
			case status == 128+int(signal) && effect == 1 && !bytes.Equal(now, old.Bytes()), !fresh && !bytes.Equal(now, old.Bytes()):
				t.Errorf("%s: %d bytes under the name", what, len(now))
			case status != 128+int(signal) && (status != 0 || !fresh || effect == 1): // it comes when all is written, or not any more
				t.Errorf("%s: status %d: %s", what, status, child.errOut.String())
			}
			if signal == syscall.SIGKILL {
				if status := started(t, "convert", "", nil, in, out).end(t); status != 0 || !bytes.Equal(read(out), read(whole)) {
					t.Errorf("%s: again: status %d", what, status)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("%s: left %v, %v", what, entries, err)
			}
		}
	}
}
