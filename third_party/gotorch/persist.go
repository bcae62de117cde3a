package gotorch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// Tensors in files and in gob streams: PyTorch's .pth format, by package pth,
// which reads plain data and refuses everything else by name.

// savedName is the key of the only tensor of a file by Save: torch.load gives
// {"tensor": ...}.
const savedName = "tensor"

// dtypes are the types of elements that files have.
var dtypes = map[weights.DType]int8{
	weights.Float: Float, weights.Double: Double, weights.Half: Half, weights.BFloat16: BFloat16,
	weights.Long: Long, weights.Int: Int, weights.Short: Short, weights.Char: Char, weights.Byte: Byte, weights.Bool: Bool,
}

// ToWeights copies t, wherever it is, out of libtorch, for package pth or safetensors.
func ToWeights(t Tensor) (*weights.Tensor, error) {
	var w *weights.Tensor
	err := Try(func() {
		for d, dtype := range dtypes {
			if dtype == t.Dtype() {
				w = &weights.Tensor{DType: d, Shape: t.Shape(), Data: t.Bytes()}
				return
			}
		}
		failf("ToWeights", "a tensor of type %d cannot be saved", t.Dtype())
	})
	return w, err
}

// FromWeights makes a CPU tensor of what package pth or safetensors read.
func FromWeights(w *weights.Tensor) (t Tensor, err error) {
	if err := w.Check(); err != nil {
		return t, err
	}
	err = Try(func() { t = FromBytes(w.Data, dtypes[w.DType], w.Shape...) })
	return t, err
}

// Save writes t into a file.
func (a Tensor) Save(path string) {
	if err := a.save(path); err != nil {
		failf("Save", "%v", err)
	}
}

func (a Tensor) save(path string) error {
	f, err := a.file()
	if err != nil {
		return err
	}
	return pth.WriteFile(path, f)
}

func (a Tensor) file() (*weights.File, error) {
	w, err := ToWeights(a)
	if err != nil {
		return nil, err
	}
	f := weights.File{Tensors: new(weights.Dict)}
	f.Tensors.Set(savedName, w)
	return &f, nil
}

// Load reads a file by Save, or by torch.save of one tensor.
func Load(path string) Tensor {
	v, err := pth.ReadValue(path)
	var t Tensor
	if err == nil {
		t, err = only(v)
	}
	if err != nil {
		failf("Load", "%s: %v", path, err)
	}
	return t
}

// only is the tensor in v: v itself, or the only one in a dict.
func only(v any) (Tensor, error) {
	if w, ok := v.(*weights.Tensor); ok {
		return FromWeights(w)
	}
	d, err := pth.DictOf(v)
	if err != nil {
		return Tensor{}, fmt.Errorf("it holds no tensor: %w", err)
	}
	if d.Len() != 1 {
		return Tensor{}, fmt.Errorf("it holds %d tensors, one is wanted; package pth reads them all", d.Len())
	}
	return FromWeights(d.Get(d.Names()[0]))
}

// GobEncode is for package encoding/gob. A tensor on a GPU is encoded as one
// on the CPU.
func (a Tensor) GobEncode() ([]byte, error) {
	if a.T == nil {
		return nil, errors.New("gotorch: the zero Tensor cannot be encoded")
	}
	f, err := a.file()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pth.Write(&b, f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// GobDecode is for package encoding/gob.
func (a *Tensor) GobDecode(buf []byte) error {
	v, err := (pth.Reader{}).ReadValueFrom(bytes.NewReader(buf), int64(len(buf)))
	if err != nil {
		return err
	}
	t, err := only(v)
	if err != nil {
		return err
	}
	*a = t
	return nil
}
