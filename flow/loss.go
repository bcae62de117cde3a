package flow

import torch "github.com/wangkuiyi/gotorch"

// Loss is the mean squared difference of the velocities v and u: [].
func Loss(v, u torch.Tensor) torch.Tensor { return torch.RawMSELoss(v, u, 1) }
