package cli

import (
	"errors"
	"fmt"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/set"
	"flowmatch/flow"
	"flowmatch/trainer"
)

// Libraries say what is wrong; which flag helps is said here, for all of them.

// asked is what the remedies for a set's files ask for.
var asked = map[string]string{
	set.Fetch:     "run again with --download",
	set.DataDir:   "--data-dir",
	set.ImageSize: "--image-size",
}

// Text says in flags what is wrong and what to do about it.
func Text(err error) string {
	msg := err.Error()
	if file, ok := find[*datasets.FileError](err); ok {
		msg = strings.Replace(msg, file.Error(), file.In(asked), 1)
	}
	if te, ok := find[*torch.Error](err); ok && te.OutOfMemory {
		msg = "out of memory: " + strings.Replace(msg, "CPU out of memory: ", "", 1)
	}
	for _, r := range remedies {
		if of, do := r(err); do != "" {
			msg = strings.Replace(msg, of, of+"; "+do, 1)
		}
	}
	return msg
}

// remedies find an error within another, and give its text and what to do.
var remedies = []func(error) (of, do string){
	remedy(func(*flow.StepLimitError) string { return "try larger --rtol and --atol" }),
	remedy(func(e *flow.StiffError) string {
		if !e.Finite {
			return "" // no tolerance helps
		}
		return "try larger --rtol and --atol"
	}),
	remedy(func(e *trainer.DivergedError) string {
		if e.Step == 1 { // no update came before it
			return "look at the data, and at the weights that it began with"
		}
		return "try a lower --learning-rate or --grad-clip 1"
	}),
	remedy(func(*trainer.NoStateError) string { return "--fresh starts anew and keeps the old folder" }),
	remedy(func(e *trainer.NotStateError) string {
		if !e.Weights {
			return ""
		}
		return "--init-from " + e.Path + " begins with them"
	}),
	remedy(func(e *trainer.BorrowedError) string {
		others := fmt.Sprintf("--pairs %d draws others", e.Pairs)
		if e.Resumed {
			return "put the file back, or start anew with --fresh: " + others
		}
		return others
	}),
}

func remedy[E error](do func(E) string) func(error) (string, string) {
	return func(err error) (string, string) {
		if e, ok := find[E](err); ok {
			return e.Error(), do(e)
		}
		return "", ""
	}
}

func find[E error](err error) (e E, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}

// WithCUDARemedy is why CUDA is off, with what to do where it was never fetched.
func WithCUDARemedy(why string) string {
	if strings.Contains(why, "libtorch_cuda.so is not in") {
		return why + "; run scripts/setup --cuda"
	}
	return why
}
