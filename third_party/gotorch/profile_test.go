package gotorch

import (
	"errors"
	"testing"
	"time"
)

// Calls are counted where they are made: in f, on other threads, in gradients;
// and an operation that calls others has a line beside theirs.
func TestProfile(t *testing.T) {
	x := Ones([]int64{4, 64, 8}, true)
	found := map[string]OperationProfile{}
	Scoped(func() {
		for _, o := range Profile(func() {
			SumAll(RawGroupNormAct(x, Tensor{}, 32, Tensor{}, Tensor{}, 1e-5, true)).Backward()
			Parallel(3, func(int) { MatMul(Ones([]int64{2, 2}, false), Ones([]int64{2, 2}, false)) })
		}) {
			found[o.Name] = o
		}
	})
	for name, calls := range map[string]int{"gotorch::group_norm": 1, "aten::sum": 2, "SumBackward0": 1, "aten::matmul": 3, "aten::mm": 3} {
		if o := found[name]; o.Calls != calls || o.Time <= 0 || o.Time > time.Minute {
			t.Errorf("%s: %d calls in %v, want %d", name, o.Calls, o.Time, calls)
		}
	}
	for range 2 { // the second one after the first one has failed
		var e *Error
		if err := Try(func() { Profile(func() { Profile(func() {}) }) }); !errors.As(err, &e) || e.Op != "Profile" {
			t.Errorf("one in another: %v", err)
		}
	}
	if all := Profile(func() {}); len(all) != 0 {
		t.Errorf("of nothing: %v", all)
	}
}
