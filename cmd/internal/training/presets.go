package training

import (
	"io"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
)

// preset is a run by name: flags that the command line may override.
type preset struct {
	name  string
	flags [][2]string
	about string // time and result, on which machine
}

// presets are the runs that have a name, the quickest first. A new one is a line here.
var presets = map[Job][]preset{Train: trainings, Reflow: reflows}

var trainings = []preset{
	{"moons-quick", [][2]string{{"dataset", "moons"}, {"hidden-dim", "128"}, {"batch-size", "512"}, {"iterations", "2000"}, {"figure-samples", "20000"}},
		"3 s on one core of a Xeon with AMX, 6 s with its figures; sliced W2 .012 (data to data .009)"},
	{"digits", [][2]string{{"dataset", "digits"}},
		"1.5 to 5 min on 2 cores; 98.5 % of the samples are the digit that was asked for"},
	{"digits-guided", [][2]string{{"dataset", "digits"}, {"class-dropout", "0.1"}},
		"1.5 to 5 min on 2 cores; 97.3 % without guidance, 99.9 % with --guidance 1.5"},
	{"checkerboard", [][2]string{{"dataset", "checkerboard"}},
		"3 min 15 s on 2 cores of an EPYC with AVX2; sliced W2 .035 (data to data .029)"},
	{"moons", [][2]string{{"dataset", "moons"}},
		"3 min 15 s on 2 cores of an EPYC with AVX2; sliced W2 .0072 (data to data .0090)"},
	{"mnist-cpu", [][2]string{{"dataset", "mnist"}, {"num-channels", "32"}, {"num-res-blocks", "1"}, {"attention-resolutions", "7"}, {"class-dropout", "0.1"},
		{"batch-size", "32"}, {"learning-rate", "1.5e-3"}, {"stratified-times", "true"}, {"iterations", "4700"}},
		"42 min on 2 cores of an EPYC with AVX2; 93.9 % as asked, 99.4 % with --guidance 1.5"},
	{"mnist", [][2]string{{"dataset", "mnist"}}, "10 epochs of 6.2 million parameters: for a GPU, not measured yet"},
	{"cifar10", [][2]string{{"dataset", "cifar10"}, {"horizontal-flip", "true"}}, "10 epochs: for a GPU, not measured yet"},
}

var reflows = []preset{
	{"checkerboard", [][2]string{{"dataset", "checkerboard"}, {"pairs", "100000"}},
		"a minute on one core of a Xeon with AMX; sliced W2 of one Euler step .064 (before: 2.54)"},
	{"moons", [][2]string{{"dataset", "moons"}, {"pairs", "100000"}},
		"a minute on one core of a Xeon with AMX; sliced W2 of one Euler step .0128 (before: .68)"},
	{"mnist-guided", [][2]string{{"dataset", "mnist"}, {"guidance", "1.5"}, {"pairs", "8000"}, {"method", "midpoint"}, {"steps", "6"},
		{"batch-size", "32"}, {"ema-decay", "0.998"}, {"iterations", "1500"}},
		"of mnist-cpu: 34 min on 2 cores of an EPYC with AVX2; one evaluation, 99.6 % as asked"},
	{"mnist-one-step", [][2]string{{"dataset", "mnist"}, {"distill", "true"}, {"batch-size", "32"}, {"ema-decay", "0.998"}},
		"of mnist-guided: 18 min on 2 cores of an EPYC with AVX2; one evaluation, 99.6 % as asked"},
}

// presetLine is a preset in JSON.
type presetLine struct {
	Name  string      `json:"name"`
	About string      `json:"about"`
	Flags [][2]string `json:"flags"`
}

// ListPresets prints what --preset help prints.
func (s *Settings) ListPresets(w io.Writer, asJSON bool) error {
	listed := []presetLine{}
	page, list := terminal.NewPage(w), terminal.List{}
	for _, p := range presets[s.job] {
		var flags []string
		for _, f := range p.flags {
			switch f[1] {
			case "true":
				flags = append(flags, "--"+f[0])
			default:
				flags = append(flags, terminal.Whole("--"+f[0]+" "+f[1]))
			}
		}
		list.Rows = append(list.Rows, []string{p.name, p.about, strings.Join(flags, " ")})
		listed = append(listed, presetLine{p.name, p.about, p.flags})
	}
	if asJSON {
		return cli.WriteJSON(w, listed)
	}
	page.List(list)
	return page.Flush()
}

func (s *Settings) findPreset(name string) (preset, error) {
	var names []string
	for _, p := range presets[s.job] {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	hint := "--preset help lists them"
	if near := datasets.Closest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return preset{}, cli.Usagef("--preset %q is unknown: %s", name, hint)
}
