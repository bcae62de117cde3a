package pth_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// A checkpoint that PyTorch made is read.
func ExampleRead() {
	file, err := pth.Read("testdata/state_dict.pth")
	if err != nil {
		fmt.Println(err)
		return
	}
	for name, tensor := range file.Tensors.All() {
		fmt.Println(name, tensor)
	}
	values, err := file.Tensors.Get("0.weight").Float32s()
	fmt.Println(values, err)
	// Output:
	// 0.weight float32[2 3]
	// 0.bias float32[2]
	// 2.weight float32[1 2]
	// 2.bias float32[1]
	// [-1 -0.875 -0.75 -0.625 -0.5 -0.375] <nil>
}

// One of another version's files is told from a damaged one.
func ExampleRead_errors() {
	_, err := pth.Read("testdata/legacy.pth")
	fmt.Println(errors.Is(err, pth.ErrNotPth), errors.Is(err, pth.ErrDamaged))
	fmt.Println(err)
	// Output:
	// true false
	// testdata/legacy.pth: not a .pth file of PyTorch: PyTorch's legacy format, a series of bare pickles (torch.save before 1.6); load it in PyTorch and save it again: torch.save(torch.load(FILE, weights_only=True), FILE)
}

// A training script's checkpoint is taken apart.
func ExampleReadValue() {
	v, err := pth.ReadValue("testdata/training.pth")
	if err != nil {
		fmt.Println(err)
		return
	}
	root := v.(*pth.Map)
	step, _ := root.Get("step")
	model, _ := root.Get("model")
	d, err := pth.DictOf(model)
	fmt.Println(step, d.Names(), err)
	// Output: 5 [0.weight 0.bias 2.weight 2.bias] <nil>
}

// A dict of tensors is written, with a record that the reader gives back.
func ExampleWrite() {
	d := new(weights.Dict)
	d.Set("bias", weights.FromFloat32([]float32{1, 2}))
	var b bytes.Buffer
	err := pth.Write(&b, &weights.File{Tensors: d, Record: []byte(`{"format":1,"kind":"mlp"}`)})
	fmt.Println(err)

	file, err := pth.ReadFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	fmt.Println(file.Tensors.Names(), string(file.Record), err)
	// Output:
	// <nil>
	// [bias] {"format":1,"kind":"mlp"} <nil>
}
