package kinds

import (
	"flowmatch/datasets"
	"flowmatch/flow"
)

// Points are the sets of points of the plane. They are drawn in thousands, and all are shown.
var Points = Kind{
	What:    "a set of points",
	About:   func(datasets.Set) string { return "points of the plane" },
	Smaller: func(datasets.Info) string { return "" },

	Samples:   10_000,
	FilmTimes: flow.EvenTimes,

	Measured: 20_000,

	PairsPerFile: 1 << 16,
}
