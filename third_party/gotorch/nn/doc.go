// Package nn has layers and the tree that they form.
//
// A model is a struct that embeds Module and whose fields are tensors, layers,
// other models, or slices of them:
//
//	type Net struct {
//		nn.Module
//		L1, L2 *nn.LinearModule
//	}
//
//	func NewNet() *Net {
//		n := &Net{L1: nn.Linear(2, 8, true), L2: nn.Linear(8, 2, true)}
//		n.Init(n)
//		return n
//	}
//
// Forward has whatever signature the model needs. The tree is walked in the
// order of the fields, so that Parameters is the same list in every run.
//
// Every tensor has two names: the one of GoTorch, "Net.L1.Weight", which
// StateDict uses, and the one of PyTorch, "l1.weight", which Tensors gives.
// The latter is the field's name in snake case, or what its tag says:
//
//	Qkv *nn.Conv1dModule `gotorch:"name=qkv"`
//
// A tensor with the tag `gotorch:"buffer"` is no parameter: it is saved, but
// not trained.
package nn
