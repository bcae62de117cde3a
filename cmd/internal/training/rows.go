package training

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/trainer"
)

// Rows are at these parts of a run, in percent: closer together where a loss falls, and
// together no more than a screen has lines.
var rowParts = []int{1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}

// rowAfter is the step of the first row after a step, 0 for none.
func rowAfter(step, total int) int {
	for _, part := range rowParts {
		if at := (total*part + 99) / 100; at > step {
			return at
		}
	}
	return 0
}

const (
	leastBetweenRows = time.Second // of a short run there are fewer
	mostBetweenRows  = time.Minute // in a log, which has no line that changes
)

// rowNow tells whether it is time for a row: not before it is known how long the run
// takes, which is said above them.
func (r *reporter) rowNow(step int) bool {
	reached := r.due != 0 && step >= r.due
	if reached {
		r.due = rowAfter(step, r.total)
	}
	since := r.now().Sub(r.lastRow)
	row := step >= r.total || r.estimated && (reached && since >= leastBetweenRows || !r.bar.Live() && since >= mostBetweenRows)
	if row {
		r.lastRow = r.now()
	}
	return row
}

// fields are a row's, the most important first.
func (r *reporter) fields(p trainer.Progress) []terminal.Field {
	step, total := terminal.Count(int64(p.Step)), terminal.Count(int64(r.total))
	return []terminal.Field{
		{Name: "step", Value: step, Width: len(total), Log: fmt.Sprintf("%s/%s (%d%%)", step, total, 100*p.Step/max(1, r.total))},
		{Name: "loss", Value: fourDecimals(p.Loss), Width: 7},
		{Name: "EMA loss", Value: fourDecimals(r.average.value())},
		{Name: "left", Value: terminal.Clock(p.Left), Width: 7},
		{Name: r.unit, Value: perSecond(p.StepsPerSecond * float64(r.samples)), Width: 8},
		{Name: "grad", Value: threeDigits(p.GradNorm), Width: 6},
		{Name: "rate", Value: fmt.Sprintf("%.1e", p.Rate), Width: 7},
		{Name: "waiting", Value: fmt.Sprintf("%.0f%%", 100*p.Waiting)},
		{Name: "memory", Value: terminal.Bytes(r.held()), Width: 6},
	}
}

// lossAverage is an exponential moving average of the steps' losses.
type lossAverage struct{ sum, weight float64 }

// averageDecay is its decay: about the last hundred steps count.
const averageDecay = 0.99

func (a *lossAverage) add(loss *float64) {
	if loss != nil {
		a.sum = averageDecay*a.sum + (1-averageDecay)**loss
		a.weight = averageDecay*a.weight + (1 - averageDecay)
	}
}

func (a *lossAverage) value() float64 { return a.sum / a.weight }

func fourDecimals(v float64) string {
	if math.Abs(v) >= 99.9999 {
		return threeDigits(v)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// threeDigits is v, 0 or above it, in six columns at most.
func threeDigits(v float64) string {
	s := fmt.Sprintf("%.3g", v)
	if len(s) > 6 {
		s = fmt.Sprintf("%.0e", v)
	}
	return s
}

func perSecond(v float64) string {
	if v >= 100 {
		return terminal.Count(int64(v + 0.5))
	}
	return threeDigits(v)
}
