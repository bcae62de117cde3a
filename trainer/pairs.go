package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/strictjson"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets"
	"flowmatch/flow"
)

// PairsDir is the folder of a reflow run that holds its pairs.
const PairsDir = "pairs"

// Pairs are a teacher's pairs, drawn once and kept in files, of which a stop
// loses at most the one being drawn:
//
//	pairs/00000.safetensors   x1: [n,Shape...] float32, y: [n] int64 where there are classes
//
// The noise x0 is a function of the seed and the pair's number, and not stored.
type Pairs struct {
	Teacher Teacher
	Config  ReflowConfig
	Seed    int64 // of the run
	Dir     string
	PerFile int // pairs in a file
	// Borrowed pairs are another run's, of a teacher that is not at hand: what
	// is missing or damaged cannot be drawn, and is a *BorrowedError.
	Borrowed bool
	// Resumed pairs are of a run that goes on: no others serve it.
	Resumed bool
	// Held is an error where Dir is another run's by now; nil: it never is.
	Held func() error

	x1 []float32
	y  []int64
}

// pairsRecord is what a file of pairs says of itself.
type pairsRecord struct {
	Format int          `json:"format"`
	Kind   string       `json:"kind"` // "pairs"
	Reflow ReflowConfig `json:"reflow"`
	Seed   int64        `json:"seed"`
	First  int          `json:"first"`
}

// Bytes is the size of all pairs' files.
func (p *Pairs) Bytes() int64 {
	n := int64(p.Config.Pairs) * torch.Numel(p.Teacher.Shape)
	if p.Teacher.Classes > 0 {
		n += 2 * int64(p.Config.Pairs)
	}
	return 4 * n
}

// Ready is how many pairs the files in Dir hold already.
func (p *Pairs) Ready() int {
	n := 0
	for first := 0; first < p.Config.Pairs; first += p.PerFile {
		if _, err := disk.Stat(p.file(first)); err == nil {
			n += min(p.PerFile, p.Config.Pairs-first)
		}
	}
	return n
}

// Load reads the pairs from their files, and draws those that are missing.
// Files of other pairs, or damaged ones, are set aside and drawn anew; note says so.
func (p *Pairs) Load(ctx context.Context, progress func(done, of int), note func(string)) error {
	if !p.Borrowed {
		if err := atomicfile.OutputFolder(p.Dir); err != nil {
			return fmt.Errorf("the folder of the pairs cannot be made: %w", err)
		}
	}
	dim := int(p.Bytes()/4) / max(1, p.Config.Pairs)
	if p.Teacher.Classes > 0 {
		dim -= 2
	}
	p.x1 = make([]float32, 0, dim*p.Config.Pairs)
	p.y = nil
	for first := 0; first < p.Config.Pairs; first += p.PerFile {
		n := min(p.PerFile, p.Config.Pairs-first)
		x1, y, err := p.read(first, n)
		if err != nil {
			if p.Borrowed {
				return &BorrowedError{p.Config.Pairs, p.Resumed, err}
			}
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case damaged(err), errors.Is(err, safetensors.ErrNotSafetensors), errors.Is(err, errOtherPairs):
				kept, failed := p.setAside(first)
				if failed != nil {
					return failed
				}
				note("drawn anew: " + err.Error() + "; kept as " + kept)
			default: // it may be whole
				return fmt.Errorf("the pairs cannot be read: %w", err)
			}
			if x1, y, err = p.Teacher.draw(ctx, p.Config.seedOf(p.Seed), first, n, func(done int) { progress(first+done, p.Config.Pairs) }); err != nil {
				return err
			}
			if err := p.write(first, x1, y); err != nil {
				return err
			}
		}
		p.x1, p.y = append(p.x1, x1...), append(p.y, y...)
		progress(first+n, p.Config.Pairs)
	}
	return nil
}

// BorrowedError is of another run's pairs that are missing or damaged.
type BorrowedError struct {
	Pairs   int  // that there should be
	Resumed bool // of a run that goes on, which no others serve
	Err     error
}

func (e *BorrowedError) Error() string { return e.Err.Error() }
func (e *BorrowedError) Unwrap() error { return e.Err }

func (p *Pairs) file(first int) string {
	return filepath.Join(p.Dir, fmt.Sprintf("%05d.safetensors", first/p.PerFile))
}

func (p *Pairs) record(first int) pairsRecord {
	c := p.Config
	c.Distill = false // the same pairs serve both
	return pairsRecord{1, "pairs", c, p.Seed, first}
}

// setAside keeps a file that does not hold the pairs, which may be of other use.
func (p *Pairs) setAside(first int) (string, error) {
	if p.Held != nil {
		if err := p.Held(); err != nil {
			return "", fmt.Errorf("the pairs were not drawn anew: %w", err)
		}
	}
	return SetAside(p.file(first))
}

func (p *Pairs) write(first int, x1 []float32, y []int64) error {
	n := int64(min(p.PerFile, p.Config.Pairs-first))
	d := &weights.Dict{}
	d.Set("x1", weights.FromFloat32(x1, append([]int64{n}, p.Teacher.Shape...)...))
	if !d.Get("x1").Finite() {
		return errTeacher
	}
	if y != nil {
		d.Set("y", weights.FromInt64(y, n))
	}
	if p.Held != nil {
		if err := p.Held(); err != nil {
			return fmt.Errorf("the pairs were not saved: %w", err)
		}
	}
	file := &weights.File{Tensors: d, Record: mustJSON(p.record(first))}
	if err := atomicfile.Replace(p.file(first), func(w io.Writer) error { return safetensors.Write(w, file) }); err != nil {
		return fmt.Errorf("the pairs were not saved: %w", err)
	}
	return nil
}

func (p *Pairs) read(first, n int) (x1 []float32, y []int64, err error) {
	path := p.file(first)
	f, err := safetensors.Read(path)
	if err != nil {
		return nil, nil, err
	}
	if x1, y, err = p.check(f, first, n); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return x1, y, nil
}

// errOtherPairs is a file of pairs that are not those asked for, or are none.
var errOtherPairs = errors.New("other pairs")

// check takes the pairs of a file apart, which may be anybody's.
func (p *Pairs) check(f *weights.File, first, n int) (x1 []float32, y []int64, err error) {
	var r pairsRecord
	if f.Record == nil || strictjson.Unmarshal(f.Record, &r) != nil {
		return nil, nil, fmt.Errorf("%w: it has no record of pairs", errOtherPairs)
	}
	if want := p.record(first); r != want {
		was, _ := json.Marshal(r.Reflow)
		return nil, nil, fmt.Errorf("it holds %w, %s", errOtherPairs, was)
	}
	x, labels := f.Tensors.Get("x1"), f.Tensors.Get("y")
	want := append([]int64{int64(n)}, p.Teacher.Shape...)
	switch {
	case x == nil || !slices.Equal(x.Shape, want) || x.DType != weights.Float:
		return nil, nil, fmt.Errorf("%w: it does not hold %d pairs of %v", weights.ErrDamaged, n, p.Teacher.Shape)
	case !x.Finite():
		return nil, nil, fmt.Errorf("%w: its samples are not finite", weights.ErrDamaged)
	case (labels == nil) != (p.Teacher.Classes == 0), labels != nil && (labels.DType != weights.Long || !slices.Equal(labels.Shape, want[:1])):
		return nil, nil, fmt.Errorf("%w: it does not hold the classes of %d pairs", weights.ErrDamaged, n)
	}
	if x1, err = x.Float32s(); err != nil || labels == nil {
		return x1, nil, err
	}
	if y, err = labels.Int64s(); err != nil {
		return nil, nil, err
	}
	for i, c := range y {
		if want := int64((first + i) % p.Teacher.Classes); c != want {
			return nil, nil, fmt.Errorf("%w: pair %d has class %d, not %d", weights.ErrDamaged, first+i, c, want)
		}
	}
	return x1, y, nil
}

// Source gives the pairs in batches, in a new order every epoch, the last
// short batch dropped; batch start comes first. Load comes before.
func (p *Pairs) Source(c Config, start int) (Source, error) {
	if c.BatchSize > p.Config.Pairs {
		return nil, fmt.Errorf("%d pairs do not make a batch of %d", p.Config.Pairs, c.BatchSize)
	}
	return &keptPairs{Pairs: p, c: c, next: start, epoch: -1, seed: p.Config.seedOf(p.Seed)}, nil
}

type keptPairs struct {
	*Pairs
	c      Config
	seed   int64
	next   int // batch
	epoch  int
	order  []int32
	waited time.Duration
}

// Batch gathers a batch of the pairs.
func (k *keptPairs) Batch() (b Batch, err error) {
	begin := time.Now()
	perEpoch := datasets.StepsPerEpoch(k.Config.Pairs, k.c.BatchSize)
	if e := k.next / perEpoch; e != k.epoch {
		k.epoch, k.order = e, datasets.Permutation(k.Config.Pairs, k.c.Seed, e)
	}
	n := k.c.BatchSize
	at := k.order[k.next%perEpoch*n:][:n]
	k.next++

	dim := len(k.x1) / k.Config.Pairs
	x0, x1 := make([]float32, n*dim), make([]float32, n*dim)
	var y []int64
	for i, j := range at {
		k.Teacher.noise(x0[i*dim:(i+1)*dim], k.seed, int(j))
		copy(x1[i*dim:], k.x1[int(j)*dim:(int(j)+1)*dim])
		if k.y != nil {
			y = append(y, k.y[j])
		}
	}
	d := k.Teacher.Device
	shape := append([]int64{int64(n)}, k.Teacher.Shape...)
	b.X0, b.X1 = toDevice(torch.FromSlice(x0, shape...), d), toDevice(torch.FromSlice(x1, shape...), d)
	if y != nil {
		b.Y = toDevice(torch.FromSlice(y, int64(n)), d)
	}
	k.waited += time.Since(begin)
	return b, nil
}

func (k *keptPairs) Waited() time.Duration { return k.waited }
func (k *keptPairs) Close()                {}

// Estimate is how long the missing pairs will take, by one timed evaluation of
// the teacher; false where the number of evaluations is not known before.
func (p *Pairs) Estimate() (time.Duration, bool) {
	s, ok := p.Teacher.Solver.(flow.FixedStep)
	left := p.Config.Pairs - p.Ready()
	if !ok || left == 0 {
		return 0, ok
	}
	n := min(left, p.PerFile)
	if p.Teacher.Batch > 0 {
		n = min(n, p.Teacher.Batch)
	}
	one := p.Teacher
	one.Solver = flow.FixedStep{Method: s.Method, Steps: 1}
	var took time.Duration
	for range 2 { // the first one also makes ready
		begin := time.Now()
		if _, _, err := one.draw(context.Background(), 0, 0, n, nil); err != nil {
			return 0, false
		}
		took = time.Since(begin)
	}
	return time.Duration(float64(took) * float64(s.Steps) * float64(left) / float64(n)), true
}
