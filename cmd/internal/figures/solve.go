package figures

import (
	"context"
	"fmt"
	"iter"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
	"flowmatch/viz"
)

// counts are a figure's histograms of points, one for each of its times. The
// first of the samples are counted.
type counts struct {
	times []float64
	hists []*viz.Hist2D
	first int
}

func newCounts(times []float64, bins int, r viz.Range, first int) *counts {
	c := &counts{times: times, first: first}
	for range times {
		c.hists = append(c.hists, viz.NewHist2D(bins, r))
	}
	return c
}

// frames are those of a figure. shown, which may be nil, is called before each;
// they end when ctx does.
func (c *counts) frames(ctx context.Context, shown func(k int)) iter.Seq2[viz.Frame, error] {
	return func(yield func(viz.Frame, error) bool) {
		for k, t := range c.times {
			if ctx.Err() != nil {
				yield(viz.Frame{}, context.Cause(ctx))
				return
			}
			if shown != nil {
				shown(k)
			}
			if !yield(viz.Frame{T: t, Hist: c.hists[k]}, nil) {
				return
			}
		}
	}
}

// count solves samples of a draw and counts their states at the times of the
// figures. Those that several figures want are solved once. The draw says how
// many there are, and of which model; progress is told of all.
// name is the model's, for people.
func count(ctx context.Context, name string, draw flow.Sampling, figures ...*counts) error {
	// Stretches of samples that the same figures want: each has its own times.
	ends := []int{draw.N}
	for _, f := range figures {
		ends = append(ends, min(f.first, draw.N))
	}
	slices.Sort(ends)
	progress := draw.Progress
	first := 0
	for _, end := range slices.Compact(ends) {
		part := draw
		part.N, part.X0 = end-first, make([]float32, 2*(end-first))
		if part.N == 0 {
			continue
		}
		for i := range part.N {
			flow.Noise(part.X0[2*i:2*i+2], draw.Seed, int64(first+i))
		}
		var into [][]*viz.Hist2D // of every time
		part.FrameTimes, into = schedule(first, figures)
		part.Observe = func(frame, _ int, x []float32) {
			for _, h := range into[frame] {
				h.Add(x)
			}
		}
		before := first
		part.Progress = func(done, _ int) {
			if progress != nil {
				progress(before+done, draw.N)
			}
		}
		out, err := part.Draw(ctx)
		if err != nil {
			return err
		}
		if !flow.Finite(out.X) { // of which nothing would be seen
			return notFinite(name)
		}
		first = end
	}
	return nil
}

// notFinite is said of samples that are not drawn.
func notFinite(of string) error {
	return fmt.Errorf("samples of %s are not finite, and nothing is drawn of them: the weights are damaged, or their training diverged", of)
}

// schedule is the times at which figures want the sample, in order, and the
// histograms that each is for.
func schedule(sample int, figures []*counts) (times []float64, into [][]*viz.Hist2D) {
	for _, f := range figures {
		if sample < f.first {
			times = append(times, f.times...)
		}
	}
	slices.Sort(times)
	times = slices.Compact(times)
	into = make([][]*viz.Hist2D, len(times))
	for _, f := range figures {
		if sample >= f.first {
			continue
		}
		for k, t := range f.times {
			at, _ := slices.BinarySearch(times, t)
			into[at] = append(into[at], f.hists[k])
		}
	}
	return times, into
}

// Fields are a model's velocities at the middles of the cells of a grid, at all
// times. The error is ctx's cause, when it ends.
func Fields(ctx context.Context, v flow.Velocity, d torch.Device, r viz.Range, grid int, times []float64) ([]viz.Field, error) {
	places := viz.FieldGrid(r, grid)
	all := make([]viz.Field, len(times))
	for k, t := range times {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		torch.Scoped(func() {
			torch.NoGrad(func() {
				x := torch.FromSlice(places, int64(len(places)/2), 2).To(d)
				dx := v.Field(torch.Tensor{})(x, t)
				all[k] = viz.Field{T: t, V: slices.Clone(torch.ToSlice[float32](dx))}
			})
		})
	}
	return all, nil
}
