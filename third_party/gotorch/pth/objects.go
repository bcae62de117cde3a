package pth

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/wangkuiyi/gotorch/weights"
)

var be = binary.BigEndian

// The part of the machine that stands for Python's objects: OrderedDict, tensors, storages.

// global reads "module\nname\n".
func (m *machine) global() error {
	const longest = 256
	var words [2]string
	for i := range words {
		rest := m.p[m.pos:]
		n := bytes.IndexByte(rest[:min(len(rest), longest)], '\n')
		if n < 0 {
			return refused("GLOBAL without a line end in %d bytes", longest)
		}
		words[i] = string(rest[:n])
		m.pos += n + 1
	}
	name := words[0] + "." + words[1]
	g, ok := globals[name]
	if !ok {
		return refused("the global %s; only tensors, OrderedDict and plain values are read; where you trust the file, save its weights alone: %s", show(name), m.remedy())
	}
	return m.push(g, 0)
}

// remedy is how the weights of a file with other objects are saved alone, by the keys that its pickle has.
func (m *machine) remedy() string {
	for _, key := range []string{"state_dict", "ema_model", "model_ema", "ema", "net_model", "model_state_dict", "model", "net"} {
		text := append(le.AppendUint32([]byte{opBinUnicode}, uint32(len(key))), key...)
		if bytes.Contains(m.p, text) {
			return fmt.Sprintf("torch.save(torch.load(FILE, weights_only=False)[%q], NEW)", key)
		}
	}
	return "torch.save(model.state_dict(), NEW)"
}

// reduce stands for calling one of three globals with arguments.
func (m *machine) reduce() error {
	arg, err := m.pop()
	if err != nil {
		return err
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := arg.(Tuple)
	if !ok {
		return refused("REDUCE with %s, not a tuple", kind(arg))
	}
	switch callee {
	case orderedDict:
		if len(args) != 0 {
			return refused("OrderedDict with %d arguments, not 0", len(args))
		}
		return m.push(&Map{Ordered: true}, 64)
	case rebuildTensor:
		t, err := m.tensor(args)
		if err != nil {
			return err
		}
		return m.push(t, 0)
	case rebuildParameter: // (data, requires_grad, backward_hooks)
		if len(args) == 3 {
			t, isTensor := args[0].(*weights.Tensor)
			_, isBool := args[1].(bool)
			if isTensor && isBool && noHooks(args[2]) {
				return m.push(t, 0)
			}
		}
		return refused("_rebuild_parameter with other arguments than (tensor, bool, empty OrderedDict)")
	}
	return refused("REDUCE on %s", kind(callee))
}

// tensor stands for _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks).
func (m *machine) tensor(args Tuple) (*weights.Tensor, error) {
	if len(args) != 6 {
		return nil, refused("_rebuild_tensor_v2 with %d arguments, not 6", len(args))
	}
	s, ok := args[0].(*storage)
	if !ok {
		return nil, refused("_rebuild_tensor_v2 of %s, not a storage", kind(args[0]))
	}
	offset, isInt := args[1].(int64)
	size, sizeOK := int64s(args[2])
	stride, strideOK := int64s(args[3])
	_, isBool := args[4].(bool)
	if !isInt || !sizeOK || !strideOK || !isBool {
		return nil, refused("_rebuild_tensor_v2 with arguments of other types than (storage, int, ints, ints, bool, OrderedDict)")
	}
	if !noHooks(args[5]) {
		return nil, refused("_rebuild_tensor_v2 with backward hooks")
	}
	v := view{s, offset, stride, &weights.Tensor{DType: s.dtype, Shape: size}}
	if err := v.check(); err != nil {
		return nil, err
	}
	cost := 128 + 16*int64(len(size))
	if !v.contiguous() {
		cost += v.tensor.Numel() * v.tensor.DType.Size() // it will be copied; the product was checked
	}
	if err := m.charge(cost); err != nil {
		return nil, err
	}
	m.tensors = append(m.tensors, v)
	return v.tensor, nil
}

func int64s(v any) ([]int64, bool) {
	t, ok := v.(Tuple)
	if !ok {
		return nil, false
	}
	out := make([]int64, len(t))
	for i := range t {
		if out[i], ok = t[i].(int64); !ok {
			return nil, false
		}
	}
	return out, true
}

func noHooks(v any) bool {
	m, ok := v.(*Map)
	return ok && m.Ordered && m.Len() == 0
}

// build sets attributes. A state_dict has one, _metadata: the versions of its layers, which are dropped.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.pop()
	if err != nil {
		return err
	}
	d, ok := target.(*Map)
	if !ok || !d.Ordered {
		return refused("BUILD on %s, not an OrderedDict", kind(target))
	}
	attributes, ok := state.(*Map)
	if !ok || attributes.Len() != 1 {
		return refused("BUILD with other attributes than _metadata")
	}
	metadata, ok := attributes.Get("_metadata")
	if _, isMap := metadata.(*Map); !ok || !isMap {
		return refused("BUILD with other attributes than _metadata")
	}
	return m.push(d, 0)
}

// persistentID reads ('storage', class, key, location, numel). The location is the device the storage was on; all are
// loaded into plain memory.
func (m *machine) persistentID() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	id, ok := v.(Tuple)
	if !ok || len(id) != 5 || id[0] != any("storage") {
		return refused("a persistent id that is not ('storage', class, key, location, numel)")
	}
	class, isGlobal := id[1].(global)
	key, isKey := id[2].(string)
	_, isLocation := id[3].(string)
	numel, isInt := id[4].(int64)
	if !isGlobal || !isKey || !isLocation || !isInt {
		return refused("a persistent id with other types than ('storage', class, str, str, int)")
	}
	dtype, ok := class.dtype()
	if !ok {
		return refused("a storage of the class %s", class)
	}
	if !isDigits(key) {
		return refused("the storage key %.40q, not digits", key)
	}
	if s, again := m.storages[key]; again {
		if s.dtype != dtype || s.numel != numel {
			return refused("storage %s as %s of %d elements and as %s of %d", key, s.dtype, s.numel, dtype, numel)
		}
		return m.push(s, 0)
	}
	s, err := m.open(key, dtype, numel)
	if err != nil {
		return err
	}
	m.storages[key] = s
	return m.push(s, 96)
}

func isDigits(s string) bool {
	if s == "" || len(s) > 19 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
