package gotorch

import "testing"

// RawGroupNormAct's kernels for GPUs, against float64 on the processor. What differs from
// one order of threads to another is seen on the stand-in; on a GPU the order is its own.

// kernels is a GPU that runs the binding's own.
func kernels(t *testing.T) Device {
	t.Helper()
	d := gpu(t)
	if k := CUDAKernels(d); !k.OK && !k.Off {
		t.Fatalf("there are no kernels for it: %s", k.Why)
	} else if k.Off {
		t.Skip(k.Why)
	}
	return d
}

var gpuNormCases = append([]normCase{
	{[]int64{3, 20, 7}, 4, "odd address", true, true, false, false},
	{[]int64{3, 40, 7}, 5, "odd address", false, false, false, false},
	{[]int64{2, 72, 5, 5}, 3, "channels last", true, true, false, false},     // lanes that are not full
	{[]int64{1, 8, 90, 90}, 2, "channels last", true, true, false, false},    // many chunks
	{[]int64{130, 16, 2, 2}, 16, "channels last", true, false, false, false}, // many samples
	{[]int64{2, 2056, 3}, 257, "channels last", true, true, false, false},    // two tiles, the second of a group
	{[]int64{2, 2056, 3}, 8, "channels last", true, true, false, false},      // groups in both tiles
	{[]int64{2, 515, 3}, 5, "channels last", true, true, false, false},       // tiles of channels one by one
	{[]int64{1, 600, 40}, 600, "channels last", false, true, false, false},   // more groups than threads
	{[]int64{2, 1024, 3}, 1, "channels last", true, true, false, false},      // one group
	{[]int64{3, 64}, 8, "contiguous", true, true, false, false},
	{[]int64{2, 9, 1, 1}, 3, "contiguous", true, false, true, false},
}, normCases...)

func TestGPUGroupNorm(t *testing.T) {
	d := kernels(t)
	for _, c := range withSkips(gpuNormCases) {
		t.Run(c.String(), func(t *testing.T) { Scoped(func() { c.checkOn(t, d) }) })
	}
}

func (c normCase) checkOn(t *testing.T, d Device) {
	in := c.inputs(false)
	want, got := c.run(in, Double, false), c.runOn(d, in, Float, true)
	for i := range want {
		if e := off(got[i], want[i], want[1]); !(e <= 1e-5) {
			t.Errorf("float32, %s: off by %.2g", normParts[i], e)
		}
	}
	in = c.inputs(true)
	want = c.run(in, Double, false)
	got, theirs := c.runOn(d, in, BFloat16, true), c.run(in, BFloat16, false)
	for i := range want {
		ours, libtorch := off(got[i], want[i], want[1]), off(theirs[i], want[i], want[1])
		if !(ours <= max(1.05*libtorch, 1.0/512)) { // as in check
			t.Errorf("bf16, %s: off by %.2g, libtorch's by %.2g", normParts[i], ours, libtorch)
		}
	}
}

// Numbers far from 0 beside their spread are normalised as exactly as others.
func TestGPUGroupNormFarFromZero(t *testing.T) {
	d := kernels(t)
	for _, shift := range []float64{0, 1e4} {
		c := normCase{shape: []int64{4, 32, 9, 9}, groups: 8, layout: "channels last", act: true, shift: true}
		Scoped(func() {
			in := c.inputs(false)
			in[0] = source{Shape: c.shape, K: 1, Scale: 4, Offset: 1e4}.tensor().CastTo(Double)
			in[1] = source{Shape: c.shape[:2], K: 2, Scale: 2, Offset: shift}.tensor().CastTo(Double)
			want, got := c.run(in, Double, false), c.runOn(d, in, Float, true)
			for i := range want {
				if e := off(got[i], want[i], want[1]); !(e <= 1e-5) {
					t.Errorf("shift %g, %s: off by %.2g", shift, normParts[i], e)
				}
			}
		})
	}
}

// What is added may be a part of something wider, as it lies there, or lie in columns.
func TestGPUGroupNormShiftThatIsAView(t *testing.T) {
	d := kernels(t)
	c := normCase{shape: []int64{3, 16, 5}, groups: 4, layout: "channels last", act: true, shift: true}
	Scoped(func() {
		x, shift := c.laid(c.inputs(false)[0].CastTo(Float)).To(d), c.inputs(false)[1].CastTo(Float).To(d)
		want := RawGroupNormAct(x, shift, c.groups, Tensor{}, Tensor{}, 1e-5, c.act)
		wide := Cat([]Tensor{Neg(shift), shift, Neg(shift)}, 1)
		for what, view := range map[string]Tensor{
			"columns 16 to 32 of 48": Narrow(wide, 1, 16, 16),
			"columns as rows":        Transpose(Contiguous(Transpose(shift, 0, 1)), 0, 1),
		} {
			if !Equal(RawGroupNormAct(x, view, c.groups, Tensor{}, Tensor{}, 1e-5, c.act), want) {
				t.Errorf("%s: the result is another", what)
			}
		}
	})
}

// A gradient that lies where no access gets several elements is one all the same.
func TestGPUGroupNormGradientAtOddAddress(t *testing.T) {
	d := kernels(t)
	c := normCase{shape: []int64{3, 40, 7}, groups: 5, layout: "channels last"}
	Scoped(func() {
		in := c.inputs(true)
		x, dy := asLeaf(c.laid(in[0].CastTo(BFloat16).To(d))), in[4].CastTo(BFloat16).To(d)
		of := func(layout string) Tensor {
			y := RawGroupNormAct(x, Tensor{}, c.groups, Tensor{}, Tensor{}, 1e-5, true)
			laid := normCase{shape: c.shape, layout: layout}.laid(dy)
			return AutogradGrad([]Tensor{y}, []Tensor{x}, AutogradOptions{GradOutputs: []Tensor{laid}})[0]
		}
		if !Equal(of("odd address"), of("channels last")) {
			t.Error("it is another")
		}
	})
}

// Equal operands give equal bits, in whatever order a block's threads and the blocks run.
func TestGPUGroupNormOrders(t *testing.T) {
	d := kernels(t)
	for _, c := range gpuNormCases {
		c.skip = true
		Scoped(func() {
			for _, dtype := range []int8{Float, BFloat16} {
				in := c.inputs(true)
				first := c.runOn(d, in, dtype, true)
				for _, order := range []string{"", "reversed", "shuffled"} {
					t.Setenv("GOTORCH_STANDIN_ORDER", order)
					for i, got := range c.runOn(d, in, dtype, true) {
						if !Equal(got, first[i]) {
							t.Errorf("%v, type %d, %s: %s differs", c, dtype, order, normParts[i])
						}
					}
				}
				t.Setenv("GOTORCH_STANDIN_ORDER", "")
			}
		})
	}
}

// The result lies as what was given does, in its type, under autocast too, which would
// have libtorch's computed in float32.
func TestGPUGroupNormLayout(t *testing.T) {
	d := kernels(t)
	for _, c := range gpuNormCases {
		if c.layout == "view" || c.layout == "odd address" {
			continue
		}
		Scoped(func() {
			x := c.laid(c.inputs(true)[0].CastTo(BFloat16).To(d))
			Autocast(d, BFloat16, func() {
				y := RawGroupNormAct(x, Tensor{}, c.groups, Tensor{}, Tensor{}, 1e-5, c.act)
				if y.Dtype() != BFloat16 || !equalShapes(y.Shape(), c.shape) {
					t.Errorf("%v: %v of type %d", c, y.Shape(), y.Dtype())
				}
				if c.layout == "channels last" {
					y = Transpose(View(y, c.shape[0], c.shape[1], -1), 1, 2)
				}
				if address(Contiguous(y)) != address(y) {
					t.Errorf("%v: the result lies otherwise", c)
				}
			})
		})
	}
}

// What is captured computes what is done at once, forward and backward.
func TestGPUGroupNormGraph(t *testing.T) {
	d := kernels(t)
	c := normCase{shape: []int64{4, 32, 6, 6}, groups: 8, layout: "channels last", act: true, shift: true}
	for _, dtype := range []int8{Float, BFloat16} {
		other := c.inputs(true)
		for i, k := range []uint32{11, 12, 13, 14, 15} {
			other[i] = source{Shape: other[i].Shape(), K: k, Scale: 2, Offset: 1}.tensor().CastTo(Double)
		}
		var in, out []Tensor
		for _, x := range c.inputs(true) {
			in = append(in, x.CastTo(dtype).To(d).SetRequiresGrad(true))
		}
		step := func() {
			Scoped(func() {
				y := RawGroupNormAct(c.laid(in[0]), in[1], c.groups, in[2], in[3], 1e-5, c.act)
				all := append([]Tensor{y.Detach()}, AutogradGrad([]Tensor{y}, in[:4], AutogradOptions{GradOutputs: []Tensor{in[4].Detach()}})...)
				for i, o := range all {
					if len(out) < len(all) {
						out = append(out, Keep(Clone(o)))
					} else {
						out[i].CopyI(o)
					}
				}
			})
		}
		WithStream(NewCUDAStream(d), func() {
			step()
			Synchronize(d)
			g := Capture(nil, step)
			defer g.Close()
			for _, values := range [][]Tensor{c.inputs(true), other} {
				NoGrad(func() {
					for i, x := range values {
						in[i].CopyI(x.CastTo(dtype))
					}
				})
				step()
				var want []Tensor
				for _, o := range out {
					want = append(want, Clone(o))
					o.FillI(0)
				}
				g.Replay()
				Synchronize(d)
				for i := range out {
					if !Equal(out[i], want[i]) {
						t.Errorf("type %d: %s differs", dtype, normParts[i])
						t.Log(ToSlice[float32](out[i].To(CPU).CastTo(Float))[:9])
						t.Log(ToSlice[float32](want[i].To(CPU).CastTo(Float))[:9])
					}
				}
			}
		})
	}
}

// Gradients of gradients are libtorch's, of numbers that are ours.
func TestGPUGroupNormTwice(t *testing.T) {
	d := kernels(t)
	twice := func(d Device, dtype int8) Tensor {
		x := source{Shape: []int64{2, 8, 5}, K: 1, Scale: 2}.tensor().CastTo(dtype).To(d).SetRequiresGrad(true)
		w := source{Shape: []int64{8}, K: 2, Scale: 1, Offset: 1}.tensor().CastTo(dtype).To(d).SetRequiresGrad(true)
		y := SumAll(Square(RawGroupNormAct(x, Tensor{}, 2, w, Tensor{}, 1e-5, true)))
		g := AutogradGrad([]Tensor{y}, []Tensor{x}, AutogradOptions{CreateGraph: true})[0]
		return AutogradGrad([]Tensor{SumAll(Square(g))}, []Tensor{w}, AutogradOptions{})[0].To(CPU).CastTo(Double)
	}
	Scoped(func() {
		want := twice(CPU, Double)
		if e := off(twice(d, Float), want, want); !(e <= 1e-5) {
			t.Errorf("off by %.2g", e)
		}
	})
}

// What kernels do not compute libtorch does: of other types.
func TestGPUGroupNormOfOthers(t *testing.T) {
	d := kernels(t)
	Scoped(func() {
		c := normCases[0]
		in := c.inputs(false)
		want := c.run(in, Double, false)
		for i, got := range c.runOn(d, in, Double, true) {
			if e := off(got, want[i], want[1]); !(e <= 1e-10) {
				t.Errorf("float64, %s: off by %.2g", normParts[i], e)
			}
		}
	})
}
