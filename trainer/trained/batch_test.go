package trained

import "testing"

func TestBatch(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name            string
		perSample, work int
		room            int64
		want            int
	}{
		{"points", 2048, 8192, 1 << 30, 8192},
		{"a layer of 64 MB", mb, 2 * mb, 1 << 30, 64},
		{"scores of attention", mb / 4, 10 * mb, 1 << 30, 102},
		{"a small GPU", mb / 4, 10 * mb, 100 * mb, 10},
		{"a full GPU", mb / 4, 10 * mb, mb, 1},
		{"a picture beyond all", 100 * mb, 4000 * mb, 1 << 30, 1},
	} {
		if got := batch(c.perSample, c.work, 64*mb, c.room); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
