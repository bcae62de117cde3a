package trainer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

// hostilePairs are pairs of a teacher of three classes, with a file that holds them and all that may be wrong with it.
type hostilePairs struct {
	*Pairs
	t      *testing.T
	record map[string]any
	cases  []faulttest.Hostile
}

const pairsHeld = 6

func newHostilePairs(t *testing.T) *hostilePairs {
	calls := 0
	p := &Pairs{Teacher: driftTeacher(t, 3, &calls), Config: ReflowConfig{Teacher: "t", Solver: "s", Pairs: pairsHeld, Round: 1}, Seed: 1, PerFile: pairsHeld}
	h := &hostilePairs{Pairs: p, t: t}
	if err := json.Unmarshal(mustJSON(p.record(0)), &h.record); err != nil {
		t.Fatal(err)
	}
	return h
}

// file renders the pairs with a tensor in the place of x1 or y, nil for none, and a text as their record.
func (h *hostilePairs) file(name string, w *weights.Tensor, record []byte) []byte {
	d := &weights.Dict{}
	for _, part := range []struct {
		name string
		w    *weights.Tensor
	}{
		{"x1", weights.FromFloat32([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, pairsHeld, 2)},
		{"y", weights.FromInt64([]int64{0, 1, 2, 0, 1, 2})},
	} {
		if part.name == name {
			part.w = w
		}
		if part.w != nil {
			d.Set(part.name, part.w)
		}
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, &weights.File{Tensors: d, Record: record}); err != nil {
		h.t.Fatal(err)
	}
	return b.Bytes()
}

// with is a record with a field that is another value, or is not there where that is nil.
func (h *hostilePairs) with(field string, value any) []byte {
	r := make(map[string]any)
	for k, v := range h.record {
		r[k] = v
	}
	r[field] = value
	if value == nil {
		delete(r, field)
	}
	return mustJSON(r)
}

func (h *hostilePairs) add(name string, data []byte, why string) {
	h.cases = append(h.cases, faulttest.Hostile{Name: name, Data: data, Why: why})
}

// zerosOf is a tensor of a type and a shape.
func zerosOf(d weights.DType, shape ...int64) *weights.Tensor {
	w := &weights.Tensor{DType: d, Shape: shape}
	w.Data = make([]byte, weights.ByteSize(d, shape))
	return w
}

// Pairs of another's making, or damaged ones, are never trained on.
func TestHostilePairs(t *testing.T) {
	h := newHostilePairs(t)
	good := mustJSON(h.record)
	for d := weights.Float; d <= weights.Bool; d++ {
		if d != weights.Float {
			h.add(fmt.Sprintf("x1 of %s", d), h.file("x1", zerosOf(d, pairsHeld, 2), good), "6 pairs of")
		}
		if d != weights.Long {
			h.add(fmt.Sprintf("y of %s", d), h.file("y", zerosOf(d, pairsHeld), good), "classes of 6 pairs")
		}
	}
	for _, shape := range [][]int64{{}, {6}, {12}, {6, 1}, {6, 3}, {5, 2}, {7, 2}, {2, 6}, {6, 2, 1}, {1, 6, 2}, {0, 2}, {6, 0}, {1, 1}, {3, 2, 2}} {
		h.add(fmt.Sprintf("x1 of shape %v", shape), h.file("x1", zerosOf(weights.Float, shape...), good), "6 pairs of")
	}
	for _, shape := range [][]int64{{}, {0}, {1}, {5}, {7}, {6, 1}, {1, 6}, {2, 3}, {6, 0}} {
		h.add(fmt.Sprintf("y of shape %v", shape), h.file("y", zerosOf(weights.Long, shape...), good), "classes of 6 pairs")
	}
	for i := range 2 * pairsHeld {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			values := make([]float32, 2*pairsHeld)
			values[i] = float32(bad)
			h.add(fmt.Sprintf("number %d is %v", i, bad), h.file("x1", weights.FromFloat32(values, pairsHeld, 2), good), "not finite")
		}
	}
	for i := range pairsHeld {
		for _, class := range []int64{-1, 3, int64(i+1) % 3, 1 << 40, math.MinInt64} {
			y := []int64{0, 1, 2, 0, 1, 2}
			y[i] = class
			h.add(fmt.Sprintf("pair %d of class %d", i, class), h.file("y", weights.FromInt64(y), good), fmt.Sprintf("pair %d has class %d", i, class))
		}
	}
	h.add("no x1", h.file("x1", nil, good), "6 pairs of")
	h.add("no y", h.file("y", nil, good), "classes of 6 pairs")
	h.add("no record", h.file("", nil, nil), "no record of pairs")
	for field, values := range map[string][]any{
		"kind":   {nil, "", "mlp", "Pairs", 1, []int{}, map[string]int{}},
		"seed":   {nil, 2, -1, "1", 1.5, []int{1}},
		"first":  {6, -6, "0", 0.5, true}, // where there is none it is 0
		"reflow": {nil, "x", 1, []int{}, map[string]any{}, map[string]any{"teacher": "t", "solver": "s", "pairs": 6, "round": 2}},
	} {
		for _, v := range values {
			h.add(fmt.Sprintf("%s is %v", field, v), h.file("", nil, h.with(field, v)), "pairs")
		}
	}
	for field, v := range map[string]any{"teacher": "another", "solver": "euler", "guidance": "2", "pairs": 7, "round": 0, "distill": true} {
		r := map[string]any{"teacher": "t", "solver": "s", "pairs": pairsHeld, "round": 1}
		r[field] = v
		h.add("of another "+field, h.file("", nil, h.with("reflow", r)), "other pairs")
	}
	faulttest.Corpus(t, "8 pairs", h.cases, h.parse)
	for name, b := range h.goods() {
		if err := h.parse(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (h *hostilePairs) parse(b []byte) error {
	f, err := safetensors.ReadFrom(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	_, _, err = h.check(f, 0, pairsHeld)
	return err
}

// goods are pairs whose numbers are unusual and right.
func (h *hostilePairs) goods() map[string][]byte {
	good := mustJSON(h.record)
	all := map[string][]byte{"as drawn": h.file("", nil, good), "with a further field": h.file("", nil, h.with("more", 1))}
	for _, v := range []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40, -1e-40, 1, -1, 0.5, 1e10, 1e20, 1e30, 1e-10, 1e-20, 1e-30, 3, 7, 100} {
		x := make([]float32, 2*pairsHeld)
		for i := range x {
			x[i] = v
		}
		all[fmt.Sprint("all ", v)] = h.file("x1", weights.FromFloat32(x, pairsHeld, 2), good)
	}
	return all
}
