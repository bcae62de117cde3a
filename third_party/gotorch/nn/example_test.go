package nn_test

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// perceptron has two layers; its tensors have names like "perceptron.L1.Weight"
// here, and "fc1.weight" in PyTorch's files.
type perceptron struct {
	nn.Module
	L1 *nn.LinearModule `gotorch:"name=fc1"`
	L2 *nn.LinearModule `gotorch:"name=fc2"`
}

func newPerceptron() *perceptron {
	p := &perceptron{L1: nn.Linear(2, 8, true), L2: nn.Linear(8, 1, false)}
	p.Init(p)
	return p
}

// Forward: x: [B,2] -> [B,1].
func (p *perceptron) Forward(x torch.Tensor) torch.Tensor {
	return p.L2.Forward(torch.Silu(p.L1.Forward(x)))
}

// The state of a model is its tensors by name; SetStateDict copies them into
// another.
func ExampleModule_StateDict() {
	a, b := newPerceptron(), newPerceptron()
	if err := b.SetStateDict(a.StateDict()); err != nil {
		panic(err)
	}
	x := torch.RandN([]int64{4, 2}, false)
	fmt.Println(torch.Equal(a.Forward(x), b.Forward(x)))
	for _, t := range nn.Tensors(a) {
		fmt.Println(t.Key, "is", t.Name, t.Tensor.Shape())
	}
	// Output:
	// true
	// perceptron.L1.Weight is fc1.weight [8 2]
	// perceptron.L1.Bias is fc1.bias [8]
	// perceptron.L2.Weight is fc2.weight [1 8]
}

func ExampleSequential() {
	m := nn.Sequential(nn.Conv2D(1, 4, 3, nn.ConvOptions{Padding: 1}), nn.ReLU(), nn.MaxPool2D(2, nn.PoolOptions{}), nn.Flatten(), nn.Linear(4*4*4, 10, true))
	y := m.Forward(torch.RandN([]int64{2, 1, 8, 8}, false)).(torch.Tensor)
	fmt.Println(y.Shape(), len(m.Parameters()))
	// Output: [2 10] 4
}
