package gotorch_test

import (
	"bytes"
	"encoding/gob"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	torch "github.com/wangkuiyi/gotorch"
	"github.com/x448/float16"
)

// What GoTorch's own tests pin (its users' programs rely on it): behaviours,
// texts and Go types.

func halves(v ...float32) []uint16 {
	var bits []uint16
	for _, f := range v {
		bits = append(bits, float16.Fromfloat32(f).Bits())
	}
	return bits
}

func TestNewTensorOfEveryType(t *testing.T) {
	for _, c := range []struct {
		data  interface{}
		name  string
		dtype int8
		item  interface{}
	}{
		{[][]bool{{true, false}, {false, true}}, "Bool", torch.Bool, true},
		{[][]byte{{1, 0}, {0, 1}}, "Byte", torch.Byte, byte(1)},
		{[][]int8{{1, 0}, {0, 1}}, "Char", torch.Char, int8(1)},
		{[][]int16{{1, 0}, {0, 1}}, "Short", torch.Short, int16(1)},
		{[][]int32{{1, 0}, {0, 1}}, "Int", torch.Int, int32(1)},
		{[][]int64{{1, 0}, {0, 1}}, "Long", torch.Long, int64(1)},
		{[][]uint16{halves(1, 0), halves(0, 1)}, "Half", torch.Half, float32(1)},
		{[][]float32{{1, 0}, {0, 1}}, "Float", torch.Float, float32(1)},
		{[][]float64{{1, 0}, {0, 1}}, "Double", torch.Double, float64(1)},
		{[2][2]float32{{1, 0}, {0, 1}}, "Float", torch.Float, float32(1)},
	} {
		x := torch.NewTensor(c.data)
		assert.Equal(t, " 1  0\n 0  1\n[ CPU"+c.name+"Type{2,2} ]", x.String())
		assert.Equal(t, c.dtype, x.Dtype())
		assert.Equal(t, c.item, x.Index(0, 0).Item())
	}
	for _, data := range []interface{}{
		[]uint32{1}, []uint64{1}, []uintptr{1}, []int{1}, []complex64{1}, []complex128{1}, []string{"1"}, 1, "1",
		[][]float32{{1, 2}, {3}},
	} {
		assert.Panics(t, func() { torch.NewTensor(data) }, "%T", data)
	}
	assert.Equal(t, []int64{0, 2}, torch.NewTensor([][2]float32{}).Shape())
}

func TestNewTensorOptions(t *testing.T) {
	option := func(dtype interface{}) map[string]interface{} { return map[string]interface{}{"dtype": dtype} }
	assert.Equal(t, " 1\n 0\n[ CPUBoolType{2} ]", torch.NewTensor([]byte{1, 0}, option(torch.Bool)).String())
	assert.Equal(t, " 1\n 2\n[ CPUHalfType{2} ]", torch.NewTensor(halves(1, 2), option(torch.Half)).String())
	assert.Equal(t, " 1\n 2\n[ CPUDoubleType{2} ]", torch.NewTensor([]float32{1, 2}, option(torch.Double)).String())
	assert.Equal(t, float32(1), torch.NewTensor([]uint16{0x3F80}, option(torch.BFloat16)).Item())
	assert.Panics(t, func() { torch.NewTensor([]byte{1}, option(1)) })
	assert.True(t, torch.NewTensor([]float32{1}, map[string]interface{}{"requires_grad": true}).RequiresGrad())
	assert.False(t, torch.NewTensor([]float32{1}).RequiresGrad())
}

func TestItemsAtTheirLimits(t *testing.T) {
	for _, v := range []interface{}{
		[]int32{math.MaxInt32}, []int32{math.MinInt32}, []int64{math.MaxInt64}, []int64{math.MinInt64}, []byte{255},
		[]int8{-128}, []int16{-32768}, []float64{math.Pi}, []float32{math.Pi}, []bool{false},
	} {
		switch v := v.(type) {
		case []int32:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []int64:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []byte:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []int8:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []int16:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []float64:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []float32:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		case []bool:
			assert.Equal(t, v[0], torch.NewTensor(v).Item())
		}
	}
	assert.Equal(t, float32(65504), torch.NewTensor(halves(65504)).Item())
}

func TestStrings(t *testing.T) {
	for want, x := range map[string]torch.Tensor{
		" 1  0  0\n 0  1  0\n[ CPUFloatType{2,3} ]":                  torch.Eye(2, 3, false),
		"0\n[ CPULongType{} ]":                                       torch.Eye(2, 2, false).Argmax(),
		"2.36302\n[ CPUDoubleType{} ]":                               torch.NewTensor([][]float64{{2.363023}}).Mean(),
		" 0.0000\n 2.5000\n 5.0000\n[ CPUFloatType{3} ]":             torch.Linspace(0, 5, 3, true),
		" 1.0000e+00\n 3.1623e+02\n 1.0000e+05\n[ CPUFloatType{3} ]": torch.Logspace(0, 5, 3, 10, false),
		"  1\n  2\n  4\n  8\n 16\n[ CPUFloatType{5} ]":               torch.Logspace(0, 4, 5, 2, false),
		" 0\n 3\n[ CPUFloatType{2} ]":                                torch.Arange(0, 5, 3, false),
		" 7  7\n[ CPUFloatType{1,2} ]":                               torch.Full([]int64{1, 2}, 7, false),
		" 1\n[ CPUFloatType{1} ]":                                    torch.Ones([]int64{1}, true),
		"-0.4741 -0.9741\n-0.4741 -0.9741\n[ CPUFloatType{2,2} ]":    torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}}).LogSoftmax(1),
		" 0.3775  0.2689\n 0.7311  0.6225\n[ CPUFloatType{2,2} ]":    torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}}).Sigmoid(),
		"-0.0050 -0.0100\n 1.0000  0.5000\n[ CPUFloatType{2,2} ]":    torch.LeakyRelu(torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}}), 0.01),
		"[ Tensor (undefined) ]":                                     torch.Ones([]int64{1}, true).Grad(),
		" 97  98\n 97  98\n[ CPUCharType{2,2} ]":                     torch.NewTensor([]int8{'a', 'b'}).ExpandAs(torch.NewTensor([][]int8{{1, 2}, {3, 4}})),
		"-0.5000  1.0000\n-1.0000  0.5000\n[ CPUFloatType{2,2} ]":    torch.Transpose(torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}}), 0, 1),
		"-0.5000\n-1.0000\n 1.0000\n 0.5000\n[ CPUFloatType{4} ]":    torch.Flatten(torch.NewTensor([][]float32{{-0.5, -1}, {1, 0.5}}), 0, 1),
		" 1  0\n 0  1\n[ CPUBoolType{2,2} ]":                         torch.Eq(torch.NewTensor([][]int16{{1, 2}, {3, 4}}), torch.NewTensor([][]int16{{1, 3}, {2, 4}})),
		" 1  3\n 4  6\n[ CPUFloatType{2,2} ]":                        torch.NewTensor([][]float32{{1, 2, 3}, {4, 5, 6}}).IndexSelect(1, torch.NewTensor([]int64{0, 2})),
	} {
		assert.Equal(t, want, x.String())
	}
}

func TestArithmeticMethods(t *testing.T) {
	row := func(v ...float32) torch.Tensor { return torch.NewTensor(v) }
	x, y := row(4, 9), row(2, 3)
	same := func(want, got torch.Tensor) { t.Helper(); assert.True(t, torch.Equal(want, got), "%v", got) }
	same(row(8, 15), x.Add(y, 2))
	same(row(0, 3), x.Sub(y, 2))
	same(row(8, 27), x.Mul(y))
	same(row(2, 3), x.Div(y))
	same(row(6, 12), x.AddI(y, 1))
	same(row(6, 12), x)
	same(row(4, 9), x.SubI(y, 1))
	same(row(8, 27), x.MulI(y))
	same(row(4, 9), x.DivI(y))
	same(row(4, 9), x)
	same(torch.Add(x, y, 1), torch.Sub(x, y, -1))
	same(torch.Mul(x, y), torch.Div(x, torch.Div(torch.Ones([]int64{2}, false), y)))
	z := torch.NewTensor([][]float32{{3, 1}, {2, 4}})
	same(torch.NewTensor([][]float32{{3, 2}, {1, 4}}), z.Permute([]int64{1, 0}))
	r := row(-1, 2)
	same(row(0, 2), r.Relu())
	same(row(-0.5, 2), r.LeakyRelu(0.5))
	same(torch.Tanh(r), r.Tanh())
	assert.True(t, torch.AllClose(row(1, 2), row(1.000001, 2)))
	assert.False(t, torch.AllClose(row(1, 2), row(1.001, 2)))
	assert.False(t, torch.Equal(row(1, 2), row(1, 2, 3)))
}

func TestSumOptions(t *testing.T) {
	x := torch.NewTensor([][]float32{{1, 2, 3}, {4, 5, 6}})
	option := func(kv ...interface{}) map[string]interface{} {
		m := map[string]interface{}{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	assert.Equal(t, float32(21), x.Sum().Item())
	assert.Equal(t, float32(21), torch.Sum(x, option()).Item())
	for _, c := range []struct {
		o    map[string]interface{}
		want interface{}
	}{
		{option("dim", 0), []float32{5, 7, 9}},
		{option("dim", 1), []float32{6, 15}},
		{option("dim", -1, "keepDim", false), []float32{6, 15}},
		{option("dim", 0, "keepDim", true), [][]float32{{5, 7, 9}}},
		{option("dim", 1, "keepDim", true), [][]float32{{6}, {15}}},
	} {
		assert.True(t, torch.Equal(torch.NewTensor(c.want), x.Sum(c.o)), "%v", c.o)
	}
	assert.Panics(t, func() { x.Sum(option("dim", 1.0)) })
	assert.Panics(t, func() { x.Sum(option("dim", 1, "keepDim", 1)) })
}

func TestArgOptions(t *testing.T) {
	x := torch.NewTensor([][]float32{{3, 4}, {2, 1}})
	for want, got := range map[string]torch.Tensor{
		"3\n[ CPULongType{} ]":         x.Argmin(),
		" 1\n 1\n[ CPULongType{2} ]":   x.Argmin(0),
		" 0\n 1\n[ CPULongType{2} ]":   x.Argmin(int64(1)),
		" 1  1\n[ CPULongType{1,2} ]":  x.Argmin(0, true),
		" 0\n 1\n[ CPULongType{2,1} ]": x.Argmin(1, true),
		"1\n[ CPULongType{} ]":         x.Argmax(),
		" 0\n 0\n[ CPULongType{2} ]":   x.Argmax(0),
		" 1\n 0\n[ CPULongType{2,1} ]": x.Argmax(1, true),
		" 0  0\n[ CPULongType{1,2} ]":  x.Argmax(int8(0), true),
	} {
		assert.Equal(t, want, got.String())
	}
	assert.Panics(t, func() { x.Argmin(1.0, true) })
	assert.Panics(t, func() { x.Argmin(1, 1.0) })
	assert.Panics(t, func() { x.Argmax(nil) })
	assert.Panics(t, func() { x.Argmax(1, true, 2) })
}

func TestShapesOfTensors(t *testing.T) {
	x := torch.RandN([]int64{2, 1, 2, 1, 2}, false)
	assert.Equal(t, []int64{2, 2, 2}, x.Squeeze().Shape())
	assert.Equal(t, []int64{2, 2, 1, 2}, torch.Squeeze(x, 1).Shape())
	assert.Panics(t, func() { x.Squeeze(1, 3) })
	assert.Equal(t, int64(5), x.Dim())
	assert.Equal(t, 0, len(x.Mean().Shape()))
	assert.Equal(t, []int64{2, 4}, x.View(-1, 4).Shape())
	assert.Equal(t, []int64{2, 2, 3}, torch.Stack([]torch.Tensor{torch.Rand([]int64{2, 3}, false), torch.Empty([]int64{2, 3}, false)}, 0).Shape())
	v, i := torch.TopK(torch.NewTensor([][]float64{{-0.5, -1}, {1, 0.5}}), 1, 1, true, true)
	assert.Equal(t, "-0.5000\n 1.0000\n[ CPUDoubleType{2,1} ]", v.String())
	assert.Equal(t, " 0\n 0\n[ CPULongType{2,1} ]", i.String())
}

func TestIndexNeedsAllDimensions(t *testing.T) {
	x := torch.NewTensor([][]float32{{1, 2}, {3, 4}})
	assert.Equal(t, float32(3), x.Index(1, 0).Item())
	for _, index := range [][]int64{{}, {0}, {0, 0, 0}, {2, 0}} {
		assert.Panics(t, func() { x.Index(index...) }, "%v", index)
	}
}

func TestTensorIsAPointerToACell(t *testing.T) {
	var none torch.Tensor
	assert.Nil(t, none.T)
	assert.Equal(t, none, torch.Tensor{nil}) //nolint:govet // programs write it so
	assert.NotNil(t, torch.Ones([]int64{1}, true).Grad().T, "an undefined gradient is a tensor")
	x := torch.RandN([]int64{1}, true)
	y := x.Detach()
	y.FillI(0)
	assert.Equal(t, float32(0), x.Item(), "Detach shares the storage")
	a, b := torch.Full([]int64{2, 3}, 0, false), torch.Ones([]int64{2, 3}, false)
	assert.False(t, torch.Equal(a, b))
	b.SetData(a)
	assert.True(t, torch.Equal(a, b))
}

func TestDevicesAndCasts(t *testing.T) {
	assert.Panics(t, func() { torch.NewDevice("unknown") })
	cpu := torch.NewDevice("cpu")
	x := torch.NewTensor([]int64{1, 2})
	assert.Equal(t, torch.Float, x.CastTo(torch.Float).Dtype())
	assert.Equal(t, torch.Long, x.To(cpu).Dtype())
	assert.Equal(t, torch.Double, x.To(cpu, torch.Double).Dtype())
	assert.Equal(t, torch.Float, torch.To(x, cpu, torch.Float).Dtype())
	assert.True(t, torch.Equal(x, x.CopyTo(cpu)))
	if torch.IsCUDAAvailable() {
		return
	}
	assert.False(t, torch.IsCUDNNAvailable())
	assert.Panics(t, func() { x.CUDA(cpu, false) })
	assert.Panics(t, func() { x.CUDA(cpu, true) })
	assert.Panics(t, func() { torch.GetCurrentCUDAStream(cpu) })
	assert.Panics(t, func() { torch.NewCUDAStream(cpu) })
	assert.Panics(t, func() { torch.GetCurrentCUDAStream(torch.NewDevice("cuda")) })
	assert.Equal(t, " 1\n 2\n[ CPULongType{2} ]", x.PinMemory().String())
}

func TestFromBlobCopies(t *testing.T) {
	data := [2][3]float32{{1.0, 1.1, 1.2}, {2, 3, 4}}
	x := torch.FromBlob(unsafe.Pointer(&data), torch.Float, []int64{2, 3})
	data[0][0] = 9
	assert.Equal(t, " 1.0000  1.1000  1.2000\n 2.0000  3.0000  4.0000\n[ CPUFloatType{2,3} ]", x.String())
	assert.Panics(t, func() { torch.FromBlob(nil, torch.Float, []int64{1}) })
	assert.Panics(t, func() { torch.FromBlob(unsafe.Pointer(&data), torch.QInt8, []int64{1}) })
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pth")
	for _, x := range []torch.Tensor{
		torch.RandN([]int64{2, 3}, true), torch.NewTensor([]int64{1}).Sum(), torch.NewTensor([]bool{true}),
		torch.NewTensor(halves(1, 2)), torch.Ones([]int64{2}, false).CastTo(torch.BFloat16), torch.Empty([]int64{0, 3}, false),
		torch.Transpose(torch.RandN([]int64{2, 3}, false), 0, 1),
	} {
		x.Save(path)
		y := torch.Load(path)
		assert.Equal(t, x.Shape(), y.Shape())
		assert.Equal(t, x.Dtype(), y.Dtype())
		assert.True(t, torch.Equal(x, y))
	}
	assert.Panics(t, func() { torch.Load(filepath.Join(t.TempDir(), "absent")) })
	assert.NoError(t, os.WriteFile(path, []byte("no tensor"), 0o666))
	assert.Panics(t, func() { torch.Load(path) })
	assert.Panics(t, func() { torch.Ones(nil, false).Save(filepath.Join(path, "below a file")) })
	assert.Panics(t, func() { torch.Tensor{}.Save(path) })
}

// What torch.save writes of one tensor, by PyTorch itself.
func TestLoadOfPyTorch(t *testing.T) {
	assert.Equal(t, []int64{3}, torch.Load("pth/testdata/tensor.pth").Shape())
	assert.PanicsWithError(t, `pth/testdata/state_dict.pth: it holds 4 tensors, one is wanted; package pth reads them all`,
		func() { torch.Load("pth/testdata/state_dict.pth") })
}

func TestGob(t *testing.T) {
	_, err := torch.Tensor{}.GobEncode()
	assert.Error(t, err)
	closed := torch.Ones([]int64{1}, false)
	closed.Close()
	_, err = closed.GobEncode()
	assert.Error(t, err)

	x := torch.Eye(3, 3, false)
	var buf bytes.Buffer
	assert.NoError(t, gob.NewEncoder(&buf).Encode(x))
	var y torch.Tensor
	assert.NoError(t, gob.NewDecoder(&buf).Decode(&y))
	assert.Equal(t, x.String(), y.String())

	state := map[string]torch.Tensor{"a": x, "b": torch.NewTensor([]int64{1, 2})}
	assert.NoError(t, gob.NewEncoder(&buf).Encode(state))
	var back map[string]torch.Tensor
	assert.NoError(t, gob.NewDecoder(&buf).Decode(&back))
	assert.Len(t, back, 2)
	assert.True(t, torch.Equal(state["b"], back["b"]))

	assert.Error(t, y.GobDecode(nil))
	assert.Error(t, y.GobDecode([]byte("no archive")))
	assert.Equal(t, x.String(), y.String(), "a failed decoding changes nothing")
}

// GC waits for no other goroutine's tensors.
func TestGC(t *testing.T) {
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		x := torch.NewTensor([]float32{1})
		close(ready)
		<-done
		runtime.KeepAlive(x)
	}()
	<-ready
	torch.GC()
	torch.FinishGC()
	torch.FinishGC()
	close(done)
	x := torch.Ones([]int64{1}, false)
	torch.SetTensorFinalizer(x.T)
	assert.Panics(t, func() { torch.SetTensorFinalizer(nil) })
	torch.MustNil(nil)
	torch.MustNil(unsafe.Pointer(nil))
}

// A loop outside scopes does not grow: the memory behind the tensors starts
// the collector.
func TestLoopOutsideScopes(t *testing.T) {
	torch.FinishGC()
	torch.ResetPeak()
	before := torch.Stats()
	for range 1000 {
		torch.Empty([]int64{1 << 20}, false) // 4 MiB each
	}
	if grown := torch.Stats().BytesPeak - before.BytesUsed; grown > 512<<20 {
		t.Errorf("%d MiB at the peak", grown>>20)
	}
}
