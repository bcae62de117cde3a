package datasets

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wangkuiyi/gotorch/freememory"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/picture"
	"flowmatch/datasets/set"
)

// Of bad pictures so many are named, and more than one in badOneIn of all is an
// error.
const (
	badNamed = 5
	badOneIn = 10
)

// openFolder reads folder:DIR. All pictures stay in memory as bytes, 3*S*S each,
// and must fit there; while they are read, up to 64 million pixels more are held
// decoded, for which a progressive JPEG takes about 20 bytes each.
//
// It has a test part of its own where it is parted into folders for that.
func openFolder(info Info, opts Options) (*Images, error) {
	return readFolder(info, opts, freememory.Bytes())
}

// readFolder has so many bytes of memory to use; 0 is any number.
func readFolder(info Info, opts Options, memory int64) (*Images, error) {
	ctx := opts.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	stop := func() error { return context.Cause(ctx) }
	tree, err := listClasses(info)
	if err != nil {
		return nil, err
	}
	if err := tree.listPictures(opts.Split, stop); err != nil {
		return nil, err
	}
	info.ClassNames = tree.classes
	if info.Shape == nil {
		size, err := tree.chooseSize(opts.Split, stop)
		if err != nil {
			return nil, err
		}
		info.Shape = []int{3, size, size}
	}
	im, err := tree.read(info, opts, memory, tree.open)
	if err != nil {
		return nil, err
	}
	im.Undivided = !tree.divided()
	if tree.classes == nil {
		im.Labels = nil
	}
	return im, nil
}

func (t *folderTree) open(path string) (readSeekCloser, int64, error) {
	return userfile.Open(filepath.Join(t.dir, path))
}

// pictureOpener opens a picture of a set, whose length it gives.
type pictureOpener func(path string) (readSeekCloser, int64, error)

type readSeekCloser interface {
	io.ReadSeeker
	io.Closer
}

// read reads the pictures that were listed.
func (tree *folderTree) read(info Info, opts Options, memory int64, open pictureOpener) (*Images, error) {
	ctx := opts.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	stop := func() error { return context.Cause(ctx) }
	info = info.Clone() // its channels are still to be chosen
	info.Shape[0] = 3
	n, d := len(tree.pictures), info.Dim()
	if need := int64(n) * int64(d+1); memory > 0 && need > memory/10*9 {
		return nil, tree.fault(tree.dir, fmt.Sprintf("%d pictures at %dx%d take %s of memory, and %s are free",
			n, info.Shape[1], info.Shape[2], inUnits(need), inUnits(memory)), "choose a smaller "+set.ImageSize+", or take fewer pictures", nil)
	}
	im := &Images{Info: info, Pixels: make([]uint8, n*d), Labels: make([]uint8, n)}
	bad, done, sums := make([]error, n), make([]picture.Treatment, n), make([][sha256.Size]byte, n)
	err := decodeAll(n, opts.Progress, stop, func(i int, gate *pixelGate) {
		im.Labels[i] = uint8(tree.pictures[i].class)
		sums[i], done[i], bad[i] = squareFile(open, tree.pictures[i].path, info.Shape[1], gate, im.Pixels[i*d:(i+1)*d])
	})
	if err != nil {
		return nil, err
	}
	if err := tree.drop(im, bad); err != nil {
		return nil, err
	}
	var all picture.Treatments
	im.Files = &Inventory{}
	for i, err := range bad {
		if err == nil {
			all.Add(done[i])
		}
		im.Files.Add(tree.pictures[i].path, sums[i]) // a bad one, once mended, is a change too
	}
	if note := all.String(); note != "" {
		tree.warn("%s", note)
	}
	if note := im.chooseChannels(opts.Channels); note != "" {
		tree.warn("%s", note)
	}
	im.Warnings = tree.warnings
	return im, nil
}

// decodeAll calls decode for 0..n-1 from as many goroutines as there are
// processors. It ends early with the error of stop, or with a worker's panic.
func decodeAll(n int, progress func(done, total int), stop func() error, decode func(i int, gate *pixelGate)) error {
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		gate   = newPixelGate()
		report = reporter{call: progress, total: n}
		broken atomic.Pointer[PanicError]
	)
	work := func() {
		defer func() {
			if v := recover(); v != nil {
				broken.CompareAndSwap(nil, &PanicError{Value: v, Stack: debug.Stack()})
			}
		}()
		for stop() == nil && broken.Load() == nil {
			i := int(next.Add(1) - 1)
			if i >= n {
				return
			}
			decode(i, gate)
			report.one()
		}
	}
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(work)
	}
	wg.Wait()
	if p := broken.Load(); p != nil {
		return p
	}
	return stop()
}

// reporter counts what is done, and says so 20 times a second at most.
type reporter struct {
	call  func(done, total int)
	total int

	mu   sync.Mutex
	done int
	told time.Time
}

func (r *reporter) one() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if now := time.Now(); r.call != nil && (r.done == r.total || now.Sub(r.told) > 50*time.Millisecond) {
		r.told = now
		r.call(r.done, r.total)
	}
}

// drop takes the bad pictures out of im, says which, and refuses where there are
// too many of them.
func (t *folderTree) drop(im *Images, bad []error) error {
	d := im.Dim()
	kept := 0
	var named []string
	inClass := make([]int, max(1, len(t.classes)))
	for i, err := range bad {
		if err != nil {
			if len(named) < badNamed {
				named = append(named, fmt.Sprintf("%s (%s)", t.pictures[i].path, userfile.PlainCause(err)))
			}
			continue
		}
		copy(im.Pixels[kept*d:(kept+1)*d], im.Pixels[i*d:(i+1)*d])
		im.Labels[kept] = im.Labels[i]
		inClass[im.Labels[i]]++
		kept++
	}
	dropped := len(bad) - kept
	im.Pixels, im.Labels = im.Pixels[:kept*d], im.Labels[:kept]
	if dropped == 0 {
		return nil
	}
	if dropped > len(named) {
		named = append(named, fmt.Sprintf("and %d more", dropped-len(named)))
	}
	what := fmt.Sprintf("%d of %d %s cannot be used: %s", dropped, len(bad), set.Noun(len(bad), "picture"), strings.Join(named, ", "))
	if dropped*badOneIn > len(bad) {
		return t.fault(t.dir, what, "repair them or move them away", nil)
	}
	for class, name := range t.classes {
		if inClass[class] == 0 {
			return t.fault(filepath.Join(t.dir, name), "none of its pictures can be used; "+what, "repair them or move the sub-folder away", nil)
		}
	}
	t.warn("%s: passed over", what)
	return nil
}

// inUnits is a number of bytes for people.
func inUnits(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}
