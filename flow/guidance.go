package flow

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"
)

// Guidance is classifier-free guidance (Ho and Salimans 2022), for a model that
// was trained with a null class in the place of some labels: samples follow
//
//	v = v_u + W (v_c - v_u)
//
// with the velocity v_c of their class and v_u of the null class. W = 1 is the
// class as it was learned, 0 the null class alone, and more than 1 stresses
// what sets the class apart.
//
// Kynkäänniemi et al. 2024 guide in an interval of the path only: outside it
// v = v_c.
type Guidance struct {
	Scale    float64 // W
	From, To float64 // guided times, ends included; both 0: all
	Null     int64   // label of the null class
}

// Check says what is wrong with g.
func (g Guidance) Check() error {
	switch {
	case !(g.From <= g.To):
		return fmt.Errorf("flow: guidance from t = %v to %v", g.From, g.To)
	case g.Null < 0:
		return fmt.Errorf("flow: guidance needs a model with a null class")
	case g.Scale != g.Scale:
		return fmt.Errorf("flow: guidance by a scale of NaN")
	}
	return nil
}

// String is the scale, and the times where they are not all: "2, t in
// [0.2,0.8]".
func (g Guidance) String() string {
	if g.active(0) && g.active(1) {
		return fmt.Sprint(g.Scale)
	}
	return fmt.Sprintf("%v, t in [%v,%v]", g.Scale, g.From, g.To)
}

// active tells whether the times include t.
func (g Guidance) active(t float64) bool {
	return g.From == 0 && g.To == 0 || g.From <= t && t <= g.To
}

// Evaluations is how many times the model is evaluated for each sample at time
// t: 2 where both velocities are needed, else 1.
func (g Guidance) Evaluations(t float64) int {
	if g.active(t) && g.Scale != 0 && g.Scale != 1 {
		return 2
	}
	return 1
}

// Field is the guided field of a model for the labels y: [B] int64. Where both
// velocities are needed, the model is evaluated once, for 2B samples.
func (g Guidance) Field(v Velocity, y torch.Tensor) Field {
	null := torch.ZerosLike(y)
	null.FillI(float64(g.Null))
	classes, alone, both := v.Field(y), v.Field(null), v.Field(torch.Cat([]torch.Tensor{y, null}, 0))
	return func(x torch.Tensor, t float64) (dx torch.Tensor) {
		switch {
		case !g.active(t) || g.Scale == 1:
			return classes(x, t)
		case g.Scale == 0:
			return alone(x, t)
		}
		torch.Scoped(func() {
			v2 := torch.Chunk(both(torch.Cat([]torch.Tensor{x, x}, 0), t), 2, 0)
			dx = torch.Keep(torch.Lerp(v2[1], v2[0], g.Scale))
		})
		return dx
	}
}
