package nn_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

func TestMain(m *testing.M) {
	if err := torch.Init(torch.InitOptions{NoCUDA: true, NumThreads: 2}); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

type head struct {
	nn.Module
	Qkv  *nn.LinearModule `gotorch:"name=qkv_proj"`
	Norm *nn.GroupNormModule
}

type stage struct { // no module of its own
	Conv *nn.Conv2dModule
	Skip nn.IModule
}

type net struct {
	nn.Module
	Input       *nn.LinearModule
	Stages      []stage
	Heads       []*head
	Drop        *nn.DropoutModule
	None        *nn.LinearModule
	Scale       torch.Tensor
	RunningMean torch.Tensor   `gotorch:"buffer"`
	Tables      []torch.Tensor `gotorch:"buffer,name=tab"`
	Hidden      int
	note        torch.Tensor
}

func newHead() *head {
	h := &head{Qkv: nn.Linear(2, 3, false), Norm: nn.GroupNorm(1, 3)}
	h.Init(h)
	return h
}

func newNet() *net {
	n := &net{
		Input:  nn.Linear(2, 2, true),
		Stages: []stage{{Conv: nn.Conv2D(1, 2, 3, nn.ConvOptions{Padding: 1})}, {Conv: nn.Conv2D(2, 2, 3, nn.ConvOptions{NoBias: true}), Skip: nn.Dropout(0.5)}},
		Heads:  []*head{newHead(), newHead()},
		Drop:   nn.Dropout(0.1),
		Scale:  torch.Ones([]int64{1}, true), RunningMean: torch.Ones([]int64{2}, false),
		Tables: []torch.Tensor{torch.Ones([]int64{1}, false), {}, torch.Ones([]int64{1}, false)},
		note:   torch.Ones([]int64{1}, false),
	}
	n.Init(n)
	return n
}

func TestNames(t *testing.T) {
	want := [][2]string{
		{"net.Input.Weight", "input.weight"}, {"net.Input.Bias", "input.bias"},
		{"net.Stages[0].Conv.Weight", "stages.0.conv.weight"}, {"net.Stages[0].Conv.Bias", "stages.0.conv.bias"},
		{"net.Stages[1].Conv.Weight", "stages.1.conv.weight"},
		{"net.Heads[0].Qkv.Weight", "heads.0.qkv_proj.weight"},
		{"net.Heads[0].Norm.Weight", "heads.0.norm.weight"}, {"net.Heads[0].Norm.Bias", "heads.0.norm.bias"},
		{"net.Heads[1].Qkv.Weight", "heads.1.qkv_proj.weight"},
		{"net.Heads[1].Norm.Weight", "heads.1.norm.weight"}, {"net.Heads[1].Norm.Bias", "heads.1.norm.bias"},
		{"net.Scale", "scale"}, {"net.RunningMean", "running_mean"},
		{"net.Tables[0]", "tab.0"}, {"net.Tables[2]", "tab.2"},
	}
	n := newNet()
	var got [][2]string
	var buffers []string
	for _, x := range nn.Tensors(n) {
		got = append(got, [2]string{x.Key, x.Name})
		if x.Buffer {
			buffers = append(buffers, x.Name)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if want := []string{"running_mean", "tab.0", "tab.2"}; !reflect.DeepEqual(buffers, want) {
		t.Errorf("buffers %v", buffers)
	}
	if p, b := len(n.Parameters()), len(n.Buffers()); p != 12 || b != 3 {
		t.Errorf("%d parameters, %d buffers", p, b)
	}
	if p, b, s := len(n.NamedParameters()), len(n.NamedBuffers()), len(n.StateDict()); p != 12 || b != 3 || s != 15 {
		t.Errorf("%d parameters, %d buffers, %d in the state", p, b, s)
	}
	if n.Name() != "nn_test.net" || n.Input.Name() != "nn.LinearModule" || n.Outer() != nn.IModule(n) {
		t.Errorf("names %q, %q", n.Name(), n.Input.Name())
	}
}

func TestParametersComeInTheSameOrder(t *testing.T) {
	n := newNet()
	first := n.Parameters()
	for range 20 {
		if !reflect.DeepEqual(n.Parameters(), first) {
			t.Fatal("another order")
		}
	}
}

func TestSharedTensorsAreListedOnce(t *testing.T) {
	n := newNet()
	n.Heads[1].Qkv.Weight = n.Heads[0].Qkv.Weight
	if p, s := len(n.Parameters()), len(n.StateDict()); p != 11 || s != 15 {
		t.Errorf("%d parameters, %d in the state", p, s)
	}
}

func TestTrainReachesEveryModule(t *testing.T) {
	n := newNet()
	modules := func() (all []nn.IModule) {
		n.Apply(func(m nn.IModule) { all = append(all, m) })
		return
	}
	if len(modules()) != 12 { // net, Input, 2 Conv, Skip, 2 x (head, Qkv, Norm), Drop
		t.Errorf("Apply visits %d modules", len(modules()))
	}
	if all := modules(); all[len(all)-1] != nn.IModule(n) {
		t.Error("the root is not the last")
	}
	for _, on := range []bool{false, true} {
		n.Train(on)
		for _, m := range modules() {
			if m.IsTraining() != on {
				t.Errorf("%s: training is %v", m.Name(), !on)
			}
		}
	}
	x := torch.Ones([]int64{100}, false)
	n.Train(false)
	if !torch.Equal(n.Stages[1].Skip.(*nn.DropoutModule).Forward(x), x) {
		t.Error("dropout acts outside training")
	}
}

func TestToKeepsTheTensors(t *testing.T) {
	n := newNet()
	p := n.Input.Weight
	before := torch.ToSlice[float32](p)
	n.To(torch.CPU, torch.Double)
	if p.Dtype() != torch.Double || n.RunningMean.Dtype() != torch.Double || !p.RequiresGrad() {
		t.Error("it was not cast, or lost its gradient")
	}
	y := n.Input.Forward(torch.Ones([]int64{1, 2}, false).CastTo(torch.Double))
	torch.SumAll(y).Backward()
	if g := p.Grad(); g.Dtype() != torch.Double {
		t.Errorf("the gradient's type is %d", g.Dtype())
	}
	n.To(torch.CPU, torch.Float)
	if !reflect.DeepEqual(torch.ToSlice[float32](p), before) {
		t.Error("the values changed")
	}
	if p != n.Input.Weight {
		t.Error("the module has another tensor")
	}
}

func TestSetStateDict(t *testing.T) {
	a, b := newNet(), newNet()
	p := a.Input.Weight
	opt := torch.NewAdamW(a.Parameters(), torch.AdamWOptions{})
	if torch.Equal(a.Input.Weight, b.Input.Weight) {
		t.Fatal("two models start alike")
	}
	if err := a.SetStateDict(b.StateDict()); err != nil {
		t.Fatal(err)
	}
	for key, x := range a.StateDict() {
		if !torch.Equal(x, b.StateDict()[key]) {
			t.Errorf("%s differs", key)
		}
	}
	if p != a.Input.Weight || opt.Params[0] != p {
		t.Error("the optimiser has other tensors now")
	}
	for name, c := range map[string]struct {
		change func(sd map[string]torch.Tensor)
		says   string
	}{
		"missing":     {func(sd map[string]torch.Tensor) { delete(sd, "net.Heads[1].Qkv.Weight") }, "net.Heads[1].Qkv.Weight"},
		"superfluous": {func(sd map[string]torch.Tensor) { sd["net.Gone"] = torch.Ones([]int64{1}, false) }, "net.Gone"},
		"no tensor":   {func(sd map[string]torch.Tensor) { sd["net.Scale"] = torch.Tensor{} }, "net.Scale"},
		"closed": {func(sd map[string]torch.Tensor) {
			x := torch.Ones([]int64{1}, false)
			x.Close()
			sd["net.Scale"] = x
		}, "net.Scale"},
	} {
		sd := newNet().StateDict()
		c.change(sd)
		before := torch.Clone(a.Input.Weight)
		err := a.SetStateDict(sd)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if !torch.Equal(before, a.Input.Weight) {
			t.Errorf("%s: the model changed all the same", name)
		}
	}
}

// Upstream's tests pin it: the state decides.
func TestSetStateDictOfAnotherShape(t *testing.T) {
	a, b := newNet(), newNet()
	p := a.Input.Weight
	opt := torch.NewAdamW(a.Parameters(), torch.AdamWOptions{})
	torch.SumAll(torch.Square(p)).Backward() // a gradient of the old shape
	b.Input.Weight = torch.NewTensor([][]float32{{0, 1, 2}})
	if err := a.SetStateDict(b.StateDict()); err != nil {
		t.Fatal(err)
	}
	if p != a.Input.Weight || !torch.Equal(p.Detach(), b.Input.Weight) || !p.RequiresGrad() {
		t.Errorf("%v", a.Input.Weight)
	}
	if p.Grad().Defined() {
		t.Error("the gradient of the old shape is still there")
	}
	torch.SumAll(torch.Square(p)).Backward()
	if s := p.Grad().Shape(); len(s) != 2 || s[1] != 3 {
		t.Errorf("the gradient's shape is %v", s)
	}
	if err := torch.Try(func() { opt.Step(1e-3, torch.AdamWGuards{}) }); err == nil {
		t.Error("moments of the old shape are used")
	}
}

func TestMethodsBeforeInit(t *testing.T) {
	for name, f := range map[string]func(n *net){
		"Train":           func(n *net) { n.Train(true) },
		"To":              func(n *net) { n.To(torch.CPU) },
		"NamedParameters": func(n *net) { n.NamedParameters() },
		"NamedBuffers":    func(n *net) { n.NamedBuffers() },
		"Parameters":      func(n *net) { n.Parameters() },
		"Buffers":         func(n *net) { n.Buffers() },
		"StateDict":       func(n *net) { n.StateDict() },
		"Apply":           func(n *net) { n.Apply(func(nn.IModule) {}) },
	} {
		err := torch.Try(func() { f(new(net)) })
		if err == nil || err.Error() != "Init was not called" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A layer with its activation is the two one after the other.
func TestLinearForwardSiLU(t *testing.T) {
	l := nn.Linear(5, 3, true)
	x := torch.RandN([]int64{7, 5}, false)
	if got, want := l.ForwardGELU(x), torch.GeluTanh(l.Forward(x)); !torch.AllClose(got, want) {
		t.Error("with GELU: ", got, want)
	}
	if got, want := l.ForwardSiLU(x), torch.Silu(l.Forward(x)); !torch.AllClose(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
