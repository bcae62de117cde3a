package trainer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/faulttest"
)

// NaN and infinities in the loss alone and in one gradient alone, once and for good: such steps change no weight, and the
// next look names step and tensor; for good it ends the run with the same words.
func TestPoisonedAlone(t *testing.T) {
	const at, until = 5, 12
	tried := 0
	for part, want := range map[string]string{"loss": "the loss", "gradient": "the gradient of layers.2.weight"} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, forGood := range []bool{false, true} {
				what := fmt.Sprintf("%v in the %s, for good %v", bad, part, forGood)
				r := planeRun(t, config(200), t.TempDir())
				var notes []string
				r.Note = func(s string) { notes = append(notes, s) }
				r.Config = r.Config.Defaults()
				l := &loop{Run: r, start: time.Now(), lastSave: time.Now()}
				if err := l.open(nil); err != nil {
					t.Fatal(err)
				}
				var err error
				end := until
				if forGood {
					end = at + patience
				}
				for k := range end {
					taint := k == at || forGood && k > at
					before := torch.ToSlice[float32](l.e.params[0])
					torch.Scoped(func() {
						torch.ZeroGrad(l.e.params)
						loss, e := l.e.gradients(k, l.src, 1)
						if e != nil {
							t.Fatal(e)
						}
						torch.NoGrad(func() {
							switch {
							case !taint:
							case part == "loss":
								loss = torch.MulScalar(torch.AddScalar(torch.MulScalar(loss, 0), 1), bad)
							default:
								layer := slices.Index(l.e.names, "layers.2.weight")
								torch.Select(l.e.params[layer].Grad(), 0, 0).FillI(bad)
							}
							l.e.update(k, loss)
						})
					})
					l.e.filled++
					l.done++
					if same := slices.Equal(before, torch.ToSlice[float32](l.e.params[0])); same != taint {
						t.Errorf("%s: step %d, weights unchanged: %v", what, k+1, same)
					}
					if l.e.filled == 7 || k+1 == end { // looks do not meet the step
						if err = l.look(); err != nil {
							break
						}
					}
				}
				_ = l.close()
				note := fmt.Sprintf("step %d: %s is not finite", at+1, want)
				if !slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, note) }) {
					t.Errorf("%s: the notes are %q", what, notes)
				}
				if !forGood && (err != nil || l.watch.skipped != 1) {
					t.Errorf("%s: %v, %d steps were left out", what, err, l.watch.skipped)
				}
				var d *DivergedError
				if forGood && (!errors.As(err, &d) || d.Step != at+1 || !strings.HasPrefix(d.Error(), want+" is not finite since step 6")) {
					t.Errorf("%s: %v", what, err)
				}
				tried++
			}
		}
	}
	faulttest.Report(t, "11", tried)
}
