package pretrained_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/trainer/pretrained"
)

// Every model says what it is of, and its tensors are bfloat16 and finite.
func TestModels(t *testing.T) {
	if names := pretrained.Names(false); !slices.Equal(names, []string{"checkerboard", "digits"}) {
		t.Errorf("models: %v", names)
	}
	if names := pretrained.Names(true); !slices.Equal(names, []string{"checkerboard"}) {
		t.Errorf("rectified: %v", names)
	}
	for _, rectified := range []bool{false, true} {
		for _, name := range pretrained.Names(rectified) {
			c, err := pretrained.Open(name, rectified)
			if err != nil {
				t.Fatal(err)
			}
			if r := c.Record; r == nil || r.Dataset.Name != name || (r.Training.Configuration.Reflow != nil) != rectified {
				t.Errorf("%s: the record is %+v", name, c.Record)
			}
			if _, err := c.Record.Network(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for at, w := range c.Tensors.All() {
				if w.DType != weights.BFloat16 || !w.Finite() {
					t.Errorf("%s: %s is %v", name, at, w)
				}
			}
		}
	}
	if _, err := pretrained.Open("mnist", false); err == nil || !strings.Contains(err.Error(), "checkerboard, digits") {
		t.Errorf("an unknown one: %v", err)
	}
	if _, err := pretrained.Open("digits", true); err == nil {
		t.Error("rectified digits are there")
	}
}

// A clone stays small.
func TestSize(t *testing.T) {
	sum := int64(0)
	err := fs.WalkDir(os.DirFS("."), ".", func(_ string, d fs.DirEntry, err error) error {
		if info, err := d.Info(); err == nil && !d.IsDir() {
			sum += info.Size()
		}
		return err
	})
	if err != nil || sum > 5_000_000 {
		t.Errorf("%d bytes, %v; 5 MB are the limit", sum, err)
	}
}
