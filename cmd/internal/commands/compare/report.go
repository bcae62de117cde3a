package compare

import (
	"fmt"
	"io"
	"strconv"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
)

// report is what compare prints with --json. What is unknown, or no finite
// number, is absent.
type report struct {
	Dataset  string     `json:"dataset"`
	Entropy  *float64   `json:"entropy,omitempty"`   // nats
	SW2Floor *float64   `json:"sw2_floor,omitempty"` // data against data
	Samples  int        `json:"samples"`
	Points   int        `json:"points"` // of the likelihood
	Models   [2]results `json:"models"`
	Film     string     `json:"film"`
	Paths    string     `json:"paths"`
	Figure   string     `json:"figure"`

	title string // of the figure: the set, and whether the models are the program's own
}

// results are a model's.
type results struct {
	Name       string  `json:"name"`
	Checkpoint string  `json:"checkpoint"`
	Taught     *bool   `json:"taught_by_first,omitempty"` // of the second; absent: nobody can tell
	Results    []entry `json:"results,omitempty"`
}

// entry is the results of a solver.
type entry struct {
	Method    string   `json:"method"`
	Steps     int      `json:"steps,omitempty"` // of a fixed-step method
	NFE       int      `json:"nfe"`             // of a sample
	SW2       *float64 `json:"sw2,omitempty"`
	NLLNFE    int      `json:"nll_nfe"` // of a point's likelihood
	NLL       *float64 `json:"nll,omitempty"`
	NLLStderr *float64 `json:"nll_stderr,omitempty"`

	unsolved []string // measures that the solver did not come to, and why
}

// name is as in --solvers: "midpoint:20".
func (e entry) name() string {
	if e.Steps == 0 {
		return e.Method
	}
	return e.Method + ":" + strconv.Itoa(e.Steps)
}

func (r *report) json(w io.Writer) error { return cli.WriteJSON(w, r) }

// table writes the report for people.
func (r *report) table(w io.Writer) error {
	p := terminal.NewPage(w)
	a, c := r.Models[0], r.Models[1]
	p.Linef("%s: %s (%s) and %s (%s)", r.Dataset, a.Name, a.Checkpoint, c.Name, c.Checkpoint)
	p.Blank()
	const distance, likelihood = "sliced W2", "negative log-likelihood"
	t := terminal.Table{Indent: 2, Columns: []terminal.Column{
		{Title: "solver"}, {Title: "NFE", Right: true},
		{Group: distance, Title: a.Name, Right: true}, {Group: distance, Title: c.Name, Right: true},
		{Group: likelihood, Title: a.Name, Right: true}, {Group: likelihood, Title: c.Name, Right: true},
	}}
	for i, e := range a.Results {
		f := c.Results[i]
		t.Rows = append(t.Rows, []string{e.name(), both(e.NFE, f.NFE), show(e.SW2, 4), show(f.SW2, 4), show(e.NLL, 3), show(f.NLL, 3)})
	}
	p.Table(t)
	p.Blank()
	floor := show(r.SW2Floor, 4)
	if r.belowFloor() {
		floor += " (below it is as near as the set to itself, and chance: the fewer samples, the more both vary)"
	}
	p.Paragraphf("Sliced W2: %s; data against data has %s. Likelihood: nats, of %s%s.",
		terminal.Counted(r.Samples, "sample"), floor, terminal.Counted(r.Points, "fresh point"), r.likelihoodBounds())
	p.Paragraphf("A few steps backwards are far from the density's equation: what they find may be below the entropy.")
	p.Blank()
	return p.Flush()
}

// likelihoodBounds say how exact the likelihoods are, and what the least is.
func (r *report) likelihoodBounds() string {
	said := ""
	if all := r.Models[0].Results; len(all) > 0 && all[len(all)-1].NLLStderr != nil {
		said = ", ± " + show(all[len(all)-1].NLLStderr, 3)
	}
	if r.Entropy != nil {
		said += "; the set's entropy, the least there is, " + show(r.Entropy, 3)
	}
	return said
}

// belowFloor tells whether samples came nearer to the set than others of its own points.
func (r *report) belowFloor() bool {
	for _, m := range r.Models {
		for _, e := range m.Results {
			if r.SW2Floor != nil && e.SW2 != nil && *e.SW2 < *r.SW2Floor {
				return true
			}
		}
	}
	return false
}

// notFinite names the results that are no numbers.
func (r *report) notFinite() []string {
	var bad []string
	for _, m := range r.Models {
		for _, e := range m.Results {
			if e.unsolved != nil {
				continue
			}
			if e.SW2 == nil {
				bad = append(bad, "sw2 of "+m.Name+" by "+e.name())
			}
			if e.NLL == nil {
				bad = append(bad, "nll of "+m.Name+" by "+e.name())
			}
		}
	}
	return bad
}

// unsolved names the results that a solver did not come to.
func (r *report) unsolved() []string {
	var all []string
	for _, m := range r.Models {
		for _, e := range m.Results {
			all = append(all, e.unsolved...)
		}
	}
	return all
}

// both is a number of two models.
func both(a, b int) string {
	if a == b {
		return strconv.Itoa(a)
	}
	return fmt.Sprintf("%d, %d", a, b)
}

func show(v *float64, digits int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}
