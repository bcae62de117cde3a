package datasets

import (
	"sync"

	"flowmatch/datasets/picture"
)

// pixelGate lets workers decode as long as their pictures together have no more
// pixels than the largest single one may: so memory does not grow with the workers.
type pixelGate struct {
	mu     sync.Mutex
	freed  *sync.Cond
	inside int64
}

func newPixelGate() *pixelGate {
	g := &pixelGate{}
	g.freed = sync.NewCond(&g.mu)
	return g
}

func (g *pixelGate) enter(pixels int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.inside+pixels > picture.Largest {
		g.freed.Wait()
	}
	g.inside += pixels
}

func (g *pixelGate) leave(pixels int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside -= pixels
	g.freed.Broadcast()
}
