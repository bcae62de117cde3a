package models

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
	"github.com/wangkuiyi/gotorch/weights"
)

// ClassRows is weights that were trained on other classes than m's, as Load takes
// them: row i of the table of classes is row rows[i] of theirs, or where that is -1 m's
// own, and the other tensors are theirs. The error is a *Mismatch where a row has another
// width.
func ClassRows(m Network, d *weights.Dict, rows []int) (*weights.Dict, error) {
	name := kinds[m.Config().Kind()].labels
	out := &weights.Dict{}
	for n, t := range d.All() {
		if n != name {
			out.Set(n, t)
		}
	}
	for _, own := range nn.Tensors(m) {
		if own.Name != name {
			continue
		}
		table, err := torch.ToWeights(own.Tensor)
		if err != nil {
			return nil, err
		}
		theirs := d.Get(name)
		if theirs == nil { // of a network without classes
			out.Set(name, table)
			return out, nil
		}
		if len(theirs.Shape) != 2 || theirs.Shape[1] != table.Shape[1] {
			return nil, &Mismatch{Shapes: []string{shapes(name, theirs.Shape, table.Shape)}}
		}
		values, err := theirs.Float32s()
		if err != nil {
			return nil, err
		}
		fresh, err := table.Float32s()
		if err != nil {
			return nil, err
		}
		width := int(table.Shape[1])
		for i, from := range rows {
			if from >= 0 {
				copy(fresh[i*width:(i+1)*width], values[from*width:])
			}
		}
		out.Set(name, weights.FromFloat32(fresh, table.Shape...))
	}
	return out, nil
}
