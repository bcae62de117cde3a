package flow

import (
	"context"

	torch "github.com/wangkuiyi/gotorch"
)

// cancelled carries the end of a context out of a solver.
type cancelled struct{}

// stoppable is f that ends the solution when ctx ends; stopped, deferred, makes
// an error of that.
func stoppable(ctx context.Context, f Field) Field {
	return func(x torch.Tensor, t float64) torch.Tensor {
		if ctx.Err() != nil {
			panic(cancelled{})
		}
		return f(x, t)
	}
}

func stopped(ctx context.Context, err *error) {
	if p := recover(); p != nil {
		if _, ok := p.(cancelled); !ok {
			panic(p)
		}
		*err = context.Cause(ctx)
	}
}
