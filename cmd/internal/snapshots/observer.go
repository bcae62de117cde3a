package snapshots

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/flow"
	"flowmatch/trainer"
)

// Dir is the folder of the pictures in that of a run, and FilmFile the film of them.
const (
	Dir      = "progress"
	FilmFile = "progress.gif"
)

// Observer draws pictures of a run on its way. One that cannot be drawn or written is no
// reason to end the run: it is left out, with a note.
type Observer struct {
	Run     string // the run's folder
	Name    string // of what is trained, in the pictures' titles: "digits"
	Painter Painter
	Total   int             // steps of the run in all
	Batch   int             // samples of a step
	Every   int             // steps between pictures; 0: about ten of them, see share
	Context context.Context // a picture ends with it; nil: none does
	Held    func() error    // an error where the folder is another run's by now; nil: it never is
	Note    func(string)    // a line for the user; may be nil
	// Board shows the pictures, too; may be nil.
	Board *trainer.TensorBoard

	pacing pacing
	next   int
	failed bool // and was told
}

// Tag is the pictures' name on TensorBoard.
const Tag = "samples"

// Start takes back the pictures of steps that are to be done again.
func (o *Observer) Start(past []trainer.Metric) error {
	o.pacing = pacing{first: len(past), total: o.Total, every: o.Every}
	o.next = o.pacing.after(len(past))
	_ = atomicfile.SweepFolder(filepath.Join(o.Run, Dir)) // of a killed process; what stays does no harm
	steps, err := o.steps()
	if err != nil {
		o.fail(err)
		return nil
	}
	for _, step := range steps {
		if step > len(past) {
			if err := disk.Remove(o.path(step)); err != nil {
				o.fail(err)
			}
		}
	}
	return nil
}

// Due is the step after which the next picture may be drawn.
func (o *Observer) Due() int { return o.next }

// Look draws a picture if it is time for one.
func (o *Observer) Look(l trainer.Look) error {
	if l.Step != o.next {
		return nil
	}
	o.next = o.pacing.after(l.Step)
	if !o.pacing.wanted(l.Step, l.StepsPerSecond, o.estimate(l.StepsPerSecond)) {
		return nil
	}
	began := time.Now()
	err := l.Learnt(func(v flow.Velocity) error { return o.draw(v, l.Step) })
	o.pacing.took(time.Since(began))
	if err != nil {
		o.fail(err)
	}
	return nil
}

// Flush does nothing: pictures are written at once.
func (o *Observer) Flush() error { return nil }

// Close does nothing.
func (o *Observer) Close() error { return nil }

// drawing is about what a picture costs besides its samples.
const drawing = 30 * time.Millisecond

// estimate is what a picture may cost: a step takes as long as three evaluations of its
// samples.
func (o *Observer) estimate(rate float64) time.Duration {
	steps := float64(o.Painter.Evaluations()) / float64(3*max(1, o.Batch))
	return drawing + time.Duration(steps/rate*float64(time.Second))
}

func (o *Observer) draw(v flow.Velocity, step int) error {
	ctx := o.Context
	if ctx == nil {
		ctx = context.Background()
	}
	page, err := o.Painter.Paint(ctx, v, o.Name+", step "+terminal.Count(int64(step)))
	if err != nil {
		if ctx.Err() != nil {
			return nil // the run is asked to stop
		}
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, page); err != nil {
		return err
	}
	if o.Board != nil {
		// What is wrong with its file it tells the run itself.
		_ = o.Board.Picture(trainer.Picture{Step: step, Tag: Tag, PNG: b.Bytes(), Size: page.Bounds().Size()})
	}
	if err := o.held(); err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(filepath.Join(o.Run, Dir)); err != nil {
		return err
	}
	return atomicfile.Replace(o.path(step), func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

func (o *Observer) held() error {
	if o.Held == nil {
		return nil
	}
	return o.Held()
}

// fail tells the first time what goes wrong.
func (o *Observer) fail(err error) {
	if o.failed || o.Note == nil || errors.Is(err, errNotFinite) { // of that the run tells
		return
	}
	o.failed = true
	o.Note(fmt.Sprintf("a picture of what is learnt was not drawn: %v; the run goes on without it", err))
}

func (o *Observer) path(step int) string {
	return filepath.Join(o.Run, Dir, fmt.Sprintf("%06d.png", step))
}

// pictureFile are the names of pictures.
var pictureFile = regexp.MustCompile(`^(\d{6,})\.png$`)

// steps are those of the pictures that are there, in order.
func (o *Observer) steps() ([]int, error) {
	dir := filepath.Join(o.Run, Dir)
	if !there(dir) {
		return nil, nil
	}
	entries, err := disk.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		if m := pictureFile.FindStringSubmatch(e.Name()); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil && filepath.Base(o.path(n)) == e.Name() {
				steps = append(steps, n)
			}
		}
	}
	slices.Sort(steps)
	return steps, nil
}

func there(path string) bool {
	_, err := disk.Lstat(path)
	return err == nil
}
