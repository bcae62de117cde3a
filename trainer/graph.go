package trainer

import (
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// A step on a GPU is a hundred to some thousand small pieces of work, and telling the
// device each of them takes longer than many of them do. Recorded as one graph they
// are told in one call. All that changes from step to step is on the device: the
// data in inputs of fixed places, the random numbers' seeds with the generators, the
// rest in a deviceSchedule. The numbers are those of steps that are not recorded.

// warmSteps are done before a step is recorded: libraries choose their ways and make
// their work spaces meanwhile, which a capture does not allow.
const warmSteps = 4

// recorder makes work on a device into work that is done again in one call.
type recorder interface {
	record(generators []*torch.Generator, work func()) recorded
}

// recorded is such work. A *torch.CUDAGraph is one.
type recorded interface {
	Replay()
	Nodes() (all, kernels int)
	Close()
}

// graphs are a GPU's.
type graphs struct{ device torch.Device }

func (g graphs) record(generators []*torch.Generator, work func()) recorded {
	// The graph has memory of its own, and what the steps before have left for each
	// other is not needed again.
	torch.Synchronize(g.device)
	torch.CUDAEmptyCache()
	return torch.Capture(generators, work)
}

// stepGraph is a recorded step.
type stepGraph struct {
	work recorded
	in   []Batch            // whence it takes the data, one for each batch that is accumulated
	gens []*torch.Generator // whence the random numbers; the first is the engine's
}

// recordable tells whether a step can be recorded: networks' own random numbers come
// from one generator of libtorch's, which is seeded anew for every batch.
func (e *engine) recordable() bool {
	return e.recorder != nil && !(e.dropout && e.c.Accumulate > 1)
}

// record makes a stepGraph of the work of a step whose batches look like these.
func (e *engine) record(like []Batch) *stepGraph {
	g := &stepGraph{}
	torch.Outside(func() {
		torch.NoGrad(func() {
			for i, b := range like {
				g.in = append(g.in, Batch{X1: place(b.X1), X0: place(b.X0), Y: place(b.Y)})
				gen := e.gen
				if i > 0 {
					gen = torch.NewGenerator(e.device, 0)
				}
				g.gens = append(g.gens, gen)
			}
		})
	})
	done := false
	defer func() {
		if !done {
			g.close()
		}
	}()
	g.work = e.recorder.record(g.gens, func() { torch.Scoped(func() { e.work(g) }) })
	done = true
	return g
}

// place is memory for a tensor like t, if there is one.
func place(t torch.Tensor) torch.Tensor {
	if t.T == nil {
		return t
	}
	return torch.EmptyLike(t)
}

// work is a step without its data and seeds.
func (e *engine) work(g *stepGraph) {
	torch.ZeroGrad(e.params)
	e.rounded.Refresh()
	var total torch.Tensor
	for i, in := range g.in {
		var b batch
		b.xt, b.t, b.u, b.y = e.objective.Draw(g.gens[i], in.X0, in.X1, in.Y)
		loss := e.learn(b, 1/float64(len(g.in)))
		if i == 0 {
			total = loss
		} else {
			total = torch.Add(total, loss, 1)
		}
	}
	torch.NoGrad(func() { e.update(0, total) })
}

// replay does step k on the batches.
func (e *engine) replay(k int, batches []Batch) error {
	g := e.graph
	for i, b := range batches {
		for _, c := range []struct{ to, from torch.Tensor }{{g.in[i].X1, b.X1}, {g.in[i].X0, b.X0}, {g.in[i].Y, b.Y}} {
			switch {
			case (c.to.T == nil) != (c.from.T == nil) || c.to.T != nil && !slices.Equal(c.to.Shape(), c.from.Shape()):
				return fmt.Errorf("trainer: the data of step %d are not shaped as those before", k+1)
			case c.to.T != nil:
				torch.NoGrad(func() { c.to.CopyI(c.from) })
			}
		}
		m := k*e.c.Accumulate + i
		g.gens[i].Seed(flow.Mix(uint64(e.c.Seed), uint64(m), drawNoise))
		e.seedDropout(m)
	}
	g.work.Replay()
	return nil
}

// recordedStep does step k by a graph, which it makes when enough steps were done. Where
// that fails, steps go on as before, and why says so once.
func (e *engine) recordedStep(k int, src Source) (err error) {
	batches := make([]Batch, e.c.Accumulate)
	for i := range batches {
		if batches[i], err = e.data(src); err != nil {
			return err
		}
	}
	if e.kept {
		e.rounded.Refresh() // what a graph counts on, as its own update keeps them: others may have been at it
	}
	if e.graph == nil {
		if failed := torch.Try(func() { e.graph = e.record(batches) }); failed != nil {
			e.recorder, e.unrecorded = nil, failed
			return e.eager(k, &held{batches: batches})
		}
	}
	return e.replay(k, batches)
}

// held is data that a source has given already.
type held struct {
	Source
	batches []Batch
}

func (h *held) Batch() (Batch, error) {
	b := h.batches[0]
	h.batches = h.batches[1:]
	return b, nil
}

// forget lets the graph and its memory go.
func (e *engine) forget() {
	if e.graph != nil {
		torch.Synchronize(e.device)
		e.graph.close()
		e.graph = nil
	}
}

func (g *stepGraph) close() {
	if g.work != nil {
		g.work.Close()
	}
	for i, b := range g.in {
		for _, t := range []torch.Tensor{b.X1, b.X0, b.Y} {
			t.Close()
		}
		if i > 0 { // the first is the engine's
			g.gens[i].Close()
		}
	}
}
