package trainer

import (
	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
	"flowmatch/models"
)

// A processor's cores each take a part of the batch through the whole network,
// forward and backward, where the network is one of images. They meet once a
// step, not in every operation: oneDNN's gradients of convolutions' weights have
// their threads wait for each other many times in each, without giving up their
// core, so that a step beside another program was 15 to 25 times as long.

// leastPart is the number of samples that are worth a part.
const leastPart = 8

// parts is how many parts a batch of n samples is cut into.
func (e *engine) parts(n int64) int64 {
	_, plane := e.network.Config().(models.MLPConfig)
	// A dropout's numbers come from one generator, in the order of the samples.
	if e.device.IsCUDA() || plane || e.dropout {
		return 1
	}
	return max(1, min(int64(torch.NumThreads()), n/leastPart))
}

// gradients adds the gradient of scale times the loss of batch m to those of the
// parameters, and returns that product: [].
func (e *engine) gradients(m int, src Source, scale float64) (loss torch.Tensor, err error) {
	b, err := e.draw(m, src)
	if err != nil {
		return loss, err
	}
	n := b.t.Shape()[0]
	parts := e.parts(n)
	if parts == 1 {
		return e.learn(b, scale), nil
	}
	vs, losses := make([]torch.Tensor, parts), make([]torch.Tensor, parts)
	grads := make([][]torch.Tensor, parts)
	defer func() {
		for i := range parts {
			for _, g := range append(grads[i], vs[i], losses[i]) {
				g.Close()
			}
		}
	}()
	// Not of tables that networks carry along, as the transformer's of positions. Of a
	// rounding's parameter there are two gradients to ask for, one of which is none.
	var of []torch.Tensor
	var at []int // where they are in e.params, or beyond these in their roundings
	for k, p := range e.params {
		if !p.RequiresGrad() {
			continue
		}
		of, at = append(of, p), append(at, k)
		if e.rounded != nil {
			of, at = append(of, e.rounded.Halves[k]), append(at, len(e.params)+k)
		}
	}
	torch.Parallel(int(parts), func(i int) {
		from, to := int64(i)*n/parts, int64(i+1)*n/parts
		p := b.part(from, to)
		v := e.velocity(p)
		l := scaled(flow.Loss(v, p.u), scale*float64(to-from)/float64(n))
		grads[i] = make([]torch.Tensor, 2*len(e.params))
		for k, g := range torch.AutogradGrad([]torch.Tensor{l}, of, torch.AutogradOptions{}) {
			if g.Defined() { // not of a parameter that the loss does not depend on
				grads[i][at[k]] = torch.Keep(g)
			}
		}
		losses[i] = torch.Keep(l.Detach())
		if len(e.diagnostics) > 0 {
			vs[i] = torch.Keep(v.Detach())
		}
	})
	torch.NoGrad(func() {
		if len(e.diagnostics) > 0 {
			e.diagnose(torch.Cat(vs, 0), b)
		}
		loss = torch.SumAll(torch.Stack(losses, 0))
		// In the order of the parts, so that equal runs have equal sums.
		var all [][]torch.Tensor
		for i := range parts {
			all = append(all, grads[i][:len(e.params)], grads[i][len(e.params):])
		}
		torch.AddGrads(e.params, all...)
	})
	return loss, nil
}

// learn is gradients of a batch that goes through the network as a whole.
func (e *engine) learn(b batch, scale float64) torch.Tensor {
	v := e.velocity(b)
	e.diagnose(v, b)
	loss := scaled(flow.Loss(v, b.u), scale)
	loss.Backward()
	e.rounded.Gather()
	return loss.Detach()
}

func scaled(loss torch.Tensor, by float64) torch.Tensor {
	if by == 1 {
		return loss
	}
	return torch.MulScalar(loss, by)
}

// part is samples from to to of b.
func (b batch) part(from, to int64) batch {
	cut := func(t torch.Tensor) torch.Tensor {
		if t.T == nil {
			return t
		}
		return torch.Narrow(t, 0, from, to-from)
	}
	return batch{cut(b.xt), cut(b.t), cut(b.u), cut(b.y)}
}
