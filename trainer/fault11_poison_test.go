package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// tainted changes the run's own tensors before a batch: once, or before every later one too.
type tainted struct {
	Source
	n, at   int
	forGood bool
	taint   func()
}

func (p *tainted) Batch() (Batch, error) {
	if p.n++; p.n == p.at || p.forGood && p.n > p.at {
		torch.NoGrad(p.taint)
	}
	return p.Source.Batch()
}

// NaN and infinities in the data, the weights, their average and the moments, once and for good: no state that is saved
// has them, and where the run cannot go on it says so and the newest state is a good one.
func TestPoisoned(t *testing.T) {
	const at, steps = 40, 120
	tried := 0
	for part, of := range map[string]func(e *engine) torch.Tensor{
		"weight":        func(e *engine) torch.Tensor { return e.params[2] },
		"average":       func(e *engine) torch.Tensor { return e.ema[2] },
		"moment":        func(e *engine) torch.Tensor { return e.adamw.ExpAvg[2] },
		"second moment": func(e *engine) torch.Tensor { return e.adamw.ExpAvgSq[2] },
		"data":          nil,
	} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, forGood := range []bool{false, true} {
				r := planeRun(t, config(steps), t.TempDir())
				r.CheckpointEvery, r.Interval = 5, time.Hour
				var l *loop
				if of == nil {
					steer(r, func(batch int) float64 {
						if batch == at || forGood && batch > at {
							return bad
						}
						return 1
					})
				} else {
					open := r.Open
					r.Open = func(c Config, d torch.Device, start int) (Source, error) {
						s, err := open(c, d, start)
						return &tainted{Source: s, at: at, forGood: forGood, taint: func() { torch.Select(of(l.e), 0, 0).FillI(bad) }}, err
					}
				}
				what := fmt.Sprintf("%v in the %s, for good %v", bad, part, forGood)
				own := *r
				own.Config = r.Config.Defaults()
				l = &loop{Run: &own, start: time.Now(), lastSave: time.Now()}
				if err := l.open(nil); err != nil {
					t.Fatal(err)
				}
				err := l.run(context.Background())
				_ = l.close()
				s, _, _, rerr := Newest(r.Folder.Dir) // reading refuses what is not finite
				if rerr != nil || s.Step() < at-5 {
					t.Errorf("%s: %v", what, rerr)
				}
				var d *DivergedError
				switch once := once(part, forGood); {
				case once && (err != nil || s.Step() != steps || l.watch.skipped != 1):
					t.Errorf("%s: one step should have been left out; %d were, %v", what, l.watch.skipped, err)
				case !once && (!errors.As(err, &d) || d.Step < at-1 || d.Step > at+10):
					t.Errorf("%s: %v", what, err)
				}
				if d != nil && part == "weight" && !strings.Contains(d.Error(), l.e.names[2]+" is not finite") {
					t.Errorf("%s: %v does not name it", what, d)
				}
				if !once(part, forGood) && s != nil && s.Step() >= at {
					t.Errorf("%s: the newest state is of step %d", what, s.Step())
				}
				tried++
			}
		}
	}
	faulttest.Report(t, "11", tried)
}

func once(part string, forGood bool) bool { return part == "data" && !forGood }
