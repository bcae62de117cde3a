package evaluate

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/flow"
)

// report is what evaluate prints with --json. What does not apply is absent.
type report struct {
	Dataset    string `json:"dataset"`
	Checkpoint string `json:"checkpoint"`

	Entropy            *float64 `json:"entropy,omitempty"`      // nats
	NLL                *float64 `json:"nll,omitempty"`          // nats
	NLLStderr          *float64 `json:"nll_stderr,omitempty"`   // nats
	NLLExact           *float64 `json:"nll_exact,omitempty"`    // nats
	BitsPerDim         *float64 `json:"bits_per_dim,omitempty"` // bits a value
	BitsPerDimStderr   *float64 `json:"bits_per_dim_stderr,omitempty"`
	Straightness       *float64 `json:"straightness,omitempty"`
	SW2Floor           *float64 `json:"sw2_floor,omitempty"`
	ClassifierAccuracy *float64 `json:"classifier_accuracy,omitempty"`

	// Guidance and GuidanceInterval are of the samples of the results: the scale,
	// and the times if they are not all. 1 is off, and absent.
	Guidance         *float64  `json:"guidance,omitempty"`
	GuidanceInterval []float64 `json:"guidance_interval,omitempty"`

	Results []entry `json:"results"`

	unsolved  []string       // results that no solver came to, and why
	notFinite []string       // results that are no finite numbers
	counts    map[string]int // how many samples a result is of, for people
	guidance  string         // Guidance and GuidanceInterval, for people
}

// entry is the results of a solver.
type entry struct {
	Method string `json:"method"`
	Steps  int    `json:"steps,omitempty"` // of a fixed-step method
	NFE    int    `json:"nfe"`

	SW2     *float64 `json:"sw2,omitempty"`
	AsAsked *float64 `json:"as_asked,omitempty"`
	Frechet *float64 `json:"frechet,omitempty"`
	// Precision is what the samples were computed in.
	Precision string `json:"precision,omitempty"`
}

// name is as in --solvers: "midpoint:20".
func (e entry) name() string {
	if e.Steps == 0 {
		return e.Method
	}
	return e.Method + ":" + strconv.Itoa(e.Steps)
}

// set stores a result under a name for messages. JSON has no NaN: what is not
// finite stays absent and is told apart.
func (r *report) set(to **float64, name string, v float64) {
	if *to = cli.Finite(v); *to == nil {
		r.notFinite = append(r.notFinite, name)
	}
}

// guide notes the guidance of the samples.
func (r *report) guide(g *flow.Guidance) {
	r.guidance = g.String()
	r.Guidance = &g.Scale
	if g.From > 0 || g.To < 1 {
		r.GuidanceInterval = []float64{g.From, g.To}
	}
}

// valueAt is a result and the entry that it is from, if it is from one.
type valueAt struct {
	entry string
	value float64
}

// values are the results of a key of the JSON, of every entry.
func (r *report) values(key string) []valueAt {
	var out []valueAt
	add := func(entry string, v *float64) {
		if v != nil {
			out = append(out, valueAt{entry, *v})
		}
	}
	top := map[string]*float64{
		"entropy": r.Entropy, "nll": r.NLL, "nll_stderr": r.NLLStderr, "nll_exact": r.NLLExact,
		"bits_per_dim": r.BitsPerDim, "bits_per_dim_stderr": r.BitsPerDimStderr, "straightness": r.Straightness,
		"sw2_floor": r.SW2Floor, "classifier_accuracy": r.ClassifierAccuracy,
	}
	if v, ok := top[key]; ok {
		add("", v)
		return out
	}
	for _, e := range r.Results {
		nfe := float64(e.NFE)
		add(e.name(), map[string]*float64{"nfe": &nfe, "sw2": e.SW2, "as_asked": e.AsAsked, "frechet": e.Frechet}[key])
	}
	return out
}

// json writes the report as one line.
func (r *report) json(w io.Writer) error {
	if r.Results == nil {
		r.Results = []entry{}
	}
	return cli.WriteJSON(w, r)
}

// table writes the report for people.
func (r *report) table(w io.Writer) error {
	p := terminal.NewPage(w)
	p.Linef("%s", r.heading())
	values := terminal.Table{Indent: 2, Columns: make([]terminal.Column, 3), Line: func(row []string) string {
		return row[0] + " " + row[1] + ": " + row[2]
	}}
	line := func(name string, v, stderr *float64, unit, how string) {
		if v == nil {
			return
		}
		text := number(v)
		if stderr != nil {
			text += " ± " + strconv.FormatFloat(*stderr, 'g', 2, 64)
		}
		if unit != "" {
			text += " " + unit
		}
		values.Rows = append(values.Rows, []string{name, text, how})
	}
	of := func(key, what string) string { return terminal.Count(int64(r.counts[key])) + " " + what }
	line("straightness", r.Straightness, nil, "", of("straightness", "of the model's own paths; 0 is straight"))
	line("negative log-likelihood", r.NLL, r.NLLStderr, "nats", of("nll", "fresh points, midpoint, 20 steps"))
	line("the same, exactly", r.NLLExact, r.NLLStderr, "nats", "the same points, dopri5 at 1e-5")
	line("entropy of the set", r.Entropy, nil, "nats", "the least negative log-likelihood that there is")
	line("bits per dimension", r.BitsPerDim, r.BitsPerDimStderr, "", of("bits_per_dim", "test images, midpoint, 20 steps"))
	line("sliced W2 of data to data", r.SW2Floor, nil, "", "of as many points of the set itself")
	line("accuracy of the classifier", r.ClassifierAccuracy, nil, "", of("classifier_accuracy", "test images that it has not seen"))
	p.Table(values)
	if len(r.Results) > 0 {
		p.Blank()
		r.solvers(p)
	}
	return p.Flush()
}

// heading says which model it is.
func (r *report) heading() string {
	if strings.HasPrefix(r.Checkpoint, r.Dataset+",") { // a model of the program's own says so
		return r.Checkpoint
	}
	return r.Dataset + ", " + terminal.Whole(r.Checkpoint)
}

// solvers are the samples' measures by each solver.
func (r *report) solvers(p *terminal.Page) {
	t := terminal.Table{Indent: 2, Columns: []terminal.Column{{Title: "solver"}, {Title: "NFE", Right: true}}}
	rounded := slices.ContainsFunc(r.Results, func(e entry) bool { return e.Precision == "bf16" })
	if rounded {
		t.Columns = append(t.Columns, terminal.Column{Title: "precision"})
	}
	measures := []struct {
		title string
		of    func(entry) *float64
	}{
		{"sliced W2", func(e entry) *float64 { return e.SW2 }},
		{"as asked", func(e entry) *float64 { return e.AsAsked }},
		{"Frechet", func(e entry) *float64 { return e.Frechet }},
	}
	shown := measures[:0:0]
	for _, m := range measures {
		if slices.ContainsFunc(r.Results, func(e entry) bool { return m.of(e) != nil }) {
			shown = append(shown, m)
			t.Columns = append(t.Columns, terminal.Column{Title: m.title, Right: true})
		}
	}
	for _, e := range r.Results {
		row := []string{e.name(), strconv.Itoa(e.NFE)}
		if rounded {
			row = append(row, e.Precision)
		}
		for _, m := range shown {
			row = append(row, number(m.of(e)))
		}
		t.Rows = append(t.Rows, row)
	}
	p.Table(t)
	said := terminal.Count(int64(r.counts["results"])) + " samples each"
	if r.guidance != "" {
		said += ", guidance " + r.guidance
	}
	if r.belowFloor() {
		said += "; below data to data is as near as the set to itself, and chance: the fewer samples, the more both vary"
	}
	if len(shown) > 0 && shown[len(shown)-1].title == "Frechet" {
		said += "; Frechet: in the features of the project's own classifier, not Inception FID"
	}
	p.Linef("(%s)", said)
}

// belowFloor tells whether samples came nearer to the set than others of the set's own points:
// both distances vary with what is drawn.
func (r *report) belowFloor() bool {
	return r.SW2Floor != nil && slices.ContainsFunc(r.Results, func(e entry) bool { return e.SW2 != nil && *e.SW2 < *r.SW2Floor })
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}
