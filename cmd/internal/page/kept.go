package page

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
)

// drawnTraining is what a page saw of a training on a drawing, for pages that show the same
// drawing later: they need not train.
type drawnTraining struct {
	of [sha256.Size]byte // its request

	Start trainStart `json:"start"`
	Steps []int      `json:"steps"` // of the looks at it
	Loss  []float64  `json:"loss"`  // mean since the look before
	Film  *trainFilm `json:"film"`  // the last
	Done  trainDone  `json:"done"`
}

// saw takes a look.
func (d *drawnTraining) saw(p trainProgress) {
	if len(p.Loss) == 0 {
		return
	}
	sum := 0.0
	for _, l := range p.Loss {
		sum += l
	}
	d.Steps, d.Loss = append(d.Steps, p.Step), append(d.Loss, sum/float64(len(p.Loss)))
}

// digest is equal for equal requests.
func (a *trainRequest) digest() [sha256.Size]byte {
	b, _ := json.Marshal(a) // of finite numbers: it never fails
	return sha256.Sum256(b)
}

// keptAnswer has the training of the same drawing, steps and seed, if that is still kept.
type keptAnswer struct {
	Kept *drawnTraining `json:"kept"`
}

// keptTraining looks for a training that was done before. It computes nothing.
func (s *Server) keptTraining(w http.ResponseWriter, r *http.Request) {
	ask, err := read[trainRequest](r)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, keptAnswer{s.trainingOf(ask.digest())})
}

// trainingOf is the last training of a request, nil if none is kept.
func (s *Server) trainingOf(digest [sha256.Size]byte) (found *drawnTraining) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		if k.of == digest {
			found = &k
		}
	}
	return found
}
