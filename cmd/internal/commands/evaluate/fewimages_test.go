package evaluate

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
)

// TestFewImages: what a small set cannot measure is left out with a note, and refused
// where it was asked for by name.
func TestFewImages(t *testing.T) {
	for name, c := range map[string]struct {
		test     int
		measures selection
		require  []requirement
		left     []string
		says     string
		fails    bool
	}{
		"none":         {0, nil, nil, nil, "as_asked needs 1 test image, and folder:few has 0 (every fifth", false},
		"one":          {1, nil, nil, []string{"as_asked"}, "frechet needs 2 test images, and folder:few has 1", false},
		"one, asked":   {1, selection{"frechet"}, nil, nil, "frechet needs 2 test images", true},
		"one, bounded": {1, nil, []requirement{{key: "bits_per_dim", op: "<", bound: 3}}, nil, "--require bits_per_dim<3: bits_per_dim needs 2", true},
		"twenty":       {20, nil, nil, []string{"as_asked", "bits_per_dim", "frechet"}, "20 test images are few for a Frechet distance over 64", false},
		"enough":       {65, nil, nil, []string{"as_asked", "bits_per_dim", "frechet"}, "", false},
	} {
		var said bytes.Buffer
		e := &evaluation{f: newFlags(), info: datasets.Info{Name: "folder:few"}, chosen: map[string]bool{"as_asked": true, "frechet": true, "bits_per_dim": true}}
		e.f.cmd.SayTo(&said)
		if c.measures != nil {
			e.chosen = map[string]bool{c.measures[0]: true}
		}
		test := &datasets.Images{Info: datasets.Info{Shape: []int{1, 1, 1}}, Pixels: make([]uint8, c.test), Undivided: true}
		err := e.fewImages(&request{measures: c.measures, require: c.require}, test)
		if c.fails {
			if err == nil || !strings.Contains(err.Error(), c.says) || cli.Status(err) != cli.Failed {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		var left []string
		for m := range e.chosen {
			left = append(left, m)
		}
		slices.Sort(left)
		if err != nil || !slices.Equal(left, c.left) || !strings.Contains(said.String(), c.says) || (c.says == "") != (said.Len() == 0) {
			t.Errorf("%s: left %v, error %v, said %q", name, left, err, said.String())
		}
	}
}
