package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

var (
	moons    = datasets.Info{Name: "moons", Shape: []int{2}}
	digits   = datasets.Info{Name: "digits", Shape: []int{1, 8, 8}, ClassNames: make([]string, 10)}
	pictures = datasets.Info{Name: "folder:p", Shape: []int{3, 64, 64}}
)

// wrong fails the test unless err is wrong use that says the words.
func wrong(t *testing.T, err error, words ...string) {
	t.Helper()
	var use *cli.UsageError
	if !errors.As(err, &use) {
		t.Fatalf("%v is no wrong use", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestParseRequirements(t *testing.T) {
	rs, err := parseRequirements("sw2<=0.07, nll<3.8,as_asked>=0.97,straightness > 1e-3")
	want := []requirement{{"sw2", "<=", 0.07}, {"nll", "<", 3.8}, {"as_asked", ">=", 0.97}, {"straightness", ">", 1e-3}}
	if err != nil || !slices.Equal(rs, want) {
		t.Errorf("%v, %v", rs, err)
	}
	if rs, err := parseRequirements(""); rs != nil || err != nil {
		t.Errorf("%v, %v", rs, err)
	}
	for in, says := range map[string]string{
		"sw3<=1":     "did you mean sw2?",
		"sw2":        "sw2<=0.07",
		"sw2=1":      "sw2<=0.07",
		"sw2<=":      "no number",
		"sw2<=a":     "no number",
		"sw2<=nan":   "no number",
		"sw2<=1,":    "sw2<=0.07",
		"<1":         "unknown",
		"nll<==3":    "no number",
		"frechett<1": "frechet",
		"results<1":  "unknown",
	} {
		_, err := parseRequirements(in)
		if err == nil {
			t.Errorf("%q: accepted", in)
			continue
		}
		wrong(t, err, says)
	}
}

func TestRequirementHolds(t *testing.T) {
	for _, c := range []struct {
		op        string
		below, at bool
		above     bool
	}{{"<=", true, true, false}, {"<", true, false, false}, {">=", false, true, true}, {">", false, false, true}} {
		r := requirement{"sw2", c.op, 1}
		if r.holds(0.5) != c.below || r.holds(1) != c.at || r.holds(1.5) != c.above {
			t.Errorf("%s: %v %v %v", c.op, r.holds(0.5), r.holds(1), r.holds(1.5))
		}
	}
}

func TestTaken(t *testing.T) {
	for name, c := range map[string]struct {
		list    string
		in      datasets.Info
		classes int
		want    string
	}{
		"all, points":        {"all", moons, 0, "nll nll_exact straightness sw2"},
		"all, images":        {"all", digits, 10, "as_asked bits_per_dim frechet straightness"},
		"all, no labels":     {"all", digits, 0, "bits_per_dim frechet straightness"},
		"all, no classes":    {"all", pictures, 0, "bits_per_dim straightness"},
		"some":               {"sw2, nll", moons, 0, "nll sw2"},
		"one that is a free": {"as_asked", digits, 10, "as_asked"},
	} {
		s, err := parseMeasures(c.list)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.choose(c.in, c.classes)
		if err != nil || strings.Join(slices.Sorted(maps.Keys(got)), " ") != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got := selection(nil).leftOut(digits, 0); !slices.Equal(got, []string{"as_asked is left out: the model has no classes"}) {
		t.Errorf("%q", got)
	}
	if got := append(selection(nil).leftOut(moons, 0), selection{"frechet"}.leftOut(digits, 0)...); got != nil {
		t.Errorf("%q", got)
	}
	_, err := parseMeasures("sw")
	wrong(t, err, "sw2")
	_, err = selection{"nll"}.choose(digits, 10)
	wrong(t, err, "nll", "digits is a set of images")
	_, err = selection{"as_asked"}.choose(digits, 0)
	wrong(t, err, "no classes")
	_, err = selection{"frechet"}.choose(pictures, 0)
	wrong(t, err, "folder:p has no two classes")
}

func TestCheckTaken(t *testing.T) {
	check := func(list string, in datasets.Info, classes int, entropy bool, measures ...string) error {
		rs, err := parseRequirements(list)
		if err != nil {
			t.Fatal(err)
		}
		var s selection
		if measures != nil {
			s = measures
		}
		chosen, err := s.choose(in, classes)
		if err != nil {
			t.Fatal(err)
		}
		return checkChosen(rs, chosen, in, classes, entropy)
	}
	for _, err := range []error{
		check("sw2<1,sw2_floor<1,nll<1,nll_stderr<1,nll_exact<1,entropy<1,nfe<3,straightness<1", moons, 0, true),
		check("as_asked>0.9,frechet<1,classifier_accuracy>0.9,bits_per_dim<5,nfe<99", digits, 10, false),
		check("classifier_accuracy>0.9", digits, 10, false, "frechet"),
		check("classifier_accuracy>0.9", digits, 0, false),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	wrong(t, check("as_asked>0.9", moons, 0, true), "as_asked>0.9", "moons is a set of points")
	wrong(t, check("nll<1", digits, 10, false), "digits is a set of images")
	wrong(t, check("as_asked>0.9", digits, 0, false), "the model has no classes")
	wrong(t, check("entropy<1", moons, 0, false), "entropy")
	wrong(t, check("nll<1", moons, 0, true, "sw2"), "--measures leaves it out")
	wrong(t, check("nfe<1", moons, 0, true, "nll"), "nfe")
}

// sample is a report with a value of every kind.
func sample() *report {
	r := &report{Dataset: "moons", Checkpoint: "a<b.pth", counts: map[string]int{"results": 20000, "straightness": 1000, "nll": 4000}}
	r.set(&r.NLL, "nll", 0.25)
	r.set(&r.NLLStderr, "nll_stderr", 0.01)
	r.set(&r.Straightness, "straightness", 0.5)
	for i, steps := range []int{1, 20, 0} {
		e := entry{Method: []string{"euler", "midpoint", "dopri5"}[i], Steps: steps, NFE: 1 + i}
		r.set(&e.SW2, "sw2 of "+e.name(), 0.5/float64(1+i))
		r.Results = append(r.Results, e)
	}
	return r
}

// The keys have the documented names and order; what does not apply is absent.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := sample().json(&b); err != nil {
		t.Fatal(err)
	}
	want := `{"dataset":"moons","checkpoint":"a<b.pth","nll":0.25,"nll_stderr":0.01,"straightness":0.5,` +
		`"results":[{"method":"euler","steps":1,"nfe":1,"sw2":0.5},{"method":"midpoint","steps":20,"nfe":2,"sw2":0.25},{"method":"dopri5","nfe":3,"sw2":0.16666666666666666}]}` + "\n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}

	one := 1.0
	all := report{Dataset: "d", Checkpoint: "c", Entropy: &one, NLL: &one, NLLStderr: &one, NLLExact: &one, BitsPerDim: &one, BitsPerDimStderr: &one,
		Straightness: &one, SW2Floor: &one, ClassifierAccuracy: &one, Results: []entry{{"m", 1, 1, &one, &one, &one, "fp32"}}}
	b.Reset()
	if err := all.json(&b); err != nil {
		t.Fatal(err)
	}
	var keys []string
	d := json.NewDecoder(&b)
	for key := true; ; { // every string before a value, in order
		token, err := d.Token()
		if err != nil {
			break
		}
		switch v := token.(type) {
		case json.Delim:
			key = true
		case string:
			if key {
				keys = append(keys, v)
			}
			key = !key
		default:
			key = true
		}
	}
	// The contract's line.
	order := "dataset checkpoint entropy nll nll_stderr nll_exact bits_per_dim bits_per_dim_stderr straightness sw2_floor classifier_accuracy results method steps nfe sw2 as_asked frechet precision"
	if got := strings.Join(keys, " "); got != order {
		t.Errorf("%s\nwant\n%s", got, order)
	}

	b.Reset()
	if err := (&report{}).json(&b); err != nil || !strings.Contains(b.String(), `"results":[]`) {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestFailures(t *testing.T) {
	for list, want := range map[string]string{
		"sw2<=0.5,nll<0.3,nfe<4":       "",
		"sw2<=0.2":                     "required and not so: sw2<=0.2 (euler:1 0.5, midpoint:20 0.25)",
		"sw2<0.5,nll<=0.2,nll_exact<1": "required and not so: sw2<0.5 (euler:1 0.5); nll<=0.2 (0.25)",
	} {
		rs, err := parseRequirements(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := failures(rs, sample()); got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

// JSON has no NaN: such results are absent, and named.
func TestNotFinite(t *testing.T) {
	r := sample()
	r.set(&r.SW2Floor, "sw2_floor", math.NaN())
	r.set(&r.NLLExact, "nll_exact", math.Inf(1))
	if r.SW2Floor != nil || r.NLLExact != nil || !slices.Equal(r.notFinite, []string{"sw2_floor", "nll_exact"}) {
		t.Errorf("%v %v %v", r.SW2Floor, r.NLLExact, r.notFinite)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := sample().table(&b); err != nil {
		t.Fatal(err)
	}
	want := `moons, a<b.pth
  straightness             0.5               1,000 of the model's own paths; 0 is straight
  negative log-likelihood  0.25 ± 0.01 nats  4,000 fresh points, midpoint, 20 steps

  solver       NFE  sliced W2
  euler:1        1        0.5
  midpoint:20    2       0.25
  dopri5         3     0.1667
(20,000 samples each)
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}

// A distance below that of data to data is no merit, and the table says so.
func TestTableBelowFloor(t *testing.T) {
	for floor, want := range map[float64]bool{0.1666: false, 0.1668: true} {
		var b bytes.Buffer
		r := sample()
		r.set(&r.SW2Floor, "sw2_floor", floor)
		if err := r.table(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "below data to data is as near as the set to itself"); got != want {
			t.Errorf("floor %v: %s", floor, &b)
		}
	}
}

func TestEqualParts(t *testing.T) {
	if got := equalParts(7, 3); !slices.Equal(got, []int64{0, 0, 0, 1, 1, 2, 2}) {
		t.Errorf("%v", got)
	}
	counts := map[int64]int{}
	for _, y := range equalParts(1000, 10) {
		counts[y]++
	}
	if len(counts) != 10 || counts[0] != 100 || counts[9] != 100 {
		t.Errorf("%v", counts)
	}
	if equalParts(5, 0) != nil {
		t.Error("labels for a model without classes")
	}
}

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		args  string
		words []string
	}{
		{"--dataset moons --precision bf15", []string{"--precision", "bf16"}},
		{"--dataset moons --precision tf32", []string{"--precision tf32", "float32"}},
		{"--dataset moons --solvers euler", []string{"--solvers", "midpoint:20"}},
		{"--dataset moons --solvers dopri5:3", []string{"dopri5", "--rtol"}},
		{"--dataset moons --solvers eulr:3", []string{"euler"}},
		{"--dataset moons --rtol 1e-3", []string{"--rtol"}},
		{"--dataset moons --measures sw22", []string{"--measures", "sw2"}},
		{"--dataset moons --require sw2", []string{"--require"}},
		{"--dataset moons --num-samples 1", []string{"--num-samples 1"}},
		{"--dataset moons --batch-size -1", []string{"--batch-size -1"}},
		{"moons", []string{"moons"}},
		{"", []string{"--dataset"}},
	} {
		f, err := read(t, strings.Fields(c.args)...)
		if err == nil {
			_, err = f.check()
		}
		wrong(t, err, c.words...)
	}
}

// read parses a command line.
func read(t *testing.T, args ...string) (*flags, error) {
	t.Helper()
	f := newFlags()
	return f, f.cmd.Execute(t.Context(), cli.Env{Args: args, Stdout: io.Discard, Stderr: io.Discard})
}

// TestUnused: flags that no measure depends on are wrong use.
func TestUnused(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		taken  string
		points bool
		word   string // "": right use
	}{
		"solvers of sw2":            {[]string{"--solvers", "euler:1"}, "sw2", true, ""},
		"solvers of straightness":   {[]string{"--solvers", "euler:1"}, "straightness", true, "--solvers"},
		"tolerance of nll":          {[]string{"--rtol", "0.1"}, "nll", true, "--rtol"},
		"number of paths, points":   {[]string{"--num-samples", "9"}, "straightness", true, "--num-samples"},
		"number of paths, images":   {[]string{"--num-samples", "9"}, "straightness", false, ""},
		"number for bits":           {[]string{"--num-samples", "9"}, "bits_per_dim", false, "--num-samples"},
		"nothing is said of either": {nil, "nll", true, ""},
	} {
		f, err := read(t, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		err = f.unused(map[string]bool{c.taken: true}, !c.points)
		if c.word == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wrong(t, err, c.word)
	}
}

// TestClassifiersDir: the contract's section 1.
func TestClassifiersDir(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dataset", "mnist"}, "outputs/classifiers"},
		{[]string{"--checkpoint", "a/cfm/mnist/ckpt.pth"}, "a/classifiers"},
		{[]string{"--checkpoint", "reflow/mnist/ckpt.pth"}, "classifiers"},
		{[]string{"--checkpoint", "got/mnist.pth"}, "got/classifiers"},
		{[]string{"--checkpoint", "got/mnist.pth", "--output-dir", "o"}, "o/classifiers"},
	} {
		f, err := read(t, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&evaluation{f: f}).classifiersDir(); got != c.want {
			t.Errorf("%v: %s, want %s", c.args, got, c.want)
		}
	}
}

// After a first model the paths are straightened; of points on pairs that are drawn once, which takes a minute.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		in   datasets.Info
		want string
	}{{moons, "bin/reflow --dataset moons --pairs 100000"}, {digits, "bin/reflow --dataset digits"}} {
		f := newFlags()
		f.cmd.Run = nil // the flags alone
		args := []string{"--dataset", c.in.Name}
		if err := f.cmd.Execute(t.Context(), cli.Env{Args: args, Stdout: io.Discard, Stderr: io.Discard}); err != nil {
			t.Fatal(err)
		}
		e := &evaluation{f: f, file: &trained.Model{Checkpoint: &trainer.Checkpoint{}}, info: c.in}
		if got := strings.Join(e.next(), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.in.Name, got, c.want)
		}
	}
}
