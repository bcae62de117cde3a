package trainer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// States that do not fit together, or not the run, are refused before any of it is changed. All of them have a seal that
// is right.
func TestHostileStates(t *testing.T) {
	const steps = 3
	r := planeRun(t, config(20), t.TempDir())
	l := loop{Run: r, done: steps, e: newEngine(r.Config, r.Network, torch.CPU)}
	e := l.e
	defer e.close()
	l.observe()
	whole := l.after(t, steps)
	file := func(change func(d *weights.Dict), record []byte) []byte {
		d := &weights.Dict{}
		for name, w := range whole.file.Tensors.All() {
			d.Set(name, w)
		}
		if change != nil {
			change(d)
		}
		kept := &weights.Dict{}
		for name, w := range d.All() {
			if w != nil {
				kept.Set(name, w)
			}
		}
		var b bytes.Buffer
		if err := pth.Write(&b, &weights.File{Tensors: kept, Record: record}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := whole.file.Record
	var cases []faulttest.Hostile
	set := func(name, tensor string, w *weights.Tensor, why string) {
		cases = append(cases, faulttest.Hostile{Name: name, Data: file(func(d *weights.Dict) { d.Set(tensor, w) }, good), Why: why})
	}
	spoilt := func(w *weights.Tensor, at int, v float64) *weights.Tensor {
		values, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		values[at] = float32(v)
		return weights.FromFloat32(values, w.Shape...)
	}
	for _, part := range []string{partModel, partEMA, partAvg, partAvgSq} {
		for _, name := range []string{"layers.0.weight", "layers.4.bias"} {
			tensor := part + name
			w := whole.file.Tensors.Get(tensor)
			if w == nil {
				t.Fatalf("there is no %s", tensor)
			}
			n := w.Numel()
			set("no "+tensor, tensor, nil, name)
			for what, other := range map[string]*weights.Tensor{
				"one number": weights.FromFloat32([]float32{1}, 1), "a number": weights.FromFloat32([]float32{1}, []int64{}...), "nothing": weights.FromFloat32(nil, 0),
				"a dimension more": zerosOf(weights.Float, append([]int64{1}, w.Shape...)...), "one long row": zerosOf(weights.Float, n+1),
				"doubles": zerosOf(weights.Double, w.Shape...), "halves": zerosOf(weights.Half, w.Shape...), "whole numbers": zerosOf(weights.Long, w.Shape...),
			} {
				set(tensor+" is "+what, tensor, other, name)
			}
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				set(fmt.Sprintf("%s has %v", tensor, bad), tensor, spoilt(w, int(n)-1, bad), name+" is not finite")
			}
		}
		why := "model.layers.9.weight is not there"
		if part == partModel {
			why = "layers.9.weight"
		}
		set("a tensor more in "+part, part+"layers.9.weight", weights.FromFloat32([]float32{1}), why)
	}
	for what, w := range map[string]*weights.Tensor{
		"not there": nil, "negative": weights.FromFloat32([]float32{-1}), "NaN": weights.FromFloat32([]float32{float32(math.NaN())}), "infinite": weights.FromFloat32([]float32{float32(math.Inf(1))}),
		"more than the steps": weights.FromFloat32([]float32{steps + 1}), "two": weights.FromFloat32([]float32{1, 1}), "none": weights.FromFloat32(nil, 0), "whole": weights.FromInt64([]int64{1}),
	} {
		set("the optimiser's steps are "+what, adamwSteps, w, adamwSteps)
	}
	for _, name := range []string{"losses", "grad_norms"} {
		for what, w := range map[string]*weights.Tensor{
			"not there": nil, "fewer": zerosOf(weights.Float, steps-1), "more": zerosOf(weights.Float, steps+1), "none": zerosOf(weights.Float, 0), "a square": zerosOf(weights.Float, steps, 1),
			"a number": zerosOf(weights.Float), "whole": zerosOf(weights.Long, steps), "truths": zerosOf(weights.Bool, steps),
		} {
			set(name+" are "+what, name, w, name)
		}
	}
	for what, w := range map[string]*weights.Tensor{"not there": nil, "more": zerosOf(weights.Float, 1, TimeBins), "whole": zerosOf(weights.Long, 0, TimeBins)} {
		set("losses by time are "+what, timeLossName, w, timeLossName)
	}
	for what, w := range map[string]*weights.Tensor{
		"not there": nil, "stretched": zerosOf(weights.Float, 2*TimeBins), "one": zerosOf(weights.Float, 1), "doubles": zerosOf(weights.Double, whole.file.Tensors.Get(timeLossSumName).Shape...),
		"infinite": spoilt(whole.file.Tensors.Get(timeLossSumName), 0, math.Inf(1)),
	} {
		set("sums of losses by time are "+what, timeLossSumName, w, timeLossSumName)
	}
	record := func(name, why string, change func(r *Record)) {
		var r Record
		if err := json.Unmarshal(good, &r); err != nil {
			t.Fatal(err)
		}
		change(&r)
		cases = append(cases, faulttest.Hostile{Name: name, Data: file(nil, mustJSON(r)), Why: why})
	}
	for _, step := range []int{0, -1, steps - 1, steps + 1, math.MaxInt} {
		record(fmt.Sprintf("of step %d", step), "steps", func(r *Record) { r.Training.Step = step })
	}
	cases = append(cases,
		faulttest.Hostile{Name: "no record", Data: file(nil, nil), Why: "not the state of a run"},
		faulttest.Hostile{Name: "another record", Data: file(nil, []byte(`{"format":1,"kind":1}`)), Why: "record"},
		faulttest.Hostile{Name: "a record of weights", Data: file(nil, []byte(`{"format":1}`)), Why: "network"},
	)
	before := rendered(t, whole)
	faulttest.Corpus(t, "8 states", cases, func(b []byte) error {
		f, err := pth.ReadFrom(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return err
		}
		s, err := stateOf(f)
		if err != nil {
			return err
		}
		return e.restore(s)
	})
	now, err := e.snapshot(l.record(), make([]float32, steps), make([]float32, steps))
	if err != nil || !slices.Equal(rendered(t, now), before) {
		t.Errorf("a state that was refused has changed the run, %v", err)
	}
	for done := range 20 { // and what is whole is taken
		s := l.after(t, done)
		f, err := pth.ReadFrom(bytes.NewReader(rendered(t, s)), int64(len(rendered(t, s))))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := stateOf(f); err != nil || back.Step() != done || e.restore(back) != nil {
			t.Errorf("the state of step %d: %v", done, err)
		}
	}
}
