package gotorch_test

import (
	"errors"
	"fmt"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// A training step: everything that it makes is freed when its scope ends.
// Parameters, moments and averages are made before, outside scopes.
func Example_trainingStep() {
	w := torch.Full([]int64{1, 2}, 0.5, true) // [out,in]
	params := []torch.Tensor{w}
	opt := torch.NewAdamW(params, torch.AdamWOptions{})
	x := torch.NewTensor([][]float32{{1, 0}, {0, 1}})
	y := torch.NewTensor([][]float32{{1}, {-1}})
	for step := range 3 {
		torch.Scoped(func() {
			loss := torch.RawMSELoss(torch.RawLinear(x, w, torch.Tensor{}), y, 1)
			torch.ZeroGrad(params)
			loss.Backward()
			torch.ClipGradNorm(params, 1)
			opt.Step(0.1, torch.AdamWGuards{})
			fmt.Printf("step %d: loss %.4f\n", step, loss.ItemFloat())
		})
	}
	// Output:
	// step 0: loss 1.2500
	// step 1: loss 1.0600
	// step 2: loss 0.8901
}

// Keep moves a tensor out of its scope.
func ExampleKeep() {
	var kept, other torch.Tensor
	torch.Scoped(func() {
		other = torch.Ones([]int64{2}, false)
		kept = torch.Keep(torch.Add(other, other, 1))
	})
	fmt.Println(kept)
	fmt.Println(torch.Try(func() { other.Print() }))
	kept.Close()
	// Output:
	//  2
	//  2
	// [ CPUFloatType{2} ]
	// gotorch: a tensor was used after Close or after its scope had ended; Keep moves a tensor out of a scope
}

// Inside NoGrad nothing is recorded, so that parameters may be changed.
func ExampleNoGrad() {
	w := torch.Ones([]int64{1}, true)
	torch.NoGrad(func() {
		w.AddScalarI(1)
		fmt.Println(torch.Square(w).RequiresGrad())
	})
	fmt.Println(torch.Square(w).RequiresGrad(), w.ItemFloat())
	// Output:
	// false
	// true 2
}

// Products and convolutions inside Autocast compute in bfloat16; sums of many
// numbers and losses stay in float32.
func ExampleAutocast() {
	x, w := torch.Ones([]int64{2, 3}, false), torch.Ones([]int64{4, 3}, true)
	torch.Scoped(func() {
		var y torch.Tensor
		torch.Autocast(torch.CPU, torch.BFloat16, func() {
			y = torch.RawLinear(x, w, torch.Tensor{})
		})
		fmt.Println(y.Dtype() == torch.BFloat16)
		torch.Mean(y.CastTo(torch.Float)).Backward()
		fmt.Println(w.Grad().Dtype() == torch.Float)
	})
	// Output:
	// true
	// true
}

// Operations panic; Try makes an error of it where there is somebody to read
// one.
func ExampleTry() {
	err := torch.Try(func() {
		torch.MM(torch.Ones([]int64{2, 3}, false), torch.Ones([]int64{2, 3}, false))
	})
	var e *torch.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, strings.Contains(e.Msg, "2x3 and 2x3"))
	}
	// Output: MM true
}

// Gradients of gradients: the second derivative of x^3 at 2.
func ExampleAutogradGrad() {
	x := torch.NewTensor([]float32{2}).SetRequiresGrad(true)
	y := torch.SumAll(torch.PowScalar(x, 3))
	dy := torch.AutogradGrad([]torch.Tensor{y}, []torch.Tensor{x}, torch.AutogradOptions{CreateGraph: true})
	ddy := torch.AutogradGrad([]torch.Tensor{torch.SumAll(dy[0])}, []torch.Tensor{x}, torch.AutogradOptions{})
	fmt.Println(dy[0].ItemFloat(), ddy[0].ItemFloat())
	// Output: 12 12
}

// A learning rate that warms up along a line and then falls along a cosine.
func ExampleSequentialLR() {
	lr := torch.SequentialLR([]torch.Schedule{
		torch.LinearLR(0.1, 0.5, 1, 2),
		torch.CosineAnnealingLR(0.1, 4, 0),
	}, []int64{2})
	for step := range int64(6) {
		fmt.Printf("%.3f ", lr(step))
	}
	// Output: 0.050 0.075 0.100 0.085 0.050 0.015
}

// A step on a GPU as a graph: recorded once, replayed in one call. (It needs
// a GPU, so that here it only compiles.)
func ExampleCapture() {
	gpu := torch.NewDevice("cuda")
	noise := torch.NewGenerator(gpu, 1)
	x := torch.Zeros([]int64{64, 8}, torch.Options{Device: gpu}) // the input's place
	loss := torch.Zeros(nil, torch.Options{Device: gpu})
	w := torch.RandN([]int64{8, 8}, false).To(gpu).SetRequiresGrad(true)
	params := []torch.Tensor{w}
	opt := torch.NewAdamW(params, torch.AdamWOptions{})

	step := func() {
		torch.Scoped(func() {
			eps := torch.RandNWith(noise, []int64{64, 8}, torch.Options{Device: gpu})
			l := torch.RawMSELoss(torch.MatMul(torch.Add(x, eps, 0.1), w), x, 1)
			l.Backward()
			opt.Step(1e-3, torch.AdamWGuards{})
			torch.NoGrad(func() { loss.CopyI(l) })
		})
	}
	torch.WithStream(torch.NewCUDAStream(gpu), func() { // no capture on the default one
		step() // a first time, so that everything is loaded and allocated
		torch.Synchronize(gpu)
		torch.ZeroGrad(params)
		graph := torch.Capture([]*torch.Generator{noise}, step)
		for range 100 {
			torch.Scoped(func() {
				x.CopyI(torch.Rand([]int64{64, 8}, false).PinMemory().ToAsync(gpu))
				graph.Replay()
			})
		}
		fmt.Println(loss.ItemFloat()) // waits for the stream
		graph.Close()
	})
}
