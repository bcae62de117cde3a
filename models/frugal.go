package models

import torch "github.com/wangkuiyi/gotorch"

// A scope frees what was made in it when it ends, and sampling evaluates a whole
// network in one: without more it would hold every layer's output at once. So
// where no gradient needs them, parts of a network have scopes of their own.

// frugal runs a part of a network. Without gradients, what it makes on the way to
// its result is freed at once.
func frugal(part func() torch.Tensor) (out torch.Tensor) {
	if torch.GradEnabled() {
		return part()
	}
	torch.Scoped(func() { out = torch.Keep(part()) })
	return out
}

// spend frees tensors that a part has used and nobody needs again, but for the
// result, which may be one of them.
func spend(result torch.Tensor, used ...torch.Tensor) {
	for _, t := range used {
		if t.T != result.T {
			t.Close()
		}
	}
}
